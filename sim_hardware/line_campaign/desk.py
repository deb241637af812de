"""One line on virtual time: the master, the wire, and whatever answers.

Job: carry bytes both ways at 10 bits per character, one frame at a time in each direction; the first byte of what
comes is seen as soon as it is there, as a port shows it. Neighbours: `campaign` drives, `far_end` answers. Must not
know Modbus.

The simulator's executive is the same for whole pods; there a late answer holds up the answers behind it, which here
must pass it by.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Protocol

from hal.line import Line, Send
from sim_hardware.line_campaign.faults import Frames

_START, _FIRST, _REST = 0, 1, 2
_TEN_BITS_NS = 10_000_000_000


class Answers(Protocol):
    """The far end of a line."""

    def answer(self, request: bytes, now_ns: int) -> Frames:
        """What is heard after a request that ended at now_ns."""
        ...


class Desk:
    """Drives one line. `sent_ns` is when the last request went out."""

    def __init__(self, line: Line, far_end: Answers, baud: int) -> None:
        self.char_ns = _TEN_BITS_NS // baud
        self.now_ns = 0
        self.sent_ns = 0
        self._line, self._far_end = line, far_end
        self._heap: list[tuple[int, int, int, bytes]] = []
        self._order = 0
        self._free_ns = 0  # until when somebody else's bytes are on the wire
        self._request = b""
        self._sent_end_ns = 0

    def run(self, until_ns: int, watch: Callable[[int], None] | None = None) -> None:
        """Let time pass; watch(now_ns) is called after everything that happens."""
        while True:
            wake_ns = self._ask()
            next_ns = min(wake_ns, self._heap[0][0]) if self._heap else wake_ns
            if next_ns > until_ns:
                self.now_ns = until_ns
                return
            self.now_ns = max(self.now_ns, next_ns)
            while self._heap and self._heap[0][0] <= self.now_ns:
                _, _, what, data = heappop(self._heap)
                self._happen(what, data)
            if watch is not None:
                watch(self.now_ns)

    def _ask(self) -> int:
        """Hand over a request that has left the wire, then ask the line; until when nothing of ours happens."""
        if self._request and self.now_ns >= self._sent_end_ns:
            request, self._request = self._request, b""
            for delay_ns, data in self._far_end.answer(request, self._sent_end_ns):
                self._begin(self._sent_end_ns + delay_ns, data)
        if self._request:
            return self._sent_end_ns
        action = self._line.next_action(self.now_ns)
        if not isinstance(action, Send):
            return action.until_ns
        self._request, self.sent_ns = action.data, self.now_ns
        self._sent_end_ns = self.now_ns + len(action.data) * self.char_ns
        return self._sent_end_ns

    def _begin(self, start_ns: int, data: bytes) -> None:
        """Bytes that start on the wire then; what began while we were still sending is seen in one piece."""
        if start_ns >= self.now_ns:
            self._push(start_ns, _START, data)
            return
        self._free_ns = max(self.now_ns, start_ns + len(data) * self.char_ns)
        self._push(self._free_ns, _REST, data)

    def _happen(self, what: int, data: bytes) -> None:
        if what != _START:
            self._line.receive(data, self.now_ns)
        elif self.now_ns < self._free_ns:
            self._push(self._free_ns, _START, data)
        else:
            self._carry(data)

    def _carry(self, data: bytes) -> None:
        self._free_ns = self.now_ns + len(data) * self.char_ns
        self._push(self.now_ns + self.char_ns, _FIRST, data[:1])
        if len(data) > 1:
            self._push(self._free_ns, _REST, data[1:])

    def _push(self, when_ns: int, what: int, data: bytes) -> None:
        self._order += 1
        heappush(self._heap, (when_ns, self._order, what, data))

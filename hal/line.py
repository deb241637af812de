"""One serial line as a state machine without I/O.

Job: ``next_action`` says what to send or how long to wait, ``receive`` takes bytes with their time.
ModbusLine keeps silence (t3.5), one transaction in flight, strict replies, quarantine after any
doubt, and the peace of healthy devices from sick ones. SerialLine listens.
A write that is not echoed is repeated once, as soon as the healthy devices have had their turn (an
image is absolute, so twice is once); only then is its module left alone until it has let go.
Neighbours: ``runner`` (real ports) and the simulator's executive (virtual time) drive a line;
``lanes`` says who is asked next; ``pod_io`` posts images and collects Readings.
Must not know: ports, the operating system's time, or whether anything out there is real.

Time rules. A request that fails (nothing, or bytes that must not be believed) makes the line quiet
until late_s after its end plus the wire time of its reply: a late answer arrives into silence and
is thrown away. One that comes later still finds a question of another shape (``lanes``). A reply counts only when
t3.5 of silence has followed it and its device's turnaround is over: until then a second one may begin. Bytes that
nothing waits for may be somebody's request: the line leaves room for its answer. A Reading is stamped with
the end of its request, the earliest moment at which the device can have sampled.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from hal.blocks import Block
from hal.device import Device, Health
from hal.lanes import Lanes, Order, Task
from hal.modbus import DEVICE_BUSY, Request, Verdict, judge
from hal.outputs import OutputModule
from hal.values import Ack, Cause, Reading
from hal.wire_time import BITS_PER_CHAR, char_ns, silence_ns

NEVER = 2**63 - 1
REPLY_MARGIN_NS = 40_000_000  # USB adapters deliver in batches of 16 ms (FTDI latency timer)
BUSY_RETRY_NS = 100_000_000
REOPEN_AFTER_NS = 5_000_000_000
_REFUSAL_CODE_AT = 2
_LAST_CONFIGURATION_CODE = 3  # 1 function, 2 address, 3 value: we ask for what it does not have
_NO_REQUEST = Request(b"", b"", 0)


class Send(NamedTuple):
    """Put these bytes on the wire now."""

    data: bytes


class Wait(NamedTuple):
    """Nothing to send before until_ns (NEVER is allowed), unless bytes or orders come earlier."""

    until_ns: int


class Line(Protocol):
    """What a runner needs to drive a line."""

    name: str

    def next_action(self, now_ns: int) -> Send | Wait:
        """Ask after every receive, when a sent frame has left the wire, when a Wait is over, and after a tick."""
        ...

    def receive(self, data: bytes, now_ns: int) -> None:
        """Bytes whose arrival ended at now_ns."""
        ...


class PortLine(Line, Protocol):
    """What the owner of a real port needs besides."""

    def wants_reopening(self, now_ns: int) -> bool:
        """Whether the port itself is in doubt: nobody on the line has answered for long."""
        ...

    def reconnected(self, now_ns: int) -> None:
        """The port was opened (again): whoever is there now must show who it is."""
        ...


class ModbusLine:
    """Master of one RTU line. blocks: status blocks of output modules first, then as planned."""

    __slots__ = (
        "_char_ns", "_deadline_ns", "_doubt_end_ns", "_early_ns", "_lanes", "_late_of", "_order", "_quiet_ns",
        "_reopened_ns", "_reply", "_request_end_ns", "_sent_ns", "_silence_ns", "_stray_ns", "_verdict", "acks",
        "failed_count", "lost_ns", "name", "readings", "stray_bytes",
    )  # fmt: skip

    def __init__(self, name: str, baud: int, paced: bool, tick_ns: int, char_bits: int = BITS_PER_CHAR) -> None:
        self.name = name
        self.readings: dict[str, Reading] = {}
        self.acks: dict[str, Ack] = {}
        self._lanes = Lanes(tick_ns)
        self._char_ns, self._silence_ns = char_ns(baud, char_bits), silence_ns(baud)
        self._early_ns = self._char_ns if paced else NEVER  # how much too early a reply may seem
        self._stray_ns = self._silence_ns
        self._quiet_ns = 0  # nothing is sent before
        self._order: Order | None = None  # in flight
        self._late_of: Device | None = None  # who may still answer a request that was given up
        self._reply = b""
        self._verdict = Verdict.PARTIAL
        self._sent_ns = self._request_end_ns = self._deadline_ns = self._doubt_end_ns = 0
        self._reopened_ns = 0
        self.stray_bytes = self.failed_count = self.lost_ns = 0

    @property
    def modules(self) -> Sequence[OutputModule]:
        """Its modules with outputs."""
        return self._lanes.modules

    @property
    def blocks(self) -> Sequence[Block]:
        """What is read on this line, as it is now."""
        return tuple(self._lanes.blocks)

    def add(self, device: Device, blocks: Sequence[Block], module: OutputModule | None) -> None:
        """Hang a device on the line; the first block of a module shows its output image."""
        self._silence_ns = max(self._silence_ns, device.gap_ns)
        longest = max((len(b.request.frame) + 2 * b.request.reply_len for b in blocks), default=32)
        device.cost_ns = device.late_ns + longest * self._char_ns + 2 * self._silence_ns
        device.asks_with([block.request for block in blocks])
        self._stray_ns = max(self._stray_ns, device.turnaround_ns + 2 * self._char_ns + self._silence_ns)
        self._lanes.add(device, blocks, module)

    def begin_tick(self, now_ns: int) -> None:
        """Every module's image is written again (feeding its watchdog), then the fast reads fall due."""
        self._lanes.begin_tick(now_ns)

    def collect(self, now_ns: int) -> None:
        """Let Readings go BAD that nothing has renewed in time, and all while a stranger is on the line."""
        for block in self._lanes.blocks:
            if self._lanes.strange:
                block.refuse(Cause.CONFIGURATION_ERROR)
            else:
                block.age(now_ns)

    def health(self) -> tuple[Health, ...]:
        """State and counts of every device on the line."""
        return tuple(device.health() for device in self._lanes.devices)

    def wants_reopening(self, now_ns: int) -> bool:
        """Once every REOPEN_AFTER_NS while all devices are dead."""
        return now_ns - self._reopened_ns >= REOPEN_AFTER_NS and self._lanes.all_dead()

    @property
    def is_deserted(self) -> bool:
        """Whether it has several devices and nobody answers."""
        return len(self._lanes.devices) > 1 and self._lanes.all_dead()

    def reconnected(self, now_ns: int) -> None:
        """Forget who is who; nothing is written before that is known again."""
        self._reopened_ns = now_ns
        self._lanes.opened(now_ns)

    def receive(self, data: bytes, now_ns: int) -> None:
        """Judge what came; bytes that nothing waits for are thrown away, but prolong the silence."""
        order = self._order
        if order is None:
            self._quiet_ns = max(self._quiet_ns, now_ns + self._stray_ns)
            self.stray_bytes += len(data)
            if self._late_of is not None:
                self._late_of.late_count += 1
                self._late_of = None
            return
        early = not self._reply and now_ns - len(data) * self._char_ns + self._early_ns < self._request_end_ns
        self._reply += data
        verdict = judge(order.request, self._reply)
        if early and verdict is not Verdict.OWN_ECHO:
            verdict = Verdict.EARLY
        self._verdict = verdict
        alone_ns = self._request_end_ns + order.device.turnaround_ns + 2 * self._char_ns
        self._quiet_ns = max(self._quiet_ns, now_ns + self._silence_ns, alone_ns)
        if verdict > Verdict.PARTIAL:
            self._fail(verdict, now_ns)

    def next_action(self, now_ns: int) -> Send | Wait:
        """Settle what is in flight, keep the silence, then send what is most urgent."""
        if self._order is not None:
            if self._verdict is Verdict.PARTIAL:
                if now_ns < self._deadline_ns:
                    return Wait(self._deadline_ns)
                self._fail(Verdict.TRUNCATED if self._reply else Verdict.TIMEOUT, now_ns)
            elif now_ns >= self._quiet_ns:
                self._settle(self._order, now_ns)
        if now_ns < self._quiet_ns:
            return Wait(self._quiet_ns)
        order = self._lanes.next(now_ns)
        return Wait(order) if isinstance(order, int) else self._send(order, now_ns)

    def _send(self, order: Order, now_ns: int) -> Send:
        """Put one request in flight; the reply is due turnaround, its own wire time and a margin after its end."""
        request, device = order.request, order.device
        end_ns = now_ns + len(request.frame) * self._char_ns
        self._order, self._late_of = order, None
        self._reply = b""
        self._verdict = Verdict.PARTIAL
        self._sent_ns, self._request_end_ns = now_ns, end_ns
        reply_ns = request.reply_len * self._char_ns
        self._doubt_end_ns = end_ns + device.late_ns + reply_ns
        self._deadline_ns = min(end_ns + device.turnaround_ns + reply_ns + REPLY_MARGIN_NS, self._doubt_end_ns)
        return Send(request.frame)

    def _settle(self, order: Order, now_ns: int) -> None:
        """A sound reply stood alone until t3.5 after its end: believe it."""
        self._order = None
        device, block, module = order.device, order.block, order.module
        device.well(order.request, self._verdict is Verdict.ACCEPTED, now_ns)
        if self._verdict is Verdict.EXCEPTION:
            self._refused(order, now_ns)
        elif block is not None:
            words = block.accept(self._reply, self._request_end_ns)
            if block.module is not None and not block.module.read_back(words, self._request_end_ns):
                block.module.doubt_watchdog()  # it may have lost more than its outputs
                self._silence(block.module, now_ns)
        elif order.task is Task.SET_UP and module is not None:
            module.watchdog_reply(self._reply)
            if not module.watchdog_due and not module.watchdog_verified:
                module.refuses_watchdog(now_ns)
        elif order.task is Task.WRITE and module is not None:
            module.echoed()
        elif order.task is Task.IDENTIFY:
            self._identified(order, self._reply, now_ns)
        if order.task is Task.IDENTIFY:
            self._lanes.heard(device, now_ns, silent=False)

    def _identified(self, order: Order, reply: bytes, now_ns: int) -> None:
        """It showed who it is, or refused. A stranger stops the line, and is given the silence in which it lets go."""
        device = order.device
        device.shows(reply, now_ns)
        if device.stranger and order.module is not None:
            again_ns = device.retry_ns
            self._silence(order.module, now_ns)
            device.retry_ns = max(again_ns, device.retry_ns)

    def _busy_with_identity(self, order: Order, now_ns: int) -> None:
        """It did not say who it is: no stranger yet. A module that stays busy is not kept awake by the question."""
        module = order.module
        if module is None or module.may_repeat():
            order.device.retry_ns = now_ns + BUSY_RETRY_NS
        else:
            self._silence(module, now_ns)

    def _refused(self, order: Order, now_ns: int) -> None:
        """The device answered with an exception: busy is asked again soon, holes are left out, the rest is BAD."""
        device, block, module, code = order.device, order.block, order.module, self._reply[_REFUSAL_CODE_AT]
        device.faults[Verdict.EXCEPTION] += 1
        if order.task is Task.SET_UP and module is not None:
            module.refuses_watchdog(now_ns)
        elif order.task is Task.WRITE and module is not None:
            self._silence(module, now_ns)
        elif order.task is Task.IDENTIFY and code in DEVICE_BUSY:
            self._busy_with_identity(order, now_ns)
        elif order.task is Task.IDENTIFY:
            self._identified(order, b"", now_ns)
        elif block is None:
            return
        elif code in DEVICE_BUSY:
            block.due_ns = now_ns + BUSY_RETRY_NS
        elif 1 < code <= _LAST_CONFIGURATION_CODE and self._lanes.split(block):
            device.note(block.span, f"refuses {block.span} (exception {code}): read without its holes from now on")
        else:
            block.refuse(Cause.CONFIGURATION_ERROR if code <= _LAST_CONFIGURATION_CODE else Cause.DEVICE_FAILURE)

    def _fail(self, verdict: Verdict, now_ns: int) -> None:
        """No answer, or one not to be believed: quiet until it cannot come any more, then others first."""
        order, self._order = self._order, None
        if order is None:
            return
        device, module = order.device, order.module
        self._quiet_ns = max(self._quiet_ns, self._doubt_end_ns)
        self.failed_count += 1
        self.lost_ns += self._quiet_ns - self._sent_ns
        self._late_of = device if verdict is Verdict.TIMEOUT else None
        device.missed(verdict, order.request, now_ns, self._lanes.next_tick_ns)
        self._lanes.heard(device, now_ns, silent=True)
        own = self._lanes.module_of(device)
        if own is not None:
            own.was_missed(now_ns)
        if order.block is not None:
            order.block.due_ns = now_ns
        elif module is not None and order.task is Task.WRITE and module.may_repeat():
            device.hurry(now_ns)
        elif module is not None and order.task is Task.SET_UP:
            module.misses_watchdog(now_ns)
        elif module is not None:
            self._silence(module, now_ns)

    def _silence(self, module: OutputModule, now_ns: int) -> None:
        """An order that may not have arrived: no request of any kind until its watchdog has released it.

        A module without a watchdog, or one that has been released and told nothing but its fail state since,
        is told again once per tick, dead or not: nothing that is sent can keep it open.
        """
        module.pending = True
        if module.hold_ns and not module.is_released(now_ns):
            module.silence(now_ns)
        else:
            module.device.retry_ns = self._lanes.next_tick_ns

"""A probe of the EZO family on a line of its own, as its data sheet describes it (UART).

Job: answer commands that end with CR after the time they take, send readings by itself while it is in continuous mode
(which it is when new), sleep, wake, restart, keep calibration points. Neighbours: the executive and wire.py drive it as
a Station, wire_faults.py troubles it. Must not know: the controller's side of the dialogue.
Source: EZO-pH and EZO-DO data sheets, UART pages (commands, response codes, 300 and 900 ms).
"""

from collections.abc import Sequence

from sim_hardware.rtu_codec import Request
from sim_hardware.station import NEVER_NS, Probe, Reply
from sim_hardware.troubles.wire_faults import WireFault

SECOND_NS = 1_000_000_000
_SPOKEN = Request(0, 0, 0, 0, b"", 0)
_POINTS = ("low", "mid", "high")
_KNOWN = ("T", "O", "L", "Name", "Plock", "K")  # settings that are taken and change nothing a reader sees


class EzoProbe:
    """One probe; measures gives its numbers in the order in which it sends them."""

    def __init__(self, name: str, device_name: str, measures: Sequence[Probe], kind: str = "pH") -> None:
        """Name of the line; device_name as faults call it; kind as it introduces itself."""
        self.name = name
        self.device_name = device_name
        self.kind = kind
        self.reading_s, self.reply_s = 0.9, 0.3
        self.supply_code = ""  # "*UV" or "*OV": sent with every reading
        self.calibrated: dict[str, float] = {}
        self.commands: list[str] = []  # everything it understood
        self.asleep = False
        self._measures = tuple(measures)
        self._every_s, self._tells_ok = 1, True
        self._typed = b""
        self._next_ns = SECOND_NS
        self._faults: dict[str, WireFault] = {}

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Characters typed by the controller; what is complete is carried out."""
        if any(not fault.hears(_SPOKEN) for fault in self._faults.values()):
            return []
        if self.asleep:
            self.asleep, self._typed = False, b""
            self._next_ns = now_ns + SECOND_NS
            return self._out([(0.05, b"*WA\r")])
        *lines, self._typed = (self._typed + data).split(b"\r")
        said: list[Reply] = []
        for line in lines:
            said += self._obey(line.decode("latin-1"), now_ns)
        return self._out(said)

    def due_ns(self) -> int:
        """When it speaks by itself next."""
        return NEVER_NS if self.asleep or not self._every_s else self._next_ns

    def advance(self, now_ns: int) -> list[Reply]:
        """A reading nobody asked for, in continuous mode."""
        if now_ns < self.due_ns():
            return []
        self._next_ns = now_ns + self._every_s * SECOND_NS
        return self._out([(0.0, self._reading())])

    def restart(self, now_ns: int) -> list[Reply]:
        """Supply lost and back: continuous again, calibration kept."""
        self._every_s, self._tells_ok, self._typed, self.asleep = 1, True, b"", False
        self._next_ns = now_ns + 2 * SECOND_NS
        return self._out([(0.0, b"*RS\r"), (0.5, b"*RE\r")])

    def inject(self, fault: WireFault, device_name: str | None = None) -> None:
        """Begin a fault; line and device are one here."""
        self._faults[fault.kind] = fault

    def clear(self, kind: str, device_name: str | None = None) -> None:
        """End a fault; nothing happens when it is not there."""
        self._faults.pop(kind, None)

    def _reading(self) -> bytes:
        text = ",".join(f"{measure():.3f}" for measure in self._measures)
        code = f"{self.supply_code}\r" if self.supply_code else ""
        return f"{code}{text}\r".encode("ascii")

    def _obey(self, line: str, now_ns: int) -> list[Reply]:
        word, _, rest = line.partition(",")
        self.commands.append(line)
        if line == "R":
            return self._done(self.reading_s, self._reading())
        if line == "Sleep":
            self.asleep = True
            return [(self.reply_s, b"*SL\r")]
        if line == "Factory":
            self.calibrated = {}
            return self.restart(now_ns)
        answer = self._answer(word, rest)
        if answer is None:
            self.commands.pop()
            return [(self.reply_s, b"*ER\r")]
        return self._done(self.reply_s, answer.encode("ascii"))

    def _answer(self, word: str, rest: str) -> str | None:
        """What it says before *OK; None when it does not understand."""
        if word == "C" and rest.isdigit() and int(rest) < 100:
            self._every_s = int(rest)
            return ""
        if word == "*OK" and rest in ("0", "1"):
            self._tells_ok = rest == "1"
            return ""
        if word == "Cal":
            return self._calibrate(rest)
        if word == "Status" and not rest:
            return "?Status,P,5.038\r"
        if word == "i" and not rest:
            return f"?i,{self.kind},2.10\r"
        return "" if word in _KNOWN and rest else None

    def _calibrate(self, rest: str) -> str | None:
        if rest == "?":
            return f"?Cal,{len(self.calibrated)}\r"
        if rest == "clear":
            self.calibrated = {}
            return ""
        point, _, figure = rest.partition(",")
        try:
            self.calibrated[point] = float(figure)
        except ValueError:
            return None
        if point not in _POINTS:
            del self.calibrated[point]
            return None
        if point == "mid":  # the middle comes first and forgets the others
            self.calibrated = {"mid": self.calibrated["mid"]}
        return ""

    def _done(self, after_s: float, answer: bytes) -> list[Reply]:
        said = [(after_s, answer)] if answer else []
        return [*said, (after_s, b"*OK\r")] if self._tells_ok else said

    def _out(self, said: list[Reply]) -> list[Reply]:
        if any(fault.mute for fault in self._faults.values()):
            return []
        for fault in self._faults.values():
            said = fault.sends(said)
        return said

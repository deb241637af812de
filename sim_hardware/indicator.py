"""The weighing indicator of the buffer: continuous Toledo format on a line of its own.

Job: about seven frames a second, unasked, with the motion mark while the weight changes. Neighbours:
wiring.py, executive.py and wire.py (which drive it as a Station), wire_faults.py. Must not know: the
controller's parser. Source of the format: continuous output of Mettler Toledo Wildcat and KERN
indicators (their manuals); 18 bytes with checksum.
"""

from functools import lru_cache

from hal.device_facts import ContinuousFormat
from sim_hardware.rtu_codec import Request
from sim_hardware.station import Probe, Reply
from sim_hardware.troubles.wire_faults import WireFault

PERIOD_NS = 1_000_000_000 // 7
_STX, _CR = b"\x02", b"\r"
_SPOKEN = Request(0, 0, 0, 0, b"", 0)  # stands for "unasked" where faults want a request
_ONE_DECIMAL, _USUAL_MASK = 3, 0x60
_SWA = 0x20 | 1 << 3 | _ONE_DECIMAL  # always-one bit, display steps of 1, one decimal
_SWB, _SWB_NEGATIVE, _SWB_RANGE, _SWB_MOTION = 0x20 | 1 << 4, 1 << 1, 1 << 2, 1 << 3  # bit 4: kg
_SWC = 0x20


class WeighIndicator:
    """Gross weight in kg with one decimal; out-of-range mark when overloaded or without a signal."""

    def __init__(
        self, mass: Probe, capacity_kg: float, motion_kg: float = 0.3, form: ContinuousFormat | None = None
    ) -> None:
        """mass: kg on the cells; motion_kg: change from frame to frame above which motion is marked.

        form: what its maker does otherwise than most.
        """
        self._form = form or ContinuousFormat()
        self._mass = mass
        self._capacity_kg = capacity_kg
        self._motion_kg = motion_kg
        self._before_kg: float | None = None

    def frame(self) -> bytes:
        """One frame with the weight as it is now (NaN shows 0 with the out-of-range mark)."""
        mass_kg = self._mass()
        status = _SWB
        if not -self._capacity_kg <= mass_kg <= self._capacity_kg:
            status |= _SWB_RANGE
            mass_kg = min(max(mass_kg, -99999.9), 99999.9) if mass_kg == mass_kg else 0.0  # noqa: PLR0124 (NaN)
        if self._before_kg is not None and abs(mass_kg - self._before_kg) > self._motion_kg:
            status |= _SWB_MOTION
        self._before_kg = mass_kg
        tenths = round(mass_kg * 10.0)
        if tenths < 0:
            status |= _SWB_NEGATIVE
        form = self._form
        digits = b"%6d%6d" % (abs(tenths), 0) if form.tare else b"%6d" % abs(tenths)
        first = _SWA if form.status_a_mask == _USUAL_MASK else form.status_a_value | _ONE_DECIMAL
        frame = seal_toledo(bytes((first, status, _SWC)) + digits)
        return frame if form.checksum else frame[:-1]


@lru_cache(maxsize=4096)
def seal_toledo(body: bytes) -> bytes:
    """Status bytes and digits -> frame: STX, body, CR, two's complement of the sum of low 7 bits."""
    text = _STX + body + _CR
    return text + bytes((-sum(byte & 0x7F for byte in text) & 0x7F,))


class IndicatorLine:
    """One indicator alone on its line; hears nothing, speaks every PERIOD_NS."""

    def __init__(self, name: str, device_name: str, indicator: WeighIndicator) -> None:
        """Name of the line; device_name as faults call it."""
        self.name = name
        self.device_name = device_name
        self._indicator = indicator
        self._count = 1
        self._faults: dict[str, WireFault] = {}

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """A continuous indicator does not listen."""
        return []

    def due_ns(self) -> int:
        """Start of the next frame."""
        return self._count * PERIOD_NS

    def advance(self, now_ns: int) -> list[Reply]:
        """The frame that starts now, if one was due; frames of an elapsed stretch are not made up."""
        if now_ns < self.due_ns():
            return []
        self._count = now_ns // PERIOD_NS + 1
        if any(fault.mute for fault in self._faults.values()):
            return []
        replies = [(0.0, self._indicator.frame())]
        for fault in self._faults.values():
            replies = [(delay_s, fault.answers(_SPOKEN, said)) for delay_s, said in replies]
            replies = fault.sends(replies)
        return replies

    def inject(self, fault: WireFault, device_name: str | None = None) -> None:
        """Begin a fault; line and device are one here."""
        self._faults[fault.kind] = fault

    def clear(self, kind: str, device_name: str | None = None) -> None:
        """End a fault; nothing happens when it is not there."""
        self._faults.pop(kind, None)

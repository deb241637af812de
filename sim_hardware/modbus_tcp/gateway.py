"""The slaves of one line behind a Modbus TCP server: frames with a header in, (delay, frames) out.

Job: what a gateway does: take the header off, ask the unit, put the header of the request before the
answer. Units 0 and 255 are the server itself, which is its first unit; a unit that is not there is
answered with exception 11, as a gateway does when nothing came back; a damaged answer is not passed on.
Neighbours: slave.py (the units), mbap.py (frames), executive.py and server.py (drive it as a Station).
Must not know: sockets, time sources, the controller's side.
"""

from sim_hardware import rtu_codec
from sim_hardware.modbus_tcp.mbap import Adu, unwrap, wrap
from sim_hardware.slave import LineOfSlaves
from sim_hardware.station import Reply
from sim_hardware.troubles.wire_faults import WireFault

TARGET_SILENT = 11
OWN_UNITS = (0, 255)
_TURNAROUND_S = 0.004


class Gateway:
    """A Station: all units of one line behind one server."""

    def __init__(self, behind: LineOfSlaves) -> None:
        """behind: the units, in the order of the wiring."""
        self.name = behind.name
        self._behind = behind
        self._own = next(iter(behind.slaves.values())).unit if behind.slaves else 0

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Answer one whole frame that has arrived at now_ns."""
        asked = unwrap(data)
        unit = self._own if asked.unit in OWN_UNITS else asked.unit
        if unit not in self._behind.units:
            refusal = rtu_codec.exception_pdu(asked.pdu[0], TARGET_SILENT)
            return [(_TURNAROUND_S, wrap(Adu(asked.transaction, asked.unit, refusal)))]
        answers = self._behind.receive(rtu_codec.seal(unit, asked.pdu), now_ns)
        sound = [(delay_s, frame) for delay_s, frame in answers if _is_sound(frame)]
        return [(delay_s, self._forward(asked, unit, frame)) for delay_s, frame in sound]

    def due_ns(self) -> int:
        """When the next watchdog of a module runs out."""
        return self._behind.due_ns()

    def advance(self, now_ns: int) -> list[Reply]:
        """Let watchdogs run out."""
        return self._behind.advance(now_ns)

    def inject(self, fault: WireFault, device_name: str | None = None) -> None:
        """Begin a fault on one device, or on the line behind (device_name None)."""
        self._behind.inject(fault, device_name)

    def clear(self, kind: str, device_name: str | None = None) -> None:
        """End a fault; nothing happens when it is not there."""
        self._behind.clear(kind, device_name)

    @staticmethod
    def _forward(asked: Adu, unit: int, frame: bytes) -> bytes:
        shown = asked.unit if frame[0] == unit else frame[0]
        return wrap(Adu(asked.transaction, shown, frame[1:-2]))


def _is_sound(frame: bytes) -> bool:
    return len(frame) >= 4 and rtu_codec.crc16(frame[:-2]) == frame[-2] | frame[-1] << 8

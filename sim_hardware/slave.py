"""Modbus slaves of one line: bytes in, (delay, bytes) out.

Job: check a request, find the unit, let its device read or write, answer as the specification tells:
silence for other units, broadcasts and bad check sequences, exceptions 1, 2, 3, 4 and 6 otherwise.
Neighbours: rtu_codec.py, instruments.py and io_module.py (devices), wire_faults.py. Must not know:
time sources, baud rates, the controller's side.
"""

from collections.abc import Mapping

from hal.errors import PodError
from sim_hardware import rtu_codec as codec
from sim_hardware.instruments import Device, RefusedError
from sim_hardware.rtu_codec import Request
from sim_hardware.station import NEVER_NS, Reply
from sim_hardware.troubles.wire_faults import WireFault

_CACHE_FRAMES = 4096


class Slave:
    """One unit: a device behind a number."""

    def __init__(self, unit: int, device: Device, turnaround_s: float = 0.004) -> None:
        """Unit 1..247; turnaround_s from the end of a request to the start of its answer."""
        if not 1 <= unit <= 247:
            raise PodError(382, f"slave unit = {unit}: Modbus units are 1..247; choose one in that range")
        self.unit = unit
        self.device = device
        self.turnaround_s = turnaround_s
        self.faults: dict[str, WireFault] = {}
        coils, holdings = device.coils_size, device.holdings_size
        self._sizes = {
            codec.READ_INPUTS: device.inputs_size,
            codec.READ_HOLDINGS: holdings,
            codec.READ_DISCRETES: device.discretes_size,
            codec.READ_COILS: coils,
            codec.WRITE_COIL: coils,
            codec.WRITE_COILS: coils,
            codec.WRITE_HOLDING: holdings,
            codec.WRITE_HOLDINGS: holdings,
            codec.WRITE_READ_HOLDINGS: holdings if device.writes_and_reads else 0,
        }

    def execute(self, request: Request, dry: bool = False) -> bytes:
        """Do what request says and return the answering PDU; dry = check and echo a write only."""
        _, function, address, count, values, fault, write_at = request
        size = self._sizes.get(function, 0)
        if fault and (size or function not in self._sizes):
            return codec.exception_pdu(function, fault)
        code = self.device.refuses(request)
        if code or not size:
            return codec.exception_pdu(function, code or codec.ILLEGAL_FUNCTION)
        is_both = function == codec.WRITE_READ_HOLDINGS
        if max(address + count, write_at + len(values) // 2 if is_both else 0) > size:
            return codec.exception_pdu(function, codec.ILLEGAL_ADDRESS)
        if function == codec.READ_INPUTS:
            return bytes((4, 2 * count)) + self.device.inputs()[2 * address : 2 * (address + count)]
        if request.is_write:
            return self._write(request, dry)
        return self._read_other(request)

    def _read_other(self, request: Request) -> bytes:
        _, function, address, count, *_ = request
        if function in (codec.READ_HOLDINGS, codec.WRITE_READ_HOLDINGS):
            words = self.device.holdings()[2 * address : 2 * (address + count)]
            return bytes((function, 2 * count)) + words
        image = self.device.coils() if function == codec.READ_COILS else self.device.discretes()
        bits = image >> address & (1 << count) - 1
        length = (count + 7) // 8
        return bytes((function, length)) + bits.to_bytes(length, "little")

    def _write(self, request: Request, dry: bool) -> bytes:
        _, function, address, count, values, *_ = request
        if not dry:
            try:
                self._apply(request)
            except RefusedError as refusal:
                return codec.exception_pdu(function, refusal.code)
        if function == codec.WRITE_READ_HOLDINGS:
            return self._read_other(request)
        head = bytes((function,)) + address.to_bytes(2, "big")
        if function == codec.WRITE_COIL:
            return head + (b"\xff\x00" if values[0] else b"\x00\x00")
        if function == codec.WRITE_HOLDING:
            return head + values
        return head + count.to_bytes(2, "big")

    def _apply(self, request: Request) -> None:
        _, function, address, count, values, _, write_at = request
        if function in (codec.WRITE_COIL, codec.WRITE_COILS):
            self.device.write_coils(address, count, int.from_bytes(values, "little"))
        else:
            self.device.write_holdings(write_at if function == codec.WRITE_READ_HOLDINGS else address, values)


class LineOfSlaves:
    """All units of one line; a Station for the executive and for pseudo-terminals."""

    def __init__(self, name: str, slaves: Mapping[str, Slave]) -> None:
        """Name of the line; slaves by device name."""
        self.name = name
        self.slaves = dict(slaves)
        self.faults: dict[str, WireFault] = {}
        self._by_unit: dict[int, Slave] = {}
        for device_name, slave in self.slaves.items():
            if slave.unit in self._by_unit:
                raise PodError(383, f"line {name} unit {slave.unit} ({device_name}) is taken: give each device its own")
            self._by_unit[slave.unit] = slave
        self._shared: dict[int, list[Slave]] = {}  # addresses that several devices have
        self._requests: dict[bytes, Request | None] = {}
        self._sealed: dict[bytes, bytes] = {}

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Answer one frame that ended arriving at now_ns."""
        request = self._parse(data)
        if request is None:
            return []
        slave = self._by_unit.get(request[0])
        if slave is None:
            if request[0] == 0:
                self._broadcast(request, now_ns)
            return []
        if self._shared and request.unit in self._shared:
            return _overlaid([self._receive_troubled(x, request, now_ns) for x in self._shared[request.unit]])
        if self.faults or slave.faults:
            return self._receive_troubled(slave, request, now_ns)
        slave.device.heard(now_ns)
        return [(slave.turnaround_s, self._seal(slave.unit, slave.execute(request)))]

    @property
    def units(self) -> tuple[int, ...]:
        """Addresses at which somebody answers, in the order of the wiring."""
        return tuple(self._by_unit)

    def due_ns(self) -> int:
        """When the next watchdog of a module runs out."""
        return min((slave.device.due_ns() for slave in self.slaves.values()), default=NEVER_NS)

    def advance(self, now_ns: int) -> list[Reply]:
        """Let watchdogs run out; slaves never speak by themselves."""
        for slave in self.slaves.values():
            slave.device.advance(now_ns)
        return []

    def inject(self, fault: WireFault, device_name: str | None = None) -> None:
        """Begin a fault on one device, or on the line (device_name None); same kind replaces."""
        for slave in self._chosen(device_name):
            fault.begin(slave.device)
        self._held_by(device_name)[fault.kind] = fault
        self._address()

    def clear(self, kind: str, device_name: str | None = None) -> None:
        """End a fault; nothing happens when it is not there."""
        fault = self._held_by(device_name).pop(kind, None)
        if fault is not None:
            for slave in self._chosen(device_name):
                fault.end(slave.device)
        self._address()

    def _address(self) -> None:
        """Who answers where: a fault may have given a device another address, even its neighbour's."""
        homes: dict[int, list[Slave]] = {}
        for slave in self.slaves.values():
            moved = [fault.address for fault in slave.faults.values() if fault.address is not None]
            homes.setdefault(moved[0] if moved else slave.unit, []).append(slave)
        self._by_unit = {unit: here[0] for unit, here in homes.items()}
        self._shared = {unit: here for unit, here in homes.items() if len(here) > 1}

    def _chosen(self, device_name: str | None) -> list[Slave]:
        return list(self.slaves.values()) if device_name is None else [self.slaves[device_name]]

    def _held_by(self, device_name: str | None) -> dict[str, WireFault]:
        return self.faults if device_name is None else self.slaves[device_name].faults

    def _parse(self, data: bytes) -> Request | None:
        try:
            return self._requests[data]
        except KeyError:
            pass
        if len(self._requests) >= _CACHE_FRAMES:
            self._requests.clear()
        request = self._requests[data] = codec.parse(data)
        return request

    def _seal(self, unit: int, pdu: bytes) -> bytes:
        body = bytes((unit,)) + pdu
        try:
            return self._sealed[body]
        except KeyError:
            pass
        if len(self._sealed) >= _CACHE_FRAMES:
            self._sealed.clear()
        frame = self._sealed[body] = codec.seal(unit, pdu)
        return frame

    def _broadcast(self, request: Request, now_ns: int) -> None:
        """Unit 0: writes are done by every unit, reads by none; nobody answers, no watchdog is fed."""
        if not request.is_write:
            return
        for slave in self.slaves.values():
            if all(fault.hears(request) and fault.executes(request) for fault in self._troubles(slave)):
                slave.device.advance(now_ns)
                slave.execute(request)

    def _troubles(self, slave: Slave) -> tuple[WireFault, ...]:
        return (*slave.faults.values(), *self.faults.values())

    def _receive_troubled(self, slave: Slave, request: Request, now_ns: int) -> list[Reply]:
        troubles = self._troubles(slave)
        if not all(fault.hears(request) for fault in troubles):
            return []
        slave.device.heard(now_ns)
        code = next((code for fault in troubles if (code := fault.refuses(request))), 0)
        if code:
            pdu = codec.exception_pdu(request.function, code)
        else:
            pdu = slave.execute(request, dry=not all(fault.executes(request) for fault in troubles))
        for fault in troubles:
            pdu = fault.answers(request, pdu)
        replies = [(slave.turnaround_s, codec.seal(request.unit, pdu))]
        for fault in troubles:
            replies = fault.sends(replies)
        return replies


def _overlaid(answers: list[list[Reply]]) -> list[Reply]:
    """Two devices speak at once: where both drive the pair, a 0 of either is taken for what is on it."""
    spoken = [replies[0] for replies in answers if replies]
    if not spoken:
        return []
    delay_s, mixed = min(reply[0] for reply in spoken), spoken[0][1]
    for _, frame in spoken[1:]:
        longer, shorter = (mixed, frame) if len(mixed) >= len(frame) else (frame, mixed)
        mixed = bytes(a & b for a, b in zip(longer, shorter, strict=False)) + longer[len(shorter) :]
    return [(delay_s, mixed)]

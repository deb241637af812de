"""The relay module of the simulated pod: eight outputs, their feedback, and a communication watchdog.

Job: hold outputs as a real module does, also when nobody talks to it any more. Neighbours: slave.py,
wiring.py, wire_faults.py (which can hang it). Must not know: frames, lines, what an output drives.
"""

import struct
from collections.abc import Callable, Mapping

from sim_hardware.instruments import Device, RefusedError
from sim_hardware.rtu_codec import ILLEGAL_ADDRESS, ILLEGAL_VALUE
from sim_hardware.station import NEVER_NS, Probe

CHANNELS = 8
NO_FEEDBACK = 65535
_WATCHDOG_LONGEST = 6000  # 600 s in the register's unit of 0.1 s
_TENTH_NS = 100_000_000


class IoModule8(Device):
    """Eight relay outputs with feedback and switches; registers as in the device library.

    Coils 0..7 outputs. Holding 0 = watchdog in 0.1 s (0 = off), holding 1 = state at power-on (0 = all
    off, 1 = as before), 2..3 = serial number, high word first, read only. Inputs 0..7 = feedback in
    0.01 % (65535 = none), 8 = outputs as held, 9 = switches, 10 = status (bit 0: watchdog has tripped
    since the last write of outputs).
    Any good request to the unit feeds the watchdog, reads too. Expiry is worked out from time stamps
    when the module is next touched; due_ns tells a driver of time when to touch it.
    """

    coils_size = CHANNELS
    discretes_size = CHANNELS
    holdings_size = 4
    inputs_size = 11
    _LAYOUT = struct.Struct(">11H")

    def __init__(
        self,
        drive: Callable[[int, bool], None],
        positions: Mapping[int, Probe],
        switches: Mapping[int, Probe],
        watchdog_s: float = 0.0,
    ) -> None:
        """drive(channel, on) is called at each change of a held output.

        positions: channel -> 0..1 (NaN = no feedback); switches: channel -> 0 or 1 (NaN reads 0);
        watchdog_s: as commissioned, 0 as it leaves the factory.
        """
        self._drive = drive
        self._positions = tuple(sorted(positions.items()))
        self._switches = tuple((1 << channel, probe) for channel, probe in sorted(switches.items()))
        self._watchdog_register = round(watchdog_s * 10.0)
        self._power_on_state = 0
        self._fed_ns = 0
        self._held = 0
        self._tripped = False

    @property
    def held(self) -> int:
        """Outputs as held, bit k = channel k."""
        return self._held

    def heard(self, now_ns: int) -> None:
        """Any good request feeds the watchdog, after what was due has happened."""
        self.advance(now_ns)
        self._fed_ns = now_ns

    def due_ns(self) -> int:
        """When the outputs drop unless somebody asks before."""
        if not (self._held and self._watchdog_register and self.honours_watchdog):
            return NEVER_NS
        return self._fed_ns + self._watchdog_register * _TENTH_NS

    def advance(self, now_ns: int) -> None:
        """Trip the watchdog if it ran out; a hung module (honours_watchdog False) never does."""
        watchdog_ns = self._watchdog_register * _TENTH_NS
        if watchdog_ns and self.honours_watchdog and now_ns - self._fed_ns >= watchdog_ns:
            self._tripped = True
            self._hold(0)

    def power_cycle(self, now_ns: int) -> None:
        """Supply lost and back at now_ns: registers are kept, outputs take their power-on state."""
        self._fed_ns = now_ns
        self._tripped = False
        if not self._power_on_state:
            self._hold(0)

    def coils(self) -> int:
        """Outputs as held."""
        return self._held

    def discretes(self) -> int:
        """Switches; a broken one reads 0."""
        image = 0
        for bit, probe in self._switches:
            if probe() > 0.5:
                image |= bit
        return image

    def holdings(self) -> bytes:
        """Watchdog, power-on state, and who it is."""
        return struct.pack(">HHI", self._watchdog_register, self._power_on_state, self.serial_number)

    def inputs(self) -> bytes:
        """Feedback, outputs as held, switches, status."""
        words = [NO_FEEDBACK] * CHANNELS
        for channel, probe in self._positions:
            open_frac = probe()
            if open_frac >= 1.0:
                words[channel] = 10000
            elif open_frac >= 0.0:
                words[channel] = int(open_frac * 10000.0 + 0.5)
            elif open_frac < 0.0:  # NaN falls through: no feedback
                words[channel] = 0
        return self._LAYOUT.pack(*words, self._held, self.discretes(), int(self._tripped))

    def write_coils(self, address: int, count: int, image: int) -> None:
        """Set outputs; clears the watchdog's mark."""
        mask = ((1 << count) - 1) << address
        self._tripped = False
        self._hold(self._held & ~mask | image << address & mask)

    def write_holdings(self, address: int, values: bytes) -> None:
        """Set watchdog (up to 600 s) or power-on state (0 or 1)."""
        registers = [self._watchdog_register, self._power_on_state]
        if address + len(values) // 2 > len(registers):
            raise RefusedError(ILLEGAL_ADDRESS)
        for index, value in enumerate(struct.unpack(f">{len(values) // 2}H", values)):
            registers[address + index] = value
        if registers[0] > _WATCHDOG_LONGEST or registers[1] > 1:
            raise RefusedError(ILLEGAL_VALUE)
        self._watchdog_register, self._power_on_state = registers

    def _hold(self, image: int) -> None:
        changed = self._held ^ image
        if not changed:
            return
        self._held = image
        for channel in range(CHANNELS):
            if changed >> channel & 1:
                self._drive(channel, bool(image >> channel & 1))

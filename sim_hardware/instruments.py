"""The measuring devices of the simulated pod: registers made from physical quantities.

Job: each class is one device type with the register layout of its data sheet; a value that its
sensing element does not give (NaN) becomes what the real device shows then. Neighbours: slave.py asks
for registers, wiring.py gives the probes; io_module.py and indicator.py hold the other devices. Must
not know: frames, lines, the plant behind a probe.
"""

import struct
from collections.abc import Mapping

from sim_hardware.rtu_codec import ILLEGAL_ADDRESS, Request
from sim_hardware.station import NEVER_NS, Probe


class RefusedError(Exception):
    """A device refuses a request; code is the Modbus exception it answers with."""

    def __init__(self, code: int) -> None:
        """Keep the exception code."""
        super().__init__(f"Modbus exception {code}")
        self.code = code


class Device:
    """A unit with no registers at all; a device type overrides the tables it has.

    Sizes are numbers of bits (coils, discretes) and of registers (holdings, inputs). Images of bits
    are integers, bit k = address k; images of registers are bytes, big-endian words from address 0.
    """

    coils_size: int = 0
    discretes_size: int = 0
    holdings_size: int = 0
    inputs_size: int = 0
    honours_watchdog: bool = True
    writes_and_reads: bool = False  # whether it knows function 23; no device of the library does
    serial_number: int = 0  # as on its nameplate; a type that shows it says where

    def refuses(self, request: Request) -> int:
        """The exception this device answers a well-formed request with, beyond what its sizes tell; 0 = none."""
        return 0

    def heard(self, now_ns: int) -> None:
        """A request for this unit arrived whole and with a good check sequence."""

    def due_ns(self) -> int:
        """Next instant at which this device acts by itself."""
        return NEVER_NS

    def advance(self, now_ns: int) -> None:
        """Let happen what was due until now_ns."""

    def coils(self) -> int:
        """Image of the coils."""
        return 0

    def discretes(self) -> int:
        """Image of the discrete inputs."""
        return 0

    def holdings(self) -> bytes:
        """Image of the holding registers."""
        return b""

    def inputs(self) -> bytes:
        """Image of the input registers, sampled now."""
        return b""

    def write_coils(self, address: int, count: int, image: int) -> None:
        """Set count coils from address on to the low bits of image."""

    def write_holdings(self, address: int, values: bytes) -> None:
        """Set holding registers from address on; RefusedError(3) when a value is not allowed."""


class Numbered(Device):
    """A device whose only holding registers are 0 and 1: its serial number, high word first, which nobody can write."""

    holdings_size = 2

    def holdings(self) -> bytes:
        """Who it is."""
        return self.serial_number.to_bytes(4, "big")

    def write_holdings(self, address: int, values: bytes) -> None:
        """Nothing here can be written."""
        raise RefusedError(ILLEGAL_ADDRESS)


class LoadCell4(Numbered):
    """Four-channel load cell transmitter: s32 grams, high word first, at 2k; input 8 = fault bits."""

    inputs_size = 9
    _LAYOUT = struct.Struct(">4iH")
    _OVERFLOW_G = 2**31 - 1

    def __init__(self, channels: Mapping[int, Probe]) -> None:
        """channels: channel -> mass in kg; a channel without a probe reads 0 and has no fault."""
        self._channels = tuple(sorted(channels.items()))

    def inputs(self) -> bytes:
        """NaN or a mass beyond 2,000 t gives the largest number and the channel's fault bit."""
        grams, faults = [0, 0, 0, 0], 0
        for channel, probe in self._channels:
            mass_kg = probe()
            if -2.0e6 < mass_kg < 2.0e6:
                grams[channel] = round(mass_kg * 1000.0)
            else:
                grams[channel] = self._OVERFLOW_G
                faults |= 1 << channel
        return self._LAYOUT.pack(*grams, faults)


class LevelHydrostatic(Device):
    """Hydrostatic level transmitter: input 0 = level in 0.1 mm, input 1 bit 0 = sensor fault."""

    inputs_size = 2
    _LAYOUT = struct.Struct(">HH")
    _HIGHEST = 65534

    def __init__(self, level: Probe) -> None:
        """level: height of liquid above the sensor in m."""
        self._level = level

    def inputs(self) -> bytes:
        """NaN gives 65535 and the fault bit; a level outside 0..6.5534 m is shown at that limit."""
        level_m = self._level()
        if level_m != level_m:  # noqa: PLR0124 (NaN is the only value unequal to itself)
            return self._LAYOUT.pack(65535, 1)
        return self._LAYOUT.pack(min(max(round(level_m * 1.0e4), 0), self._HIGHEST), 0)


class LevelRadar(Device):
    """Radar level transmitter: inputs 0-1 = f32 in m, LOW word first; input 2 = echo quality in percent."""

    inputs_size = 3
    _FLOAT = struct.Struct(">f")
    _ECHO = (80).to_bytes(2, "big")

    def __init__(self, level: Probe) -> None:
        """level: height of liquid in m."""
        self._level = level

    def inputs(self) -> bytes:
        """No echo (NaN) gives the float NaN and echo quality 0."""
        level_m = self._level()
        raw = self._FLOAT.pack(level_m)
        echo = self._ECHO if level_m == level_m else b"\x00\x00"  # noqa: PLR0124 (NaN)
        return raw[2:] + raw[:2] + echo


class Analog8(Numbered):
    """Eight current inputs in uA; a transmitter maps span low..high to 4..20 mA.

    A transmitter saturates at 3.8 and 20.5 mA (NAMUR NE 43); a broken loop (NaN) reads 0 uA.
    """

    inputs_size = 8
    _LAYOUT = struct.Struct(">8H")

    def __init__(self, channels: Mapping[int, Probe], spans: Mapping[int, tuple[float, float]]) -> None:
        """channels: channel -> quantity in its unit; spans: channel -> quantity at 4 and at 20 mA."""
        rows = []
        for channel, probe in sorted(channels.items()):
            low, high = spans[channel]
            gain_ua = 16000.0 / (high - low)
            rows.append((channel, probe, gain_ua, 4000.0 - low * gain_ua))
        self._rows = tuple(rows)

    def inputs(self) -> bytes:
        """All eight currents; channels without a transmitter read 0."""
        current_ua = [0] * 8
        for channel, probe, gain_ua, offset_ua in self._rows:
            shown_ua = probe() * gain_ua + offset_ua
            if shown_ua >= 20500.0:
                current_ua[channel] = 20500
            elif shown_ua >= 3800.0:
                current_ua[channel] = int(shown_ua + 0.5)
            elif shown_ua < 3800.0:  # NaN falls through: no current
                current_ua[channel] = 3800
        return self._LAYOUT.pack(*current_ua)


class TempPt1004(Device):
    """Four PT100 inputs: s16 in 0.1 degC, 32767 = burnout (also of a channel without an element)."""

    inputs_size = 4
    _LAYOUT = struct.Struct(">4h")
    _BURNOUT = 32767

    def __init__(self, channels: Mapping[int, Probe]) -> None:
        """channels: channel -> temperature in degC."""
        self._channels = tuple(sorted(channels.items()))

    def inputs(self) -> bytes:
        """A temperature outside -200..850 degC (the range of IEC 60751) counts as burnout."""
        tenths = [self._BURNOUT] * 4
        for channel, probe in self._channels:
            temp_degc = probe()
            if -200.0 <= temp_degc <= 850.0:
                tenths[channel] = round(temp_degc * 10.0)
        return self._LAYOUT.pack(*tenths)

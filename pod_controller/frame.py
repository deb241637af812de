"""Readings of a scan as the FRAME record the kernels read: tags become rows, heights become masses.

A reading that is missing or BAD becomes quality 2 and never a number that looks like one; its age goes along, judged
by the kernels. A lid's lock switch becomes a position (locked = 0). A float or a chute's
high-level switch that cannot be read counts as tripped.

Neighbours: `hal.values` before, `kernels.records` after. Must not know what is decided from it.
"""

from collections.abc import Mapping

from hal.values import Ack, Quality, Reading, Scan
from pod_controller.kernels import records
from pod_controller.kernels.records import Record, Table
from pod_controller.topology import Topology

_BAD = int(Quality.BAD)
_DIGESTER_FIELDS = (
    ("gas_m3_h", "gas_ns", "gas_quality"),
    ("ch4_frac", "ch4_ns", "ch4_quality"),
    ("ph", "ph_ns", "ph_quality"),
)


class FrameBuilder:
    """Fills one FRAME per tick; rows and tags are looked up once, here."""

    def __init__(self, topology: Topology) -> None:
        self._levels = [
            (v, i, tag, topology.level_kg_per_unit[v][i])
            for v, tags in enumerate(topology.level_tags)
            for i, tag in enumerate(tags)
        ]
        self._floats = [(v, tag) for v, tag in enumerate(topology.float_tags) if tag]
        self._contents = list(enumerate(topology.content_tags))
        self._highs = list(enumerate(topology.high_tags))
        self._commands = list(enumerate(topology.command_tags))
        self._positions = [(e, tag, False) for e, tag in enumerate(topology.position_tags) if tag]
        self._positions += [(e, tag, True) for e, tag in enumerate(topology.locked_tags) if tag]
        self._temp_tag = topology.temp_tag
        self._digester = list(zip(_DIGESTER_FIELDS, topology.digester_tags or (), strict=False))
        self._last_ns = -1

    def build(self, scan: Scan, now_ns: int, execute: bool) -> Table:
        """One FRAME from one scan. execute: a person has started the pod and nothing holds it."""
        table = records.table(records.FRAME)
        frame = table[0]
        frame["now_ns"] = now_ns
        frame["elapsed_s"] = (now_ns - self._last_ns) * 1e-9 if self._last_ns >= 0 else 0.0
        frame["execute"] = 1 if execute else 0
        self._last_ns = now_ns
        self._put_levels(table, scan.readings)
        self._put_positions(table, scan.readings)
        self._put_commands(table, scan.acks)
        self._put_contents(table, scan.readings)
        temp = scan.readings.get(self._temp_tag) if self._temp_tag else None
        frame["temp_degc"] = temp.value if temp else 0.0
        frame["temp_quality"] = temp.quality if temp else _BAD
        self._put_digester(frame, scan.readings)
        return table

    def _put_digester(self, frame: Record, readings: Mapping[str, Reading]) -> None:
        for (value, taken, quality), tag in self._digester:
            reading = readings.get(tag)
            if reading is None:
                frame[quality] = _BAD
                continue
            frame[value], frame[taken], frame[quality] = reading.value, reading.taken_ns, reading.quality

    def _put_levels(self, table: Table, readings: Mapping[str, Reading]) -> None:
        kg, taken, quality = table["level_kg"][0], table["level_ns"][0], table["level_quality"][0]
        for v, i, tag, kg_per_unit in self._levels:
            reading = readings.get(tag)
            if reading is None:
                quality[v, i] = _BAD
                continue
            kg[v, i] = reading.value * kg_per_unit
            taken[v, i] = reading.taken_ns
            quality[v, i] = reading.quality
        tripped = table["float_on"][0]
        for v, tag in self._floats:
            tripped[v] = _tripped(readings.get(tag))

    def _put_positions(self, table: Table, readings: Mapping[str, Reading]) -> None:
        frac, taken, quality = table["position_frac"][0], table["position_ns"][0], table["position_quality"][0]
        quality[:] = _BAD
        for e, tag, is_lock in self._positions:
            reading = readings.get(tag)
            if reading is None:
                continue
            frac[e] = 1.0 - reading.value if is_lock else reading.value
            taken[e] = reading.taken_ns
            quality[e] = reading.quality

    def _put_commands(self, table: Table, acks: Mapping[str, Ack]) -> None:
        verified = table["verified_ns"][0]
        verified[:] = -1
        for e, tags in self._commands:
            issued = [acks[tag].issued_ns if tag in acks else -1 for tag in tags]
            verified[e] = min(issued)

    def _put_contents(self, table: Table, readings: Mapping[str, Reading]) -> None:
        kg, taken, quality = table["content_kg"][0], table["content_ns"][0], table["content_quality"][0]
        for c, tag in self._contents:
            reading = readings.get(tag)
            if reading is None:
                quality[c] = _BAD
                continue
            kg[c] = reading.value
            taken[c] = reading.taken_ns
            quality[c] = reading.quality
        tripped, seen = table["high_on"][0], table["high_ns"][0]
        for c, tag in self._highs:
            reading = readings.get(tag)
            tripped[c], seen[c] = _tripped(reading), -1 if reading is None else reading.taken_ns


def _tripped(reading: Reading | None) -> int:
    """A switch: 0 only if it is known to be off."""
    return 0 if reading is not None and reading.quality == Quality.GOOD and reading.value < 0.5 else 1

"""Causes seen in the process itself: floats and levels, foam, gas pressure, heat, gas outside.

Neighbours: `causes` joins them with those of switches and positions. Limits come from the pod's configuration: a
vessel's float and weir, the sensors' declared errors, [protection]. Must not know what a row does.
"""

from collections.abc import Callable, Iterator
from functools import partial

from pod_controller.cause_effect.effects import Unit, fed_vessel, feed_intake, inlets_of, of_intake
from pod_controller.cause_effect.evidence import NS, Evidence
from pod_controller.cause_effect.sites import Site
from pod_controller.config import Vessel
from pod_controller.topology import Topology

QUIET_S = 60.0  # after the last inlet is shut: hold-up arrives, waves settle
ERRORS_COUNT = 4.0  # errors of a sensor that a level must move by before somebody is called


def _vessel(topology: Topology, v: int) -> Unit:
    return Unit("vessel", v, topology.vessels[v])


def _error_kg(vessel: Vessel) -> float:
    return max(level.error_kg for level in vessel.levels)


def _floats(topology: Topology) -> Iterator[Site]:
    for v, tag in enumerate(topology.float_tags):
        if tag:
            yield Site(_vessel(topology, v), (tag,), "on", partial(Evidence.is_on, tag=tag))


def _silent_floats(topology: Topology) -> Iterator[Site]:
    for v, vessel in enumerate(topology.config.vessel):
        if vessel.float_tag is None or vessel.float_kg is None:
            continue
        limit_kg, tag = vessel.float_kg + 2.0 * _error_kg(vessel), vessel.float_tag

        def test(evidence: Evidence, v: int = v, tag: str = tag, limit_kg: float = limit_kg) -> bool:
            is_off = evidence.is_good(tag) and not evidence.is_on(tag)
            return is_off and evidence.votes[v] >= 2 and evidence.level_kg[v] > limit_kg

        yield Site(_vessel(topology, v), (tag,), f"off above {limit_kg:g} kg", test)


def _over_weirs(topology: Topology) -> Iterator[Site]:
    for v, vessel in enumerate(topology.config.vessel):
        if vessel.weir_kg is None:
            continue
        over = [(x.tag, (vessel.weir_kg + 2.0 * x.error_kg) / x.kg_per_unit) for x in vessel.levels]

        def test(evidence: Evidence, over: list[tuple[str, float]] = over) -> bool:
            return any((evidence.good(tag) or 0.0) > limit for tag, limit in over)

        text = f"one above {vessel.weir_kg + 2.0 * _error_kg(vessel):g} kg"
        yield Site(_vessel(topology, v), tuple(tag for tag, _ in over), text, test)


class _Drift:
    """A vote that moves one way while everything that could move it has been shut for a while."""

    def __init__(self, v: int, elements: tuple[int, ...], limit_kg: float, sign: int) -> None:
        self._v, self._elements, self._limit_kg, self._sign = v, elements, limit_kg, sign
        self._quiet_ns = -1
        self._votes = 0
        self._from_kg = 0.0

    def __call__(self, evidence: Evidence) -> bool:
        at_rest, votes = evidence.at_rest, evidence.votes[self._v]
        if votes < 2 or not all(at_rest[e] for e in self._elements):
            self._quiet_ns = -1
            return False
        here_kg = self._sign * evidence.level_kg[self._v]
        if self._quiet_ns < 0 or votes != self._votes:
            self._quiet_ns, self._votes = evidence.now_ns, votes
        if evidence.now_ns - self._quiet_ns < QUIET_S * NS:
            self._from_kg = here_kg
            return False
        self._from_kg = min(self._from_kg, here_kg)
        return here_kg - self._from_kg > self._limit_kg


def _rising(topology: Topology) -> Iterator[Site]:
    for v, vessel in enumerate(topology.config.vessel):
        inlets = tuple(dict.fromkeys(inlets_of(topology, v)))
        if vessel.weir_kg is None and inlets:
            limit_kg = ERRORS_COUNT * _error_kg(vessel)
            tags = tuple(level.tag for level in vessel.levels)
            yield Site(_vessel(topology, v), tags, f"by {limit_kg:g} kg", _Drift(v, inlets, limit_kg, 1))


def _falling(topology: Topology) -> Iterator[Site]:
    """Only of a vessel that nothing but the feed empties."""
    i = feed_intake(topology)
    sources = [x.from_vessel for x in topology.config.intake if i >= 0 and x.name == topology.intakes[i]]
    for v, vessel in enumerate(topology.config.vessel):
        drains = [x.name for x in topology.config.intake if x.from_vessel == vessel.name]
        if vessel.name in sources and vessel.weir_kg is None and len(drains) == 1:
            limit_kg = ERRORS_COUNT * _error_kg(vessel)
            tags = tuple(level.tag for level in vessel.levels)
            drift = _Drift(v, of_intake(topology, i), limit_kg, -1)
            yield Site(_vessel(topology, v), tags, f"by {limit_kg:g} kg", drift)


def _foam(topology: Topology) -> Iterator[Site]:
    tag = topology.config.protection.foam_tag
    if tag is not None and fed_vessel(topology) >= 0:
        yield Site(
            _vessel(topology, fed_vessel(topology)),
            (tag,),
            "1, or unknown",
            lambda evidence: not evidence.is_good(tag) or evidence.is_on(tag),
        )


def _beyond(topology: Topology, tag: str | None, limit: str, is_beyond: Callable[[float], bool]) -> Iterator[Site]:
    """A signal of the whole pod beyond its limit; what is not good is another row's."""
    if tag is None:
        return

    def test(evidence: Evidence) -> bool:
        value = evidence.good(tag)
        return value is not None and is_beyond(value)

    yield Site(Unit("pod", 0, "pod"), (tag,), limit, test)


def _above(topology: Topology, tag: str | None, limit_value: float, unit: str) -> Iterator[Site]:
    yield from _beyond(topology, tag, f"> {limit_value:g} {unit}", lambda value: value > limit_value)


def _pressure_high(topology: Topology) -> Iterator[Site]:
    protection = topology.config.protection
    return _above(topology, protection.pressure_tag, protection.pressure_high_mbar, "mbar")


def _pressure_low(topology: Topology) -> Iterator[Site]:
    low_mbar = topology.config.protection.pressure_low_mbar
    tag = topology.config.protection.pressure_tag
    return _beyond(topology, tag, f"< {low_mbar:g} mbar", lambda value: value < low_mbar)


def _methane(topology: Topology) -> Iterator[Site]:
    protection = topology.config.protection
    return _above(topology, protection.methane_tag, protection.methane_high_pct, "% LEL")


def _sulfide(topology: Topology) -> Iterator[Site]:
    protection = topology.config.protection
    return _above(topology, protection.sulfide_tag, protection.sulfide_high_ppm, "ppm")


def _temp_high(topology: Topology) -> Iterator[Site]:
    return _above(topology, topology.temp_tag, topology.config.protection.temp_high_degc, "degC")


def _jacket_high(topology: Topology) -> Iterator[Site]:
    protection = topology.config.protection
    return _above(topology, protection.jacket_tag, protection.jacket_high_degc, "degC")


def _unknown(topology: Topology, *tags: str | None) -> Iterator[Site]:
    for tag in tags:
        if tag is not None:
            yield Site(Unit("pod", 0, "pod"), (tag,), "not good", partial(Evidence.is_lost, tag=tag))


def _pressure_unknown(topology: Topology) -> Iterator[Site]:
    yield from _unknown(topology, topology.config.protection.pressure_tag)


def _temp_unknown(topology: Topology) -> Iterator[Site]:
    yield from _unknown(topology, topology.temp_tag)


def _detector_unknown(topology: Topology) -> Iterator[Site]:
    yield from _unknown(topology, topology.config.protection.methane_tag, topology.config.protection.sulfide_tag)


def _heating(topology: Topology, on: bool) -> Iterator[Site]:
    """The heater on, or off, for long enough, and the jacket not as warm, or as cool, as that makes it."""
    thermostat, protection = topology.config.thermostat, topology.config.protection
    jacket_tag = protection.jacket_tag
    if thermostat is None or jacket_tag is None:
        return
    heater = topology.element(thermostat.element)
    settles_ns, warm_k = round(protection.jacket_settles_s * NS), protection.jacket_warm_k
    tags = (jacket_tag, thermostat.temp_tag)

    def test(evidence: Evidence) -> bool:
        if evidence.told[heater] != on or evidence.now_ns - evidence.since_ns[heater] < settles_ns:
            return False
        jacket_degc, temp_degc = evidence.good(jacket_tag), evidence.good(thermostat.temp_tag)
        if jacket_degc is None or temp_degc is None:
            return False
        return (jacket_degc - temp_degc > warm_k) != on

    limit = f"{'less' if on else 'more'} than {warm_k:g} K over the vessel after {protection.jacket_settles_s:g} s"
    yield Site(Unit("element", heater, thermostat.element), tags, limit, test)


CAUSES: dict[str, Callable[[Topology], Iterator[Site]]] = {
    "float_on": _floats,
    "float_silent": _silent_floats,
    "source_falls": _falling,
    "over_weir": _over_weirs,
    "foam": _foam,
    "rises_shut": _rising,
    "pressure_high": _pressure_high,
    "pressure_low": _pressure_low,
    "pressure_unknown": _pressure_unknown,
    "temp_high": _temp_high,
    "jacket_high": _jacket_high,
    "heats_nothing": partial(_heating, on=True),
    "warms_alone": partial(_heating, on=False),
    "temp_unknown": _temp_unknown,
    "methane": _methane,
    "sulfide": _sulfide,
    "detector_unknown": _detector_unknown,
}

"""The rows: one cause, the elements it keeps at their fail state, whether it latches, and what a person does.

An id is a rule id of permits, journal, `status` and runbook; once given it keeps its meaning. A row only ever closes:
no row names anything of the gas path, and nothing here opens what the guard keeps shut. Hazards H1-H8 are those of the
runbook's chapter; M is maintenance and supply. To add a row: here, its cause in `causes`, a drive in
tests/pod_controller/test_cause_effect.py, a line in deploy/RUNBOOK.md.

Neighbours: `causes` knows when, `effects` knows what. Must not know a pod.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from pod_controller.kernels.rules import TEXT

TESTED = "tests/pod_controller/test_cause_effect.py"


class Row(NamedTuple):
    """One row. cause, effect: names in `causes` and `effects`; for_s: how long the cause must stand before it trips."""

    id: int
    hazard: str
    cause: str
    for_s: float
    effect: str
    latched: bool
    says: str
    todo: str
    clear_s: float = 2.0  # the cause must have been gone for as long, before the trip ends or may be reset


ROWS = (
    Row(111, "H1", "float_on", 2.0, "inlets", False, "its high-high float is on",
        "make room; it ends with the float, which a full surge touches in ordinary work", 0.0),
    Row(112, "H1", "float_silent", 5.0, "inlets", True, "its level is above its float, and the float is silent",
        "test the float by hand: it is the last independent layer; reset"),
    Row(113, "H1", "gate_open", 2.0, "chute", True, "the gate does not shut when told to",
        "a bag is caught, or air or spring is gone: clear it with the chute's lid locked; reset"),
    Row(114, "H1", "gates_open", 2.0, "intake", True, "two gates or more do not shut: macerator and valve stop too",
        "clear both gates before anything runs; reset"),
    Row(115, "H1", "macerator_on", 2.0, "series", True, "a part behind the gates does not stop when told to",
        "open its isolator; its contactor or valve is stuck; reset"),
    Row(116, "H1", "companion_open", 5.0, "series", True, "a valve moved together with this one stays open",
        "dilution water is endless: shut it by hand; reset"),
    Row(121, "H2", "pump_on", 2.0, "series", True, "a pump or valve does not stop: the one in series with it stops",
        "open its isolator; a contactor is welded or a valve stuck; reset"),
    Row(122, "H2", "source_falls", 5.0, "feed", True, "its level falls while its pump is off: siphon or leak",
        "look where it goes; shut the hand valve; reset"),
    Row(123, "H2", "over_weir", 10.0, "inlets", False, "a level stands above its overflow: the overflow is blocked",
        "clear the overflow leg; it ends by itself", 60.0),
    Row(131, "H3", "foam", 5.0, "feed", False, "the foam probe is wet, or cannot be read",
        "nothing at first: feed stays off ten minutes beyond the foam; antifoam, if it lasts", 600.0),
    Row(141, "H4", "rises_shut", 5.0, "inlets", True, "its level rises while everything into it is shut",
        "look what runs in: a hose, rain, a valve that leaks; reset"),
    Row(151, "H5", "pressure_high", 2.0, "feed and heat", False, "gas pressure is high",
        "look at flare, trap and relief; the gas path stays as it is; it ends by itself", 60.0),
    Row(152, "H5", "pressure_low", 2.0, "withdrawal", False, "gas pressure is low: vacuum threatens",
        "stop every draw by hand; look for a leak; it ends by itself", 60.0),
    Row(153, "H5", "pressure_unknown", 30.0, "feed and heat", False, "gas pressure cannot be read",
        "repair the sensor; the gas path stays as it is; it ends by itself"),
    Row(161, "H6", "temp_high", 5.0, "heat", True, "the heated vessel is too warm",
        "open the heater's breaker if it goes on rising; reset"),
    Row(162, "H6", "jacket_high", 5.0, "heat", True, "the jacket is too warm",
        "look at the circulation; reset"),
    Row(163, "H6", "heats_nothing", 0.0, "heat", True, "the heater runs and the jacket does not warm",
        "is the temperature sensor in its pocket? is the heater's fuse whole? reset"),
    Row(164, "H6", "warms_alone", 0.0, "heat", True, "the heater is off and the jacket stays warm",
        "a relay is welded: open the breaker; reset"),
    Row(165, "H6", "temp_unknown", 5.0, "heat", False, "the temperature cannot be read",
        "repair the sensor; it ends by itself"),
    Row(171, "H7", "methane", 0.0, "ignition", True, "flammable gas outside",
        "keep away, call; ventilation runs, the vent stays as it is; reset when the air is clear"),
    Row(172, "H7", "sulfide", 0.0, "ignition", True, "hydrogen sulfide outside",
        "keep away, call; ventilation runs, the vent stays as it is; reset when the air is clear"),
    Row(173, "H7", "detector_unknown", 60.0, "heat", False, "a gas detector cannot be read",
        "repair or shade the detector; it ends by itself"),
    Row(181, "H8", "guard_open", 0.0, "intake", True, "the cutter's guard is open, or its two channels disagree",
        "shut it so that both channels are seen shut; reset on the spot"),
    Row(182, "H8", "airlock_open", 0.0, "intake", True, "a lid is unlocked over a gate that is not shut",
        "nobody's hand in the chute; look at the lid's lock; reset"),
    Row(191, "M", "hand", 0.0, "itself", True, "a local panel has it in HAND: it counts as open",
        "turn it back to AUTO; reset"),
    Row(192, "M", "out_of_service", 0.0, "itself", False, "a person has taken it out of service: it counts as open",
        "put it back; end the bypass"),
    Row(193, "M", "power", 0.0, "everything", True, "the outputs have lost their power",
        "find out who switched it, and that nobody works on the pod; reset: nothing restarts by itself"),
    Row(194, "M", "does_not_follow", 2.0, "itself", True, "it stays at its fail state though it is told to move",
        "air, fuse, contactor, something caught; reset"),
    Row(195, "M", "forgotten", 0.0, "everything", True, "what had tripped before a restart cannot be known",
        "look over the whole pod as if everything had tripped; reset"),
    Row(199, "M", "bypassed", 0.0, "lids", False, "a maintenance bypass is in force: lids stay locked",
        "finish the work; end the bypass; it expires by itself"),
)  # fmt: skip

BY_ID: Mapping[int, Row] = MappingProxyType({row.id: row for row in ROWS})
SENTENCES: Mapping[int, str] = MappingProxyType(TEXT | {row.id: f"tripped: {row.says}" for row in ROWS})

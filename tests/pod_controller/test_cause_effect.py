"""The cause-and-effect table, row by row: each cause is driven, its effect seen, its latch held, and lifted by reset.

The tests come from the table: a row without a drive fails. Some causes are driven through the simulated pod as well,
byte for byte.
"""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from scan_pod import ScanPod, fitted, tripped_twice

from hal.errors import PodError
from pod_controller.cause_effect import matrix
from pod_controller.cause_effect.causes import CAUSES
from pod_controller.cause_effect.effects import EFFECTS
from pod_controller.cause_effect.kept import NOTHING_KNOWN
from pod_controller.cause_effect.table import BY_ID, ROWS, SENTENCES, Row
from pod_controller.config import load
from pod_controller.kernels import rules
from pod_controller.topology import build
from sim_hardware import faults, scenarios
from sim_hardware.pod import NS, SimulatedPod

pytestmark = pytest.mark.timeout(60)  # whichever test comes first in a cold cache compiles

RUNBOOK = Path(__file__).parents[2] / "deploy" / "RUNBOOK.md"
REFERENCE = Path(str(files("sim_hardware").joinpath("reference/pod.toml")))
ROOT = Path(__file__).parents[2]


def shows(**values: float) -> Callable[[ScanPod], None]:
    """Sensors show these; T_LT_201=.. is written LT_201=.."""
    return lambda pod: pod.values.update({tag.replace("_", "-"): value for tag, value in values.items()})


def sticks(*tags: str, at_frac: float = 1.0) -> Callable[[ScanPod], None]:
    """Elements with these position tags are stuck."""
    return lambda pod: pod.held.update(dict.fromkeys(tags, at_frac))


def loses(*tags: str) -> Callable[[ScanPod], None]:
    return lambda pod: pod.lost.extend(tags)


def drifts(kg_s: float, *kg_per_unit: tuple[str, float]) -> Callable[[ScanPod], None]:
    """Levels move by themselves, from a minute after everything has been shut."""

    def bend(values: dict[str, float]) -> None:
        for tag, kg in kg_per_unit:
            values[tag] += 0.5 * kg_s / kg

    def drive(pod: ScanPod) -> None:
        pod.run(70.0)
        pod.bends.append(bend)

    return drive


def both_locks_fail(pod: ScanPod) -> None:
    pod.held.update({"ZT-101": 1.0, "ZSC-111": 0.0})


def heater_without_effect(pod: ScanPod) -> None:
    pod.values.update({"TT-301": 30.0, "TT-302": 30.0})
    pod.run(1500.0)


def heater_on_for_ever(pod: ScanPod) -> None:
    pod.values["TT-302"] = 50.0
    pod.run(1500.0)


def falls(pod: ScanPod) -> None:
    pod.loop.trips.begin_bypass("gate_2", 600, "new seal", "anna", pod.now_ns)


def starts_without_record(pod: ScanPod) -> None:
    pod.loop.trips.recall(NOTHING_KNOWN, False, pod.now_ns)


def works_on_pressure(pod: ScanPod) -> None:
    pod.loop.trips.begin_bypass("PT-312", 600, "new port", "anna", pod.now_ns)


BUFFER = (("LT-201", 500.0), ("LT-202", 500.0), ("WT-203", 1.0))
# row -> how its cause comes about, and an element that it must keep
DRIVES: dict[int, tuple[Callable[[ScanPod], None], str]] = {
    111: (shows(LSHH_204=1.0), "macerator"),
    112: (shows(LT_201=1.17, LT_202=1.17, WT_203=585.0), "gate_1"),
    113: (sticks("ZT-101"), "gate_1"),
    114: (sticks("ZT-101", "ZT-103", at_frac=0.3), "macerator"),
    115: (sticks("ST-121"), "gate_2"),
    116: (shows(ZT_123=1.0), "macerator"),
    121: (sticks("ST-211"), "feed_valve"),
    122: (drifts(-1.5, *BUFFER), "feed_pump"),
    123: (shows(LT_301=41500.0), "feed_pump"),
    131: (shows(LSH_303=1.0), "feed_pump"),
    141: (drifts(1.5, *BUFFER), "gate_3"),
    151: (shows(PT_312=21.0), "heater"),
    152: (shows(PT_312=0.2), "sump_pump"),
    153: (loses("PT-312"), "feed_valve"),
    161: (shows(TT_301=43.0), "heater"),
    162: (shows(TT_302=70.0), "heater"),
    163: (heater_without_effect, "heater"),
    164: (heater_on_for_ever, "heater"),
    165: (loses("TT-301"), "heater"),
    171: (shows(AT_951=25.0), "macerator"),
    172: (shows(AT_952=12.0), "macerator"),
    173: (loses("AT-951"), "heater"),
    181: (shows(ZS_122=0.0), "macerator"),
    182: (both_locks_fail, "macerator"),
    191: (shows(HS_101=1.0), "gate_1"),
    192: (falls, "gate_2"),
    193: (shows(ES_900=0.0), "sump_pump"),
    194: (sticks("ST-711", at_frac=0.0), "dosing_valve"),
    195: (starts_without_record, "feed_pump"),
    199: (works_on_pressure, "lid_4"),
}


def test_every_row_has_a_drive_and_every_drive_a_row() -> None:
    assert list(DRIVES) == [row.id for row in ROWS]


def driven(row: Row) -> ScanPod:
    """A pod that ran well until this cause came, and tripped."""
    pod = ScanPod()
    pod.start()
    assert pod.trips == []
    DRIVES[row.id][0](pod)
    for _ in range(130):
        pod.run(0.5)
        if row.id in pod.trips:
            break
    assert row.id in pod.trips, pod.trips
    return pod


def heals(pod: ScanPod) -> None:
    """What was driven is undone; levels stand where they are."""
    fresh = ScanPod()
    fresh_levels = {"LT-201", "LT-202", "WT-203"}
    if pod.bends:
        pod.bends.clear()
    pod.values.update({tag: value for tag, value in fresh.values.items() if not pod.bends and tag not in fresh_levels})
    pod.values.update({"LT-201": 0.36, "LT-202": 0.36, "WT-203": 180.0})
    pod.held.clear()
    pod.lost.clear()
    pod.loop.trips.end_bypass("done", "anna")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.id))
def test_a_row_trips_keeps_its_elements_and_ends_as_it_says(row: Row) -> None:
    pod = driven(row)
    kept = DRIVES[row.id][1]
    (watch, *_) = [each.watch for each in pod.loop.trips.standing if each.watch.row is row]
    others = {e for each in pod.loop.trips.standing for e in each.watch.elements}

    assert pod.topology.element(kept) in watch.elements
    for e in watch.elements:
        assert pod.grant(pod.topology.elements[e]) == 0.0
        assert pod.rule(pod.topology.elements[e]) in pod.trips
    free = [name for e, name in enumerate(pod.topology.elements) if e not in others]
    assert row.id in (193, 195) or free, "never everything where a part will do"
    assert all(pod.rule(name) not in BY_ID for name in free)
    assert any(draft.kind == "trip" and draft.thing.startswith(f"{row.id} ") for draft in pod.paper.drafts)

    assert pod.loop.trips.reset(pod.now_ns) == 0 or row.id not in (111, 151), "its cause stands"
    heals(pod)
    pod.run(row.clear_s + 40.0)
    assert (row.id in pod.trips) == row.latched
    pod.loop.request(pod.now_ns, "reset", "repaired", "anna (uid 7)")
    pod.run(3.0)
    assert row.id not in pod.trips


# A cause that only shows while the element is commanded ends with the trip, and comes again after a reset.
SHOWS_ITSELF_AGAIN = (163, 194)
# The cause of 195 is over when the core has started.
LATCHED = [row for row in ROWS if row.latched and row.id not in (*SHOWS_ITSELF_AGAIN, 195)]


@pytest.mark.parametrize("row", LATCHED, ids=lambda row: str(row.id))
def test_a_latched_trip_stays_while_its_cause_stands_whatever_a_person_says(row: Row) -> None:
    pod = driven(row)
    pod.run(3.0)

    pod.loop.request(pod.now_ns, "reset", "I want it", "ben")
    pod.run(row.for_s + 5.0)

    assert row.id in pod.trips


@pytest.mark.parametrize("number", SHOWS_ITSELF_AGAIN)
def test_a_reset_too_early_trips_again(number: int) -> None:
    pod = driven(BY_ID[number])
    pod.run(5.0)

    pod.loop.request(pod.now_ns, "reset", "I want it", "ben")
    pod.run(0.5)
    assert number not in pod.trips
    pod.run(1600.0)

    assert number in pod.trips


def test_the_first_out_is_kept_while_others_follow() -> None:
    pod = tripped_twice()

    assert [(x.watch.row.id, x.first_out) for x in pod.loop.trips.standing] == [(162, True), (181, False)]
    assert "first out" in next(x.why for x in pod.paper.drafts if x.thing == "162 pod")


def test_an_element_in_hand_counts_as_fully_open_for_the_guard() -> None:
    pod = ScanPod()
    pod.start()
    gate = pod.topology.element("gate_1")
    assert pod.loop.state["envelope_frac"][0, gate] == 0.0

    pod.values["HS-101"] = 1.0
    pod.run(0.5)

    assert pod.loop.state["envelope_frac"][0, gate] == 1.0
    assert pod.grant("lid_1") == 0.0
    assert pod.grant("lid_2") == 1.0
    pod.lost.append("HS-101")
    pod.values["HS-101"] = 0.0
    pod.run(5.0)
    assert pod.loop.state["envelope_frac"][0, gate] == 1.0, "a switch that cannot be read is in HAND"


def test_a_foam_probe_that_cannot_be_read_stops_the_feed() -> None:
    pod = ScanPod()
    pod.start()

    pod.lost.append("LSH-303")
    pod.run(8.0)

    assert pod.trips == [131]
    assert (pod.rule("feed_pump"), pod.rule("feed_valve")) == (131, 131)


def test_one_bypass_at_a_time_with_a_reason_and_an_end() -> None:
    pod = ScanPod()
    pod.start()
    trips = pod.loop.trips
    with pytest.raises(PodError, match="E452 bypass without a reason"):
        trips.begin_bypass("PT-312", 60, "", "anna", pod.now_ns)
    with pytest.raises(PodError, match="E451 bypass of 'PT-399'"):
        trips.begin_bypass("PT-399", 60, "new port", "anna", pod.now_ns)
    with pytest.raises(PodError, match=r"E451 bypass of 'FV-101': .*: it moves gate_1: name that"):
        trips.begin_bypass("FV-101", 60, "new seal", "anna", pod.now_ns)
    with pytest.raises(PodError, match="E452 bypass for 86400 s"):
        trips.begin_bypass("PT-312", 86400, "new port", "anna", pod.now_ns)
    trips.begin_bypass("PT-312", 60, "new port", "anna", pod.now_ns)
    with pytest.raises(PodError, match="E450 PT-312 is bypassed by anna"):
        trips.begin_bypass("TT-302", 60, "new pocket", "ben", pod.now_ns)

    pod.values["PT-312"] = 24.0
    pod.run(50.0)
    assert pod.trips == [199], "the sensor under work trips nothing"
    assert pod.loop.scan is not None and pod.loop.scan.readings["PT-312"].quality == 2
    assert [pod.grant(f"lid_{n}") for n in (1, 2, 3, 4)] == [0.0] * 4
    pod.run(15.0)

    assert pod.trips == [151], "time is up: the row counts again"
    told = [(x.thing, x.value, x.who) for x in pod.paper.drafts if x.thing.startswith("bypass")]
    assert told == [("bypass PT-312", "begun", "anna"), ("bypass PT-312", "expired", "core")]


def test_a_gate_out_of_service_counts_as_open_and_its_chute_takes_nothing() -> None:
    pod = ScanPod()
    pod.start()

    pod.loop.trips.begin_bypass("gate_2", 600, "taken out", "anna", pod.now_ns)
    pod.run(5.0)

    assert pod.loop.state["envelope_frac"][0, pod.topology.element("gate_2")] == 1.0
    assert (pod.rule("gate_2"), pod.rule("lid_2")) == (192, 192)


def test_no_stop_trip_or_reset_names_a_part_of_the_gas_path() -> None:
    path = ("vent", "flare", "burner", "relief")

    for topology in (fitted(), build(load(REFERENCE))):
        kept = {name for row in matrix.document(topology)["rows"] for x in row["watches"] for name in x["elements"]}
        assert not [name for name in sorted(kept) if any(word in name for word in path)]


@pytest.mark.parametrize(
    ("drive", "says"),
    [
        (shows(ES_900=0.0), "ES-900 (XM-S) is not 1"),
        (loses("ES-900"), "ES-900 cannot be read: the supply, or XM-S alone, which is away or ignores its orders"),
        (
            lambda pod: pod.held.update({"ST-711": 0.0, "ZSC-111": 1.0}),
            "at their fail states against their orders: lid_1 (XM-A), dosing_pump (XM-C)",
        ),
    ],
)
def test_lost_power_tells_by_which_sign_it_was_seen(drive: Callable[[ScanPod], None], says: str) -> None:
    pod = ScanPod()
    pod.start()
    drive(pod)
    for _ in range(130):
        pod.run(0.5)
        if 193 in pod.trips:
            break

    (standing,) = [each for each in pod.loop.trips.standing if each.watch.row.id == 193]
    assert standing.seen == says
    assert [draft.why for draft in pod.paper.drafts if draft.thing == "193 outputs" and says in draft.why]


# The same through the simulated pod, byte for byte: fault, row, an element that it keeps.
FAULTS = {
    "gate_jam@FV-101:from=20,open=1.0": (113, "lid_1"),
    "gate_jam@SC-211:from=20,open=1.0": (121, "feed_valve"),
    "gate_jam@FV-123:from=20,open=1.0": (116, "macerator"),
    "sensor_bias@PT-312:from=20,k=17": (151, "feed_pump"),
    "sensor_bias@PT-312:from=20,k=-4.5": (152, "sump_pump"),
    "device_dead@AM-1:from=20": (153, "heater"),
    "sensor_bias@TT-302:from=20,k=40": (162, "heater"),
    "sensor_bias@LT-401:from=20,k=290": (123, "feed_valve"),
    "field_power_lost@pod:from=20,for=10": (193, "sump_pump"),
    "gate_jam@XY-112:from=0,open=0.0": (194, "gate_2"),
}


@pytest.mark.parametrize(("text", "expected"), FAULTS.items(), ids=FAULTS)
def test_a_row_trips_on_the_simulated_pod(text: str, expected: tuple[int, str]) -> None:
    config = load(REFERENCE)
    drawn = scenarios.draw("quiet_day", 0, 4, 75.0)
    pod = SimulatedPod(config, drawn, extra_faults=[faults.parse(text)])
    seen: list[tuple[int, int]] = []

    def look(pod: SimulatedPod, now_ns: int) -> None:
        assert pod.app.loop.permit is not None
        rule = int(pod.app.loop.permit["rule"][0, pod.app.topology.element(expected[1])])
        if rule in BY_ID:
            seen.append((now_ns, rule))

    pod.run(look)

    assert seen, "nothing tripped"
    assert {rule for _, rule in seen} == {expected[0]}
    assert pod.result().figures.spilled_kg == 0.0


def test_power_that_comes_back_starts_nothing_by_itself_until_a_person_resets() -> None:
    config = load(REFERENCE)
    pod = SimulatedPod(
        config,
        scenarios.draw("festival", 0, 4, 120.0),
        extra_faults=[faults.parse("field_power_lost@pod:from=30,for=20")],
    )
    driven_after: list[float] = []
    lids: list[float] = []

    def look(pod: SimulatedPod, now_ns: int) -> None:
        if now_ns == 100 * NS:
            assert pod.app.loop.request(now_ns, "reset", "nobody works on it", "anna")
        (driven_after if 55 * NS < now_ns < 100 * NS else lids).append(float(pod.plant.drive.sum()))

    pod.run(look)

    assert set(driven_after) == {0.0}
    assert lids[-1] > 0.0


def test_the_table_its_causes_effects_and_sentences_fit_each_other() -> None:
    assert len(BY_ID) == len(ROWS)
    assert not set(BY_ID) & set(rules.TEXT)
    assert {row.cause for row in ROWS} == set(CAUSES)
    assert {row.effect for row in ROWS} <= set(EFFECTS)
    assert set(SENTENCES) == set(rules.TEXT) | set(BY_ID)


def test_every_row_of_the_fitted_pod_has_a_unit_and_the_matrix_tells_it() -> None:
    document = matrix.document(fitted())
    text = "\n".join(matrix.lines(fitted()))

    assert document["not_fitted"] == []
    assert "a restart cannot be known [the record of trips beside the journal, damaged or gone]" in text
    for row in ROWS:
        assert f"\n{row.id:>3} {row.hazard}" in text
    for row in document["rows"]:
        path, _, number = row["tested"].partition("[")
        assert (ROOT / path).exists() and number == f"{row['id']}]"


def test_the_runbook_lists_every_row() -> None:
    chapter = RUNBOOK.read_text("utf-8").partition(". Trips: the cause-and-effect table\n")[2].partition("\n## ")[0]
    rows = [line for line in chapter.splitlines() if line.startswith("| 1")]

    assert [int(line.split("|")[1]) for line in rows] == [row.id for row in ROWS]
    for line, row in zip(rows, ROWS, strict=True):
        assert row.hazard in line.split("|")[2]
        assert ("reset" in line.split("|")[4]) == row.latched

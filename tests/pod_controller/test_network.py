"""A stranger's tanks without a pod: wrong figures are refused by number, wrong readings never raise and never open.

The README's example runs as it stands, and nothing spills in any network that is accepted.
"""

from collections.abc import Callable
from pathlib import Path as File
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stranger_tanks import NS, TICK_S, TICKS, Tanks, Water, tanks, water_or_refusal

from hal.errors import PodError
from pod_controller.kernels.records import Table
from pod_controller.network import Moves, Network, Path, Reading
from pod_controller.step import first_state, step

pytestmark = pytest.mark.timeout(60)  # a cold cache compiles the kernels first

README = File(__file__).parents[2] / "README.md"
QUICK = Moves(stroke_s=2.0, fast_stroke_s=1.0, watchdog_s=2.0)
TICK_NS = round(TICK_S * NS)
LIFT: dict[str, Any] = {
    "name": "lift",
    "to": "header",
    "rate_kg_s": 0.8,
    "moves": QUICK,
    "source": "cistern",
    "behind": ["valve"],
}


def example() -> str:
    _, _, after = README.read_text("utf-8").partition("## Your own tanks")
    return after.partition("```python\n")[2].partition("```")[0]


def two_tanks(header: dict[str, Any] | None = None, **path: Any) -> Network:
    network = Network(TICK_S)
    network.vessel("cistern", 1000.0, error_kg=2.0)
    network.vessel("header", **({"capacity_kg": 120.0, "error_kg": 2.0} | (header or {})))
    network.path(Path(**(LIFT | path)))
    return network


def fed(network: Network) -> Network:
    """The same with a tap over the cistern, and a stop behind it."""
    network.path(Path("tap", to="cistern", rate_kg_s=0.1, moves=QUICK, behind=["stop"]))
    return network


def test_the_example_of_the_readme_runs_and_holds_its_tank(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}

    exec(compile(example(), "README.md", "exec"), names)  # our own text

    highest_kg = names["highest_kg"]
    assert isinstance(highest_kg, float) and 90.0 < highest_kg <= 120.0
    assert "never held more than" in capsys.readouterr().out


def test_the_same_tank_overflows_if_nobody_guards_it() -> None:
    assert 0.5 * 0.8 * 1200 - 0.5 * 0.3 * 600 > 120.0


def test_a_single_element_above_a_small_tank_is_refused_with_the_kilograms() -> None:
    with pytest.raises(
        PodError, match=r"E123 vessel header .* lift stuck open brings it 88\d\.\d kg over .* second el"
    ):
        fed(two_tanks(behind=())).plant()


def test_one_part_that_holds_both_elements_is_refused_by_its_name() -> None:
    network = fed(two_tanks())
    network.cause("air", ["lift", "valve"])

    with pytest.raises(PodError, match=r"E123 vessel header .* common cause air .* brings it 88\d\.\d kg over"):
        network.plant()


def test_a_tank_that_only_people_fill_needs_two_elements_that_nothing_holds_together() -> None:
    """They fill it again while its pump is stuck, and no sum ends: one fault, 39 kg over the lip."""
    with pytest.raises(PodError, match=r"E122 intake lift draws from 'cistern', which nothing declared fills: people"):
        two_tanks(behind=()).plant()
    held = two_tanks()
    held.cause("air", ["lift", "valve"])
    with pytest.raises(PodError, match=r"E122 intake lift draws from 'cistern'.* while air holds all its elements"):
        held.plant()
    back = two_tanks(header={"capacity_kg": 2000.0}, behind=())
    back.path(Path("back", to="cistern", rate_kg_s=0.1, moves=QUICK, source="header", behind=["stop"]))
    with pytest.raises(PodError, match=r"E122 intake lift draws from 'cistern', which nothing declared fills: people"):
        back.plant()  # what comes round was poured in by somebody: 293 kg over the lip
    for network in (two_tanks(), fed(two_tanks(header={"capacity_kg": 2000.0}, behind=()))):
        assert network.plant().size == 1


def test_what_people_pour_in_may_not_run_over_into_another_tank() -> None:
    network = Network(TICK_S)
    network.vessel("cistern", 1000.0, error_kg=2.0, weir_kg=900.0, overflow_to="header")
    network.vessel("header", 120.0, error_kg=2.0)
    assert fed(network).plant().size == 1
    poured = two_tanks()
    poured.vessel("barrel", 100.0, error_kg=2.0, weir_kg=90.0, overflow_to="header")

    with pytest.raises(PodError, match=r"E122 \[vessel barrel\] overflow_to = 'header': nothing declared fills"):
        poured.plant()


def test_an_endless_supply_and_a_circle_behind_one_element_are_refused() -> None:
    tap = Network(TICK_S)
    tap.vessel("cistern", 1000.0, error_kg=2.0)
    tap.path(Path("tap", to="cistern", rate_kg_s=1.0, moves=QUICK))
    circle = two_tanks(behind=[])
    circle.path(Path("back", to="cistern", rate_kg_s=0.1, moves=QUICK, source="header"))

    with pytest.raises(PodError, match="E122 intake tap has no source vessel and one element"):
        tap.plant()
    with pytest.raises(PodError, match=r"E124 \[intake lift\] to brings mass back to its own source 'cistern'"):
        circle.plant()


NAN, INF = float("nan"), float("inf")
WRONG: list[tuple[str, Callable[[], object]]] = [
    (r"E105 \[network\] tick_s = nan must be a finite", lambda: Network(NAN)),
    (r"E105 \[network\] tick_s = 0 must be at least 0.1", lambda: Network(0)),
    (r"E106 \[network\] latency_s = 'x' must be a number", lambda: Network(TICK_S, latency_s="x")),  # type: ignore[arg-type]
    (r"E105 \[vessel header\] sensors = 4 must be at most 3", lambda: two_tanks({"sensors": 4})),
    (r"E105 \[vessel header\] sensors = 1 must be at least 2", lambda: two_tanks({"sensors": 1})),
    (r"E105 \[vessel header\] capacity_kg = nan must be a finite", lambda: two_tanks({"capacity_kg": NAN})),
    (r"E105 \[vessel header\] capacity_kg = -5 must be above 0", lambda: two_tanks({"capacity_kg": -5})),
    (r"E105 \[vessel header.levels 1\] error_kg = 0 must be above 0", lambda: two_tanks({"error_kg": 0})),
    (r"E105 \[vessel header\] hold_up_kg = inf must be a finite", lambda: two_tanks({"hold_up_kg": INF})),
    (r"E105 \[vessel header\] psi_kg = -1.0 must be at least 0", lambda: two_tanks({"psi_kg": -1.0})),
    (r"E103 \[vessel header\] holdup_kg is not .* did you mean 'hold_up_kg'", lambda: two_tanks({"holdup_kg": 1.0})),
    (r"E107 \[vessel a tank\] name = 'a tank'", lambda: Network(TICK_S).vessel("a tank", 9.0, 1.0)),
    (r"E110 'cistern' is there already", lambda: two_tanks().vessel("cistern", 1.0, 1.0)),
    (r"E113 vessel header has only one of weir_kg", lambda: two_tanks({"weir_kg": 99.0}).plant()),
    (r"E111 \[vessel header\] overflow_to = 'sea'", lambda: two_tanks({"weir_kg": 9.0, "overflow_to": "sea"}).plant()),
    (r"E113 \[vessel header\] over_weir_kg = 9.0: there is no", lambda: two_tanks({"over_weir_kg": 9.0}).plant()),
    (r"E124 .* 'cistern'", lambda: two_tanks({"weir_kg": 9.0, "overflow_to": "cistern"}, behind=[]).plant()),
    (r"E113 \[vessel header\] float_kg = 120.0 is not below", lambda: two_tanks({"float_kg": 120.0}).plant()),
    (r"E123 vessel header .* Psi 119.0 kg", lambda: two_tanks({"psi_kg": 119.0}).plant()),
    (r"E105 \[path lift\] rate_kg_s = inf must be a finite", lambda: two_tanks(rate_kg_s=INF)),
    (r"E105 \[path lift\] rate_kg_s = 0.0 must be above 0", lambda: two_tanks(rate_kg_s=0.0)),
    (r"E111 'nowhere' is not known here", lambda: two_tanks(to="nowhere")),
    (r"E111 'lake' is not known here", lambda: two_tanks(source="lake")),
    (r"E113 \[intake lift\] to is empty", lambda: two_tanks(to={}).plant()),
    (r"E105 \[path lift.to\] header = nan must be a finite", lambda: two_tanks(to={"header": NAN})),
    (r"E106 \[path lift\] behind = 'valve' must be a list", lambda: two_tanks(behind="valve")),
    (r"E105 \[path lift\] behind has 4 entries, must be at most 3", lambda: two_tanks(behind=list("abcd"))),
    (r"E113 \[element valve\] .* two duties", lambda: two_tanks(behind=["valve", "valve"]).plant()),
    (r"E113 \[element lift\] .* two duties", lambda: two_tanks(behind=["lift"]).plant()),
    (r"E110 'valve' is there already", lambda: two_tanks().path(Path("x", "header", 1.0, QUICK, behind=["valve"]))),
    (r"E106 \[element lift\] moves = \(2.0, 1.0, 3.0\) must be Moves", lambda: two_tanks(moves=(2.0, 1.0, 3.0))),
    (r"E105 \[element lift\] stroke_s = nan must be a finite", lambda: two_tanks(moves=Moves(NAN, 1.0, 2.0))),
    (r"E113 \[element lift\] fast_stroke_s = 2.0 is above", lambda: two_tanks(moves=Moves(1.0, 2.0, 2.0)).plant()),
    (r"E120 \[element lift\] watchdog_s = 0: a lost line", lambda: two_tanks(moves=Moves(2.0, 1.0, 0.0))),
    (r"E105 \[element lift\] watchdog_s = -1.0 must be at least 0", lambda: two_tanks(moves=Moves(2.0, 1.0, -1.0))),
    (r"E113 \[control\] fresh_s = 1.5 is above .* of lift", lambda: two_tanks(moves=Moves(2.0, 1.0, 1.0)).plant()),
    (r"E126 \[control\] tick_s = 0.5: lift may live 51.3 s", lambda: two_tanks(moves=Moves(2.0, 1.0, 50.0)).plant()),
    (r"E122 \[intake lift\] static_head", lambda: two_tanks(static_head=True, behind=()).plant()),
    (r"E113 \[transfer lift\] stop_kg = 20.0 is not below", lambda: two_tanks(start_kg=9.0, stop_kg=20.0).plant()),
    (r"E105 \[path lift\] start_kg = nan must be a finite", lambda: two_tanks(start_kg=NAN)),
    (r"E113 \[transfer lift\] .* takes from no vessel", lambda: two_tanks(source=None, start_kg=9.0).plant()),
    (r"E105 the network has no path", lambda: Network(TICK_S).plant()),
    (r"E111 'nothing' is not known here", lambda: two_tanks().asking({"nothing": 1.0})),
]  # fmt: skip


@pytest.mark.parametrize(("text", "spoil"), WRONG, ids=[text for text, _ in WRONG])
def test_a_wrong_figure_is_refused_with_its_number_thing_and_limit(text: str, spoil: Callable[[], object]) -> None:
    with pytest.raises(PodError, match=text):
        spoil()


@pytest.mark.parametrize(
    ("elements", "text"),
    [
        (["lift"], r"E113 \[cause air\] elements names fewer than two"),
        (["lift", "x"], r"E111 \[cause air\] elements = 'x'"),
        (5, r"E106 \[cause air\] elements = 5 must be a list"),
    ],
)
def test_a_wrong_cause_is_refused(elements: Any, text: str) -> None:
    network = two_tanks()

    with pytest.raises(PodError, match=text):
        network.cause("air", elements)
        network.plant()


ADD_ONE: dict[str, Callable[[Network, int], None]] = {
    "vessel": lambda network, k: network.vessel(f"v{k}", 50.0, 1.0),
    "element": lambda network, k: network.path(Path(f"p{k}", "header", 0.1, QUICK, "cistern", [f"q{k}", f"r{k}"])),
    "path": lambda network, k: network.path(Path(f"p{k}", "header", 0.1, QUICK, "cistern")),
    "cause": lambda network, k: network.cause(f"c{k}", ["lift", "valve"]),
    "path with start_kg": lambda network, k: network.path(Path(f"p{k}", "header", 0.1, QUICK, "cistern", start_kg=9.0)),
}


@pytest.mark.parametrize(("behind", "back_behind"), [(["valve"], []), ([], ["check"]), (["valve"], ["check"])])
def test_a_circle_that_two_elements_in_series_cut_is_summed(behind: list[str], back_behind: list[str]) -> None:
    network = fed(two_tanks({"capacity_kg": 1200.0}, behind=behind))
    network.path(Path("back", to="cistern", rate_kg_s=0.1, moves=QUICK, source="header", behind=back_behind))

    if behind and not back_behind:  # a header full of water, and the way back stuck open
        with pytest.raises(PodError, match=r"E123 vessel cistern .* one element of back stuck open brings it 2"):
            network.plant()
        return
    plant = network.plant()[0]

    assert int(plant.intakes[0].n_shared) == 1  # the circle is cut there


def test_a_circle_that_one_part_can_hold_open_is_refused() -> None:
    network = fed(two_tanks())
    network.path(Path("back", to="cistern", rate_kg_s=0.1, moves=QUICK, source="header"))
    network.cause("air", ["lift", "valve"])

    with pytest.raises(PodError, match=r"E123 vessel cistern .* brings without end"):
        network.plant()


@pytest.mark.parametrize(("kind", "most"), [("vessel", 12), ("element", 48), ("path", 24), ("cause", 8)])
def test_one_more_than_the_table_holds_is_refused_and_nothing_of_it_stays(kind: str, most: int) -> None:
    network = two_tanks()

    with pytest.raises(PodError, match=rf"E105 '.*' is one {kind} more than the {most} that fit"):
        for k in range(most + 1):
            elements = network.elements
            ADD_ONE[kind](network, k)

    assert network.elements == elements


def test_a_seventh_pump_that_is_run_by_level_is_refused() -> None:
    network = two_tanks()

    with pytest.raises(PodError, match="E105 'p6' is one path with start_kg more than the 6 that fit"):
        for k in range(7):
            ADD_ONE["path with start_kg"](network, k)


def test_a_lease_is_the_watchdog_two_ticks_and_the_latency_of_each_element() -> None:
    slow = Moves(stroke_s=9.0, fast_stroke_s=5.0, watchdog_s=4.0, positioner=True)
    plant = two_tanks(behind={"valve": slow}).plant()[0]

    assert [float(x) for x in plant.elements["lease_s"][:2]] == [2.0 + 2 * 0.5 + 0.3, 4.0 + 2 * 0.5 + 0.3]
    assert [int(x) for x in plant.elements["positioner"][:2]] == [0, 1]


def test_a_fork_a_weir_and_a_cause_stand_in_the_table() -> None:
    network = Network(TICK_S)
    network.vessel("a", 900.0, 1.0, weir_kg=800.0, overflow_to="c", hold_up_kg=2.0, float_kg=850.0)
    for name in ("b", "c"):
        network.vessel(name, 4000.0, 1.0, sensors=2)
    network.path(Path("fill", to={"a": 1.0, "b": 0.1}, rate_kg_s=1.0, moves=QUICK, behind=["stop"]))
    network.path(Path("lift", to="b", rate_kg_s=1.0, moves=QUICK, source="a"))
    network.cause("air", ["stop", "lift"])
    p = network.plant()[0]

    assert p.intakes["reach_ratio"][0, :3].tolist() == [1.0, 0.1, 1.0]
    assert p.vessels["n_levels"][:3].tolist() == [3, 2, 2] and p.vessels["has_float"][:3].tolist() == [1, 0, 0]
    assert float(p.vessels[0].weir_kg) == 800.0
    assert [float(p.vessels[v].hold_up_kg) for v in (0, 2)] == [
        2.0,
        2.0,
    ]  # from a weir it comes to the end of the chain
    assert p.n_causes == 1 and p.causes["member"][0, :4].tolist() == [0, 1, 1, 0]
    assert [network.elements[int(p.flows[f].element)] for f in range(2)] == ["fill", "lift"]


def running(network: Network, ticks: int = 12) -> tuple[Table, Table, int]:
    """Plant and state after some honest ticks, and the time."""
    plant, state, now_ns = network.plant(), first_state(), 0
    for _ in range(ticks):
        now_ns += TICK_NS
        levels = {"cistern": [Reading(500.0, now_ns)] * 3, "header": [Reading(9.0, now_ns)] * 3}
        frame = network.frame(state, now_ns, levels, {"header": False})
        network.see(frame, {"lift": Reading(0.0, now_ns), "valve": Reading(0.0, now_ns)}, now_ns - TICK_NS)
        state, permit, _ = step(plant, state, frame, network.asking({"lift": 1.0, "valve": 1.0}))
    assert network.openings(permit) == {"lift": 1.0, "valve": 1.0}
    return plant, state, now_ns


def test_a_pump_with_levels_is_run_by_them_without_being_asked() -> None:
    network, now_ns = two_tanks(start_kg=100.0, stop_kg=50.0), 0
    plant, state = network.plant(), first_state()
    for _ in range(12):
        now_ns += TICK_NS
        frame = network.frame(
            state, now_ns, {"cistern": [Reading(500.0, now_ns)] * 3, "header": [Reading(9.0, now_ns)] * 3}
        )
        network.see(frame, {"lift": Reading(0.0, now_ns), "valve": Reading(0.0, now_ns)}, now_ns - TICK_NS)
        state, permit, _ = step(plant, state, frame)

    assert network.openings(permit) == {"lift": 1.0, "valve": 1.0}


def test_a_tank_without_readings_closes_everything_and_says_why() -> None:
    network = two_tanks()
    frame = network.frame(first_state(), 1_000_000_000, {})

    _, permit, events = step(network.plant(), first_state(), frame, network.asking({"lift": 1.0, "valve": 1.0}))

    assert network.openings(permit) == {"lift": 0.0, "valve": 0.0}
    assert "counts as full" in network.in_words(events[0])


@pytest.mark.parametrize("floats", [None, {}, {"header": True}, {"header": None}, {"header": 0}, {"header": "off"}])
def test_a_float_that_is_on_or_not_known_to_be_off_closes(floats: Any) -> None:
    network = two_tanks({"float_kg": 110.0})
    plant, state, now_ns = running(network)
    levels = {"cistern": [Reading(500.0, now_ns)] * 3, "header": [Reading(9.0, now_ns)] * 3}

    frame = network.frame(state, now_ns + TICK_NS, levels, floats)
    _, permit, _ = step(plant, state, frame, network.asking({"lift": 1.0, "valve": 1.0}))

    assert network.openings(permit) == {"lift": 0.0, "valve": 0.0}


def test_more_levels_than_sensors_are_a_mistake_and_named() -> None:
    network = two_tanks({"sensors": 2})

    with pytest.raises(PodError, match="E105 header has 3 levels in a frame and 2 sensors"):
        network.frame(first_state(), 1, {"header": [Reading(1.0, 1)] * 3})


USELESS_KG: list[Any] = [NAN, INF, -INF, None, "9", "nine", -1e300, [9.0], 10**400]
USELESS_NS: list[Any] = [-1, NAN, None, "now", 2**80, -(2**80), INF, 0]


# Readings that say nothing: no number, no time, too old, from the future, not good, or no reading at all.
USELESS: list[Callable[[int], Any]] = [
    *(lambda now_ns, kg=kg: Reading(kg, now_ns) for kg in USELESS_KG),
    *(lambda now_ns, ns=ns: Reading(9.0, ns) for ns in USELESS_NS),
    lambda now_ns: Reading(9.0, now_ns - 11 * NS),
    lambda now_ns: Reading(9.0, now_ns + 1),
    *(lambda now_ns, good=good: Reading(9.0, now_ns, good) for good in (False, None, 0, "yes")),
    *(lambda now_ns, thing=thing: thing for thing in (None, 9.0, (9.0, 1), "9")),
]  # fmt: skip


def drive_on(network: Network, where: str, mistakes: list[Callable[[int], Any]], fresh: bool) -> list[Table]:
    """The permits of twelve seconds in which one vessel is told of like this."""
    plant, state, now_ns = (network.plant(), first_state(), 0) if fresh else running(network)
    permits = []
    for _ in range(24):
        now_ns += TICK_NS
        levels = {name: [Reading(9.0, now_ns)] * 3 for name in ("cistern", "header")}
        levels[where] = [make(now_ns) for make in mistakes]
        frame = network.frame(state, now_ns, levels)
        network.see(frame, {"lift": Reading(0.0, now_ns), "valve": Reading(0.0, now_ns)}, now_ns - TICK_NS)
        state, permit, _ = step(plant, state, frame, network.asking({"lift": 1.0, "valve": 1.0}))
        permits.append(permit)
    return permits


@pytest.mark.parametrize("k", range(len(USELESS)))
def test_a_tank_told_of_by_mistakes_alone_is_never_opened(k: int) -> None:
    network = two_tanks()

    for permit in drive_on(network, "header", [USELESS[k]] * 3, fresh=True):
        assert network.openings(permit) == {"lift": 0.0, "valve": 0.0}


@settings(max_examples=40)
@given(st.lists(st.sampled_from(USELESS), max_size=3), st.booleans(), st.sampled_from(["header", "cistern"]))
def test_a_strangers_mistakes_never_raise_and_shut_what_was_open(mistakes: list[Any], fresh: bool, where: str) -> None:
    network = two_tanks()

    last = drive_on(network, where, mistakes, fresh)[-1]  # stale_s is 10 s

    assert where == "cistern" or network.openings(last) == {"lift": 0.0, "valve": 0.0}


@settings(max_examples=40)
@given(st.lists(st.sampled_from([*USELESS_NS, NS, -NS, 500 * NS]), min_size=1, max_size=4), st.booleans())
def test_a_clock_that_is_none_never_raises_and_never_opens(times: list[Any], is_verified: bool) -> None:
    network = two_tanks()
    plant, state, _ = running(network)
    for now_ns in times:
        levels = {name: [Reading(9.0, 6 * NS)] * 3 for name in ("cistern", "header")}
        frame = network.frame(state, now_ns, levels)
        network.see(frame, {"lift": Reading(0.0, now_ns)}, now_ns if is_verified else None)  # type: ignore[arg-type]
        state, permit, _ = step(plant, state, frame, network.asking({"lift": 1.0, "valve": 1.0}))

        assert network.openings(permit) == {"lift": 0.0, "valve": 0.0}


@pytest.mark.parametrize("wish", [NAN, -INF, None, "open", -1.0, [1.0]])
def test_a_wish_that_is_no_opening_opens_nothing(wish: Any) -> None:
    network = two_tanks()
    plant, state, now_ns = running(network)
    levels = {name: [Reading(9.0, now_ns + 1)] * 3 for name in ("cistern", "header")}
    frame = network.frame(state, now_ns + TICK_NS, levels)

    _, permit, _ = step(plant, state, frame, network.asking({"lift": wish, "valve": wish}))

    assert network.openings(permit) == {"lift": 0.0, "valve": 0.0}


EXAMPLES = {"sample": 30, "full": 2000}


@pytest.mark.campaign
@pytest.mark.timeout(1800)  # --full
def test_nothing_spills_in_any_network_with_one_part_stuck_at_the_worst_moment(depth: str) -> None:
    ran, moved_kg = [0], [0.0]

    @settings(max_examples=EXAMPLES[depth])
    @given(tanks(), st.integers(0, 2**16), st.integers(5, 200), st.data())
    def nothing_spills(told: Tanks, seed: int, at_tick: int, data: st.DataObject) -> None:
        sticks = data.draw(st.sampled_from(told.stuck_together()))
        water = water_or_refusal(told, seed, sticks)
        if isinstance(water, PodError):
            assert water.code in (122, 123, 124)
            return
        water.run(TICKS, sticks, at_tick)
        ran[0] += 1
        moved_kg[0] += water.moved_kg
        assert water.balance_error_kg < 1e-6
        assert water.spilled_kg == 0.0

    nothing_spills()

    assert ran[0] >= EXAMPLES[depth] // 4 and moved_kg[0] > 100.0 * ran[0]  # not by refusing all, nor by standing still


def test_the_same_water_spills_if_a_cause_was_not_told() -> None:
    told = Tanks(
        [
            {"name": "top", "capacity_kg": 1200.0, "error_kg": 2.0, "hold_up_kg": 0.0, "psi_kg": 0.0, "sensors": 3},
            {"name": "low", "capacity_kg": 150.0, "error_kg": 2.0, "hold_up_kg": 0.0, "psi_kg": 0.0, "sensors": 3},
        ],
        [Path("lift", {"low": 1.0}, 5.0, QUICK, "top", ["valve"])],
    )
    water = Water(told, seed=3)
    water.run(400, ["lift", "valve"], 50)

    assert water.spilled_kg > 0.0
    assert isinstance(water_or_refusal(Tanks(told.vessels, told.paths, [("air", ["lift", "valve"])]), 3), PodError)

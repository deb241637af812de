"""A stranger's tanks without a pod: the README's example runs as it stands, and what cannot be promised is refused."""

from pathlib import Path as File

import pytest

from hal.errors import PodError
from pod_controller.network import Network, Path, Reading
from pod_controller.step import first_state, step

pytestmark = pytest.mark.timeout(60)  # a cold cache compiles the kernels first

README = File(__file__).parents[2] / "README.md"


def example() -> str:
    _, _, after = README.read_text("utf-8").partition("## Your own tanks")
    return after.partition("```python\n")[2].partition("```")[0]


def two_tanks(behind: tuple[str, ...] = ("valve",)) -> Network:
    network = Network(tick_s=0.5)
    network.vessel("cistern", 1000.0, error_kg=2.0)
    network.vessel("header", 120.0, error_kg=2.0)
    network.path(
        Path("lift", to="header", rate_kg_s=0.8, source="cistern", behind=behind, start_kg=100.0, stop_kg=50.0)
    )
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
    with pytest.raises(PodError, match=r"E123 header .* lift stuck open brings it 88\d\.\d kg over .* second element"):
        two_tanks(behind=()).plant()


def test_an_endless_supply_behind_one_element_and_a_circle_are_refused() -> None:
    tap = Network(tick_s=0.5)
    tap.vessel("cistern", 1000.0, error_kg=2.0)
    tap.path(Path("tap", to="cistern", rate_kg_s=1.0))
    circle = two_tanks()
    circle.path(Path("back", to="cistern", rate_kg_s=0.1, source="header", behind=("check",)))

    with pytest.raises(PodError, match="E122 tap is an endless supply"):
        tap.plant()
    with pytest.raises(PodError, match="E124 lift takes from cistern"):
        circle.plant()


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda network: network.vessel("header", 1.0, 1.0), "E105 header"),
        (lambda network: network.path(Path("x", to="nowhere", rate_kg_s=1.0)), "E111 'nowhere'"),
        (lambda network: network.asking({"nothing": 1.0}), "E111 'nothing'"),
    ],
)
def test_wrong_names_are_refused_by_name(spoil: object, code: str) -> None:
    assert callable(spoil)
    with pytest.raises(PodError, match=code):
        spoil(two_tanks())


def test_a_pump_with_levels_is_run_by_them_without_being_asked() -> None:
    network, now_ns = two_tanks(), 500_000_000
    plant, state = network.plant(), first_state()
    for _ in range(12):
        now_ns += 500_000_000
        frame = network.frame(
            now_ns, 0.5, {"cistern": [Reading(500.0, now_ns)] * 3, "header": [Reading(9.0, now_ns)] * 3}
        )
        network.see(frame, {"lift": Reading(0.0, now_ns), "valve": Reading(0.0, now_ns)}, now_ns - 500_000_000)
        state, permit, _ = step(plant, state, frame)

    assert network.openings(permit) == {"lift": 1.0, "valve": 1.0}


def test_a_tank_without_readings_closes_everything_and_says_why() -> None:
    network = two_tanks()
    frame = network.frame(1_000_000_000, 0.5, {})

    _, permit, events = step(network.plant(), first_state(), frame, network.asking({"lift": 1.0, "valve": 1.0}))

    assert network.openings(permit) == {"lift": 0.0, "valve": 0.0}
    assert "counts as full" in network.in_words(events[0])

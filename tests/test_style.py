"""The house rules of tests/support/house_rules.py hold in the three packages, and each of them bites."""

from pathlib import Path

import pytest
from house_rules import (
    RULES,
    UNIT_SUFFIXES,
    Module,
    Rule,
    kernels_import_numbers_only,
    modules_say_their_job,
    names_carry_units,
    no_order_comes_from_a_set,
    nothing_knows_it_is_simulated,
    only_the_clock_asks_the_time,
    only_the_loop_catches_all,
    only_verbs_print,
    parse,
    sizes_hold,
)

ROOT = Path(__file__).parents[1]
PACKAGES = ("hal", "pod_controller", "sim_hardware")


def house() -> list[Module]:
    files = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    return [parse(file.relative_to(ROOT).as_posix(), file.read_text("utf-8")) for file in files]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rule(rule: Rule) -> None:
    faults = [fault for module in house() for fault in rule(module)]

    assert not faults, "\n" + "\n".join(faults)


def test_all_three_packages_are_looked_at() -> None:
    assert {module.path.split("/")[0] for module in house()} == set(PACKAGES)


LONG_FUNCTION = "def f():\n" + "    x = 1\n" * 45
PLANTED: list[tuple[Rule, str, str]] = [
    (names_carry_units, "hal/a.py", "def f(level: float) -> None: ..."),
    (names_carry_units, "hal/a.py", "def f(*, level: float | None = None) -> None: ..."),
    (names_carry_units, "hal/a.py", "class A:\n    level: 'float'"),
    (names_carry_units, "hal/a.py", "class A:\n    level: Annotated[float, Field(gt=0)]"),
    (names_carry_units, "hal/a.py", "async def f(kgs: Optional[float]) -> None: ..."),
    (sizes_hold, "hal/a.py", LONG_FUNCTION),
    (sizes_hold, "hal/a.py", "x = 1\n" * 301),
    (modules_say_their_job, "hal/a.py", "x = 1\n"),
    (only_the_clock_asks_the_time, "pod_controller/a.py", "import time"),
    (only_the_clock_asks_the_time, "pod_controller/a.py", "from time import monotonic_ns"),
    (only_the_clock_asks_the_time, "sim_hardware/a.py", "datetime.now(UTC)"),
    (only_the_clock_asks_the_time, "sim_hardware/a.py", "datetime.date.today()"),
    (only_the_clock_asks_the_time, "hal/runner.py", "asyncio.get_running_loop().time()"),
    (only_verbs_print, "hal/a.py", "print(1)"),
    (nothing_knows_it_is_simulated, "pod_controller/a.py", "if plant.is_simulated: pass"),
    (nothing_knows_it_is_simulated, "hal/a.py", "x = 1 if testing else 2"),
    (nothing_knows_it_is_simulated, "hal/a.py", "if 'pytest' in sys.modules: pass"),
    (nothing_knows_it_is_simulated, "hal/a.py", "if os.environ['POD_SIM_MODE'] and port.startswith('sim_'): pass"),
    (only_the_loop_catches_all, "hal/a.py", "try: pass\nexcept Exception: pass"),
    (only_the_loop_catches_all, "hal/a.py", "try: pass\nexcept: pass"),
    (only_the_loop_catches_all, "hal/a.py", "try: pass\nexcept (ValueError, BaseException): pass"),
    (kernels_import_numbers_only, "pod_controller/kernels/a.py", "import os"),
    (kernels_import_numbers_only, "pod_controller/kernels/a.py", "from pod_controller.config import PodConfig"),
    (no_order_comes_from_a_set, "hal/a.py", "for x in {1, 2}: pass"),
    (no_order_comes_from_a_set, "hal/a.py", "[x for x in set(y) | z]"),
    (no_order_comes_from_a_set, "hal/a.py", "open_now = {g for g in gates}\nfor g in open_now: pass"),
    (no_order_comes_from_a_set, "hal/a.py", "def f(gates: frozenset[str]):\n    return [g for g in gates]"),
]


@pytest.mark.parametrize(("rule", "path", "source"), PLANTED)
def test_a_planted_violation_is_caught(rule: Rule, path: str, source: str) -> None:
    assert list(rule(parse(path, source)))


ALLOWED: list[tuple[Rule, str, str]] = [
    (names_carry_units, "hal/a.py", "def f(level_m: float, ratio: float, value: float, count: int) -> float: ..."),
    (names_carry_units, "sim_hardware/adm1/simulation.py", "def f(S_ac: float) -> float: ..."),
    (only_the_clock_asks_the_time, "hal/clock.py", "import time"),
    (only_the_clock_asks_the_time, "hal/a.py", "from datetime import datetime"),
    (only_verbs_print, "pod_controller/cli_kernels.py", "print(1)"),
    (nothing_knows_it_is_simulated, "sim_hardware/a.py", "if simulated: pass"),
    (only_the_loop_catches_all, "pod_controller/loop.py", "try: pass\nexcept Exception: raise"),
    (kernels_import_numbers_only, "pod_controller/kernels/a.py", "import math\nfrom pod_controller.kernels import b"),
    (no_order_comes_from_a_set, "hal/a.py", "for x in sorted({1, 2}): pass"),
]


@pytest.mark.parametrize(("rule", "path", "source"), ALLOWED)
def test_what_is_allowed_passes(rule: Rule, path: str, source: str) -> None:
    assert not list(rule(parse(path, source)))


def test_no_unit_suffix_is_listed_twice() -> None:
    assert len(UNIT_SUFFIXES) == len(set(UNIT_SUFFIXES))

"""The service unit and the udev rules in deploy/units, checked without a service manager."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from pod_controller.core import SETTLE_S

UNITS = Path(__file__).parents[2] / "deploy/units"
EXAMPLE = UNITS.parent / "pod.example.toml"
MOST_EXPOSURE = 10  # tenths: 1.0 of 10
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed (deploy/ci-packages.txt)"
)


def settings(name: str) -> dict[str, list[str]]:
    """Every value of every key, in order."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        if re.match(r"[A-Z]\w*=", line):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def analyse(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


@needs_systemd
def test_the_core_is_exposed_to_one_in_ten_at_most() -> None:
    result = analyse("security", "--offline=yes", f"--threshold={MOST_EXPOSURE}", str(UNITS / "pod-core.service"))

    assert result.returncode == 0, result.stdout[-400:] + result.stderr


@needs_systemd
def test_the_unit_is_understood_whole(tmp_path: Path) -> None:
    copy = tmp_path / "pod-core.service"
    copy.write_text((UNITS / "pod-core.service").read_text().replace("/opt/biorecycling-pod/bin/podctl", "/bin/true"))

    result = analyse("verify", "--man=no", str(copy))

    assert (result.returncode, result.stderr) == (0, "")


def test_the_unit_lets_the_compiler_and_the_control_thread_work() -> None:
    unit = settings("pod-core.service")

    assert not {"MemoryDenyWriteExecute", "ProcSubset", "RestrictRealtime", "PrivateUsers"} & unit.keys()
    assert unit["LimitRTPRIO"] == ["50"]
    assert any(value.startswith("NUMBA_CACHE_DIR=/var/cache/podctl") for value in unit["Environment"])
    assert unit["CacheDirectory"] == unit["StateDirectory"] == unit["RuntimeDirectory"] == ["podctl"]


def test_the_unit_waits_as_long_as_the_core_says_it_needs() -> None:
    unit = settings("pod-core.service")

    assert unit["Type"] == ["notify"]
    assert unit["RestartPreventExitStatus"] == ["78"]
    assert float(unit["TimeoutStopSec"][0]) >= 4 * 5.0 + SETTLE_S  # four of the longest ticks, and the journal's end
    assert float(unit["WatchdogSec"][0]) >= 4 * tomllib.loads(EXAMPLE.read_text())["control"]["tick_s"]


def test_the_rules_name_every_serial_port_of_the_example() -> None:
    ports = [line["port"] for line in tomllib.loads(EXAMPLE.read_text())["line"] if "port" in line]

    names = re.findall(r'SYMLINK\+="([^"]+)"', (UNITS / "99-pod.rules").read_text())

    assert [f"/dev/{name}" for name in names] == ports


def test_every_rule_is_a_list_of_keys_operators_and_quoted_values() -> None:
    term = r'[A-Z_]+(\{[^}]+\})?(==|!=|\+=|:=|=)"[^"]*"'
    rules = [x for x in (UNITS / "99-pod.rules").read_text().splitlines() if x and not x.startswith("#")]

    assert all(re.fullmatch(rf"{term}(, {term})*", rule) for rule in rules)
    gone_to = set(re.findall(r'GOTO="(\w+)"', "\n".join(rules)))
    assert gone_to == set(re.findall(r'LABEL="(\w+)"', "\n".join(rules)))

"""Test session: reproducible property tests, time limits by marker, and skips that count as failures where asked.

Neighbours: the markers and the default limit stand in pyproject.toml. Builders that several test files share live in
tests/support, which is on the import path. It must not import the code under test.
"""

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

LIMIT_S = {"scenario": 60, "wire": 120, "campaign": 900, "bench": 120}

# The same examples on every run; no deadline, because the first call of a kernel may compile.
_COMMON = settings(
    derandomize=True, deadline=None, database=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("default", _COMMON, max_examples=50)
settings.register_profile("ci", _COMMON, max_examples=200)
settings.register_profile("deep", _COMMON, max_examples=5000, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="a skipped test fails the run")
    parser.addoption("--full", action="store_true", help="campaigns run every seed, not a sample")


@pytest.fixture
def depth(request: pytest.FixtureRequest) -> str:
    """How far a campaign goes: "sample" in CI, "full" with --full."""
    return "full" if request.config.getoption("--full") else "sample"


@pytest.fixture(autouse=True)
def kernels_stay_open() -> Iterator[None]:
    """A test that arms a core closes the kernels to further compilation, which later tests of this process may need."""
    yield
    compiler = sys.modules.get("pod_controller.kernels.compile")
    if compiler is not None:
        compiler.reopen()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        limits_s = [limit_s for name, limit_s in LIMIT_S.items() if item.get_closest_marker(name)]
        if limits_s and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(max(limits_s)))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not session.config.getoption("--no-skips"):
        return
    skipped = reporter.stats.get("skipped", [])
    if skipped:
        reporter.write_line("")
        for report in skipped:
            reporter.write_line(f"skipped, which --no-skips forbids: {report.nodeid}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

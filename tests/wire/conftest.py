"""What the tests on real ports begin with: the festival's hardware in a folder, for a core to run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from wire_pod import WirePod, serve


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("served")
    with serve(folder / "hardware.log", folder / "pod"):
        yield folder / "pod"


@pytest.fixture
def pod(served: Path, tmp_path: Path) -> WirePod:
    return WirePod(served, tmp_path)

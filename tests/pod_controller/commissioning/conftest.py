"""What the tests of commissioning begin with: a core that is armed and waits."""

from collections.abc import Iterator

import pytest
from virtual_core import VirtualCore

from pod_controller.modes import State


@pytest.fixture
def virtual() -> Iterator[VirtualCore]:
    made = VirtualCore()
    made.run(8.0)
    assert made.state is State.IDLE
    yield made
    made.close()

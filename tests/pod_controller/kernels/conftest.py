"""Compiles or loads the kernels before the first test, so that no test's time limit pays for it."""

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    import numpy as np
    from plant_bench import bench, random_plant

    from pod_controller.kernels.cycle import cycle

    b = bench(random_plant(np.random.default_rng(0)))
    b.tick()
    cycle(b.plant, b.desk)

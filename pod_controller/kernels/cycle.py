"""One whole decision, in the order of the path: observe, shed, regulate, guard, commit.

The only kernel that Python calls on a running pod. Must not know where a frame came from or where a permit goes.
"""

from pod_controller.kernels.commit import commit
from pod_controller.kernels.compile import kernel
from pod_controller.kernels.guard import guard
from pod_controller.kernels.observe import observe
from pod_controller.kernels.records import Table
from pod_controller.kernels.regulate import regulate
from pod_controller.kernels.shed import shed


@kernel
def cycle(plant: Table, state: Table, frame: Table, wish: Table, permit: Table) -> None:
    """Decide one tick in place. Every argument is a 1-element record array of `records`; plant and frame are read."""
    observe(plant, state, frame)
    shed(plant, state, frame, wish)
    regulate(plant, state, frame, wish)
    guard(plant, state, frame, wish, permit)
    commit(plant, state, permit)

"""One whole decision, in the order of the path: observe, shed, regulate, withhold, guard, name_trips, commit.

The only kernel that Python calls on a running pod. Must not know where a frame came from or where a permit goes.
"""

from pod_controller.kernels.commit import commit
from pod_controller.kernels.compile import kernel
from pod_controller.kernels.guard import guard
from pod_controller.kernels.observe import observe
from pod_controller.kernels.records import Table
from pod_controller.kernels.regulate import regulate
from pod_controller.kernels.shed import shed
from pod_controller.kernels.stroke import wish_stroke
from pod_controller.kernels.trips import name_trips, withhold


@kernel
def cycle(plant: Table, desk: Table) -> None:
    """Decide one tick in place. plant, desk: 1-element arrays of `records`; plant and the desk's frame are only read.

    Two arguments because each costs a call from Python about 0.09 us, as much as a vessel more.
    """
    p = plant[0]
    s = desk[0].state
    f = desk[0].frame
    w = desk[0].wish
    g = desk[0].permit
    observe(p, s, f)
    shed(p, s, f, w)
    regulate(p, s, f, w)
    wish_stroke(p, f, w)
    withhold(p, f, w)
    guard(p, s, f, w, g)
    name_trips(p, f, g)
    commit(p, s, g)

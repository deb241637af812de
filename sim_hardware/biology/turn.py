"""Biology's turn, once a period, beside the hydraulics: what has come due lives, and what it moves flows on.

The hydraulics (`plant.play`) and the biology take turns instead of one calling the other: compiled code is linked into
every caller up to the loop, and ADM1 need not be in all of them. Whoever drives the plant brings it to `due_ns` and
calls `take_turns`.

Neighbours: `step` is the living, `tanks` carries what runs over; `pod_plant` and `fast_tier.loop` call. Must not know
what drives them.
"""

from pod_controller.kernels.compile import kernel
from sim_hardware.biology.foam import swollen_kg
from sim_hardware.biology.records import Row, Table
from sim_hardware.biology.step import live
from sim_hardware.plant_records import DIGESTER
from sim_hardware.tanks import drain


@kernel
def turn(params: Table, state: Table) -> None:
    """`take_turns` for Python: one record each of PARAMS and POD."""
    take_turns(params[0], state[0])


@kernel
def take_turns(p: Row, s: Row) -> None:
    """Live through every period that is over; a pod without biology has none."""
    if p.biology.period_ns == 0:
        return
    while s.biology.due_ns <= s.now_ns:
        live(p, s)
        settle_digester(p, s)
        s.calm = 0


@kernel
def settle_digester(p: Row, s: Row) -> None:
    """Over the weir what pressure and bubbles push there; over the lip what foam lifts there."""
    q, b = p.biology, s.biology
    over_kg = s.content_kg[DIGESTER] - p.weir_kg[DIGESTER] - b.weir_shift_kg
    if over_kg > 0.0:
        s.content_kg[DIGESTER] -= over_kg
        drain(p, s, over_kg)
    stands_kg = swollen_kg(q, b, s.content_kg[DIGESTER])
    s.most_kg[DIGESTER] = max(s.most_kg[DIGESTER], min(stands_kg, p.lip_kg[DIGESTER]))
    spilled_kg = min(s.content_kg[DIGESTER], stands_kg - p.lip_kg[DIGESTER])
    if spilled_kg > 0.0:
        s.content_kg[DIGESTER] -= spilled_kg
        s.spilled_kg[DIGESTER] += spilled_kg
        s.spilled_waste_kg[DIGESTER] += spilled_kg

"""Steps ADM1 through time: RODAS with the model's own Jacobian, under a feed that is constant for a while.

The step size lives in DIGESTION and is kept across changes of the feed, so ninety-six changes a day are no ninety-six
cold starts. The embedded error of every state is held below rtol times its size (or its FLOOR).

Neighbours: `stiff` (method, LU), `model`, `jacobian`. Callable inside other compiled loops: nothing is
allocated. Must not know files, commands or the pod.
"""

from pod_controller.kernels.compile import kernel
from sim_hardware.adm1 import stiff
from sim_hardware.adm1.jacobian import fill_jacobian
from sim_hardware.adm1.model import fill_slope, hydrogen_ions
from sim_hardware.adm1.records import FLOOR, SIZE, Row, Vector
from sim_hardware.adm1.stiff import Matrix

SHORTEST_D = 1e-12  # a tenth of a microsecond: below this the state is not a solution any more
LEAST_FACTOR, MOST_FACTOR, SAFETY = 0.2, 6.0, 0.9
FIRST_D = 1e-6


@kernel
def advance(p: Row, s: Row, w: Row, days: float, rtol: float) -> bool:
    """Move s by days under its present feed and flow; False when no step is short enough (s is then where it got).

    p: PARAMETERS, s: DIGESTION, w: WORKSPACE (scratch; holds nothing between calls).
    """
    left = days
    if s.step_d <= 0.0:
        s.step_d = FIRST_D
    while left > 0.0:
        s.S_H = hydrogen_ions(p, s.y, s.S_H)
        fill_slope(p, s, s.y, s.S_H, w.rate, w.first_slope)
        fill_jacobian(p, s, s.y, w)
        taken = _step(p, s, w, left, rtol)
        if taken <= 0.0:
            return False
        left -= taken
    s.S_H = hydrogen_ions(p, s.y, s.S_H)
    return True


@kernel
def advance_rows(p: Row, s: Row, w: Row, feed: Matrix, Q: Vector, row_d: float, rtol: float) -> int:
    """Run row after row of a feed, each for row_d days, in one compiled loop; how many rows were finished."""
    for row in range(len(Q)):
        s.feed[:] = feed[row]
        s.Q = Q[row]
        if not advance(p, s, w, row_d, rtol):
            return row
    return len(Q)


@kernel
def _step(p: Row, s: Row, w: Row, left: float, rtol: float) -> float:
    """One accepted step of at most left days; its length, or 0.0 when even the shortest is refused."""
    most_factor = MOST_FACTOR
    while s.step_d >= SHORTEST_D:
        whole = s.step_d >= 0.999 * left
        h = left if whole else min(s.step_d, 0.5 * left) if s.step_d > 0.5 * left else s.step_d
        error = _try_step(p, s, w, h, rtol)
        factor = LEAST_FACTOR
        if error < 1e9:  # NaN and nonsense take the shortest way back
            factor = min(most_factor, max(LEAST_FACTOR, SAFETY / max(error, 1e-12) ** 0.25))
        if error <= 1.0:
            # A step cut short by the end of the feed says nothing against the longer one planned before.
            s.step_d = max(s.step_d, h * factor) if h < s.step_d and factor >= 1.0 else h * factor
            s.steps += 1
            for i in range(SIZE):
                s.y[i] = w.stage_y[i]
            return h
        s.step_d = h * factor
        s.rejected += 1
        most_factor = 1.0
    return 0.0


@kernel
def _try_step(p: Row, s: Row, w: Row, h: float, rtol: float) -> float:
    """The state h days on into w.stage_y; returns its error in units of what rtol allows."""
    for j in range(SIZE):
        w.factors[j] = -w.jacobian[j]
        w.factors[j, j] += 1.0 / (h * stiff.GAMMA)
    if not stiff.factorise(w.factors, w.pivot):
        return 1e300
    w.increment[0] = w.first_slope
    stiff.solve(w.factors, w.pivot, w.increment[0])
    S_H = s.S_H
    for stage in range(1, stiff.STAGES):
        S_H = _run_stage(p, s, w, h, stage, S_H)
    worst = 0.0
    for i in range(SIZE):
        error = w.increment[stiff.STAGES - 1, i]
        w.stage_y[i] += error
        allowed = rtol * (FLOOR[i] + max(abs(s.y[i]), abs(w.stage_y[i])))
        ratio = abs(error) / allowed
        if not ratio <= worst:  # NaN wins
            worst = ratio
    return worst


@kernel
def _run_stage(p: Row, s: Row, w: Row, h: float, stage: int, guess: float) -> float:
    """One stage after the first: its place into w.stage_y, its increment into w.increment; returns its S_H."""
    k = w.increment[stage]
    w.stage_y[:] = s.y
    for before in range(stage):
        share = stiff.A[stage, before]
        for i in range(SIZE):
            w.stage_y[i] += share * w.increment[before, i]
    S_H = hydrogen_ions(p, w.stage_y, guess)
    fill_slope(p, s, w.stage_y, S_H, w.rate, k)
    for before in range(stage):
        share = stiff.C[stage, before] / h
        for i in range(SIZE):
            k[i] += share * w.increment[before, i]
    stiff.solve(w.factors, w.pivot, k)
    return S_H

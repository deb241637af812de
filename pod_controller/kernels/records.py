"""The tables the kernels read and write: one record each, sizes fixed so that every pod compiles to the same code.

Neighbours: `topology` fills PLANT from a configuration, `frame` fills FRAME from readings, the kernels fill STATE,
WISH and PERMIT; a DESK holds all four. This file must not know what a vessel is for: a pod is rows in these tables
and nothing else.

Units are in the names. Quality codes are those of `hal.values.Quality` (0 good, 1 uncertain, 2 bad). An index of -1
means "none". `n_*` counts the rows in use; rows beyond are zero and never read. Times are integer nanoseconds of the
monotonic clock; -1 means "never".
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from pod_controller.kernels.digestion_fields import DIGESTER_FRAME_FIELDS, DIGESTER_STATE_FIELDS, DIGESTION_FIELDS

MAX_VESSELS = 12
MAX_LEVELS = 3
MAX_ELEMENTS = 48
MAX_FLOWS = 24
MAX_CHUTES = 16
MAX_INTAKES = 24
MAX_SHARED = 3
MAX_CAUSES = 8
MAX_TRANSFERS = 6
HISTORY = 64
BUDGET_SLOTS = 97

Table = npt.NDArray[Any]  # a 1-element array of records
Record = Any  # one record; its fields have no static type, so kernels are checked by running them both ways


def _record(*fields: tuple[Any, ...]) -> np.dtype[Any]:
    """An aligned record type whose rows read by attribute, compiled or not."""
    return np.dtype((np.record, np.dtype(list(fields), align=True)))


# A container with a lip. capacity_kg is C of the guard's inequality (already less its rounding margin).
VESSEL = _record(
    ("capacity_kg", "f8"),
    ("weir_kg", "f8"),  # a passive overflow keeps the content at or below this; 1e30 without one
    ("hold_up_kg", "f8"),  # M: already past the last element, still arrives
    ("psi_kg", "f8"),  # Psi: what no inlet can stop
    ("stale_s", "f8"),  # how long dead reckoning may carry it without a vote
    ("n_levels", "i8"),
    ("level_error_kg", "f8", (MAX_LEVELS,)),
    ("has_float", "i8"),
)

# Anything that moves and can be told to: a gate, a valve, a pump, a lid lock.
ELEMENT = _record(
    ("stroke_s", "f8"),  # slowest full stroke, open to shut (a pump: run-down)
    ("fast_stroke_s", "f8"),  # fastest full stroke, shut to open
    ("lease_s", "f8"),  # how long an old command may live after its successor was lost
    ("positioner", "i8"),  # 1: holds any opening; 0: an open/close relay
    ("position_error_frac", "f8"),
    ("role", "i8"),  # FREE, OWN (of one flow), SHARED (in series behind several) or LID
)

FREE = 0
OWN = 1
SHARED = 2
LID = 3

# One path that mass can take, with the element that is its own. The most it passes is rate_kg_s.
FLOW = _record(
    ("element", "i8"),
    ("intake", "i8"),
    ("rate_kg_s", "f8"),
    ("chute", "i8"),  # its source if it is a chute, else -1
    ("source", "i8"),  # its source if it is a vessel, else -1 (a chute, or a supply that never ends)
)

# Flows that share what lies behind them: the second elements in series with all of them, and where the mass goes.
# Intakes stand in the order of the flow, upstream first.
INTAKE = _record(
    ("n_flows", "i8"),
    ("flows", "i8", (MAX_CHUTES,)),
    ("n_shared", "i8"),
    ("shared", "i8", (MAX_SHARED,)),  # elements; the mass passes only if every one of them is open
    ("shared_rate_kg_s", "f8"),
    ("reach_ratio", "f8", (MAX_VESSELS,)),  # kg arriving in a vessel per kg passed, through passive overflows too
    ("over_kg", "f8", (MAX_VESSELS,)),  # of what comes over weirs by itself, what one fault here sends there as well
)

CHUTE = _record(
    ("capacity_kg", "f8"),
    ("content_error_kg", "f8"),
    ("high_kg", "f8"),  # its high-level switch is on above this at the latest; 0: it has none
    ("largest_bag_kg", "f8"),
    ("lid_pass_kg_s", "f8"),
    ("lid_lock_s", "f8"),
    ("gate", "i8"),
    ("lid", "i8"),
    ("weight_ratio", "f8"),
)

# Heat by hysteresis around a setpoint; element -1 without one.
THERMOSTAT = _record(("element", "i8"), ("setpoint_degc", "f8"), ("band_degc", "f8"))

# Elements that one broken part can hold open together (a frozen output module, a supply).
CAUSE = _record(("member", "i1", (MAX_ELEMENTS,)), ("over_kg", "f8", (MAX_VESSELS,)))

# A pump between vessels that runs by level with hysteresis (start above, stop below, both of its source).
TRANSFER = _record(("flow", "i8"), ("source", "i8"), ("start_kg", "f8"), ("stop_kg", "f8"))

REGULATOR = _record(
    ("vessel", "i8"),
    ("feed_flow", "i8"),
    ("setpoint_kg", "f8"),
    ("gain_per_s", "f8"),  # kg/s of feed per kg of level above the setpoint
    ("integral_s", "f8"),
    ("shot_kg_s", "f8"),
    ("shot_min_s", "f8"),
    ("shot_max_s", "f8"),
    ("feed_max_kg_s", "f8"),
    ("budget_kg", "f8"),  # rolling limit over the last 24 h
    ("slot_s", "f8"),
    ("slurry_ratio", "f8"),  # kg in the vessel per kg of waste (dilution)
)

SHEDDING = _record(
    ("intake", "i8"),
    ("start_kg", "f8"),  # a chute with this much asks to be emptied
    ("stop_kg", "f8"),
    ("wait_s", "f8"),  # or with less, after this long
    ("run_on_s", "f8"),  # shared elements stay open this long after the last gate
    ("open_at_once", "i8"),
    ("turn_s", "f8"),  # the longest one chute is served while another waits
    ("horizon_s", "f8"),  # content over this time is a chute's demand
    ("deficit_limit_kg", "f8"),
)

DIGESTION = _record(*DIGESTION_FIELDS)

PLANT = _record(
    ("tick_s", "f8"),
    ("longest_gap_s", "f8"),  # in a longer time between frames, or one that cannot be, anything may come
    ("fresh_s", "f8"),  # a position or a switch older than this proves nothing
    ("n_vessels", "i8"),
    ("n_elements", "i8"),
    ("n_flows", "i8"),
    ("n_intakes", "i8"),
    ("n_chutes", "i8"),
    ("n_causes", "i8"),
    ("n_transfers", "i8"),
    ("vessels", VESSEL, (MAX_VESSELS,)),
    ("elements", ELEMENT, (MAX_ELEMENTS,)),
    ("flows", FLOW, (MAX_FLOWS,)),
    ("intakes", INTAKE, (MAX_INTAKES,)),
    ("chutes", CHUTE, (MAX_CHUTES,)),
    ("causes", CAUSE, (MAX_CAUSES,)),
    ("transfers", TRANSFER, (MAX_TRANSFERS,)),
    ("regulator", REGULATOR),
    ("shedding", SHEDDING),
    ("thermostat", THERMOSTAT),
    ("digestion", DIGESTION),
)

# One scan as the kernels see it. Masses, not heights. Position 0 = fail state (shut, stopped, locked), 1 = open.
FRAME = _record(
    ("now_ns", "i8"),
    ("elapsed_s", "f8"),  # since the frame before
    ("execute", "i8"),  # 1: a person has started the pod and nothing holds it
    ("level_kg", "f8", (MAX_VESSELS, MAX_LEVELS)),
    ("level_ns", "i8", (MAX_VESSELS, MAX_LEVELS)),
    ("level_quality", "i8", (MAX_VESSELS, MAX_LEVELS)),
    ("float_on", "i8", (MAX_VESSELS,)),  # 1: tripped, or not known not to be
    ("position_frac", "f8", (MAX_ELEMENTS,)),
    ("position_ns", "i8", (MAX_ELEMENTS,)),
    ("position_quality", "i8", (MAX_ELEMENTS,)),
    ("verified_ns", "i8", (MAX_ELEMENTS,)),  # when the newest command that a read-back has shown was issued; -1 none
    ("content_kg", "f8", (MAX_CHUTES,)),
    ("content_ns", "i8", (MAX_CHUTES,)),
    ("content_quality", "i8", (MAX_CHUTES,)),
    ("high_on", "i8", (MAX_CHUTES,)),  # 1: the chute's high-level switch is on, or not known not to be
    ("high_ns", "i8", (MAX_CHUTES,)),
    ("temp_degc", "f8"),
    ("temp_quality", "i8"),
    ("trip", "i2", (MAX_ELEMENTS,)),  # 0, or the row of the cause-and-effect table that keeps the element shut
    *DIGESTER_FRAME_FIELDS,
    ("stroke", "i8"),  # 1 + the element that a technician strokes, alone; 0 nobody does
)

STATE = _record(
    # observe: what may be open, what each vessel may hold
    ("ticks", "i8"),
    ("envelope_frac", "f8", (MAX_ELEMENTS,)),  # a: the most an element may be open now
    ("live_frac", "f8", (MAX_ELEMENTS,)),  # the largest command that may still be in force
    ("verified_ns", "i8", (MAX_ELEMENTS,)),  # of the frame before
    ("proved_shut", "i1", (MAX_ELEMENTS,)),  # a fresh good feedback says shut, and no open command can be alive
    ("bound_kg", "f8", (MAX_VESSELS,)),  # U: the most a vessel may hold now
    ("level_kg", "f8", (MAX_VESSELS,)),  # best estimate, for regulating only
    ("blind_s", "f8", (MAX_VESSELS,)),  # since the last vote
    ("full", "i1", (MAX_VESSELS,)),  # counts as full: blind too long, or its float is on
    ("content_bound_kg", "f8", (MAX_CHUTES,)),  # the most a chute held when last weighed (all of it if unknown)
    ("content_age_s", "f8", (MAX_CHUTES,)),
    ("content_kg", "f8", (MAX_CHUTES,)),  # best estimate, for sharing only
    ("sealed", "i1", (MAX_CHUTES,)),  # that weight was taken behind a lid proved locked: nothing has come in since
    ("locked_ns", "i8", (MAX_CHUTES,)),  # since when the lid is proved locked; -1 it is not
    ("inflow_bound_kg_s", "f8", (MAX_VESSELS,)),  # for the tick to come, from the permit given
    ("rule", "i2", (MAX_ELEMENTS,)),  # of the permit given last
    ("command_frac", "f8", (HISTORY, MAX_ELEMENTS)),
    ("command_ns", "i8", (HISTORY,)),
    ("inflow_kg", "f8", (HISTORY, MAX_VESSELS)),  # running sum of the inflow bound at each tick
    # guard: openings under test, and the sums they give
    ("asked_frac", "f8", (MAX_ELEMENTS,)),  # x
    ("lid_open", "i1", (MAX_CHUTES,)),
    ("together", "i1"),  # 1: everything is being asked for at once, to be weighed when all of it has been
    ("flow_kg", "f8", (MAX_FLOWS,)),  # still to pass each flow's own element
    ("shared_kg", "f8", (MAX_INTAKES, MAX_SHARED)),  # and each element shared
    ("caused_kg", "f8", (MAX_CAUSES,)),  # sums in the making, one for each common cause
    ("caused_kg_s", "f8", (MAX_CAUSES,)),
    ("intake_kg", "f8", (MAX_INTAKES,)),  # still to pass, every element healthy
    ("intake_worst_kg", "f8", (MAX_INTAKES,)),  # the same with the worst single element stuck open
    ("intake_cause_kg", "f8", (MAX_INTAKES, MAX_CAUSES)),
    ("reached", "i1", (MAX_VESSELS,)),  # where one element leads to, in the making
    ("phi_kg", "f8", (MAX_VESSELS,)),  # Phi in its worst scenario, at the permit given
    ("phi_scenario", "i8", (MAX_VESSELS,)),
    ("trial_kg", "f8", (MAX_VESSELS,)),
    ("trial_scenario", "i8", (MAX_VESSELS,)),
    # regulate
    ("integral_kg_s", "f8"),
    ("owed_kg", "f8"),
    ("shot_s", "f8"),  # left of the running shot
    ("shot_on", "i1"),
    ("slot_elapsed_s", "f8"),
    ("slot", "i8"),
    ("slot_kg", "f8", (BUDGET_SLOTS,)),
    ("transfer_on", "i1", (MAX_TRANSFERS,)),
    ("intake_mean_kg_s", "f8"),
    ("heating", "i1"),
    # digestion
    *DIGESTER_STATE_FIELDS,
    # shed
    ("emptying", "i1", (MAX_CHUTES,)),
    ("serving", "i1", (MAX_CHUTES,)),
    ("served_s", "f8", (MAX_CHUTES,)),
    ("waiting_s", "f8", (MAX_CHUTES,)),
    ("demand_kg_s", "f8", (MAX_CHUTES,)),
    ("share_kg_s", "f8", (MAX_CHUTES,)),
    ("deficit_kg", "f8", (MAX_CHUTES,)),
    ("last_content_kg", "f8", (MAX_CHUTES,)),
    ("run_on_s", "f8"),
)

WISH = _record(
    ("open_frac", "f8", (MAX_ELEMENTS,)),
    ("n_order", "i8"),
    ("order", "i8", (MAX_FLOWS,)),  # flows in the order in which room is given away
)

# Only whole numbers and commands: what goes into a trace and must be equal bit for bit.
PERMIT = _record(
    ("grant_frac", "f8", (MAX_ELEMENTS,)),
    ("rule", "i2", (MAX_ELEMENTS,)),
    ("vessel", "i2", (MAX_ELEMENTS,)),  # the vessel that binds, -1 none
    ("scenario", "i2", (MAX_ELEMENTS,)),  # the scenario that binds: see guard
)

# What one tick works on, side by side.
DESK = _record(("state", STATE), ("frame", FRAME), ("wish", WISH), ("permit", PERMIT))


def table(kind: np.dtype[Any], rows: int = 1) -> Table:
    """A zeroed array of records; kernels take its elements, `cycle` the arrays."""
    return np.zeros(rows, dtype=kind)

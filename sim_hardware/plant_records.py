"""The tables of the plant: what it is made of, what it holds, what is still to happen to it.

Neighbours: `params` fills PARAMS, `vessels`, `tanks` and `plant` change POD, `signals` reads both. This file must not
know the controller's tables: the plant has parameters of its own.

Masses in kg, times in integer nanoseconds since the start of the run, positions 0 (fail state) to 1. The order of
actuators, vessels and signals is fixed here for up to 16 chutes; a pod with fewer leaves rows unused.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from sim_hardware.biology.records import BIOLOGY, BIOLOGY_PARAMS

Table = npt.NDArray[Any]
Row = Any  # one record of a Table: fields by name

MAX_CHUTES = 16
NEVER_NS = 2**62

# Actuators: index into POD's drive and into every per-actuator field.
GATE = 0  # + chute
LID = 16  # + chute
MACERATOR = 32
MACERATOR_VALVE = 33
WATER_1 = 34
WATER_2 = 35
FEED_PUMP = 36
FEED_VALVE = 37
SUMP_PUMP = 38
SUMP_VALVE = 39
DOSING_PUMP = 40
DOSING_VALVE = 41
HEATER = 42
BLOWER = 43
BEACON = 44
ACTUATORS = 45
MOVING = 42  # actuators below this one travel; the others switch at once

# Vessels: 0..15 are the chutes.
THROAT = 16  # the macerator: a closed hold-up without a lip
BUFFER = 17
DIGESTER = 18
SUMP = 19
STORAGE = 20
BIN = 21
REACTOR = 22
BYPRODUCT = 23
VESSELS = 24
FRONT = 18  # vessels below this one hold wet waste, counted without its dilution water

# Signals: what an instrument can be put on.
POSITION = 0  # + actuator
PROVED_LOCKED = 45  # + chute
CONTENT = 61  # + chute
FLOAT = 77
LEVELS = 78  # buffer 1-3, then two each of digester, sump, storage, bin, reactor, by-product
GAS_FLOW = 93
GAS_PRESSURE = 94
LIGHT = 95
OXYGEN = 96
TEMP = 97
JACKET = 98
METHANE = 99
PH = 100
FOS_TAC = 101  # as the laboratory said last; this and the rest: only of a pod with biology
FOAM = 102
DENSITY = 103  # of the luminous culture
HIGH_LEVEL = 104  # + chute
SIGNALS = 120

# How a position is shown while its element is stuck, and how an instrument fails.
HONEST, LIES, ABSENT = 0, 1, 2
SOUND, FROZEN, BIASED, DRIFTING, DEAD = 0, 1, 2, 3, 4

# Kinds of EVENT and FAULT rows.
BAG, DRAW, FAULT_ON, FAULT_OFF, FAULT_END = 0, 1, 2, 3, 4
GATE_JAM, RELEASE, SENSOR_FROZEN, SENSOR_BIAS, SENSOR_DRIFT, SENSOR_DEAD, FIELD_POWER_LOST = 0, 1, 2, 3, 4, 5, 6
SENSOR_GAIN, STANDARD, GAS_BLOCKED = 7, 8, 9
LOST_WRITES, LINE_DEAD, DEVICE_DEAD, MODULE_FROZEN = 10, 11, 12, 13
CRC_ERRORS, LATE_REPLIES, WRONG_ADDRESS = 20, 21, 22


def _record(*fields: tuple[Any, ...]) -> np.dtype[Any]:
    """An aligned record type whose rows read by attribute, compiled or not."""
    return np.dtype((np.record, list(fields)), align=True)


PARAMS = _record(
    ("n_chutes", "i8"),
    ("n_used", "i8"),  # the actuators that travel in this pod
    ("used", "i8", (MOVING,)),
    ("step_ns", "i8"),  # longest step while mass flows
    ("slow_ns", "i8"),  # period of gas, heat and light
    ("open_per_s", "f8", (ACTUATORS,)),  # speed of travel towards 1 and towards 0
    ("close_per_s", "f8", (ACTUATORS,)),
    ("lip_kg", "f8", (VESSELS,)),
    ("weir_kg", "f8", (VESSELS,)),  # passive overflow; 1e30 without one
    ("gate_kg_s", "f8"),
    ("throat_kg_s", "f8"),
    ("holdup_kg", "f8"),
    ("water_ratio", "f8"),  # kg of dilution water per kg of waste
    ("high_level_kg", "f8"),  # the chutes' switches
    ("float_on_kg", "f8"),
    ("float_off_kg", "f8"),
    ("feed_kg_s", "f8"),
    ("sump_pump_kg_s", "f8"),
    ("solids_ratio", "f8"),
    ("dosing_kg_s", "f8"),
    ("liquor_ratio", "f8"),
    ("truck_ns", "i8"),  # period of the truck that empties the storage
    ("bin_ns", "i8"),
    ("gas_m3_kg", "f8"),
    ("release_per_s", "f8"),
    ("gas_mbar", "f8"),
    ("heater_w", "f8"),
    ("loss_w_k", "f8"),
    ("ambient_degc", "f8"),
    ("heat_j_kg_k", "f8"),
    ("jacket_k", "f8"),  # how much warmer than the digester the jacket is while the heater runs
    ("jacket_s", "f8"),
    ("light_s", "f8"),
    ("oxygen_mg_l", "f8"),
    ("ch4_frac", "f8"),
    ("ph", "f8"),
    ("signal_error", "f8", (SIGNALS,)),  # greatest honest error, in the signal's own base unit (kg for masses)
    ("signal_per_s", "f8", (SIGNALS,)),  # turns of its wave
    ("signal_phase_frac", "f8", (SIGNALS,)),
    ("signal_per_kg", "f8", (SIGNALS,)),  # shown units per base unit
    ("biology", BIOLOGY_PARAMS),
)

POD = _record(
    ("now_ns", "i8"),
    ("next_event", "i8"),
    ("next_event_ns", "i8"),
    ("drive", "f8", (ACTUATORS,)),  # outputs as they are: above 0.5 = energised
    ("travel_frac", "f8", (ACTUATORS,)),  # where a healthy element is
    ("mean_frac", "f8", (ACTUATORS,)),  # the real opening, mean over the step
    ("target_frac", "f8", (ACTUATORS,)),
    ("stuck_frac", "f8", (ACTUATORS,)),  # -1: free
    ("feedback", "i8", (ACTUATORS,)),
    ("moving", "i8"),
    ("calm", "i8"),  # 1: nothing moves, flows or will, until an output, an event or a fault changes something
    ("outlet_kg_s", "f8", (MAX_CHUTES,)),  # most that a full gate lets out: 0 under a bridge, more when it releases
    ("content_kg", "f8", (VESSELS,)),
    ("buffer_waste_kg", "f8"),
    ("buffer_water_kg", "f8"),
    ("has_float", "i8"),  # 0: the pod as it was, without the hard-wired chain
    ("float_on", "i8"),
    ("power_lost", "i8"),
    # slow
    ("slow_at_ns", "i8"),  # when the slow clock is due next
    ("truck_at_ns", "i8"),
    ("bin_at_ns", "i8"),
    ("heat_on_s", "f8"),
    ("slow_fed_kg", "f8"),
    ("slow_dosed_kg", "f8"),
    ("substrate_kg", "f8"),
    ("gas_m3", "f8"),
    ("temp_degc", "f8"),
    ("jacket_degc", "f8"),
    ("light_frac", "f8"),
    # faults of instruments
    ("signal_fault", "i8", (SIGNALS,)),
    ("signal_k", "f8", (SIGNALS,)),
    ("signal_at_ns", "i8", (SIGNALS,)),
    ("signal_gain_ratio", "f8", (SIGNALS,)),  # of what it senses
    ("at_standard", "i8", (SIGNALS,)),  # 1: a technician holds it at a standard; it senses standard_k, not the process
    ("standard_k", "f8", (SIGNALS,)),
    # accounts
    ("arrived_kg", "f8", (MAX_CHUTES,)),
    ("refused_kg", "f8", (MAX_CHUTES,)),
    ("spilled_waste_kg", "f8", (VESSELS,)),
    ("spilled_kg", "f8", (VESSELS,)),  # waste and water together
    ("most_kg", "f8", (VESSELS,)),
    ("processed_kg", "f8"),
    ("fed_kg", "f8"),
    ("supplied_kg", "f8"),  # water from outside: dilution and dosing
    ("drawn_kg", "f8"),
    ("hauled_kg", "f8"),
    ("held_start_kg", "f8"),
    ("total_start_kg", "f8"),
    ("biology", BIOLOGY),
)

# What happens at a set time whatever the controller does.
EVENT = _record(("at_ns", "i8"), ("kind", "i8"), ("index", "i8"), ("kg", "f8"))

# One fault: target is an actuator, chute, signal, module or line, as its kind says.
FAULT = _record(("kind", "i8"), ("target", "i8"), ("k", "f8"), ("feedback", "i8"))


def table(kind: np.dtype[Any], rows: int = 1) -> Table:
    """A zeroed array of records, the only form in which kernels take their arguments."""
    return np.zeros(rows, dtype=kind)

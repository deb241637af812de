"""The tables of the simplified field layer of the fast tier: devices, what they read, what they hold.

Neighbours: `field_tables` fills them from a topology, `field` runs on them. Must not know registers.
"""

import numpy as np

from sim_hardware.plant_records import Row, Table, table

__all__ = ["EDGE", "FIELD", "RUN", "Row", "Table", "table"]

MAX_DEVICES = 32
MAX_SOURCES = 160
MAX_OUTPUTS = 96
MAX_INSTANTS = 8
RING = 32

# Where a sample goes in FRAME.
LEVEL, POSITION, LOCK, WEIGHT, FLOAT_SWITCH, TEMPERATURE = 0, 1, 2, 3, 4, 5
GAS, METHANE, ACIDITY = 6, 7, 8  # in the order of the topology's digester_tags
HIGH_SWITCH = 9

NEVER_NS = 2**62

FIELD = np.dtype(
    (
        np.record,
        np.dtype(
            [
                ("tick_ns", "i8"),
                ("margin_ns", "i8"),  # silence towards a module beyond its watchdog after a missing or wrong read-back
                ("arm_ticks", "i8"),
                ("n_devices", "i8"),
                ("n_sources", "i8"),
                ("n_outputs", "i8"),
                ("n_instants", "i8"),
                ("instant_ns", "i8", (MAX_INSTANTS,)),  # before the tick, longest first
                # devices
                ("instant", "i8", (MAX_DEVICES,)),
                ("period_ticks", "i8", (MAX_DEVICES,)),
                ("due_tick", "i8", (MAX_DEVICES,)),  # when it is read next
                ("lag_ticks", "i8", (MAX_DEVICES,)),  # its levels and weights reach the frame this many ticks late
                ("watchdog_ns", "i8", (MAX_DEVICES,)),  # 0: no outputs
                ("first_source", "i8", (MAX_DEVICES + 1,)),
                ("first_output", "i8", (MAX_DEVICES + 1,)),
                ("silent", "i8", (MAX_DEVICES,)),  # how many faults keep it from answering
                ("frozen", "i8", (MAX_DEVICES,)),
                ("deaf", "i8", (MAX_DEVICES,)),  # writes: 0 work, 1 are lost, 2 are answered and ignored
                ("fed_ns", "i8", (MAX_DEVICES,)),  # the last request that reached it
                ("seen_ns", "i8", (MAX_DEVICES,)),
                ("quiet_ns", "i8", (MAX_DEVICES,)),  # not polled before
                ("written_ns", "i8", (MAX_DEVICES,)),  # issue time of the newest command sent
                ("sampled_ns", "i8"),  # of the device being polled
                ("expiry_ns", "i8"),  # the next watchdog that runs out
                # sources, by device
                ("signal", "i8", (MAX_SOURCES,)),
                ("kind", "i8", (MAX_SOURCES,)),
                ("row", "i8", (MAX_SOURCES,)),
                ("column", "i8", (MAX_SOURCES,)),
                ("scale", "f8", (MAX_SOURCES,)),  # kg in the frame per kg shown
                ("ring_kg", "f8", (RING, MAX_SOURCES)),
                ("ring_ns", "i8", (RING, MAX_SOURCES)),
                # outputs, by device
                ("actuator", "i8", (MAX_OUTPUTS,)),
                ("element", "i8", (MAX_OUTPUTS,)),
                ("wanted_frac", "f8", (MAX_OUTPUTS,)),
                ("acked_ns", "i8", (MAX_OUTPUTS,)),  # issue time of the newest command that a read-back has shown
                ("off_ns", "i8", (MAX_OUTPUTS,)),  # when a read-back last showed it at its fail state
            ],
            align=True,
        ),
    )
)

# When a fault of devices begins or ends.
EDGE = np.dtype(
    (np.record, np.dtype([("at_ns", "i8"), ("member", "i8"), ("code", "i8"), ("on", "i8"), ("way", "i8")], align=True))
)

# What a run counts, and how far it has come.
RUN = np.dtype(
    (
        np.record,
        np.dtype(
            [
                ("policy", "i8"),
                ("tick", "i8"),
                ("until_tick", "i8"),
                ("settling", "i8"),  # after the end: outputs to their fail states, nothing traced
                ("next_edge", "i8"),
                ("closures", "i8"),
                ("closed_ticks", "i8"),
                ("closed", "i8"),
                ("refused", "i1", (MAX_OUTPUTS,)),
                ("traced", "i8"),
            ],
            align=True,
        ),
    )
)

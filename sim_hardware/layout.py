"""Which tag of the P&ID is which actuator or signal of the plant, for any number of chutes.

Neighbours: `wiring` hangs the same tags on devices, `pod_plant`, `faults` and `field` look them up. Must not know
lines or devices.
"""

from sim_hardware import plant_records as rec

_FIXED_ACTUATORS = {
    "SC-121": rec.MACERATOR,
    "FV-122": rec.MACERATOR_VALVE,
    "FV-123": rec.WATER_1,
    "FV-124": rec.WATER_2,
    "SC-211": rec.FEED_PUMP,
    "FV-212": rec.FEED_VALVE,
    "SC-411": rec.SUMP_PUMP,
    "FV-412": rec.SUMP_VALVE,
    "SC-711": rec.DOSING_PUMP,
    "FV-712": rec.DOSING_VALVE,
    "TY-303": rec.HEATER,
    "SC-901": rec.BLOWER,
    "XA-901": rec.BEACON,
}
_FEEDBACKS = {
    "ST-121": rec.MACERATOR,
    "ZT-122": rec.MACERATOR_VALVE,
    "ZT-123": rec.WATER_1,
    "ZT-124": rec.WATER_2,
    "ST-211": rec.FEED_PUMP,
    "ZT-212": rec.FEED_VALVE,
    "ST-411": rec.SUMP_PUMP,
    "ZT-412": rec.SUMP_VALVE,
    "ST-711": rec.DOSING_PUMP,
    "ZT-712": rec.DOSING_VALVE,
}
_LEVEL_TAGS = ("LT-201", "LT-202", "WT-203")
_PAIRED_LEVELS = (3, 4, 5, 6, 7, 8)  # digester, sump, storage, bin, luminous reactor, by-product
_OTHERS = {
    "FT-311": rec.GAS_FLOW,
    "PT-312": rec.GAS_PRESSURE,
    "AT-703": rec.LIGHT,
    "AT-704": rec.OXYGEN,
    "AT-313": rec.METHANE,
    "AT-304": rec.PH,
    "TT-301": rec.TEMP,
    "TT-302": rec.JACKET,
}


def actuators(chutes: int) -> dict[str, int]:
    """Output tag -> actuator, for a pod with this many chutes."""
    gates = {f"FV-{101 + c}": rec.GATE + c for c in range(chutes)}
    lids = {f"XY-{111 + c}": rec.LID + c for c in range(chutes)}
    return gates | lids | _FIXED_ACTUATORS


def signals(chutes: int) -> dict[str, int]:
    """Input tag -> signal, for a pod with this many chutes."""
    found = {f"ZT-{101 + c}": rec.POSITION + rec.GATE + c for c in range(chutes)}
    found |= {f"ZSC-{111 + c}": rec.PROVED_LOCKED + c for c in range(chutes)}
    found |= {f"WT-{101 + c}": rec.CONTENT + c for c in range(chutes)}
    found |= {tag: rec.POSITION + actuator for tag, actuator in _FEEDBACKS.items()}
    found |= {f"LSH-{101 + c}": rec.HIGH_LEVEL + c for c in range(chutes)}
    found["LSHH-204"] = rec.FLOAT
    found |= {tag: rec.LEVELS + k for k, tag in enumerate(_LEVEL_TAGS)}
    for k, loop in enumerate(_PAIRED_LEVELS):
        found[f"LT-{loop}01"] = rec.LEVELS + 3 + 2 * k
        found[f"LT-{loop}02"] = rec.LEVELS + 4 + 2 * k
    return found | _OTHERS


def vessel_names(chutes: int) -> dict[str, int]:
    """Name -> vessel, chutes first, of everything that has a lip (the macerator is closed)."""
    named = {f"chute_{1 + c}": c for c in range(chutes)}
    return named | {
        "buffer": rec.BUFFER,
        "digester": rec.DIGESTER,
        "sump": rec.SUMP,
        "storage": rec.STORAGE,
        "bin": rec.BIN,
        "luminous": rec.REACTOR,
        "byproduct": rec.BYPRODUCT,
    }

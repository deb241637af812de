"""Why an element got what it got: the rule ids in permits, journal, alarms and runbook, each with its sentence.

Ids are stable: a number once given keeps its meaning. Neighbours: `guard` writes ids, everything that tells a person
reads `TEXT`. This file must not decide anything.
"""

NOT_WISHED = 0
GRANTED = 1
NOT_EXECUTE = 2
VESSEL_FULL = 10
LEVEL = 11
JAM = 12
COMMON_CAUSE = 13
GATE_NEEDS_LOCKED_LID = 20
LID_NEEDS_SHUT_GATE = 21
CHUTE_ROOM = 22
RELAY_PART_OPEN = 30

TEXT: dict[int, str] = {
    NOT_WISHED: "nobody asked",
    GRANTED: "granted",
    NOT_EXECUTE: "the pod is not in EXECUTE: everything stays at its fail state",
    VESSEL_FULL: "a vessel downstream counts as full: its float is on, or its level has been unknown for too long",
    LEVEL: "a vessel downstream could go over its lip with every inlet healthy",
    JAM: "a vessel downstream could go over its lip if one element sticks open unnoticed",
    COMMON_CAUSE: "a vessel downstream could go over its lip if one part holds several elements open",
    GATE_NEEDS_LOCKED_LID: "airlock: the gate waits until the lid is proved locked",
    LID_NEEDS_SHUT_GATE: "airlock: the lid waits until the gate is proved shut",
    CHUTE_ROOM: "the chute has no room for one more bag while its lid locks",
    RELAY_PART_OPEN: "an open/close element cannot hold the part opening that was asked",
}

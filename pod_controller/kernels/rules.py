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
FEED_FREE = 40  # of the feed as a whole, not of an element: 40 to 43 are the stages of `digestion`
FEED_SLOWED = 41
FEED_HELD = 42
FEED_STOPPED = 43
FEED_BLIND = 44

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
    FEED_FREE: "the digester takes what the level asks for",
    FEED_SLOWED: "the feed is slowed: acids rise against the alkalinity left (FOS/TAC)",
    FEED_HELD: "the feed is held low: too many acids for the alkalinity left (FOS/TAC)",
    FEED_STOPPED: "the feed is stopped: the digester turns sour (FOS/TAC or pH)",
    FEED_BLIND: "the feed goes by the table: gas flow, methane share or pH have been unusable for too long",
}

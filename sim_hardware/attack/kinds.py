"""What an adversary may break, and together with what: the promise's limits, drawn once.

At most one part stands open: an element, or one module with all of its elements, or a position that always says shut
(it could hide either). Beside it, or beside each other, anything that lies, is silent, forgets or loses commands:
alone, in all pairs, and in those pairs with a stuck element as a third. What no group may hold stands in `BEYOND`:
there the guard promises nothing, and is only measured.

Neighbours: `strikes` does them, `campaign` and `beyond` count by group. Must not know physics.
"""

from itertools import combinations, product
from types import MappingProxyType

NONE, JAM, FROZEN, LYING_POSITION, LOST_WRITES, LIAR, BLIND, GAP, RESTART, MUTE, WEIGHTLESS, DEAD = range(12)
WEIGHT, SWITCH = 12, 13
SECOND_JAM, SECOND_LIAR, LID, WEIR, FASTER, SLOWER, OLDER, MORE_PSI = range(20, 28)

OPEN_PARTS = (JAM, FROZEN, LYING_POSITION)
OTHERS = (LOST_WRITES, LIAR, BLIND, GAP, RESTART, MUTE, WEIGHTLESS, DEAD, WEIGHT, SWITCH)
FAULTS = MappingProxyType(
    {
        NONE: "nothing",
        JAM: "an element sticks open",
        FROZEN: "a module holds its elements open",
        LYING_POSITION: "a position always says shut",
        LOST_WRITES: "writes are lost",
        LIAR: "a level sensor lies",
        BLIND: "a vessel's levels are lost",
        GAP: "the controller misses ticks",
        RESTART: "the controller starts anew",
        MUTE: "positions are lost",
        WEIGHTLESS: "weights are lost",
        DEAD: "a level sensor is lost",
        WEIGHT: "a weight lies",
        SWITCH: "a high-level switch never comes on",
        SECOND_JAM: "a second element sticks open",
        SECOND_LIAR: "a second level sensor lies",
        LID: "a lid does not lock",
        WEIR: "an overflow pipe is blocked",
        FASTER: "rates are half as high again as declared",
        SLOWER: "strokes take half as long again as declared",
        OLDER: "readings are 5 s older than they say",
        MORE_PSI: "what no inlet can stop is 10 kg more than declared",
    }
)
Group = tuple[int, int, int]


def promised(group: Group) -> bool:
    """False for a weight that lies while its chute's switch, which should find it out, is stuck too."""
    return not {WEIGHT, SWITCH} <= set(group)


def _filled(kinds: tuple[int, ...]) -> Group:
    one, other, third = (*kinds, NONE, NONE)[:3]
    return one, other, third


SINGLES: tuple[Group, ...] = tuple(_filled((kind,)) for kind in (*OPEN_PARTS, *OTHERS))
PAIRS: tuple[Group, ...] = tuple(
    _filled(pair) for pair in (*product(OPEN_PARTS, OTHERS), *combinations(OTHERS, 2)) if promised(_filled(pair))
)
TRIPLES: tuple[Group, ...] = tuple(
    _filled((JAM, *pair)) for pair in combinations(OTHERS, 2) if promised(_filled((JAM, *pair)))
)
PROMISED: tuple[Group, ...] = (*SINGLES, *PAIRS, *TRIPLES)
BEYOND: tuple[Group, ...] = (
    (JAM, SECOND_JAM, NONE),
    (FROZEN, SECOND_JAM, NONE),
    (LIAR, SECOND_LIAR, NONE),
    (WEIGHT, SWITCH, NONE),
    *((JAM, kind, NONE) for kind in (LID, WEIR, FASTER, SLOWER, OLDER, MORE_PSI)),
)


def in_words(group: Group) -> str:
    """A group as a person would say it."""
    return ", ".join(FAULTS[kind] for kind in group if kind != NONE)

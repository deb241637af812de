"""Instruments without a check sequence, as part of `podctl bench line`: what a changed digit does, and what meets it.

Job: spoil every fifth frame of an indicator or a probe, look at every value that comes out, and count beside it what
the format itself must let pass: each kind of spoiling is finite, so the share of its results that read as another good
value is counted out with a reader written here, apart from the controller's. `hurt` makes the variants, `spoken` has
the instruments. Neighbours: `figures` prints. Must not know how the controller reads.

A value is right when the instrument held it at the value's time stamp, and nearly right when it lies between two that
the instrument held in the frames around. What the format lets pass is met by the middle of three frames: it takes two
spoilt ones among three to get a wrong value out.
"""

from random import Random
from typing import Any, NamedTuple

from hal.values import Quality
from sim_hardware.line_campaign.hurt import KINDS, spoil, variants
from sim_hardware.line_campaign.spoken import INSTRUMENTS, Spoken
from sim_hardware.line_campaign.worth import poisson_limit

FAULT_FRAC = 0.2
_AROUND = 6  # frames in which three sound ones lie
_STEPS = 48  # different values that an instrument shows, walking from one to its neighbour


class Counts(NamedTuple):
    """Of one instrument: frames, spoilt ones, what the format let pass, and wrong values that came out as GOOD.

    nearly: others that were not exact, but between neighbours in time.
    """

    frames: int
    faults: int
    good: int
    passed: int
    expected_passed_count: float
    wrong_good: int
    nearly: int
    most_wrong_good_count: float


def campaign(spoken: Spoken, frames: int, seed: int) -> Counts:
    """So many frames of one instrument, one in five spoilt."""
    random = Random(seed)
    shares = [_shares(spoken, step) for step in range(_STEPS)]
    desk = spoken.desk()
    told: dict[int, float] = {}
    faults = good = passed = wrong = nearly = step = 0
    expected = 0.0
    for _ in range(frames):
        step = min(max(step + random.randint(-1, 1), 0), _STEPS - 1)
        truth, frame = spoken.value(step), spoken.frame(step)
        heard = frame
        if random.random() < FAULT_FRAC:
            kind = random.choice(KINDS)
            heard = spoil(kind, frame, random)
            faults += 1
            expected += shares[step][kind]
            read = spoken.read(heard)
            passed += read is not None and read != truth
        number, reading = desk.show(heard)
        told[number] = truth
        if reading is None or reading.quality is not Quality.GOOD:
            continue
        good += 1
        if reading.value != told[desk.number_of(reading.taken_ns)]:
            around = list(told.values())[-_AROUND:]
            is_near = min(around) <= reading.value <= max(around)
            nearly, wrong = nearly + is_near, wrong + (not is_near)
        if len(told) >= 4 * _AROUND:
            del told[next(iter(told))]
    share = expected / frames
    most_wrong_count = 3.0 * share * share * frames / (1.0 - FAULT_FRAC) ** 2
    return Counts(frames, faults, good, passed, expected, wrong, nearly, most_wrong_count)


def _shares(spoken: Spoken, step: int) -> dict[str, float]:
    """By kind of spoiling: which share of all its results reads as another good value."""
    frame, truth = spoken.frame(step), spoken.value(step)
    found = {}
    for kind in KINDS:
        read = [spoken.read(each) for each in variants(kind, frame)]
        found[kind] = sum(value is not None and value != truth for value in read) / len(read)
    return found


def document(frames: int, seed: int) -> dict[str, Any]:
    """Every instrument's counts by name; met: no more passes or wrong values than chance gives in 99.9 % of runs."""
    found: dict[str, Any] = {}
    for number, (name, spoken) in enumerate(INSTRUMENTS.items()):
        counts = campaign(spoken, frames, seed + number)
        limits = {
            "passed_limit": poisson_limit(counts.expected_passed_count),
            "wrong_good_limit": poisson_limit(counts.most_wrong_good_count),
        }
        met = counts.passed <= limits["passed_limit"] and counts.wrong_good <= limits["wrong_good_limit"]
        found[name] = counts._asdict() | limits | {"met": met}
    return found

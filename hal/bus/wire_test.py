"""Is the wire sound? What can be told of it from one end, without an oscilloscope.

Job: listen to the idle line, see whether the adapter gives our own bytes back, and ask one device many times; every
finding says how sure it is. Only reads. Neighbours: `asking`, `podctl bus check`. Must not know: pods, how it is shown.

Termination, bias and reflections cannot be measured by bytes. Noise on an idle line hints at a missing bias, spoilt
bytes behind our own question at a reflection or a late driver, spoilt answers at anything: said as hints, never more.
"""

from typing import NamedTuple

from hal.bus.asking import Answer, BusPort, known
from hal.modbus import Verdict, read_request

NS = 1_000_000_000
ASKED_COUNT = 40
_UNUSED = (247, 246, 245, 244)  # addresses that hardly anybody uses


class Finding(NamedTuple):
    """One thing tried: what came of it, whether it is well, and how sure that is."""

    tried: str
    well: bool
    text: str
    sure: str  # "seen", "hint"


def check(port: BusPort, unit: int | None, listen_ns: int, timeout_ns: int) -> list[Finding]:
    """Idle line, own echo and, when a unit is named, ASKED_COUNT reads of it."""
    found = [_idle(port, listen_ns)]
    if not port.is_tcp:  # a connection has no echo, and no end that reflects
        found += _echo(port, timeout_ns)
    return found if unit is None else [*found, _answers(port, unit, timeout_ns)]


def _idle(port: BusPort, listen_ns: int) -> Finding:
    count = sum(len(each.data) for each in port.listen(listen_ns))
    if not count:
        return Finding("idle line", True, f"silent for {listen_ns / NS:g} s", "seen")
    text = f"{count} bytes in {listen_ns / NS:g} s that nobody asked for: a missing bias, a babbling device or noise"
    return Finding("idle line", False, text, "hint")


def _echo(port: BusPort, timeout_ns: int) -> list[Finding]:
    """Ask somebody who is not there: whatever comes is ours, or the wire's."""
    for unit in _UNUSED:
        answer = port.ask(known(read_request(unit, 3, 0, 1)), timeout_ns)
        if not answer.is_sound:
            return [_own_echo(answer), _behind(answer)]
    return [Finding("own echo", True, f"not tried: {_UNUSED[-1]} to {_UNUSED[0]} all answer", "seen")]


def _own_echo(answer: Answer) -> Finding:
    if answer.own_echo:
        text = "the adapter gives our own bytes back: it works, but switch its echo off or its receiver while it sends"
        return Finding("own echo", True, text, "seen")
    return Finding("own echo", True, "none: the adapter does not hear itself", "seen")


def _behind(answer: Answer) -> Finding:
    if not answer.received:
        return Finding("behind our question", True, "silence", "seen")
    shown = answer.received[:16].hex(" ")
    text = f"{len(answer.received)} bytes ({shown}): a reflection (no termination), a late driver, or noise"
    return Finding("behind our question", False, text, "hint")


def _answers(port: BusPort, unit: int, timeout_ns: int) -> Finding:
    """Many reads of one device: each has to be answered soundly."""
    answers = [port.ask(known(read_request(unit, 3, 0, 1)), timeout_ns) for _ in range(ASKED_COUNT)]
    kinds = [answer.verdict for answer in answers if not answer.is_sound]
    if not kinds:
        slowest_ms = max(answer.latency_ns for answer in answers) * 1e-6
        return Finding(
            f"unit {unit}", True, f"{ASKED_COUNT} of {ASKED_COUNT} sound, slowest {slowest_ms:.1f} ms", "seen"
        )
    counted = ", ".join(f"{kinds.count(kind)} {kind.name.lower()}" for kind in Verdict if kind in kinds)
    wire = port.spoilt_advice if port.is_tcp else "termination, bias, shield, parity"
    advice = "check its address and power" if set(kinds) == {Verdict.TIMEOUT} else wire
    return Finding(f"unit {unit}", False, f"{len(kinds)} of {ASKED_COUNT} spoilt ({counted}): {advice}", "hint")

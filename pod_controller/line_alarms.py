"""Alarms of the field's reach: an output module that does not answer, and a line on which nobody does.

    E241  a module is silent: its outputs cannot be told anything. It is told its fail state on, once per tick
          (after its own watchdog's time), and escalates: by then its watchdog must have let go, and nobody can see it
    E242  nobody answers on a line: its port is opened again and again

Each is told when it begins, when it escalates and when it ends. Neighbours: `hal.pod_io` knows who is lost,
`commissioning.workshop` runs this after each tick, `status` shows it. Must not decide anything.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from hal.pod_io import Lost, LostModule

MODULE_SILENT, LINE_SILENT = 241, 242
NS = 1_000_000_000
ESCALATES_AFTER_S = 10.0  # beyond the time in which its watchdog must have let go
LINE_ESCALATES_AFTER_S = 60.0  # a dozen times its port was opened anew


class News(NamedTuple):
    """For the journal."""

    thing: str
    value: str
    text: str


class Alarm(NamedTuple):
    """One that stands. Nothing in it is written once it is there."""

    code: int
    thing: str
    since_ns: int
    escalates_ns: int
    escalated: bool
    text: str
    worse_text: str

    def told(self, now_ns: int) -> dict[str, Any]:
        """For `status`."""
        since_s = round((now_ns - self.since_ns) / NS, 1)
        text = self.in_words()
        return {"code": self.code, "thing": self.thing, "since_s": since_s, "escalated": self.escalated, "text": text}

    def in_words(self) -> str:
        """What a person reads."""
        return f"E{self.code} {self.text}{self.worse_text if self.escalated else ''}"


class LineAlarms:
    """All alarms of one pod's lines. `look` once a tick; `standing` may be read from other threads."""

    def __init__(self, lost: Callable[[], Lost]) -> None:
        self.standing: tuple[Alarm, ...] = ()
        self._lost = lost
        self._seen = Lost((), ())

    def look(self, now_ns: int) -> list[News]:
        """What began, grew worse or ended since the last look."""
        lost = self._lost()
        if lost == self._seen and not any(x.escalates_ns <= now_ns and not x.escalated for x in self.standing):
            return []
        self._seen = lost
        before = {(x.code, x.thing): x for x in self.standing}
        found = [_of_line(name, now_ns) for name in lost.lines]
        found += [_of_module(module, now_ns) for module in lost.modules]
        news, standing = list[News](), list[Alarm]()
        for fresh in found:
            known = before.pop((fresh.code, fresh.thing), None)
            alarm = known or fresh
            if not alarm.escalated and alarm.escalates_ns <= now_ns:
                alarm = alarm._replace(escalated=True)
            if alarm is not known:
                value = "began" if known is None else "escalated"
                news.append(News(alarm.thing, f"E{alarm.code} {value}", alarm.in_words()))
            standing.append(alarm)
        news += [News(x.thing, f"E{x.code} ended", x.in_words()) for x in before.values()]
        self.standing = tuple(standing)
        return news


def _of_module(module: LostModule, now_ns: int) -> Alarm:
    outputs = ", ".join(module.tags)
    if module.hold_s:
        lets_go = f"its watchdog lets go of {outputs} within {module.hold_s:g} s"
        worse = "; it must have let go by now, and nobody can see it"
    else:
        lets_go, worse = f"it has no watchdog: {outputs} stay as they are", ""
    text = (
        f"{module.device} (line {module.line}, unit {module.unit}), an output module, does not answer: it is told its"
        f" fail state at every tick, and {lets_go}: check its power, terminals and address"
    )
    worse += ": go there; if what it drives still moves, switch off its supply"
    escalates_ns = now_ns + (round((module.hold_s + ESCALATES_AFTER_S) * NS) if module.hold_s else 0)
    return Alarm(MODULE_SILENT, module.device, now_ns, escalates_ns, False, text, worse)


def _of_line(name: str, now_ns: int) -> Alarm:
    text = f"nobody answers on line {name}: its port is opened again every 5 s: check adapter, cable and supply"
    worse = "; it goes on: are two adapters exchanged, A and B crossed, the line's supply off?"
    return Alarm(LINE_SILENT, f"line {name}", now_ns, now_ns + round(LINE_ESCALATES_AFTER_S * NS), False, text, worse)

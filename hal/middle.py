"""The middle of three: what is believed of an instrument whose frames carry no check sequence.

Job: a digit changed on the wire cannot be told from a change of what is measured, but it stands alone: of the last
three numbers the middle one is none of the two extremes. Neighbours: `serial_instruments` and `probe_line` ask it for
instruments without a check sequence. Must not know: frames, ranges, quality.

Price: what changes is seen one frame later. Of two numbers, or one, the newest is given: a start, or the first frames
after a gap, are not covered.
"""

KEEP_PERIODS = 12  # three numbers with some lost between them; each says its own age
_WINDOW = 3


class Middle:
    """The last three numbers with their times; those from before KEEP_PERIODS of the instrument do not count."""

    __slots__ = ("_keep_ns", "_seen")

    def __init__(self, period_ns: int) -> None:
        self._keep_ns = KEEP_PERIODS * period_ns
        self._seen: list[tuple[float, int]] = []

    def of(self, raw: float, taken_ns: int) -> tuple[float, int]:
        """Take a number; the middle of the last three and when that one was taken."""
        recent = [each for each in self._seen if taken_ns - each[1] <= self._keep_ns]
        self._seen = [*recent, (raw, taken_ns)][-_WINDOW:]
        if len(self._seen) < _WINDOW:
            return raw, taken_ns
        return sorted(self._seen)[_WINDOW // 2]

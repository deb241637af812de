"""Points into coalesced blocks: few requests, each as long as it pays and no longer than a shed write may wait.

Job: spans of addresses joined where one request may read them through, where the wire says that reading the hole costs
less than asking again, and where an order that closes something does not have to wait too long behind it.
Neighbours: ``planner`` asks, per device; ``budget`` knows the wire. Must not know: lines, instances, time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hal import budget
from hal.blocks import BlockPlan
from hal.description import Description, Table
from hal.errors import Code, PodError
from hal.output_plans import shown_count
from hal.points import Point

_MOST_BITS = 2000


class WireLimit(NamedTuple):
    """The speed of the line (0 = TCP), and the longest transaction that may stand before a shed write (0 = any)."""

    baud: int
    longest_ns: int


@dataclass
class _Span:
    """Addresses first..last of one table, read every period_ns."""

    period_ns: int
    table: Table
    first: int
    last: int

    def joined(self, other: "_Span") -> "_Span":
        return _Span(self.period_ns, self.table, min(self.first, other.first), max(self.last, other.last))

    def holds(self, other: "_Span") -> bool:
        return self.table == other.table and self.first <= other.first and other.last <= self.last


def coalesce(
    device: str,
    description: Description,
    reads: Sequence[tuple[int, Point]],
    image_period_ns: int,
    wire: WireLimit,
) -> tuple[BlockPlan, ...]:
    """Blocks that read every point, quickest period first, each inside one readable range.

    Two points of one period share a block when one request may span both and that pays; a slow point inside
    the span of a quick block comes with it. image_period_ns > 0: the first block shows the output image.
    """
    points = [(_Span(period, p.table, min(p.addresses()), max(p.addresses())), p) for period, p in reads]
    spans = [span for span, _ in points]
    image = _image_span(description, image_period_ns)
    if image is not None:
        spans.append(image)
    for span in spans:
        if not _one_request(description, span):
            raise PodError(
                Code.POINT_UNREADABLE,
                f"device {device}: {span.table} {span.first}..{span.last} is not inside one readable range of"
                f" {description.model} of at most {description.max_registers} registers: correct the description",
            )
    blocks = _merge(description, spans, wire)
    if image is not None:
        blocks.sort(key=lambda block: not block.holds(image))
    owner = {id(p): next(k for k, block in enumerate(blocks) if block.holds(span)) for span, p in points}
    return tuple(
        BlockPlan(b.table, b.first, b.last - b.first + 1, b.period_ns, tuple(p for _, p in points if owner[id(p)] == k))
        for k, b in enumerate(blocks)
    )


def _merge(description: Description, spans: Iterable[_Span], wire: WireLimit) -> list[_Span]:
    """Few requests that cover all spans."""
    blocks: list[_Span] = []
    for span in sorted(spans, key=lambda s: (s.period_ns, s.table, s.first)):
        for k, block in enumerate(blocks):
            if block.holds(span):
                break
            if (
                block.table == span.table
                and block.period_ns == span.period_ns
                and _pays(description, block, span, wire)
            ):
                blocks[k] = block.joined(span)
                break
        else:
            blocks.append(span)
    return blocks


def _pays(description: Description, one: _Span, other: _Span, wire: WireLimit) -> bool:
    """Whether one request may read both, costs no more than two, and lets a shed write through in time."""
    both = one.joined(other)
    if not _one_request(description, both):
        return False
    apart_ns, joined_ns = (
        _cost_ns(description, one, wire) + _cost_ns(description, other, wire),
        _cost_ns(description, both, wire),
    )
    return joined_ns <= apart_ns and (not wire.longest_ns or joined_ns <= wire.longest_ns)


def _cost_ns(description: Description, span: _Span, wire: WireLimit) -> int:
    return budget.table_read_ns(wire.baud, span.table, span.last - span.first + 1, description.turnaround_s)


def _one_request(description: Description, span: _Span) -> bool:
    """Whether one request may read the span through."""
    most = _MOST_BITS if span.table in budget.BIT_TABLES else description.max_registers
    inside = any(span.table == r.table and r.first <= span.first and span.last <= r.last for r in description.readable)
    return inside and span.last - span.first < most


def _image_span(description: Description, period_ns: int) -> _Span | None:
    """The register that shows the outputs, or the outputs themselves, if it is wanted and there is one."""
    image = description.read_back
    if not period_ns or image is None:
        return None
    return _Span(period_ns, image.table, image.address, image.address + shown_count(description) - 1)

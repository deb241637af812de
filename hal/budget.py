"""What a line can carry: wire time of transactions, load of a tick, and how late a command may act.

Job: the arithmetic of bits on a wire, 10 per character, with t3.5 and turnaround; on TCP (baud 0)
a round trip instead of both. A line with characters of 11 bits is reckoned with at the rate that is as slow
(LineConfig.pace_baud), which makes its t3.5 up to a tenth too long here: on the safe side.
Neighbours: ``planner`` refuses what is over the limit, ``pod_io`` tells the leases.
Must not know: points, open ports, or the present time.
"""

import math
from collections.abc import Sequence

from hal.blocks import BlockPlan
from hal.outputs import OutputPlan
from hal.wire_time import char_ns, silence_ns

BIT_TABLES = frozenset({"coil", "discrete"})
_READ_LEN, _REPLY_LEN = 8, 5  # bytes of a read request, and of its reply around the data
_WRITE_LEN, _ECHO_LEN = 9, 8  # function 15 or 16 around its data, and its echo
_ROUND_TRIP_NS = 2_000_000  # of a wired local network with a gateway in it: a design figure, not measured
_NS = 1_000_000_000


def transaction_ns(baud: int, sent_len: int, reply_len: int, turnaround_s: float) -> int:
    """Wire time of one request and its reply with the device's turnaround and t3.5 after both."""
    wire_ns = (sent_len + reply_len) * char_ns(baud) + 2 * silence_ns(baud) if baud else _ROUND_TRIP_NS
    return wire_ns + round(turnaround_s * _NS)


def write_ns(baud: int, outputs: OutputPlan, turnaround_s: float) -> int:
    """Time to write one output image."""
    size = 2 * outputs.count if outputs.words else (outputs.count + 7) // 8
    return transaction_ns(baud, _WRITE_LEN + size, _ECHO_LEN, turnaround_s)


def read_ns(baud: int, block: BlockPlan, turnaround_s: float) -> int:
    """Time to read one block."""
    return table_read_ns(baud, block.table, block.count, turnaround_s)


def table_read_ns(baud: int, table: str, count: int, turnaround_s: float) -> int:
    """Time to read so many addresses of a table."""
    size = (count + 7) // 8 if table in BIT_TABLES else 2 * count
    return transaction_ns(baud, _READ_LEN, _REPLY_LEN + size, turnaround_s)


def load_frac(every_tick_ns: Sequence[int], slower_ns: Sequence[tuple[int, int]], tick_ns: int) -> float:
    """Part of a tick that the busiest tick needs.

    every_tick_ns: writes and fast reads. slower_ns: (cost, period) of the other reads, which count
    with their share in the long run or with the longest of them, whichever is more.
    """
    share_ns = sum(cost_ns * tick_ns / period_ns for cost_ns, period_ns in slower_ns)
    longest_ns = max((cost_ns for cost_ns, _ in slower_ns), default=0)
    return (sum(every_tick_ns) + max(share_ns, longest_ns)) / tick_ns


def lease_s(late_s: float, busy_s: float, watchdogs_s: Sequence[float]) -> float:
    """Longest time from issuing a command until its module obeys or has released itself.

    The write waits for one failed transaction in flight and for the failed writes of the other modules
    of the line (late_s each) and for the traffic of a tick (busy_s); then it goes without echo itself,
    all of them are repeated once (late_s each), and the module falls its watchdog after the repetition
    fed it. watchdogs_s: one per module of the line; 0 = none gives inf.
    """
    return 2.0 * late_s * len(watchdogs_s) + busy_s + max(watchdog_s or math.inf for watchdog_s in watchdogs_s)

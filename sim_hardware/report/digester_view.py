"""What the controller believed of the digester in a run, what it allowed, and the truth beside it, for the page.

Neighbours: `sampler` holds what was seen, `contents` puts it on the page. Must not know HTML.
"""

from typing import Any

import numpy as np

from pod_controller.kernels import rules
from sim_hardware import sampler_kernel as kern
from sim_hardware.report.packing import pack_range, pack_runs
from sim_hardware.sampler import Sampler

DAY_S = 86400.0
MOST_RATIO = 3.0  # a sour digester's FOS/TAC has no end; the page's axis has


def digester_view(sampler: Sampler) -> dict[str, Any]:
    """FOS/TAC as estimated and as it was, the risk, the cap in kg a day, the rule, and the limits held against it."""
    n = sampler.intervals
    digestion = sampler.topology.table["digestion"][0]
    least, ruled = (table[:n, kern.FEED_RULE] for table in (sampler.samples.low, sampler.samples.high))
    ruled = np.where(ruled == rules.FEED_BLIND, least, ruled)  # blind for a moment only, as at every start
    seconds = {
        str(rule): float((ruled == rule).sum() * sampler.interval_s)
        for rule in range(rules.FEED_FREE, rules.FEED_BLIND + 1)
        if (ruled == rule).any()
    }
    lived = bool(np.isfinite(sampler.samples.high[:n, kern.TRUE_FOS_TAC]).any())
    return {
        "estimate": _ratio(sampler, kern.FOS_TAC),
        "truth": _ratio(sampler, kern.TRUE_FOS_TAC) if lived else None,
        "risk": _ratio(sampler, kern.RISK),
        "cap_kg_d": _channel(sampler, kern.FEED_CAP, 0.1, DAY_S, np.inf),
        "rule": pack_runs(np.where(np.isfinite(ruled), ruled, 0.0).astype(np.int64)),
        "by_rule_s": seconds,
        "limits": [float(limit) for limit in digestion["limit_ratio"]],
        "slurry_ratio": float(sampler.topology.table["regulator"][0]["slurry_ratio"]),
        "error": float(digestion["error_ratio"]),
    }


def _ratio(sampler: Sampler, channel: int) -> dict[str, Any]:
    return _channel(sampler, channel, 1e-3, 1.0, MOST_RATIO)


def _channel(sampler: Sampler, channel: int, scale: float, factor_ratio: float, most_ratio: float) -> dict[str, Any]:
    n = sampler.intervals
    low, high = (table[:n, channel] * factor_ratio for table in (sampler.samples.low, sampler.samples.high))
    low = np.where(np.isfinite(low), np.minimum(low, most_ratio), low)
    high = np.where(np.isfinite(high), np.minimum(high, most_ratio), high)
    return dict(pack_range(low, high, scale))

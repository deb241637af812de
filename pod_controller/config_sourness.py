"""What must hold between the values of [digestion]: limits in order, a table to read, a feed to cap (E113).

Neighbours: `config_contradictions` asks, `config_digestion` holds the tables. Must not know tags or kernels.
"""

from collections.abc import Iterator
from itertools import pairwise

from pod_controller.config import Fault, PodConfig
from pod_controller.config_digestion import Digestion

STAGES = ("free", "slowed", "held", "stopped")
FURTHEST_K = 10.0


def sourness(config: PodConfig) -> Iterator[Fault]:
    """Every contradiction in [digestion], and between it and the feed that it caps."""
    told = config.digestion
    if told is None:
        return
    yield from _limits(told)
    yield from _blind(told)
    if config.feeding is None:
        yield Fault(("digestion",), 113, "caps a feed that is not there: add [feeding], or delete this table")
    elif told.full_kg_24h > config.feeding.budget_kg_24h:
        text = f"= {told.full_kg_24h} is above budget_kg_24h = {config.feeding.budget_kg_24h} of [feeding]: lower it"
        yield Fault(("digestion", "full_kg_24h"), 113, text)
    setpoint_degc = config.thermostat.setpoint_degc if config.thermostat else told.model.temp_degc
    if abs(told.model.temp_degc - setpoint_degc) > FURTHEST_K:
        text = f"= {told.model.temp_degc} is more than {FURTHEST_K} K from setpoint_degc = {setpoint_degc}: give the"
        text += " chemistry at the digester's own temperature"
        yield Fault(("digestion", "model", "temp_degc"), 113, text)


def _limits(told: Digestion) -> Iterator[Fault]:
    limits = ("fos_tac_slow_ratio", "fos_tac_hold_ratio", "fos_tac_stop_ratio")
    for low, high in pairwise(limits):
        if not getattr(told, low) < getattr(told, high):
            text = f"= {getattr(told, high)} is not above {low} = {getattr(told, low)}: raise it"
            yield Fault(("digestion", high), 113, text)
    if told.fos_tac_band_ratio + told.fos_tac_error_ratio >= told.fos_tac_slow_ratio:
        text = f"= {told.fos_tac_band_ratio} and fos_tac_error_ratio = {told.fos_tac_error_ratio} reach"
        text += f" fos_tac_slow_ratio = {told.fos_tac_slow_ratio}: the feed would never be free again; lower one"
        yield Fault(("digestion", "fos_tac_band_ratio"), 113, text)
    if told.held_kg_24h > told.full_kg_24h:
        text = f"= {told.held_kg_24h} is above full_kg_24h = {told.full_kg_24h}: holding must feed less"
        yield Fault(("digestion", "held_kg_24h"), 113, text)
    if told.fresh_s > told.carried_s:
        text = f"= {told.fresh_s} is above carried_s = {told.carried_s}: lower it"
        yield Fault(("digestion", "fresh_s"), 113, text)


def _blind(told: Digestion) -> Iterator[Fault]:
    """Rows in order of temperature; a digester that looked worse is never fed more."""
    for k, row in enumerate(told.blind):
        if k and row.temp_degc <= told.blind[k - 1].temp_degc:
            text = f"= {row.temp_degc} is not above that of the row before: sort the rows by temperature"
            yield Fault(("digestion", "blind", k, "temp_degc"), 113, text)
        for stage in range(1, len(STAGES)):
            if row.feed_kg_24h[stage] > row.feed_kg_24h[stage - 1]:
                text = f"feeds {row.feed_kg_24h[stage]} {STAGES[stage]} but {row.feed_kg_24h[stage - 1]}"
                text += f" {STAGES[stage - 1]}: a digester that looked worse gets no more"
                yield Fault(("digestion", "blind", k, "feed_kg_24h"), 113, text)
        if row.feed_kg_24h[0] > told.full_kg_24h:
            text = f"= {row.feed_kg_24h[0]} is above full_kg_24h = {told.full_kg_24h}: nothing is seen; lower it"
            yield Fault(("digestion", "blind", k, "feed_kg_24h"), 113, text)

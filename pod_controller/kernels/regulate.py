"""How fast the digester is fed and the liquor moved on: a level PI with feed-forward, fed as timed shots.

Writes wishes only. The feed rate follows the buffer's level and what comes in, within a rolling 24-hour budget (the
soft load limit); it is delivered as shots long enough for the pump and short enough to feed evenly. Other pumps run by
level with hysteresis, the heater by temperature.

Neighbours: `observe` gives level estimates, `guard` decides. Must not know chutes or the inequality.
"""

from pod_controller.kernels.compile import kernel, small_kernel
from pod_controller.kernels.digestion import watch_digester
from pod_controller.kernels.records import BUDGET_SLOTS, HISTORY, Record

GOOD = 0


@kernel
def regulate(p: Record, s: Record, f: Record, w: Record) -> None:
    """Wish the feed, the transfers and the heater; appends their flows to the order."""
    if p.regulator.feed_flow >= 0:
        book_feed(p, s)
        if p.digestion.present != 0:
            watch_digester(p, s, f)
        wish_feed(p, s, w)
    for t in range(p.n_transfers):
        wish_transfer(p, s, w, t)
    wish_heat(p, s, f, w)


@small_kernel
def book_feed(p: Record, s: Record) -> None:
    """Count what the feed pump was permitted since the last tick into the rolling budget's slots."""
    r = p.regulator
    s.slot_elapsed_s += p.tick_s
    if s.slot_elapsed_s >= r.slot_s:
        s.slot_elapsed_s = 0.0
        s.slot = (s.slot + 1) % BUDGET_SLOTS
        s.slot_kg[s.slot] = 0.0
    if s.ticks > 0 and s.command_frac[(s.ticks - 1) % HISTORY, p.flows[r.feed_flow].element] > 0.0:
        fed_kg = r.shot_kg_s * p.tick_s
        s.slot_kg[s.slot] += fed_kg
        s.owed_kg -= fed_kg
        s.digest_fed_kg += fed_kg


@small_kernel
def feed_rate_kg_s(p: Record, s: Record) -> float:
    """PI on the level above its setpoint plus what is coming in, between 0 and the regulator's maximum."""
    r = p.regulator
    coming_kg_s = 0.0
    for c in range(p.n_chutes):
        coming_kg_s += s.share_kg_s[c] * r.slurry_ratio
    s.intake_mean_kg_s += (coming_kg_s - s.intake_mean_kg_s) * p.tick_s / r.integral_s
    error_kg = s.level_kg[r.vessel] - r.setpoint_kg
    wanted_kg_s = s.intake_mean_kg_s + r.gain_per_s * error_kg + s.integral_kg_s
    most_kg_s = r.feed_max_kg_s
    if p.digestion.present != 0:
        most_kg_s = min(most_kg_s, s.feed_cap_kg_s)
    rate_kg_s = min(most_kg_s, max(0.0, wanted_kg_s))
    if rate_kg_s == wanted_kg_s:  # integrate only while not saturated
        s.integral_kg_s += r.gain_per_s * error_kg * p.tick_s / r.integral_s
    return rate_kg_s


@small_kernel
def wish_feed(p: Record, s: Record, w: Record) -> None:
    """Turn the rate into shots: one starts when enough is owed, the level holds it and the budget allows it."""
    r = p.regulator
    rate_kg_s = feed_rate_kg_s(p, s)
    if p.digestion.present != 0 and s.feed_cap_kg_s <= 0.0:  # stopped: what was owed is not, the running shot ends
        s.owed_kg = min(0.0, s.owed_kg)
        s.shot_s = 0.0
    longest_kg = r.shot_max_s * r.shot_kg_s
    s.owed_kg = min(2.0 * longest_kg, max(-longest_kg, s.owed_kg + rate_kg_s * p.tick_s))
    shortest_kg = r.shot_min_s * r.shot_kg_s
    if s.shot_on == 0 and s.owed_kg >= shortest_kg:
        allowed_kg = min(r.budget_kg - used_kg(s), s.level_kg[r.vessel])
        if allowed_kg >= shortest_kg:
            s.shot_on = 1
            s.shot_s = min(r.shot_max_s, min(s.owed_kg, allowed_kg) / r.shot_kg_s)
    s.shot_s = max(0.0, s.shot_s - p.tick_s)
    if s.shot_s <= 0.0:
        s.shot_on = 0
    wish_flow(p, w, r.feed_flow, s.shot_on != 0)


@small_kernel
def used_kg(s: Record) -> float:
    """What has been fed in the last 24 h, by whole slots, the oldest counted in full."""
    kg = 0.0
    for k in range(BUDGET_SLOTS):
        kg += s.slot_kg[k]
    return kg


@small_kernel
def wish_transfer(p: Record, s: Record, w: Record, t: int) -> None:
    """Run a pump between its start and stop levels; a source that is out of sight stops it."""
    transfer = p.transfers[t]
    v = transfer.source
    if s.level_kg[v] >= transfer.start_kg:
        s.transfer_on[t] = 1
    if s.level_kg[v] <= transfer.stop_kg or s.full[v] != 0:
        s.transfer_on[t] = 0
    wish_flow(p, w, transfer.flow, s.transfer_on[t] != 0)


@small_kernel
def wish_heat(p: Record, s: Record, f: Record, w: Record) -> None:
    """Heat below the band, not above it, and never without a good temperature."""
    heat = p.thermostat
    if heat.element < 0:
        return
    if f.temp_quality != GOOD or not f.temp_degc < heat.setpoint_degc + heat.band_degc:
        s.heating = 0
    elif f.temp_degc < heat.setpoint_degc - heat.band_degc:
        s.heating = 1
    w.open_frac[heat.element] = 1.0 if s.heating != 0 else 0.0


@small_kernel
def wish_flow(p: Record, w: Record, f: int, run: bool) -> None:
    """Wish one flow with all that stands in series with it, and put it last in the order."""
    frac = 1.0 if run else 0.0
    w.open_frac[p.flows[f].element] = frac
    intake = p.intakes[p.flows[f].intake]
    for k in range(intake.n_shared):
        w.open_frac[intake.shared[k]] = frac
    if run:
        w.order[w.n_order] = f
        w.n_order += 1

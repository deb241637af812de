"""How the digester is: a model run beside it that says how sour it may become, and how much feed it takes.

The two-step model AM2 (Bernard et al. 2001, Biotechnology and Bioengineering 75:424-438): acid formers (X1) turn
organic matter (S1) into acids (S2), methane formers (X2) turn acids into gas. Methane flow says how fast acids are
used up; pH and carbon dioxide say how much bicarbonate is left, and what alkalinity is not bicarbonate is acids. From
these come FOS/TAC, which warns days before the pH does, and the risk: acids over those at which methane formers are at
their fastest (peak of the Haldane curve, beyond which more acids slow them down; Hess and Bernard 2008).

What follows is a cap on the feed: slower, held, stopped. Gas is never an aim: it rises until the digester fails.
Without a usable gas flow, methane share and pH the model goes on alone for a while; then a table of what is fed blind
holds.

One step a minute; a tick in between costs one addition. Everything is kept finite whatever the frame says. In
signatures p, s, f, d are the records of PLANT, STATE, FRAME, DIGESTION. Neighbours: `regulate` calls it and obeys the
cap. Must not know levels, the guard, or an element.
"""

from pod_controller.kernels import rules
from pod_controller.kernels.compile import kernel, small_kernel
from pod_controller.kernels.records import Record

GOOD = 0


@small_kernel
def watch_digester(p: Record, s: Record, f: Record) -> None:
    """Count one tick; once in step_s, and at the first, bring the model to now."""
    s.digest_s += p.tick_s
    if s.digest_s >= p.digestion.step_s or s.feed_rule == rules.NOT_WISHED:
        digest(p, s, f)


@kernel
def digest(p: Record, s: Record, f: Record) -> None:
    """Bring the model from its last step to now, and set STATE's feed_cap_kg_s and feed_rule."""
    d = p.digestion
    known = has_evidence(d, f)
    bicarbonate_mmol_l = 0.0
    if known:
        bicarbonate_mmol_l = bicarbonate(d, f)
    if s.feed_rule == rules.NOT_WISHED:
        begin_model(d, s, known, bicarbonate_mmol_l)
    if known and s.unseen_s >= d.carried_s:  # too long alone to be believed: begin with what is seen
        s.acids_mmol_l = max(0.0, s.alkalinity_mmol_l - bicarbonate_mmol_l)
    s.unseen_s = 0.0 if known else min(s.unseen_s + s.digest_s, 1e12)
    advance_model(d, s, f, known, bicarbonate_mmol_l)
    s.digest_s = 0.0
    s.digest_fed_kg = 0.0
    judge(d, s, f, known)


@small_kernel
def has_evidence(d: Record, f: Record) -> bool:
    """True if gas flow, methane share and pH are all good, fresh, and what a digester can show."""
    oldest_ns = min(f.gas_ns, f.ch4_ns, f.ph_ns)
    newest_ns = max(f.gas_ns, f.ch4_ns, f.ph_ns)
    seen = f.gas_quality == GOOD and f.ch4_quality == GOOD and f.ph_quality == GOOD
    if oldest_ns < 0 or newest_ns > f.now_ns or not (f.now_ns - oldest_ns) * 1e-9 <= d.fresh_s:
        seen = False
    if not (f.gas_m3_h >= 0.0 and f.gas_m3_h <= d.gas_most_m3_h):
        seen = False
    if not (f.ch4_frac >= 0.0 and f.ch4_frac <= 1.0 and f.ph >= 2.0 and f.ph <= 12.0):
        seen = False
    return seen


@small_kernel
def ten_to(exponent_ratio: float) -> float:
    """10 to a power between -8 and 8, by products and sums only: the same bits everywhere. Relative error 1e-13."""
    x = exponent_ratio * 2.302585092994046 / 64.0  # of a 64th, then squared six times
    term = 1.0
    total = 1.0
    for k in range(1, 11):
        term *= x / k
        total += term
    for _ in range(6):
        total *= total
    return total


@small_kernel
def bicarbonate(d: Record, f: Record) -> float:
    """mmol/L: carbon dioxide dissolved at its pressure in the gas, and what keeps it from leaving; times K_a / H+."""
    co2_frac = max(0.0, 1.0 - f.ch4_frac - d.vapour_frac)
    henry = d.co2_mmol_l_bar
    if f.temp_quality == GOOD and f.temp_degc >= 0.0 and f.temp_degc <= 70.0:
        henry = henry * max(0.1, 1.0 - d.co2_per_k * (f.temp_degc - d.temp_degc))
    leaving_mmol_l_d = gas_mmol_l_d(d, f.gas_m3_h) * co2_frac
    co2_mmol_l = henry * d.gas_bar * co2_frac + leaving_mmol_l_d / d.transfer_per_d
    return min(1e6, co2_mmol_l * d.carbonic_ratio * ten_to(f.ph - 7.0))


@small_kernel
def gas_mmol_l_d(d: Record, gas_m3_h: float) -> float:
    """A gas flow per litre of liquid."""
    return gas_m3_h * 24.0 * d.gas_mmol_m3 / d.liquid_kg


@small_kernel
def haldane_per_d(d: Record, acids_mmol_l: float) -> float:
    """mu2: growth of the methane formers; largest at sqrt(KS2 KI2), lower beyond."""
    below = acids_mmol_l + d.ks2_mmol_l + acids_mmol_l * acids_mmol_l / d.ki2_mmol_l
    return d.mu2_per_d * acids_mmol_l / below


@small_kernel
def begin_model(d: Record, s: Record, known: bool, bicarbonate_mmol_l: float) -> None:
    """A digester that has long been fed as described, with the acids that its bicarbonate leaves room for."""
    s.organics_g_l = 0.0
    s.acid_formers_g_l = d.organics_in_g_l / d.k1_ratio
    s.methane_formers_g_l = (d.acids_in_mmol_l + d.k2_mmol_g / d.k1_ratio * d.organics_in_g_l) / d.k3_mmol_g
    s.alkalinity_mmol_l = d.alkalinity_in_mmol_l
    s.acids_mmol_l = max(0.0, s.alkalinity_mmol_l - bicarbonate_mmol_l) if known else 0.0
    s.activity_ratio = 1.0
    s.unseen_s = 0.0 if known else d.carried_s


@small_kernel
def advance_model(d: Record, s: Record, f: Record, known: bool, bicarbonate_mmol_l: float) -> None:
    """One explicit step over the time since the last.

    With evidence the methane flow is the measured one, and acids are drawn to what the bicarbonate leaves; without it
    the model's own rate holds, as active as last seen.
    """
    days_d = min(0.01, s.digest_s / 86400.0)
    fresh = min(0.05, max(0.0, s.digest_fed_kg / d.liquid_kg))  # share of the content that was exchanged
    mu1_per_d = d.mu1_per_d * s.organics_g_l / (d.ks1_g_l + s.organics_g_l)
    grown_1_g_l = min(mu1_per_d * s.acid_formers_g_l * days_d, s.organics_g_l / d.k1_ratio)
    rate_g_l_d = haldane_per_d(d, s.acids_mmol_l) * s.methane_formers_g_l
    grown_2_g_l = s.activity_ratio * rate_g_l_d * days_d
    if known:
        methane_mmol_l_d = gas_mmol_l_d(d, f.gas_m3_h) * f.ch4_frac
        grown_2_g_l = methane_mmol_l_d / d.k6_mmol_g * days_d
        if rate_g_l_d > 1e-6:
            seen = min(10.0, methane_mmol_l_d / d.k6_mmol_g / rate_g_l_d)
            s.activity_ratio += min(1.0, d.activity_gain_per_d * days_d) * (seen - s.activity_ratio)
    acids = (
        s.acids_mmol_l
        + fresh * (d.acids_in_mmol_l - s.acids_mmol_l)
        + d.k2_mmol_g * grown_1_g_l
        - d.k3_mmol_g * grown_2_g_l
    )
    s.alkalinity_mmol_l += fresh * (d.alkalinity_in_mmol_l - s.alkalinity_mmol_l)
    if known:
        left = s.alkalinity_mmol_l - bicarbonate_mmol_l
        acids += min(1.0, d.acids_gain_per_d * days_d) * (left - acids)
        if left < 0.0:  # acids cannot be negative: there is more alkalinity than was thought
            s.alkalinity_mmol_l -= min(1.0, d.alkalinity_gain_per_d * days_d) * left
    s.acids_mmol_l = min(1e6, max(0.0, acids))
    s.organics_g_l = max(0.0, s.organics_g_l + fresh * (d.organics_in_g_l - s.organics_g_l) - d.k1_ratio * grown_1_g_l)
    s.acid_formers_g_l = min(1e6, s.acid_formers_g_l + grown_1_g_l - fresh * s.acid_formers_g_l)
    s.methane_formers_g_l = min(1e6, s.methane_formers_g_l + grown_2_g_l - fresh * s.methane_formers_g_l)


@small_kernel
def judge(d: Record, s: Record, f: Record, known: bool) -> None:
    """FOS/TAC (acids as acetic acid over bicarbonate as CaCO3: 60/50 by moles), the risk, and what they allow.

    The limits are held against the most that FOS/TAC may be: the estimate and its usual error.
    """
    bicarbonate_mmol_l = max(1.0, s.alkalinity_mmol_l - s.acids_mmol_l)
    s.fos_tac_ratio = min(100.0, 1.2 * s.acids_mmol_l / bicarbonate_mmol_l)
    s.risk_ratio = s.acids_mmol_l / d.peak_mmol_l
    at_most = s.fos_tac_ratio + d.error_ratio
    stage = stage_of(d, s, at_most)
    if known and f.ph < d.stop_ph:
        stage = 3
    rule = rules.FEED_FREE + stage
    s.feed_cap_kg_s = cap_kg_s(d, at_most, stage)
    if s.unseen_s >= d.carried_s:
        rule = rules.FEED_BLIND
        s.feed_cap_kg_s = min(s.feed_cap_kg_s, blind_kg_s(d, f, stage))
    if rule != s.feed_rule:
        s.feed_rule = rule
        s.feed_rule_ns = f.now_ns
    s.feed_stage = stage


@small_kernel
def stage_of(d: Record, s: Record, fos_tac_ratio: float) -> int:
    """0 free, 1 slower, 2 held, 3 stopped; back down only when below a limit by the band."""
    stage = 0
    for k in range(3):
        band = d.band_ratio if s.feed_stage > k else 0.0
        if not fos_tac_ratio < d.limit_ratio[k] - band:
            stage = k + 1
    return stage


@small_kernel
def cap_kg_s(d: Record, fos_tac_ratio: float, stage: int) -> float:
    """The most feed of a stage: down from full to held in proportion while it is slowed."""
    if stage == 0:
        return 1e30
    if stage == 3:
        return 0.0
    over = (fos_tac_ratio - d.limit_ratio[0]) / (d.limit_ratio[1] - d.limit_ratio[0])
    return d.full_kg_s + (d.held_kg_s - d.full_kg_s) * min(1.0, max(0.0, over))


@small_kernel
def blind_kg_s(d: Record, f: Record, stage: int) -> float:
    """The table's row for the temperature, rounded down; the coldest when that is unknown too."""
    row = 0
    if f.temp_quality == GOOD:
        for k in range(1, d.n_blind):
            if f.temp_degc >= d.blind_degc[k]:
                row = k
    return d.blind_kg_s[row, stage]

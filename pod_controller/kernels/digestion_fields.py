"""The digester's fields in the kernels' tables: model and limits in PLANT, instruments in FRAME, belief in STATE.

g are g COD for organic matter and g of dry mass for biomass; the published names of AM2 stand in the fields' names.
Neighbours: `records` puts them into its tables, `digestion` reads and writes them. Must not know a formula.
"""

from typing import Any

BLIND_ROWS = 6
STAGES = 4  # of the feed: free, slowed, held, stopped

DIGESTION_FIELDS: tuple[tuple[Any, ...], ...] = (
    ("present", "i8"),
    ("step_s", "f8"),
    ("fresh_s", "f8"),  # gas flow, methane share and pH older than this are no evidence
    ("carried_s", "f8"),  # how long the model goes on without evidence
    ("liquid_kg", "f8"),  # a kg is taken as a litre
    ("gas_most_m3_h", "f8"),
    ("gas_mmol_m3", "f8"),  # amount in a m3 of gas as measured
    ("gas_bar", "f8"),
    ("vapour_frac", "f8"),  # share of water in the gas
    ("temp_degc", "f8"),  # for which the next four hold
    ("co2_mmol_l_bar", "f8"),
    ("co2_per_k", "f8"),  # less dissolves the warmer it is
    ("carbonic_ratio", "f8"),  # bicarbonate over dissolved carbon dioxide at pH 7
    ("transfer_per_d", "f8"),  # kLa
    ("organics_in_g_l", "f8"),  # of the feed
    ("acids_in_mmol_l", "f8"),
    ("alkalinity_in_mmol_l", "f8"),  # what the feed leaves, ammonia set free included
    ("mu1_per_d", "f8"),
    ("ks1_g_l", "f8"),
    ("mu2_per_d", "f8"),
    ("ks2_mmol_l", "f8"),
    ("ki2_mmol_l", "f8"),
    ("peak_mmol_l", "f8"),  # sqrt(KS2 KI2)
    ("k1_ratio", "f8"),
    ("k2_mmol_g", "f8"),
    ("k3_mmol_g", "f8"),
    ("k6_mmol_g", "f8"),
    ("acids_gain_per_d", "f8"),
    ("alkalinity_gain_per_d", "f8"),
    ("activity_gain_per_d", "f8"),
    ("limit_ratio", "f8", (STAGES - 1,)),  # FOS/TAC from which the feed is slowed, held, stopped
    ("band_ratio", "f8"),
    ("error_ratio", "f8"),  # of the estimated FOS/TAC, added before it is held against a limit
    ("stop_ph", "f8"),
    ("full_kg_s", "f8"),
    ("held_kg_s", "f8"),
    ("n_blind", "i8"),
    ("blind_degc", "f8", (BLIND_ROWS,)),
    ("blind_kg_s", "f8", (BLIND_ROWS, STAGES)),
)

DIGESTER_FRAME_FIELDS: tuple[tuple[Any, ...], ...] = (
    ("gas_m3_h", "f8"),
    ("gas_ns", "i8"),
    ("gas_quality", "i8"),
    ("ch4_frac", "f8"),
    ("ch4_ns", "i8"),
    ("ch4_quality", "i8"),
    ("ph", "f8"),
    ("ph_ns", "i8"),
    ("ph_quality", "i8"),
)

DIGESTER_STATE_FIELDS: tuple[tuple[Any, ...], ...] = (
    ("digest_s", "f8"),  # since the model's last step
    ("digest_fed_kg", "f8"),
    ("organics_g_l", "f8"),  # S1
    ("acid_formers_g_l", "f8"),  # X1
    ("acids_mmol_l", "f8"),  # S2
    ("methane_formers_g_l", "f8"),  # X2
    ("alkalinity_mmol_l", "f8"),  # Z
    ("activity_ratio", "f8"),  # methane seen over methane expected
    ("unseen_s", "f8"),  # since there was evidence
    ("fos_tac_ratio", "f8"),
    ("risk_ratio", "f8"),
    ("feed_stage", "i8"),
    ("feed_rule", "i8"),
    ("feed_rule_ns", "i8"),  # since when
    ("feed_cap_kg_s", "f8"),
)

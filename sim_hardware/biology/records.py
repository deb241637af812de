"""The tables of the pod's biology, nested in the plant's: BIOLOGY_PARAMS in PARAMS, BIOLOGY in POD.

period_ns = 0 means that a pod runs without biology; everything else is then unused. Liquid states are in the order of
LIQUID of `adm1.records` and in its units (kg COD or kmol, per m3 where it is a concentration); gases in the order of
GAS: kg COD of H2, kg COD of CH4, kmol of CO2. Pressures are gauge. Volumes of gas are wet, at P_atm and 35 degC.

Neighbours: `start` fills them, the kernels of this package read and change them, `plant_records` nests them. Must not
know the plant.
"""

import numpy as np

from sim_hardware.adm1.records import (
    DIGESTION,
    GASES,
    HYDROLYSES,
    LIQUIDS,
    PARAMETERS,
    UPTAKES,
    WORKSPACE,
    Row,
    Table,
)
from sim_hardware.culture import CIRCUIT

__all__ = ["BIOLOGY", "BIOLOGY_PARAMS", "Row", "Table"]

ORDINARY, FESTIVAL = 0, 1  # what the waste is made of
CONTENTS = 2
BURNER, FLARE, RELIEF = 0, 1, 2  # ways out of the headspace, all passive
PATHS = 3
CULTURE = 5  # states of the circuit
PAST = 121  # steps of the circuit that are kept: its 2 h at one a minute, and one

BIOLOGY_PARAMS = np.dtype(
    (
        np.record,
        [
            ("period_ns", "i8"),  # one step of everything; 0: no biology
            ("rtol", "f8"),
            # feed
            ("content", "f8", (CONTENTS, LIQUIDS)),  # per kg of wet waste
            ("solids_kg_kg", "f8", (CONTENTS,)),  # volatile solids
            ("water_kg_kg", "f8"),
            ("kg_per", "f8", (LIQUIDS,)),  # dry mass of a state
            ("gas_kg_per", "f8", (GASES,)),
            ("festival_from_ns", "i8"),  # fed between these: the festival's waste, else the ordinary
            ("festival_until_ns", "i8"),
            # rates at 35 degC with the methanogens' condition in them
            ("k_m", "f8", (UPTAKES,)),
            ("k_first", "f8", (HYDROLYSES,)),
            ("k_dec", "f8"),
            ("warmth_per_k", "f8"),  # rates change by this share per kelvin
            ("closed_m3", "f8"),  # digester, liquid and headspace
            ("surface_m2", "f8"),
            # gas line
            ("from_mbar", "f8", (PATHS,)),
            ("m3_h_mbar", "f8", (PATHS,)),
            ("burner_most_m3_h", "f8"),
            ("weir_mbar", "f8"),  # pressure at which the slurry stands at the weir's nominal mass
            ("leg_kg_mbar", "f8"),
            ("vapour_kg_m3", "f8"),
            ("latent_j_kg", "f8"),
            # bubbles in the slurry
            ("holdup_least_frac", "f8"),
            ("holdup_most_frac", "f8"),
            ("holdup_nominal_frac", "f8"),  # in which the nominal mass at the weir is counted
            ("holdup_full_m3_h", "f8"),  # gas at which it is greatest
            ("holdup_s", "f8"),
            # foam
            ("foam_prone_ratio", "f8"),
            ("foam_per_m", "f8"),  # metres of foam per metre of gas, at sigma = 1
            ("foam_s", "f8"),
            ("foam_most_m", "f8"),
            ("foam_most_ratio", "f8"),  # of sigma
            ("foam_load_kg_m3", "f8"),  # load above which sigma rises, kg VS/m3/d
            ("foam_acid_kg_m3", "f8"),  # acids, as acetic acid, that count as much as a load twice that
            ("load_fast_s", "f8"),
            ("load_slow_s", "f8"),
            # laboratory
            ("lab_every_ns", "i8"),
            ("lab_delay_ns", "i8"),
            # luminous reactor
            ("nominal", "f8", (CULTURE,)),  # the circuit at rest, at its published dilution
            ("a_1_h", "f8"),
            ("gamma_S", "f8"),
            ("air_mg_l", "f8"),  # oxygen in balance with air
            ("air_per_h", "f8"),  # its transfer while the reactor is aerated, and while it is not
            ("still_per_h", "f8"),
            ("oxygen_mg_l", "f8"),  # at rest, nominally
            ("demand_mg_l_h", "f8"),  # of the nominal culture
            ("half_growth_mg_l", "f8"),
            ("half_light_mg_l", "f8"),
            ("half_substrate_ratio", "f8"),
            ("enzyme_per_h", "f8"),
            ("ammonia_free_kmol_m3", "f8"),  # harmless up to here, no growth from there on
            ("ammonia_stop_kmol_m3", "f8"),
            ("salt_free_kmol_m3", "f8"),
            ("salt_stop_kmol_m3", "f8"),
            # weather
            ("swing_k", "f8"),  # of the day, either way from the mean
            ("coldest_ns", "i8"),  # a moment at which a day is coldest
            ("snap_k", "f8"),  # how much colder it is in between
            ("snap_from_ns", "i8"),
            ("snap_until_ns", "i8"),
        ],
    ),
    align=True,
)

BIOLOGY = np.dtype(
    (
        np.record,
        [
            ("due_ns", "i8"),
            ("stuck", "i8"),  # steps that ADM1's solver could not finish; a run with any is worth nothing
            # digester
            ("model", PARAMETERS),  # volumes and rates of this minute; the headspace is closed in it
            ("digestion", DIGESTION),
            ("workspace", WORKSPACE),
            ("volume_m3", "f8"),  # slurry at the last step
            ("waste_kg", "f8"),  # fed since the last step
            ("water_kg", "f8"),
            ("over_kg", "f8"),  # all that has left the digester as slurry, running sum
            ("weir_shift_kg", "f8"),  # of what stands at the weir, by pressure and bubbles
            # headspace and gas line
            ("gas", "f8", (GASES,)),  # in the headspace
            ("made", "f8", (GASES,)),  # out of the slurry in the last step
            ("open_frac", "f8", (PATHS,)),  # 1: free; faults of the gas line close them
            ("gauge_mbar", "f8"),
            ("made_m3_h", "f8"),  # out of the slurry
            ("path_m3_h", "f8", (PATHS,)),
            ("holdup_frac", "f8"),
            ("foam_m", "f8"),
            ("sigma_ratio", "f8"),
            ("load_fast_kg_m3", "f8"),  # kg VS/m3/d, over two hours and over a day
            ("load_slow_kg_m3", "f8"),
            # what a laboratory would find now, and what it has said
            ("ph", "f8"),
            ("acid_kg_m3", "f8"),  # as acetic acid
            ("bicarbonate_kmol_m3", "f8"),
            ("ammonia_kmol_m3", "f8"),
            ("ch4_frac", "f8"),
            ("fos_tac_ratio", "f8"),
            ("lab_at_ns", "i8"),
            ("lab_ready_ns", "i8"),
            ("lab_taken_ratio", "f8"),
            ("lab_shown_ratio", "f8"),
            # luminous reactor
            ("circuit", CIRCUIT),
            ("culture", "f8", (CULTURE,)),
            ("place", "f8", (CULTURE,)),
            ("slope", "f8", (4, CULTURE)),
            ("past_C", "f8", (PAST,)),
            ("past_slope", "f8", (PAST,)),
            ("past", "i8"),  # steps so far
            ("dosed_kg", "f8"),  # since the last step
            ("oxygen_mg_l", "f8"),
            ("air_frac", "f8"),  # 1: aerated; faults take it away
            ("enzyme_ratio", "f8"),
            ("density_ratio", "f8"),  # cells over those of the nominal culture
            ("growth_frac", "f8"),  # what the limits leave of it
            ("liquor_ammonia_kmol_m3", "f8"),
            ("liquor_salt_kmol_m3", "f8"),
            ("reactor_ammonia_kmol_m3", "f8"),
            ("reactor_salt_kmol_m3", "f8"),
            # accounts, running sums since the start
            ("fed", "f8", (LIQUIDS,)),
            ("displaced", "f8", (LIQUIDS,)),
            ("start", "f8", (LIQUIDS,)),
            ("start_gas", "f8", (GASES,)),
            ("gas_out", "f8", (PATHS, GASES)),
            ("gas_out_m3", "f8", (PATHS,)),
            ("made_kg", "f8"),  # dry gas out of the slurry, net of what went back
            ("vapour_kg", "f8"),
            ("start_kg", "f8"),
            ("fed_kg", "f8"),
            ("start_water_kg", "f8"),
            ("water_held_kg", "f8"),
            ("water_fed_kg", "f8"),
            ("water_over_kg", "f8"),
            ("solids_kg", "f8"),  # dry mass in the slurry before the reactions of a step
            ("water_bound_kg", "f8"),  # taken up by reactions
            ("start_j", "f8"),  # heat, counted from 0 degC
            ("heater_j", "f8"),
            ("fed_j", "f8"),
            ("lost_j", "f8"),  # through the walls
            ("over_j", "f8"),
            ("latent_j", "f8"),
            ("latent_due_j", "f8"),  # evaporated since the heat balance last ran
            ("slow_content_kg", "f8"),
        ],
    ),
    align=True,
)

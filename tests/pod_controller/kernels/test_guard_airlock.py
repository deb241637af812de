"""The airlock between lid and gate: hands never meet the macerator, and a chute never takes more than it holds."""

import numpy as np
from any_bits import seeds
from hypothesis import given
from plant_bench import Bench, adversarial_plant, arrange, bench, random_plant, warmed

from pod_controller.kernels import rules


def airlock(seed: int) -> Bench:
    draw = np.random.default_rng(seed)
    b = bench(random_plant(draw) if seed % 2 else adversarial_plant(draw))
    arrange(b, draw, (0.0, 0.4))
    b.state[0].full[:] = 0
    return b


def one_chute() -> tuple[Bench, int, int]:
    """A bench after quiet ticks with its first gate and lid, both wished."""
    b = bench(adversarial_plant(np.random.default_rng(3), 2))
    warmed(b)
    b.wish_everything()
    return b, int(b.plant[0].chutes[0].gate), int(b.plant[0].chutes[0].lid)


@given(seed=seeds)
def test_a_gate_opens_only_behind_a_lid_proved_locked(seed: int) -> None:
    b = airlock(seed)

    grants = b.guard()

    for c in range(b.plant[0].n_chutes):
        assert grants[b.plant[0].chutes[c].gate] == 0.0 or b.state[0].locked_ns[c] >= 0


@given(seed=seeds)
def test_a_lid_unlocks_only_over_a_shut_gate_and_room_for_one_more_bag(seed: int) -> None:
    b = airlock(seed)
    p, s = b.plant[0], b.state[0]

    grants = b.guard()

    for c in range(p.n_chutes):
        chute = p.chutes[c]
        if grants[chute.lid] > 0.0:
            delay_s = s.content_age_s[c] + p.tick_s + p.elements[chute.lid].lease_s + chute.lid_lock_s
            most_kg = s.content_bound_kg[c] + chute.largest_bag_kg + chute.lid_pass_kg_s * delay_s
            assert s.proved_shut[chute.gate] == 1
            assert most_kg <= chute.capacity_kg


@given(seed=seeds)
def test_a_gate_and_its_lid_are_never_granted_together(seed: int) -> None:
    b = airlock(seed)

    grants = b.guard()

    chutes = b.plant["chutes"][0, : b.plant[0].n_chutes]
    assert not (grants[chutes["gate"]] * grants[chutes["lid"]]).any()


def test_the_gate_goes_first_and_the_lid_waits_for_it() -> None:
    b, gate, lid = one_chute()

    grants = b.tick()

    assert (grants[gate], grants[lid]) == (1.0, 0.0)
    assert b.permit[0].rule[lid] == rules.LID_NEEDS_SHUT_GATE


def test_a_lid_seen_unlocked_keeps_the_gate_shut() -> None:
    b, gate, lid = one_chute()
    b.frame[0].position_frac[lid] = 1.0

    assert b.tick()[gate] == 0.0
    assert b.permit[0].rule[gate] == rules.GATE_NEEDS_LOCKED_LID


def test_a_lid_whose_switch_is_lost_keeps_the_gate_shut() -> None:
    b, gate, lid = one_chute()
    b.frame[0].position_quality[lid] = 2

    assert b.tick()[gate] == 0.0


def test_a_lid_told_to_unlock_and_not_yet_proved_locked_keeps_the_gate_shut() -> None:
    b, gate, lid = one_chute()
    b.wish["open_frac"][0, gate] = 0.0
    assert b.tick()[lid] == 1.0
    b.wish["open_frac"][0, gate] = 1.0
    b.frame[0].now_ns += 500_000_000
    b.frame[0].verified_ns[:] = -1

    assert b.tick()[gate] == 0.0


def test_a_gate_told_to_open_and_not_yet_proved_shut_keeps_the_lid_locked() -> None:
    b, gate, lid = one_chute()
    assert b.tick()[gate] == 1.0
    b.wish["open_frac"][0, gate] = 0.0
    b.frame[0].now_ns += 500_000_000
    b.frame[0].verified_ns[:] = -1

    assert b.tick()[lid] == 0.0


def test_a_chute_without_a_weight_keeps_its_lid_locked() -> None:
    b, gate, lid = one_chute()
    b.wish["open_frac"][0, gate] = 0.0
    b.frame[0].content_quality[0] = 2

    assert b.tick()[lid] == 0.0
    assert b.permit[0].rule[lid] == rules.CHUTE_ROOM

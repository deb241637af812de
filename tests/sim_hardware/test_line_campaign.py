"""The campaign of `podctl bench line`: nothing wrong comes out as GOOD; a master with a check less is found out."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from hal import line as hal_line
from hal.modbus import Request, Verdict, judge
from sim_hardware.line_campaign import faults
from sim_hardware.line_campaign.campaign import Campaign
from sim_hardware.line_campaign.faults import KINDS, TURNAROUND_NS
from sim_hardware.line_campaign.figures import GOAL, document
from sim_hardware.line_campaign.worth import poisson_limit
from sim_hardware.verbs.cli_bench import bench

KEYS = {
    "transactions", "faults", "wrong_good", "wrong_good_expected_collisions", "undetected_values", "late_detected",
    "cost_ms_per_fault", "goal", "met",
}  # fmt: skip


def test_every_kind_of_fault_is_met_without_a_wrong_value_and_in_time(depth: str) -> None:
    campaign = Campaign(seed=5)

    result = campaign.run(200_000 if depth == "full" else 12_000)

    assert document(result, 5, 38400)["met"], [wrong for wrong in result.wrong if not wrong.heard.collides][:3]
    assert min(result.by_kind[kind] for kind in KINDS) > 5
    assert result.good > 20_000
    assert result.acks > 1_000


@pytest.mark.parametrize("baud", [9600, 115200])
def test_other_speeds_do_not_change_that(baud: int) -> None:
    result = Campaign(seed=6, baud=baud).run(2_000)

    assert document(result, 6, baud)["met"]


def test_the_command_prints_its_keys_beside_the_goal() -> None:
    arguments = ["line", "--transactions", "500", "--seed", "3", "--json"]

    result = CliRunner().invoke(bench, arguments, standalone_mode=False)

    report = json.loads(result.stdout)
    assert set(report) >= KEYS
    assert (report["goal"], report["met"]) == (GOAL, True)
    assert report["transactions"] >= 500


def test_a_seed_gives_the_same_campaign_again() -> None:
    one, other = (document(Campaign(seed=9).run(600), 9, 38400) for _ in range(2))

    assert one == other


def blind_to(*verdicts: Verdict) -> Callable[[Request, bytes], Verdict]:
    """The master's judge, but with these checks missing."""

    def judged(request: Request, reply: bytes) -> Verdict:
        verdict = judge(request, reply)
        whole = len(reply) >= request.reply_len
        return (Verdict.ACCEPTED if whole else Verdict.PARTIAL) if verdict in verdicts else verdict

    return judged


@pytest.mark.parametrize(
    ("missing", "kinds"),
    [
        ((Verdict.WRONG_UNIT,), ["late", "wrong_unit", "noise_only"]),
        ((Verdict.WRONG_FUNCTION,), ["second_master", "noise_only", "wrong_unit_then_good", "straggler"]),
        ((Verdict.BAD_CRC,), ["bit_errors"]),
        ((Verdict.OWN_ECHO, Verdict.WRONG_COUNT), ["late_own_echo"]),
        ((Verdict.TOO_LONG,), ["straggler"]),
    ],
    ids=["unit", "function", "crc", "echo", "length"],
)
def test_a_master_that_does_not_check_is_found_out(
    missing: tuple[Verdict, ...], kinds: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hal_line, "judge", blind_to(*missing))

    result = Campaign(seed=2, kinds=kinds, fault_frac=0.5).run(3_000)

    assert not document(result, 2, 38400)["met"]
    assert any(not wrong.heard.collides for wrong in result.wrong)


def without_probes(campaign: Campaign) -> None:
    for device in campaign.line._lanes.devices:
        device.asks_with(())


def without_patience(campaign: Campaign) -> None:
    """A reply is believed though a second one may still begin, and bytes for nobody leave no room for an answer."""
    campaign.line._stray_ns = campaign.line._silence_ns
    for device in campaign.line._lanes.devices:
        device.turnaround_ns = -device.turnaround_ns


@pytest.mark.parametrize(
    ("left_out", "kinds"),
    [
        (without_probes, ["very_late"]),
        (without_patience, ["duplicate_later", "second_master"]),
    ],
    ids=["probes", "patience"],
)
def test_a_master_that_does_not_wait_is_found_out(left_out: Callable[[Campaign], None], kinds: list[str]) -> None:
    campaign = Campaign(seed=4, kinds=kinds, fault_frac=0.5, baud=115200)
    left_out(campaign)

    result = campaign.run(3_000)

    assert [wrong for wrong in result.wrong if not wrong.heard.collides]


def test_values_of_a_second_device_with_the_same_address_are_counted_beside_what_chance_gives() -> None:
    result = Campaign(seed=8, kinds=["address_twice"]).run(4_000)

    assert not result.wrong
    assert result.undetected == pytest.approx(result.expected_undetected_count, rel=0.05)
    assert result.implausible > 0.2 * result.undetected


def test_a_collision_is_shown_only_by_other_bytes_with_a_fitting_check_sequence() -> None:
    campaign = Campaign(seed=1, kinds=["address_twice", "bit_errors"])
    campaign.run(300)
    heards = list(campaign.far_end.heard.values())
    shown = {heard.kind: heard.collides for heard in heards if heard.reply[1] == 4}

    assert shown == {"": False, "bit_errors": False, "address_twice": True}


def test_a_collision_counts_as_no_fault_that_should_have_been_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chance makes one in a million exchanges; here every spoilt reply of a read is one."""

    def fits(x: faults.Exchange) -> faults.Frames:
        return [(TURNAROUND_NS, x.resealed(3, x.reply[3] ^ 1) if x.is_read else x.reply)]

    monkeypatch.setitem(faults.SPOILT, "garbled", fits)

    result = Campaign(seed=6, kinds=["garbled"], fault_frac=0.02).run(3_000)

    assert result.wrong and all(wrong.heard.collides for wrong in result.wrong)
    assert not result.late_detected


@pytest.mark.parametrize(("mean_count", "limit"), [(0.0, 0), (0.001, 0), (0.5, 4), (15.0, 28)])
def test_the_poisson_limit_is_that_of_the_tables(mean_count: float, limit: int) -> None:
    assert poisson_limit(mean_count) == limit

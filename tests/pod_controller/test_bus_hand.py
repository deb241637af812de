"""What a hand names and writes: the line of a tag, what a register can hold, what counts as read back."""

import math
import socket
from pathlib import Path

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from looped_port import FAST, LoopedPort

from hal.bus.asking import BusPort
from hal.clock import SystemClock
from hal.errors import PodError
from hal.points import Point
from hal.registers import raw_reader
from pod_controller import control_client
from pod_controller.bus import cli_order, values
from pod_controller.bus.place import Place, Wanted, core_status, place_of
from pod_controller.cli import main
from sim_hardware.instruments import Device
from sim_hardware.rtu_codec import WRITE_HOLDINGS
from sim_hardware.slave import LineOfSlaves, Slave

POD = Path(__file__).parents[2] / "sim_hardware" / "reference" / "pod.toml"


def typed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and what it said of a `podctl bus` command; none of these gets as far as a port."""
    code = main(["bus", *words])
    out, err = capsys.readouterr()
    return code, out + err


def held(kind: str, scale: float = 1.0, low: float = -math.inf, high: float = math.inf) -> values.Target:
    """One number of unit 1, holding 0."""
    return values.Target(1, Point(values.BARE, "holding", 0, kind, "", low, high, scale))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("read", "WT-101", "WT-102"), "WT-102 (WM-B) is on line B, not A"),
        (("read", "WT-101", "--line", "B"), "WT-101 (WM-A) is on line A, not B"),
        (("write", "FV-102", "1", "--line", "A", "--yes"), "FV-102 (XM-B) is on line B, not A"),
        (("order", "belimo_lr24a_mod", "adapt", "--line", "B", "--unit", "3", "--yes"), "unit 3 on line B is LM-201"),
        (("read", "WT-101", "--unit", "7"), "give tags, or --unit and --address"),
    ],
)
def test_nothing_is_asked_or_written_on_a_line_it_is_not_on(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    code, said = typed(capsys, *words, "--config", str(POD))

    assert (code, says in said) == (2, True), said


def test_an_order_for_a_device_as_configured_is_not_refused() -> None:
    from hal.description import load

    place: Place = place_of(Wanted(POD, "B", None, None, None, 0.0, 0.2, False))

    cli_order._refuse_other(place, load("level_hydrostatic"), 3)


@pytest.mark.parametrize(
    ("target", "value", "says"),
    [
        (held("u16"), -1.0, "holding 0 of unit 1: -1 cannot be written: it takes 0 to 65535, in steps of 1"),
        (held("u16"), 65536.0, "65536 cannot be written: it takes 0 to 65535"),
        (held("u16"), 0.4, "0.4 cannot be written: the nearest it can hold is 0, in steps of 1"),
        (held("s16", 0.1), 0.26, "0.26 cannot be written: the nearest it can hold is 0.3, in steps of 0.1"),
        (held("s16", -0.1), 3277.0, "it takes -3276.7 to 3276.8"),
        (held("u16", 1.0, 10.0, 20.0), 21.0, "it takes 10 to 20"),
        (held("u32"), 4294967296.0, "it takes 0 to 4294967295"),
        (held("f32"), 1e39, "1e+39 cannot be written: it takes -3.4e+38 to 3.4e+38"),
        (held("f32"), math.inf, "inf cannot be written"),
        (held("u16"), math.nan, "nan cannot be written"),
        (held("bit"), 0.4, "is a bit, and 0.4 is none"),
    ],
)
def test_what_a_register_cannot_hold_is_refused(target: values.Target, value: float, says: str) -> None:
    with pytest.raises(click.UsageError) as refused:
        values.encoded([target], [value], single=False)

    assert says in str(refused.value)


@given(st.sampled_from(["u16", "s16", "u32", "s32"]), st.data(), st.sampled_from([1.0, 0.1, -0.01, 25.5, 1 / 27648]))
def test_every_step_of_a_register_can_be_written_and_only_itself_is_read_back(
    kind: str, data: st.DataObject, scale: float
) -> None:
    bits = 16 if kind.endswith("16") else 32
    lowest = -(2 ** (bits - 1)) if kind[0] == "s" else 0
    raw = data.draw(st.integers(lowest, lowest + 2**bits - 1))
    target = held(kind, scale)

    words = values.encoded([target], [raw * scale], single=False)

    assert raw_reader(target.point.form, 0)(words) == raw
    assert values.agrees(target.point, raw * scale, raw * scale)
    assert not values.agrees(target.point, (raw + 1) * scale, raw * scale)


@pytest.mark.parametrize("wished", [0.0, 1.0])
def test_a_bit_that_did_not_change_was_not_written(wished: float) -> None:
    coil = Point(values.BARE, "coil", 0, "bit", "", -math.inf, math.inf)

    assert values.agrees(coil, wished, wished)
    assert not values.agrees(coil, 1.0 - wished, wished)
    assert not values.agrees(coil, None, wished)


def test_a_pure_number_has_no_unit_to_show() -> None:
    row = {"tag": "FV-101", "value": 1.0, "engineering_unit": "1", "quality": "GOOD", "table": "coil", "raw": [1]}

    assert values.in_words(row) == "FV-101  1"
    assert values.in_words(row | {"engineering_unit": "kg"}) == "FV-101  1 kg"


@pytest.mark.parametrize("number", ["99999", "0", "²", "", "-1", "9" * 5000])
def test_a_port_number_that_is_none_is_a_usage_error(capsys: pytest.CaptureFixture[str], number: str) -> None:
    code, said = typed(capsys, "read", "--tcp", f"127.0.0.1:{number}", "--unit", "1", "--address", "0")

    assert (code, "a port from 1 to 65535" in said) == (2, True)


def test_units_that_are_no_numbers_are_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = typed(capsys, "scan", "--port", "/dev/none", "--units", "1-²")

    assert (code, "write 1-32" in said) == (2, True)


class Register(Device):
    """One holding register; `stuck` bits do not take what is written."""

    holdings_size = 1

    def __init__(self, word: int, stuck: int = 0) -> None:
        self.word, self._stuck = word, stuck

    def holdings(self) -> bytes:
        return self.word.to_bytes(2, "big")

    def write_holdings(self, address: int, values: bytes) -> None:
        told = int.from_bytes(values, "big")
        self.word = self.word & self._stuck | told & ~self._stuck & 0xFFFF


def one_bit(device: Device, bit: int, value: float, deaf_to: int = 0) -> tuple[bool, list[bytes]]:
    """`bus write --table holding --bit`: whether it reads back as told, and every question."""
    (target,) = values.bare(1, 0, 1, values.Form("holding", "bit", "high_first", 1.0, 0.0, bit))
    port = LoopedPort(LineOfSlaves("T", {"X": Slave(1, device)}), lambda q, a: [] if q[1] == deaf_to else a)
    encoded = values.encoded([target], [value], False)
    try:
        with BusPort(FAST, SystemClock(), port.make) as bus:
            (word,) = values.beside(bus, [target], encoded, 20_000_000)
            values.write(bus, target, [word], False, 20_000_000)
            return values.reads_back(target, values.read(bus, target, 20_000_000), value, word), port.sent
    except PodError as failed:
        return f"{failed}".endswith("as the other bits of the register are not known"), port.sent


@settings(max_examples=30)
@given(st.integers(0, 0xFFFF), st.integers(0, 15), st.integers(0, 1))
def test_one_bit_of_a_register_is_written_and_the_others_stay(word: int, bit: int, value: int) -> None:
    device = Register(word)

    as_told, sent = one_bit(device, bit, value)

    assert as_told
    assert device.word == word & ~(1 << bit) | value << bit
    assert [frame[1] for frame in sent] == [3, 16, 3]


def test_a_bit_of_a_register_that_cannot_be_read_is_not_written() -> None:
    device = Register(0xA5A5)

    refused, sent = one_bit(device, 1, 1.0, deaf_to=3)

    assert (refused, device.word) == (True, 0xA5A5)
    assert WRITE_HOLDINGS not in [frame[1] for frame in sent]


@pytest.mark.parametrize("stuck", [1 << 4, 0xFFFF])
def test_a_bit_is_written_only_if_all_of_its_register_reads_back(stuck: int) -> None:
    class Meddled(Register):
        def write_holdings(self, address: int, values: bytes) -> None:
            super().write_holdings(address, values)
            self.word ^= 1 << 9  # the device puts another bit its own way

    assert not one_bit(Register(0, stuck), 4, 1.0)[0]
    assert not one_bit(Meddled(0), 4, 1.0)[0]


@pytest.mark.parametrize("words", [("--table", "coil", "--bit", "3"), ("--type", "u16", "--bit", "3")])
def test_a_bit_of_what_is_no_register_of_bits_is_refused(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    code, said = typed(capsys, "write", "1", "--port", "/dev/none", "--unit", "1", "--address", "0", *words, "--yes")

    assert (code, "--bit 3: " in said) == (2, True), said


PROBE = ("probe", "atlas_ezo_ph")


@pytest.mark.parametrize(
    ("words", "wanted_code", "says"),
    [
        (("--port", "/dev/none"), 1, "E206 port /dev/none"),
        (("Cal,<µ>", "--port", "/dev/none", "--yes"), 2, "printable ASCII"),
        (("Cal,mid,7\rFactory", "--port", "/dev/none", "--yes"), 2, "printable ASCII"),
        (("", "--port", "/dev/none", "--yes"), 2, "printable ASCII"),
        (("Sleep", "--proof", "Cal,?\r", "--port", "/dev/none", "--yes"), 2, "printable ASCII"),
        (("--tcp", "127.0.0.1:502"), 2, "is on a serial port"),
        (("Sleep", "--config", str(POD), "--line", "B", "--yes"), 2, "line B has no"),
    ],
)
def test_a_probe_is_not_spoken_to_in_vain(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], wanted_code: int, says: str
) -> None:
    code, said = typed(capsys, *PROBE, *words)

    assert (code, says in said) == (wanted_code, True), said


def test_a_core_that_does_not_answer_or_must_not_be_asked_may_own_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_client, "TIMEOUT_S", 0.05)
    path = tmp_path / "control.sock"
    nobody = core_status(path)

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as hung:
        hung.bind(str(path))
        hung.listen()
        with pytest.raises(PodError, match=r"E441 nobody answers at .*: is the core running"):
            core_status(path)

        def refused(self: object, address: str) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("socket.socket.connect", refused)
        with pytest.raises(PodError, match=r"E441 .*Permission denied: join the socket's group, or ask as root"):
            core_status(path)

    assert nobody is None

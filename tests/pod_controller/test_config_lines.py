"""[[line]] of a configuration: serial lines and Modbus TCP servers, each with its own keys and faults."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import pytest

from hal.description import LineConfig
from pod_controller.config import ConfigFaults, PodConfig, load

REFERENCE = files("sim_hardware").joinpath("reference", "pod.toml").read_text("utf-8")
SERIAL_C = 'name = "C"\nprotocol = "modbus_rtu"\nport = "/dev/pod-bus-c"\nbaud = 19200\n'


def loaded(tmp_path: Path, line_c: str, changes: Mapping[str, str] | None = None) -> PodConfig:
    """The reference pod with another line C, and other replacements."""
    assert SERIAL_C in REFERENCE
    text = REFERENCE.replace(SERIAL_C, line_c)
    for old, new in (changes or {}).items():
        text = text.replace(old, new)
    path = tmp_path / "pod.toml"
    path.write_text(text)
    return load(path)


def test_a_server_needs_a_host_and_takes_the_registered_port(tmp_path: Path) -> None:
    config = loaded(tmp_path, 'name = "C"\nprotocol = "modbus_tcp"\nhost = "192.168.1.20"\n')

    assert config.hardware().lines[2] == LineConfig("C", "modbus_tcp", "", 0, False, "192.168.1.20", 502)


def test_one_server_is_one_line(tmp_path: Path) -> None:
    """Two owners would write absolute images to the same coils, and one part would count as two."""
    server = 'name = "C"\nprotocol = "modbus_tcp"\nhost = "192.168.1.20"\n'
    again = '\n[[line]]\nname = "D"\nprotocol = "modbus_tcp"\nhost = "192.168.1.20"\n'

    assert len(loaded(tmp_path, server + again + "tcp_port = 503\n").line) == 5
    with pytest.raises(ConfigFaults, match=r"E110 \[line 4\] host .* line C has 192.168.1.20:502 already"):
        loaded(tmp_path, server + again)


def test_a_line_has_the_framing_that_its_devices_were_set_to(tmp_path: Path) -> None:
    config = loaded(tmp_path, SERIAL_C + 'framing = "8E1"\n')

    assert [line.framing for line in config.hardware().lines] == ["8N1", "8N1", "8E1", "8N1"]
    assert config.hardware({"C": "/dev/pts/3"}).lines[2].framing == "8N1"  # a pseudo-terminal has no parity


def test_lines_can_be_moved_to_other_places(tmp_path: Path) -> None:
    config = loaded(tmp_path, 'name = "C"\nprotocol = "modbus_tcp"\nhost = "fd00::7"\ntcp_port = 1502\n')

    moved = config.hardware({"A": "/dev/pts/7", "C": "127.0.0.1:4000"}).lines

    assert config.hardware().lines[2].host == "fd00::7"
    assert (moved[0].port, moved[0].baud) == ("/dev/pts/7", 38400)
    assert (moved[2].host, moved[2].tcp_port) == ("127.0.0.1", 4000)


@pytest.mark.parametrize(
    ("line_c", "faults"),
    [
        ('name = "C"\nprotocol = "modbus_tcp"\n', ["E104 line 3 host is missing"]),
        ('name = "C"\nprotocol = "modbus_rtu"\n', ["E104 line 3 baud is missing", "E104 line 3 port is missing"]),
        (
            'name = "C"\nprotocol = "modbus_tcp"\nhost = "10.0.0.7"\nport = "/dev/x"\nbaud = 9600\n',
            ["E113 [line 3] port = '/dev/x' means nothing", "E113 [line 3] baud = 9600 means nothing"],
        ),
        (
            'name = "C"\nprotocol = "modbus_tcp"\nhost = "10.0.0.7"\nframing = "8E1"\n',
            ["E113 [line 3] framing = '8E1' means nothing"],
        ),
        (SERIAL_C + 'host = "10.0.0.7"\n', ["E113 [line 3] host = '10.0.0.7' means nothing"]),
        (
            'name = "C"\nprotocol = "modbus_tcp"\nhost = "gateway.local"\n',
            ["E113 [line 3] host = 'gateway.local' is no numeric address"],
        ),
        (
            'name = "C"\nprotocol = "modbus_tcp"\nhost = "10.0.0.7"\ntcp_port = 0\n',
            ["E105 [line 3] tcp_port = 0 must be at least 1"],
        ),
        ('name = "C"\nprotocol = "modbus"\nhost = "10.0.0.7"\n', ["E105 [line 3] protocol = 'modbus' must be one of"]),
    ],
)
def test_a_line_that_cannot_be_is_told_with_its_place(tmp_path: Path, line_c: str, faults: list[str]) -> None:
    with pytest.raises(ConfigFaults) as caught:
        loaded(tmp_path, line_c)

    lines = [line.split(": ", 1)[1] for line in caught.value.lines]
    assert len(lines) == len(faults), lines
    assert all(any(line.startswith(fault) for line in lines) for fault in faults), lines


def test_unit_255_is_for_servers_only(tmp_path: Path) -> None:
    server = 'name = "C"\nprotocol = "modbus_tcp"\nhost = "10.0.0.7"\n'
    last_unit = {'line = "C"\nunit = 4': 'line = "C"\nunit = 255'}

    assert loaded(tmp_path, server, last_unit).device[-1].unit == 255
    with pytest.raises(ConfigFaults, match=r"E105 .* unit = 255 must be at most 247 on a serial line"):
        loaded(tmp_path, SERIAL_C, last_unit)

"""A frame file as Wireshark's own dissectors see it.

Neighbours: tests/wire. Shares no code with the project: the program `tshark` reads the file.
"""

import subprocess
from pathlib import Path
from typing import NamedTuple

CHECKED = ("-o", "mbrtu.crc_verification:TRUE", "-o", "mbrtu.tcp.port:503")
_FIELDS = ("frame.interface_name", "modbus.func_code", "modbus.regval_uint16", "mbrtu.crc16.status", "_ws.malformed")


class Row(NamedTuple):
    """One packet; fields that it has not are empty. crc_status: "1" sound, "0" not."""

    line: str
    function: str
    registers: str
    crc_status: str
    malformed: str


def by_tshark(file: Path, *options: str) -> list[Row]:
    """Every packet of a file."""
    fields = [word for field in _FIELDS for word in ("-e", field)]
    command = ["tshark", "-n", "-r", str(file), *(options or CHECKED), "-T", "fields", *fields]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [Row(*line.split("\t")) for line in done.stdout.splitlines()]

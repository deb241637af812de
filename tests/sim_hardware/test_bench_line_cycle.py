"""`podctl bench cycle` measures what it says: every Modbus line, against an ideal that is worked out by hand here."""

import json
import subprocess
import sys

import pytest


@pytest.mark.bench
def test_every_modbus_line_has_its_cycle_beside_the_wire_and_beside_pymodbus() -> None:
    command = [sys.executable, "-m", "pod_controller", "bench", "cycle", "--tiny", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)

    rows = {row["name"]: row for row in json.loads(done.stdout)["rows"]}
    detail = rows["cycle of line A"]["detail"]
    # Write 10 + 8 bytes, status block 8 + 25, load cells 8 + 23, at 38400 baud, 4 ms turnaround, t3.5 of 1.75 ms.
    assert detail["ideal_ms"] == pytest.approx(82 * 10e3 / 38400 + 3 * (4.0 + 1.75), rel=1e-3)
    assert list(rows) == ["cycle of line A", "cycle of line B", "cycle of line C"]
    assert all(row["detail"]["pymodbus_ratio"] > 0.98 and row["figure"] > 0.98 for row in rows.values())
    assert all(row["met"] is (row["figure"] <= row["goal"] == 1.05) for row in rows.values())

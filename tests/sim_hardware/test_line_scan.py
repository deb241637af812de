"""`podctl bench scan` measures what it says: against an ideal worked out by hand here, and beside other clients."""

import json
import subprocess
import sys

import pytest


@pytest.mark.bench
def test_a_scan_of_ten_devices_stands_beside_the_wire_and_beside_other_clients() -> None:
    command = [sys.executable, "-m", "pod_controller", "bench", "scan", "--tiny", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)

    rows = {row["name"]: row for row in json.loads(done.stdout)["rows"]}
    assert list(rows) == ["scan at 115200", "shed write at 115200", "beside a dead device at 115200"]
    detail = rows["scan at 115200"]["detail"]
    # A write of 10 + 8 bytes and ten reads of 8 + 17, 4 ms turnaround, t3.5 of 1.75 ms.
    assert detail["transactions"] == 11
    assert detail["ideal_ms"] == pytest.approx((18 + 10 * 25) * 10e3 / 115200 + 11 * 5.75, rel=1e-3)
    assert rows["scan at 115200"]["figure"] > 0.98
    assert detail["pymodbus_ratio"] > 0.98
    assert rows["beside a dead device at 115200"]["detail"]["periods"] == 9 * 4
    assert all(row["met"] is (row["figure"] <= row["goal"]) for row in rows.values())

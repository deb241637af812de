"""One seed, one trace: in two processes with different hash seeds, and in one process twice."""

import json
import os
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "pod_controller", "sim", "festival", "--seed", "3", "--duration", "1800", "--json"]


def trace(tier: str, hash_seed: str) -> str:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    done = subprocess.run([*COMMAND, "--tier", tier], capture_output=True, text=True, check=True, env=environment)
    return str(json.loads(done.stdout)["trace_sha256"])


@pytest.mark.scenario
@pytest.mark.parametrize("tier", ["a", "b"])
def test_one_seed_gives_one_trace_whatever_the_hash_seed(tier: str) -> None:
    assert trace(tier, "1") == trace(tier, "4242")

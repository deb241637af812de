"""A pod in a process of its own, for what only a fresh process can show: time until armed, memory.

Run as `python -m sim_hardware.bench.child SECONDS`: the reference pod in tier B on virtual time; writes one JSON line
when the pod is armed and one at the end. Neighbour: `core` starts it and measures. Must not know goals.
"""

import json
import sys
import time
from importlib.resources import files
from pathlib import Path

from pod_controller.config import load
from sim_hardware.pod import SimulatedPod
from sim_hardware.scenarios import draw

ARMED = ("EXECUTE", "SUSPENDED")


def main(seconds: str) -> None:
    """Run the quiet day for so many simulated seconds."""
    config = load(Path(str(files("sim_hardware").joinpath("reference/pod.toml"))))
    pod = SimulatedPod(config, draw("quiet_day", 0, len(config.chute), float(seconds)))
    told = False

    def look(pod: SimulatedPod, now_ns: int) -> None:
        nonlocal told
        if not told and pod.app.loop.modes.state.value.upper() in ARMED:
            told = True
            _tell(armed_at_s=now_ns * 1e-9, cpu_s=time.process_time())

    pod.run(look)
    _tell(resident_mb=_status_mb("VmRSS"), peak_mb=_status_mb("VmHWM"))


def _tell(**figures: float) -> None:
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()


def _status_mb(key: str) -> float:
    """One line of the kernel's account of this process, in millions of bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:")) * 1024 / 1e6


if __name__ == "__main__":
    main(sys.argv[1])

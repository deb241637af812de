"""Ten devices per speed on metered pseudo-terminals: `python -m sim_hardware.line_scan.far_end`, a process of its own.

Prints one JSON object {baud: path}, serves until its standard input ends, then prints {path: [[when, how late], ...]}
of every answer: a wire is never late, this one is, and nobody shall be charged with that. Unit 1 is a relay module,
units 2 to 10 show six registers each; on the second terminal of a speed unit 10 is dead. Neighbours: `wire` carries,
`figures` starts it. Must not know masters.
"""

import asyncio
import json
import struct
import sys
from contextlib import suppress

from hal.clock import SystemClock
from hal.runner import precise_loop
from pod_controller.scheduling import go_first, settle_memory
from sim_hardware.instruments import Device
from sim_hardware.io_module import IoModule8
from sim_hardware.slave import LineOfSlaves, Slave
from sim_hardware.wire import WireBench, Wired

BAUDS = (9600, 19200, 115200)
UNITS, REGISTERS = 10, 6
TURNAROUND_S = 0.004
DEAD_UNIT = 10


class SixRegisters(Device):
    """Six input registers that count up."""

    inputs_size = REGISTERS
    _FORM = struct.Struct(f">{REGISTERS}H")

    def inputs(self) -> bytes:
        """Always the same: nobody asks what they mean."""
        return self._FORM.pack(*range(1, REGISTERS + 1))


class _Still:
    """A plant that does not move."""

    def advance_to(self, now_ns: int) -> None:
        """Nothing to bring along."""


def line(name: str, alive: int) -> LineOfSlaves:
    """The relay module at 1, six registers each at 2..alive."""
    slaves = {"XM": Slave(1, IoModule8(lambda channel, on: None, {}, {}, 2.0), TURNAROUND_S)}
    slaves |= {f"D-{unit}": Slave(unit, SixRegisters(), TURNAROUND_S) for unit in range(2, alive + 1)}
    return LineOfSlaves(name, slaves)


async def serve() -> None:
    """All terminals, until nobody holds the other end of our standard input."""
    stations = {}
    for baud in BAUDS:
        stations[str(baud)] = Wired(line(str(baud), UNITS), baud)
        stations[f"{baud}-dead"] = Wired(line(f"{baud}-dead", DEAD_UNIT - 1), baud)
    answers: dict[str, list[tuple[int, int]]] = {}

    def note(place: str, when_ns: int, late_ns: int) -> None:
        answers.setdefault(place, []).append((when_ns, late_ns))

    bench = WireBench(stations, _Still(), SystemClock(), note)
    places = await bench.start()
    go_first()
    settle_memory()
    sys.stdout.write(json.dumps(places) + "\n")
    sys.stdout.flush()
    gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), gone.set)
    await gone.wait()
    asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
    await bench.stop()
    sys.stdout.write(json.dumps(answers) + "\n")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=precise_loop) as loop:
        loop.run(serve())

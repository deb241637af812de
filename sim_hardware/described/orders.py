"""The part of the battery that writes: outputs and their fail state, the device's own timer, wear, commands.

Neighbours: battery.py lists these checks, bench.py wires the device. Must not know: one device from another.
"""

from collections.abc import Iterator

from hal.commands import Progress
from hal.description import Description, PointSpec
from hal.errors import Code, PodError
from sim_hardware.described.bench import TICK_S, Bench

SETTLED_S = 4.0 * TICK_S
_ANY_NUMBER = 1
_FOREIGN = 0x0A00  # bits that no described output uses


def outputs(description: Description) -> Iterator[str]:
    """Outputs obey, are proved by read-back, fall on order, and fall by themselves when the line is dead."""
    specs = [point for point in description.point if point.access == "write" and not description.wearing(point)]
    if not specs:
        return
    watchdog_s = 3.0 * TICK_S if description.watchdog is not None else 0.0
    bench = Bench(description, watchdog_s)
    safe = description.fail_position
    if safe is not None:
        bench.device.set("holding", {safe.address: safe.safe ^ 1})
    bench.wanted = {spec.name: 1.0 for spec in specs}
    acks = bench.run(SETTLED_S).acks
    for spec in specs:
        if not bench.device.output(spec) or spec.name not in acks or acks[spec.name].open_frac != 1.0:
            yield f"{spec.name} was ordered on and is not proved on"
    if watchdog_s and not bench.io.watchdogs_verified():
        yield f"a watchdog of {watchdog_s:g} s, or the fail position, is not shown by the device after it was set"
    if safe is not None and watchdog_s and bench.device.shown(safe.address) != safe.safe:
        yield f"the fail position (holding {safe.address}) was not set to {safe.safe}"
    if safe is not None and not watchdog_s:
        bench.device.set("holding", {safe.address: safe.safe})  # by hand, as the remark says
    yield from _released(bench, specs)
    yield from _abandoned(bench, specs, watchdog_s)
    yield from _deaf(description, specs)
    yield from _foreign(description, specs)


def _released(bench: Bench, specs: list[PointSpec]) -> Iterator[str]:
    bench.wanted = {}
    bench.io.safe_state(round(1e9 * 5.0 * TICK_S))
    bench.run(SETTLED_S)
    if not bench.io.outputs_at_fail() or any(bench.device.output(spec) for spec in specs):
        yield "the safe state is not reached, or not proved"


def _abandoned(bench: Bench, specs: list[PointSpec], watchdog_s: float) -> Iterator[str]:
    """The line dies while the outputs are on."""
    bench.wanted = {spec.name: 1.0 for spec in specs}
    bench.run(SETTLED_S)
    own_s = watchdog_s or bench.description.fixed_watchdog_s
    bench.begin("device_dead")
    bench.run(max(own_s, SETTLED_S) + 2.0 * TICK_S)
    held = [spec.name for spec in specs if bench.device.output(spec)]
    if own_s and held:
        yield f"{', '.join(held)} on for {own_s:g} s and more without a master: the device's own timer did nothing"
    if not own_s and not held:
        yield "outputs fell without a master, which nothing in the description explains"


def _deaf(description: Description, specs: list[PointSpec]) -> Iterator[str]:
    """A device that echoes writes and does nothing must never look as if it had obeyed."""
    bench = Bench(description)
    bench.device.stubborn = True
    bench.wanted = {spec.name: 1.0 for spec in specs}
    acks = bench.run(SETTLED_S).acks
    for spec in specs:
        if spec.name in acks and acks[spec.name].open_frac == 1.0:
            yield f"{spec.name} is proved on while the device does nothing"


def _foreign(description: Description, specs: list[PointSpec]) -> Iterator[str]:
    """An output register that shows neither on nor off, by somebody else's hand, proves nothing."""
    for spec in specs:
        if spec.table != "holding":
            continue
        bench = Bench(description)
        bench.run(SETTLED_S)
        bench.device.stubborn = True
        bench.device.set("holding", {spec.address: spec.raw_on ^ spec.raw_off ^ _FOREIGN})
        bench.io.safe_state(round(1e9 * SETTLED_S))
        bench.run(SETTLED_S)
        if bench.io.outputs_at_fail():
            yield f"{spec.name} shows a word that is neither on nor off, and passes for off"


def wear(description: Description) -> Iterator[str]:
    """An output in a memory that wears out is refused, and none of it is written while the pod runs."""
    bench = Bench(description, 3.0 * TICK_S if description.watchdog is not None else 0.0)
    bench.wanted = {point.name: 1.0 for point in description.point if point.access == "write"}
    bench.run(10.0 * SETTLED_S)
    for each in description.wear:
        for address in range(each.first, each.last + 1):
            if bench.device.writes.get(address, 0) > 1:
                yield f"{each.table} {address} was written {bench.device.writes[address]} times: {each.reason}"
        spec = PointSpec(
            name="worn", access="write", table=each.table, address=each.first, group="fast",
            type="u16" if each.table == "holding" else "bit", low=0.0, high=1.0, unit="1",
        )  # fmt: skip
        try:
            Bench(description.model_copy(update={"point": (*description.point, spec)}))
        except PodError as error:
            if error.code == Code.CYCLIC_WRITE:
                continue
        yield f"an output at {each.table} {each.first} is not refused: {each.reason}"


def commands(description: Description) -> Iterator[str]:
    """Each command reaches its end; a device that ignores it, or is gone, makes it fail and say why."""
    for each in description.command:
        run = Bench(description).command(each.name, _ANY_NUMBER)
        if run.progress is not Progress.DONE:
            yield f"command {each.name} of a willing device: {run.why}"
        gone = Bench(description)
        gone.begin("device_dead")
        run = gone.command(each.name, _ANY_NUMBER)
        if run.progress is not Progress.FAILED or not run.why:
            yield f"command {each.name} of a dead device does not fail"
        confirmed = [step for step in each.step if step.do == "confirm"]
        if not confirmed:
            continue
        idle = Bench(description)
        idle.device.stubborn = True
        for step in confirmed:
            idle.device.set(step.table, {step.address: step.words[0] ^ step.mask})
        if idle.command(each.name, _ANY_NUMBER).progress is not Progress.FAILED:
            yield f"command {each.name} is taken for done while the device does nothing"

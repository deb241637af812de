"""`podctl sim`: run a scenario against the real program, in one of the three tiers, and say what it came to.

Neighbours: `tier_a`, `pod`, `real_time` run, `cli_serve` serves the hardware alone; `outcome` words the result; `live`
shows. Must not know physics.
"""

import json
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from hal.clock import Clock, SystemClock
from hal.errors import PodError

if TYPE_CHECKING:
    from pod_controller.config import PodConfig
    from sim_hardware.fast_tier.tier_a import Result
    from sim_hardware.faults import Fault
    from sim_hardware.pod import SimulatedPod
    from sim_hardware.sampler import Sampler
    from sim_hardware.scenarios import Scenario

    Look = Callable[[SimulatedPod, int], None]

EXIT_INTERRUPTED = 130
REFERENCE = "reference/pod.toml"


class Asked(NamedTuple):
    """What the command line asked for."""

    scenario: str | None
    config_path: Path | None
    seed: int
    policy: str
    tier: str
    duration_s: float | None
    wire: bool
    speed_ratio: float | None
    fault_texts: tuple[str, ...]
    record_path: Path | None
    report_path: Path | None
    serve_in: Path | None
    from_s: float | None
    tcp: tuple[str, ...]
    as_json: bool
    biology: bool | None = None

    @property
    def config_file(self) -> Path:
        """The pod's TOML."""
        return self.config_path or Path(str(files("sim_hardware").joinpath(REFERENCE)))


class Ended(NamedTuple):
    """How a run ended."""

    result: "Result"
    overruns: int
    interrupted: bool


@click.command()
@click.argument("scenario", required=False)
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path), help="A pod's TOML; default: the reference pod."
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--policy", type=click.Choice(["guarded", "open", "float"]), default="guarded", show_default=True)
@click.option("--tier", type=click.Choice(["a", "b"]), default="b", show_default=True)
@click.option("--duration", "duration_s", type=click.FloatRange(min=1.0), help="Simulated seconds; default: all of it.")
@click.option("--wire", is_flag=True, help="Real time, on pseudo-terminals.")
@click.option("--speed", "speed_ratio", type=click.FloatRange(min=0.01), help="Tier b at this many times real time.")
@click.option("--fault", "fault_texts", multiple=True, metavar="KIND@TARGET:from=..,for=..,k=v")
@click.option("--record", "record_path", type=click.Path(path_type=Path), help="Record for podctl replay (tier b).")
@click.option("--report", "report_path", type=click.Path(path_type=Path), help="Write the run as one HTML page.")
@click.option(
    "--serve",
    "serve_in",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Only the hardware, on ports in DIR; without SCENARIO nothing moves.",
)
@click.option(
    "--from",
    "from_s",
    type=click.FloatRange(min=0.0),
    metavar="S",
    help="Serve the scenario from here on; default: five minutes before its convoy, or from its beginning.",
)
@click.option("--tcp", multiple=True, metavar="LINE", help="Serve this line as Modbus TCP; default: line C.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--biology/--no-biology", default=None, help="Living digester and culture; default: the scenario's.")
def sim(**options: Any) -> int:
    """Run a simulated pod: podctl sim SCENARIO (quiet_day, festival, ...)."""
    from pod_controller.config import load  # the compiler comes in with it
    from sim_hardware import scenarios
    from sim_hardware.verbs import cli_report, outcome

    asked = Asked(**options)
    _refuse_nonsense(asked)
    if asked.serve_in is not None:
        from sim_hardware.verbs import cli_serve

        return cli_serve.run(asked, asked.serve_in)
    if asked.scenario is None:
        known = ", ".join([*scenarios.names(), *scenarios.long_names()])
        raise click.UsageError(f"which scenario? One of {known}, or a file ending in .toml")
    config = load(asked.config_file)
    drawn, extra = _drawn(asked, asked.scenario, config)
    sampler = cli_report.begin(asked.report_path, config, drawn.duration_s)
    clock = SystemClock()
    begun_ns = clock.now_ns()
    ended = _run(asked, config, drawn, extra, sampler, clock)
    wall_s = (clock.now_ns() - begun_ns) * 1e-9
    row = outcome.as_json(ended.result, wall_s, ended.overruns)
    if asked.as_json:
        click.echo(json.dumps(row))
    else:
        click.echo("\n".join(outcome.as_lines(ended.result, wall_s, ended.overruns)))
    if asked.report_path is not None and sampler is not None:
        title = scenarios.load(asked.scenario).title
        cli_report.end(asked.report_path, sampler, ended.result.figures, row, [*drawn.faults, *extra], title)
    return EXIT_INTERRUPTED if ended.interrupted else outcome.exit_code(ended.result)


def _drawn(asked: Asked, scenario: str, config: "PodConfig") -> "tuple[Scenario, list[Fault]]":
    """The run asked for and its extra faults. A scenario, fault or target that does not exist is a usage error."""
    from sim_hardware import faults, scenarios
    from sim_hardware.troubles.targets import targets_of

    try:
        drawn = scenarios.draw(scenario, asked.seed, len(config.chute), asked.duration_s, asked.biology)
        extra = [faults.parse(text) for text in asked.fault_texts]
        faults.plan(extra, targets_of(config))
    except PodError as error:
        raise click.UsageError(str(error)) from None
    return drawn, extra


def _refuse_nonsense(asked: Asked) -> None:
    if asked.serve_in is not None:
        _refuse_controllers_own(asked)
    if asked.wire and asked.tier == "a":
        raise click.UsageError("--wire runs the real program on pseudo-terminals: it cannot be tier a")
    if asked.speed_ratio is not None and (asked.wire or asked.tier == "a"):
        raise click.UsageError("--speed paces virtual time: use it with tier b and without --wire")
    if asked.record_path is not None and (asked.wire or asked.tier == "a"):
        raise click.UsageError("--record records tier b: use it without --wire")
    if asked.serve_in is None and asked.from_s is not None:
        raise click.UsageError("--from says where in its scenario a served pod begins: use it with --serve")
    if asked.serve_in is None and asked.tcp:
        raise click.UsageError("--tcp says how a line is served: use it with --serve")


def _refuse_controllers_own(asked: Asked) -> None:
    if asked.speed_ratio is not None:
        raise click.UsageError("--serve runs in real time: --speed cannot pace it")
    if asked.wire or asked.tier == "a" or asked.policy != "guarded" or asked.record_path is not None:
        text = "--serve runs the hardware alone: --wire, --tier, --policy and --record are for runs with a controller"
        raise click.UsageError(text)
    if asked.report_path is not None:
        text = "--serve runs the hardware alone: --report shows what a controller saw and decided"
        raise click.UsageError(text)


def _run(
    asked: Asked,
    config: "PodConfig",
    drawn: "Scenario",
    extra: "list[Fault]",
    sampler: "Sampler | None",
    clock: Clock,
) -> Ended:
    if asked.tier == "a":
        from pod_controller import topology
        from sim_hardware.fast_tier import tier_a

        options = tier_a.Options(sampler=sampler)
        result = tier_a.run(topology.build(config), drawn, drawn.seed, asked.policy, extra, options=options)
        return Ended(result, 0, False)
    from sim_hardware.verbs.live import LiveView, PlainView, View

    view: View = LiveView(clock) if sys.stderr.isatty() and not asked.as_json else PlainView()
    look = view.look if sampler is None else _both(sampler.look, view.look)
    try:
        if asked.wire:
            from sim_hardware.serving import real_time

            pod, interrupted = real_time.run(config, drawn, asked.policy, extra, look)
            ended = Ended(pod.result("c"), pod.overruns, interrupted)
        else:
            pod, ended = _virtual(asked, config, drawn, extra, _paced(look, asked.speed_ratio, clock))
        if sampler is not None:
            sampler.close(pod.plant.records[1])
        return ended
    finally:
        view.close()


def _virtual(
    asked: Asked,
    config: "PodConfig",
    drawn: "Scenario",
    extra: "list[Fault]",
    look: "Look",
) -> "tuple[SimulatedPod, Ended]":
    from sim_hardware.pod import SimulatedPod

    recorder = None
    if asked.record_path is not None:
        from pod_controller.recorder import in_line

        recorder = in_line(asked.record_path, config, asked.config_file.read_text("utf-8"), asked.policy)
    pod = SimulatedPod(config, drawn, asked.policy, extra, recorder=recorder)
    interrupted = False
    try:
        pod.run(look)
    except KeyboardInterrupt:
        interrupted = True
    if recorder is not None:
        recorder.close()
    return pod, Ended(pod.result(), pod.overruns, interrupted)


def _both(first: "Look", second: "Look") -> "Look":
    """One look after the other."""

    def look(pod: "SimulatedPod", now_ns: int) -> None:
        first(pod, now_ns)
        second(pod, now_ns)

    return look


def _paced(look: "Look", speed_ratio: float | None, clock: Clock) -> "Look":
    """The same view, never ahead of speed times real time."""
    if speed_ratio is None:
        return look
    begun_ns = clock.now_ns()

    def look_in_pace(pod: "SimulatedPod", now_ns: int) -> None:
        clock.sleep_until_ns(begun_ns + int(now_ns / speed_ratio))
        look(pod, now_ns)

    return look_in_pace

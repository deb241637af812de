"""`podctl sim --serve DIR`: the hardware alone, until somebody ends it, and what became of the mass meanwhile.

Neighbours: `cli` has the options, `serve` serves, `outcome` words the result. Must not know physics or bytes.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pod_controller.config import load
from sim_hardware import faults, hardware, scenarios
from sim_hardware.serving import config as served_config
from sim_hardware.serving import serve
from sim_hardware.verbs import outcome

if TYPE_CHECKING:
    from sim_hardware.cli import Asked

EXIT_INTERRUPTED = 130
BEFORE_CONVOY_S = 300.0
STANDS = "no scenario: nothing moves, for work on the lines; a core that is started here trips (quiet_day moves)"
SERVED_OVER_TCP = ("C",)  # of the reference pod, unless --tcp or --config says otherwise


def run(asked: "Asked", folder: Path) -> int:
    """Serve in folder; the exit code: 130 after Ctrl-C, 3 when something spilled."""
    config = load(asked.config_file)
    over_tcp = asked.tcp or (SERVED_OVER_TCP if asked.config_path is None else ())
    config = served_config.over_tcp(config, over_tcp)
    extra = [faults.parse(text) for text in asked.fault_texts]
    if asked.scenario is None:
        if not asked.as_json:
            click.echo(STANDS, err=True)
        made = hardware.build_standing(config, asked.seed, extra)
    else:
        drawn = scenarios.draw(asked.scenario, asked.seed, len(config.chute))
        made = hardware.build(config, _joined(drawn, asked.from_s), extra)
    served = serve.serve(config, made, folder, asked.duration_s, lambda: click.echo(f"ready {folder}"))
    result = outcome.hardware_result(asked.scenario or "", asked.seed, served.elapsed_s, made.plant.figures())
    if asked.as_json:
        click.echo(json.dumps(outcome.hardware_as_json(result, served.elapsed_s)))
    else:
        click.echo("\n".join(outcome.hardware_as_lines(result)))
    return EXIT_INTERRUPTED if served.interrupted else outcome.exit_code(result)


def _joined(drawn: scenarios.Scenario, from_s: float | None) -> scenarios.Scenario:
    """The scenario from where it is asked for, and a word on where that is: nobody waits two hours for a convoy."""
    start_s = from_s if from_s is not None else max(0.0, (drawn.convoy_s or 0.0) - BEFORE_CONVOY_S)
    if start_s > 0.0:
        click.echo(f"{drawn.name} from second {start_s:.0f} on; --from 0 serves all of it", err=True)
    joined = scenarios.joined_at(drawn, start_s)
    if joined.convoy_s is not None and joined.convoy_s >= 0.0:
        click.echo(f"its convoy comes {joined.convoy_s:.0f} s after the start", err=True)
    return joined

"""`podctl replay`: does this program still decide what it decided then, and what would it decide under other settings?

Neighbours: `recording` reads the file, `replay` decides again. Must not know rules.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pod_controller.recording import Recording
    from pod_controller.replay import Difference, Replayed

EXIT_FINE, EXIT_FAILED = 0, 1
NS = 1_000_000_000


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--config", "config_path", type=click.Path(path_type=Path), help="Decide under this pod's TOML instead.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def replay(file: Path, config_path: Path | None, as_json: bool) -> int:
    """Decide again on a recorded run FILE; exit 1 if anything differs or the recording is damaged."""
    from pod_controller import recording as recordings  # the compiler comes in with it
    from pod_controller import replay as replays
    from pod_controller import topology
    from pod_controller.config import load
    from pod_controller.step import step

    recording = recordings.read(file)
    plant = None
    if config_path is not None:
        plant = replays.plant_of(recording, topology.build(load(config_path)))
    replayed = replays.replay(recording, step, plant)
    same_kernels = recording.header["kernels"] == recordings.kernels_stamp()
    if as_json:
        click.echo(json.dumps(_as_object(file, config_path, recording, replayed, same_kernels)))
    else:
        click.echo("\n".join(_as_lines(file, config_path, recording, replayed, same_kernels)))
    return EXIT_FINE if replayed.is_identical and not recording.damage else EXIT_FAILED


def _as_object(
    file: Path, config_path: Path | None, recording: "Recording", replayed: "Replayed", same_kernels: bool
) -> dict[str, Any]:
    header = recording.header
    return {
        "file": str(file),
        "config": "recorded" if config_path is None else str(config_path),
        "config_sha256": header["config_sha256"],
        "policy": header["policy"],
        "program": header["program"],
        "same_kernels": same_kernels,
        "ticks": replayed.ticks,
        "gaps": replayed.gaps,
        "damage": recording.damage or None,
        "identical": replayed.is_identical,
        "differing_ticks": replayed.differing_ticks,
        "elements": replayed.elements,
        "first_difference": None if replayed.first is None else replayed.first._asdict(),
    }


def _as_lines(
    file: Path, config_path: Path | None, recording: "Recording", replayed: "Replayed", same_kernels: bool
) -> list[str]:
    header = recording.header
    under = "its own configuration" if config_path is None else str(config_path)
    lines = [
        f"{file}: {replayed.ticks} ticks of {header['program']}, policy {header['policy']}, replayed under {under}"
    ]
    if not same_kernels:
        lines.append("kernels  the sources of what decides have changed since")
    if recording.damage:
        lines.append(f"damaged  {recording.damage}; replayed as far as it holds")
    if replayed.gaps:
        lines.append(f"gaps     {replayed.gaps}; each entered with the recorded state")
    if replayed.first is None:
        lines.append("permits  the same in every tick, bit for bit")
        return lines
    lines.append(f"permits  differ in {replayed.differing_ticks} ticks; first: {_first(replayed.first)}")
    lines += [f"         {name} in {count} ticks" for name, count in replayed.elements.items()]
    return lines


def _first(first: "Difference") -> str:
    if not first.recorded_rule:
        return f"tick {first.tick}, the state before it, with the same permits until then"
    was = f"{first.recorded_frac:g} ({first.recorded_rule})"
    return (
        f"tick {first.tick} at {first.now_ns / NS:.3f} s, {first.element}: "
        f"{was} recorded, {first.replayed_frac:g} ({first.replayed_rule}) now"
    )

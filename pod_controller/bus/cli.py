"""`podctl bus`: what a technician does on a line.

Neighbours: `cli_ask`, `cli_write`, `cli_look` hold the commands, `options` what several take. Must not know how.
"""

from importlib import import_module

import click

_COMMANDS = {
    "scan": "cli_ask",
    "identify": "cli_ask",
    "read": "cli_ask",
    "write": "cli_write",
    "order": "cli_order",
    "probe": "cli_probe",
    "monitor": "cli_look",
    "stats": "cli_look",
    "capture": "cli_look",
    "replay": "cli_replay",
    "check": "cli_check",
}


class _Tools(click.Group):
    """Commands in modules of their own, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of a working day."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        home = _COMMANDS.get(cmd_name)
        if home is None:
            return None
        command = getattr(import_module(f"pod_controller.bus.{home}"), cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.command(cls=_Tools)
def bus() -> None:
    """Work on the lines of a pod: who is there, what do they say, is the wire sound.

    \b
    A port has one owner. While the core runs it owns its lines: stats, monitor, capture
    and read TAG ask the core; everything else is refused (exit 4). Only write, order and probe write.
    """  # noqa: D301 (click's own mark for keeping line breaks)

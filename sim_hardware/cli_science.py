"""How the stand-alone models end: `python -m sim_hardware.adm1`, `.culture`, `.digester`.

A click command in, an exit code of CONTRACTS out; mistakes become one line on stderr, never a traceback.

Neighbours: the three commands. Must not know any model.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from hal.errors import PodError

EXIT_FAILED, EXIT_USAGE, EXIT_CONFIGURATION, EXIT_INTERRUPTED = 1, 2, 78, 130


def run(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code of its ending."""
    try:
        command.main(args=arguments, standalone_mode=False)
    except PodError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return EXIT_CONFIGURATION if 100 <= error.code < 200 else EXIT_FAILED
    except click.UsageError as error:
        print(" ".join(error.format_message().split()), file=sys.stderr)
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    return 0


def show(result: Mapping[str, Any], *, as_json: bool) -> None:
    """One JSON object, or a line per key for a person."""
    if as_json:
        print(json.dumps(result, allow_nan=False))
        return
    for name, value in result.items():
        print(f"{name:>28} {value}")


def line(text: str) -> None:
    """One line for a person."""
    print(text)

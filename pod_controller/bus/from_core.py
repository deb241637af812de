"""What a running core tells of its lines: readings by tag.

Job: ask the control socket, word the answer. Neighbours: `answers` on the other side, `cli_ask` and `cli_look` call.
Must not know ports: the core owns them.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from hal.errors import PodError
from pod_controller.bus.place import EXIT_FINE, EXIT_UNWELL, Place
from pod_controller.bus.values import in_words
from pod_controller.control_client import Connection


def ask(connection: Connection, request: Mapping[str, Any]) -> dict[str, Any]:
    """One answer of the core; its refusals become PodErrors."""
    answer = connection.ask({"do": "bus", **request})
    if not answer["ok"]:
        code, text = int(answer.get("code", 0)), str(answer.get("text", ""))
        raise PodError(code, text.removeprefix(f"E{code} "))
    return answer


def read_tags(place: Place, tags: Sequence[str], as_json: bool) -> int:
    """The core's own readings of tags."""
    with Connection(place.socket) as connection:
        rows = [ask(connection, {"what": "reading", "tag": tag}) for tag in tags]
    keep = [{key: value for key, value in row.items() if key not in ("v", "ok")} for row in rows]
    if as_json:
        click.echo(json.dumps({"readings": keep}))
    else:
        click.echo("\n".join(f"{in_words(row)}  {row['reading_age_s']:.2f} s old" for row in keep))
    return EXIT_UNWELL if any(row["quality"] == "BAD" for row in keep) else EXIT_FINE

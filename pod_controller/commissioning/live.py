"""A running core as a technician's verbs see it: one reading, the pod's state, "take the new curves".

Neighbours: `control_client` carries; `cli_calibrate` and `cli_stroke` ask. Must not know what is done with an answer.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hal.errors import PodError
from pod_controller.control_client import Connection

RUNNING = ("EXECUTE", "SUSPENDED")


class Sample(NamedTuple):
    """What an instrument said before its calibration; None while it is BAD."""

    sampled_s: float
    raw_value: float | None
    cause: str


class Live:
    """A core behind its socket. Every call is one connection: a core that restarts is found again."""

    def __init__(self, socket_path: Path) -> None:
        self._path = socket_path

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """One request. PodError with the core's own number when it refuses, E441 when nobody answers."""
        with Connection(self._path) as connection:
            answer = connection.ask(request)
        if not answer["ok"]:
            text = str(answer.get("text", ""))
            raise PodError(int(answer.get("code", 0)), text.split(" ", 1)[-1])
        return answer

    def sample(self, tag: str) -> Sample:
        """The newest sample of a tag."""
        answer = self.ask({"do": "reading", "tag": tag})
        return Sample(float(answer["sampled_s"]), answer["uncalibrated"], str(answer["cause"]))

    def state(self) -> str:
        """The pod's state."""
        return str(self.ask({"do": "status", "of_ticks": 1})["state"])

    def recalibrate(self, reason: str) -> str:
        """Have the core read its book again; its state."""
        return str(self.ask({"do": "recalibrate", "reason": reason})["state"])

"""The configuration that fits the served pod: the given one with its lines and files moved into the folder.

Job: move lines to other places, and write a configuration as TOML. Neighbours: serve.py. Must not know: hardware.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hal.errors import PodError
from pod_controller.config import PodConfig
from pod_controller.config_line import Line

NO_SUCH_LINE = 158
HEAD = "# Written by `podctl sim --serve`: fits the hardware served here as long as that runs.\n"


def over_tcp(config: PodConfig, names: Sequence[str]) -> PodConfig:
    """The same pod with these lines reached over Modbus TCP; PodError 158 when there is no such Modbus line."""
    modbus = [line.name for line in config.line if line.protocol != "ascii"]
    for name in names:
        if name not in modbus:
            raise PodError(NO_SUCH_LINE, f"--tcp {name}: no Modbus line of this pod: choose from {', '.join(modbus)}")
    lines = tuple(_as_server(line) if line.name in names else line for line in config.line)
    return config.model_copy(update={"line": lines})


def moved(config: PodConfig, folder: Path, places: Mapping[str, str]) -> PodConfig:
    """The configuration with lines at places (path or host:port), socket and journal inside folder."""
    lines = []
    for line in config.line:
        if line.protocol == "modbus_tcp":
            host, _, number = places[line.name].rpartition(":")
            lines.append(line.model_copy(update={"host": host, "tcp_port": int(number)}))
        else:
            lines.append(line.model_copy(update={"port": places[line.name], "framing": None}))
    own = {"socket": folder / "control.sock", "journal": folder / "journal.db"}
    return config.model_copy(update={"line": tuple(lines), "control": config.control.model_copy(update=own)})


def as_toml(config: PodConfig) -> str:
    """The whole configuration as text that `podctl check-config` reads."""
    tables = config.model_dump(mode="json", exclude_none=True)
    plain = [f"{key} = {_value(value)}\n" for key, value in tables.items() if not _is_table(value)]
    return HEAD + "".join(plain) + "".join(_table(key, value) for key, value in tables.items() if _is_table(value))


def _as_server(line: Line) -> Line:
    serial = dict.fromkeys(("port", "baud", "framing"))
    return line.model_copy(update={"protocol": "modbus_tcp", "host": "127.0.0.1", **serial})


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _table(key: str, value: Any) -> str:
    """[key], or one [[key]] per row; what is inside a row stays on its line."""
    rows, head = ([value], f"[{key}]") if isinstance(value, dict) else (value, f"[[{key}]]")
    return "".join(
        f"\n{head}\n" + "".join(f"{name} = {_value(inner)}\n" for name, inner in row.items()) for row in rows
    )


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(inner) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False)  # strings, numbers and booleans are written alike in JSON and TOML

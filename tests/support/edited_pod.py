"""The reference pod with small edits, and the faults told for it."""

from collections.abc import Iterable
from pathlib import Path

from plant_bench import REFERENCE

from pod_controller.config import ConfigFaults, load

TEXT = REFERENCE.read_text("utf-8")
Edits = Iterable[tuple[str, str]]


def edited(edits: Edits, text: str = TEXT) -> str:
    """The text after these edits of the first place each; every edit must hit."""
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def faults_of(folder: Path, *edits: tuple[str, str], text: str = TEXT) -> list[str]:
    """The lines told for the reference pod after these edits."""
    path = folder / "pod.toml"
    path.write_text(edited(edits, text), "utf-8")
    try:
        load(path)
    except ConfigFaults as told:
        return told.lines
    return []


def line_of(text: str, part: str) -> int:
    """The line on which the first such part begins, counted from 1."""
    return text[: text.index(part)].count("\n") + 1

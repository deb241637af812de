"""How podctl ends when something broke, and what --help says of a verb that is not loaded.

Neighbour: `cli.py`, which decides which ending it is. An unexpected exception becomes one line; the traceback goes to
a file of the person who ran the command, always the same one, so that a failing service cannot fill a disk.
It must not know any verb.
"""

import ast
import importlib.util
import os
import tempfile
import traceback
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import NamedTuple

EXIT_BUG = 1
DETAILS_FILE = "last-error.txt"


class Ending(NamedTuple):
    """Exit code of the process and what the person reads on stderr."""

    exit_code: int
    text: str


def ending_of_bug(error: Exception, *, debug: bool) -> Ending:
    """E900 in one line with where the details are; with debug the traceback itself."""
    details = "".join(traceback.format_exception(error))
    what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    if debug:
        return Ending(EXIT_BUG, f"{details}E900 unexpected {what}")
    where = _keep(details)
    advice = f"details in {where}" if where else "run it again as podctl --debug for the details"
    return Ending(EXIT_BUG, f"E900 unexpected {what}; {advice}; please report it with that text")


def _keep(details: str) -> Path | None:
    """Write the details where the person can read them later; None when no place takes them."""
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (folder / DETAILS_FILE).write_text(details, encoding="utf-8")
        except OSError:
            continue
        return folder / DETAILS_FILE
    return _keep_in_new_file(details)


def _folders() -> list[Path]:
    """Places for state, best first: the service manager's, the XDG one, the home."""
    folders = []
    if "STATE_DIRECTORY" in os.environ:
        folders.append(Path(os.environ["STATE_DIRECTORY"].split(":")[0]))
    if os.environ.get("XDG_STATE_HOME"):
        folders.append(Path(os.environ["XDG_STATE_HOME"]) / "podctl")
    elif os.environ.get("HOME"):
        folders.append(Path(os.environ["HOME"]) / ".local" / "state" / "podctl")
    return folders


def _keep_in_new_file(details: str) -> Path | None:
    """Last resort, a fresh file in the shared temporary folder: never a name that others could have prepared."""
    try:
        with tempfile.NamedTemporaryFile("w", prefix="podctl-", suffix=".txt", delete=False, encoding="utf-8") as file:
            file.write(details)
            return Path(file.name)
    except OSError:
        return None


def summary(verb: EntryPoint) -> str:
    """First line of the docstring of the function behind a verb, read from its source; empty when there is none.

    Reading instead of importing keeps --help quick, and a broken verb cannot break it.
    """
    try:
        spec = importlib.util.find_spec(verb.module)
        tree = ast.parse(Path(spec.origin).read_text("utf-8")) if spec and spec.origin else ast.Module([], [])
    except (ImportError, OSError, SyntaxError, ValueError):  # ValueError: not text at all, a compiled module
        return "(not readable)"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == verb.attr:
            return (ast.get_docstring(node) or "").split("\n")[0].rstrip(".")
    return ""

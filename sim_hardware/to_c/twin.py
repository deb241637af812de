"""A kernel's C twin, compiled by gcc and callable on the same tables as the kernel.

Neighbours: `kernels` writes the source; benches and tests call. -ffp-contract=off: no fused multiply-add, so that
the bits are those of the compiled kernel and of plain Python on every machine. Must not know what a kernel computes.
"""

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hal.errors import PodError
from pod_controller.kernels.records import Table
from sim_hardware.to_c.kernels import Edit, as_it_stands, translate

COMPILER = "gcc"
COMPILER_ABSENT = 941
COMPILER_FAILED = 942
FLAGS = ("-std=c11", "-O2", "-ffp-contract=off", "-shared", "-fPIC")


class CTwin:
    """One kernel in C. Call it with addresses; `address` gives a table's."""

    def __init__(
        self,
        entry: Callable[..., None],
        tables: Sequence[np.dtype[Any]],
        flags: Sequence[str] = (),
        edit: Edit = as_it_stands,
    ) -> None:
        """Translate and compile `entry` for these record types. Raises PodError 94x."""
        self.source = translate(entry, tables, edit)
        name = getattr(entry, "__name__", "kernel")
        with tempfile.TemporaryDirectory(prefix="podctl-c-") as folder:
            library = ctypes.CDLL(str(_compiled(self.source, Path(folder) / f"{name}.c", flags)))
        self.call: Callable[..., None] = library[name]
        self.call.argtypes = [ctypes.c_void_p] * len(tables)
        self.call.restype = None

    def __call__(self, *tables: Table) -> None:
        """Run the twin in place on tables of the types it was made for."""
        self.call(*(address(table) for table in tables))


def address(table: Table) -> int:
    """Where a table's records lie; valid while the table lives."""
    return int(table.ctypes.data)


def compiler_version() -> str:
    """First line of the compiler's own version text. Raises PodError 941 if there is none."""
    return _run([_compiler(), "--version"]).splitlines()[0]


def _compiled(source: str, file: Path, flags: Sequence[str]) -> Path:
    file.write_text(source, encoding="utf-8")
    library = file.with_suffix(".so")
    _run([_compiler(), *FLAGS, *flags, "-o", str(library), str(file)])
    return library


def _compiler() -> str:
    path = shutil.which(COMPILER)
    if path is None:
        raise PodError(COMPILER_ABSENT, f"{COMPILER} is not installed: apt install gcc libc6-dev")
    return path


def _run(command: list[str]) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        first = (result.stderr.strip().splitlines() or ["no message"])[0]
        raise PodError(
            COMPILER_FAILED, f"{COMPILER} stopped with {result.returncode}: {first}; report the kernel's source"
        )
    return result.stdout

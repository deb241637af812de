"""The one decorator under which kernels are compiled, and where their machine code is kept.

`kernel` marks a plain function; with NUMBA_DISABLE_JIT=1 it stays one. The cache is numba's, with its traps closed:
machine code lies in a folder named by the stamp of its sources, every file of its package and of this one (numba's own
stamp covers only the file a function stands in, so a changed constant next door would be ignored; and it is read out of
an index that also holds types, so that an index of the version before can fail to load where a class has moved); files
are checked against a manifest before they are loaded (a torn or altered cache is thrown away, not executed); where no
directory can be written, a private copy of whatever is there serves for this process. Built on numba's internal cache
API, hence the pin on its minor version.

Neighbours: every kernel file; `selftest` warms and closes. This file must not know what a kernel computes.
"""

import atexit
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import caching

F = TypeVar("F", bound=Callable[..., Any])

_PACKAGE = Path(__file__).parent
_MANIFEST = "manifest.json"
_VERSION_CHARS = 32
_VERSIONS = "[0-9a-f]" * _VERSION_CHARS + "/" + _MANIFEST
_PROBE_BYTES = 1 << 20
_KEPT_VERSIONS = 6  # of this program's packages together: two checkouts and the version to go back to
_dispatchers: list[Any] = []
_homes: list[Path] = []


def kernel(function: F) -> F:
    """Compile on first use, cached; the same plain function when compilation is switched off."""
    return _compiled(function, inlined=False)


def small_kernel(function: F) -> F:
    """The same for a term, or a step with one caller: its code is copied into its callers. A call in numba is dear.

    Worth a third of a tick. Not for all: copied all the way up, kernels take ten times as long to compile.
    """
    return _compiled(function, inlined=True)


def _compiled(function: F, *, inlined: bool) -> F:
    with _own_locator():
        settings: Any = numba.config
        cached = not settings.DISABLE_JIT and code_home(Path(function.__code__.co_filename).parent) is not None
        compiled = numba.njit(cache=cached, forceinline=inlined)(function)
    _dispatchers.append(compiled)
    return cast(F, compiled)


def close() -> None:
    """From here on an argument of an unknown type is a TypeError, never a compilation inside the loop."""
    for dispatcher in _dispatchers:
        if hasattr(dispatcher, "disable_compile") and dispatcher.signatures:
            dispatcher.disable_compile()


def reopen() -> None:
    """Undo `close`, for whoever goes on in the same process (a test)."""
    for dispatcher in _dispatchers:
        if hasattr(dispatcher, "disable_compile"):
            dispatcher.disable_compile(False)


def cache_counts() -> tuple[int, int]:
    """(hits, misses) of the cache in this process."""
    stats = [dispatcher.stats for dispatcher in _dispatchers if hasattr(dispatcher, "stats")]
    return (
        sum(sum(stat.cache_hits.values()) for stat in stats),
        sum(sum(stat.cache_misses.values()) for stat in stats),
    )


def code_home(folder: Path = _PACKAGE) -> Path | None:
    """The directory of the machine code of the package around a folder as its sources stand; None if no place is left.

    Writable, verified, ours. Under NUMBA_CACHE_DIR, else under the user's cache directory. One that cannot be written
    (a read-only image, a full disk) is copied to a private temporary directory, so that a cache made at install time
    still serves.
    """
    return _verified_home(_source_stamp(_whole_package(folder))[:_VERSION_CHARS])


@cache
def _verified_home(version: str) -> Path | None:
    wanted = Path(os.environ.get("NUMBA_CACHE_DIR") or _user_cache() / "podctl" / "kernels") / version
    home = wanted if _takes_files(wanted) else _private_copy(wanted)
    if home is not None:
        _drop_doubtful(home)
        _forget_old_versions(home)
        _homes.append(home)
    return home


def _takes_files(place: Path) -> bool:
    """True if a file as large as machine code can be written there."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place) as probe:
            probe.write(bytes(_PROBE_BYTES))
    except OSError:
        return False
    return True


def _private_copy(wanted: Path) -> Path | None:
    try:
        home = Path(tempfile.mkdtemp(prefix="podctl-kernels-"))
    except OSError:
        return None
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    with suppress(OSError):
        shutil.copytree(wanted, home, dirs_exist_ok=True)
    for folder in (home, *(path for path in home.rglob("*") if path.is_dir())):
        folder.chmod(0o700)  # copied along with the rest: the modes of folders that nobody may write to
    return home if _takes_files(home) else None


def seal() -> None:
    """Write the manifests, if this process has compiled anything: only files in them are ever loaded again.

    What a process that is killed has compiled since is dropped by the next.
    """
    if cache_counts()[1] == 0:
        return
    for home in _homes:
        with suppress(OSError):
            scratch = home / f"{_MANIFEST}.{os.getpid()}"
            scratch.write_text(json.dumps(_digests(home), sort_keys=True))
            scratch.replace(home / _MANIFEST)


atexit.register(seal)


class KernelCacheLocator(caching.UserProvidedCacheLocator):
    """Where one function's machine code lives and what makes it stale."""

    def __init__(self, py_func: Callable[..., Any], py_file: str) -> None:
        self._py_file = py_file
        self._lineno = py_func.__code__.co_firstlineno
        subpath: Any = self.get_suitable_cache_subpath
        self._cache_path = str((code_home(Path(py_file).parent) or Path()) / subpath(py_file))

    def get_source_stamp(self) -> str:
        """One hash over this package and every source of the package the function is in."""
        return _source_stamp(_whole_package(Path(self._py_file).parent))

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> "KernelCacheLocator | None":
        """A locator for functions with a source file, none for others."""
        return cls(py_func, py_file) if Path(py_file).exists() else None

    def ensure_cache_path(self) -> None:
        """Make the directory; `code_home` has already shown that it can be written."""
        Path(self._cache_path).mkdir(parents=True, exist_ok=True)


@contextmanager
def _own_locator() -> Iterator[None]:
    """Our locator for the functions decorated inside, numba's own for everybody else's."""
    settings: Any = numba.config
    before = settings.CACHE_LOCATOR_CLASSES
    settings.CACHE_LOCATOR_CLASSES = f"{__name__}.{KernelCacheLocator.__name__}"
    try:
        yield
    finally:
        settings.CACHE_LOCATOR_CLASSES = before


def _whole_package(folder: Path) -> Path:
    """The outermost package around a folder, for its kernels may call each other; for the kernels here, this one."""
    if folder == _PACKAGE:
        return folder
    while (folder.parent / "__init__.py").exists():
        folder = folder.parent
    return folder


@cache
def _source_stamp(package: Path) -> str:
    digest = hashlib.sha256()
    for place in sorted({_PACKAGE, package}):
        for source in sorted(place.rglob("*.py")):
            digest.update(str(source.relative_to(place)).encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()


def _user_cache() -> Path:
    named = os.environ.get("XDG_CACHE_HOME")
    if named:
        return Path(named)
    home = os.environ.get("HOME")
    return Path(home) / ".cache" if home else Path(tempfile.gettempdir())


def _digests(home: Path) -> dict[str, str]:
    """SHA-256 of every file of machine code; one that another process takes away meanwhile is left out."""
    found = {}
    for entry in sorted(home.rglob("*.nb?")):
        with suppress(OSError):
            found[str(entry.relative_to(home))] = hashlib.sha256(entry.read_bytes()).hexdigest()
    return found


def _drop_doubtful(home: Path) -> None:
    """Delete machine code that is not as the manifest says: torn, altered, or never sealed. It is compiled again."""
    try:
        known = json.loads((home / _MANIFEST).read_text())
    except (OSError, ValueError):
        known = {}
    for name, digest in _digests(home).items():
        if not isinstance(known, dict) or known.get(name) != digest:
            (home / name).unlink(missing_ok=True)


def _forget_old_versions(home: Path) -> None:
    """Delete the machine code of all but the versions used last."""
    manifest = home / _MANIFEST
    with suppress(OSError):
        if manifest.exists():
            manifest.touch()
        last_used = {found.parent: found.stat().st_mtime_ns for found in home.parent.glob(_VERSIONS)}
        for old in sorted(set(last_used) - {home}, key=last_used.__getitem__, reverse=True)[_KEPT_VERSIONS - 1 :]:
            shutil.rmtree(old, ignore_errors=True)

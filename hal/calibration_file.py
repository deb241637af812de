"""The book of a pod's calibrations and strokes: a JSON file beside its configuration, written whole or not at all.

Job: read it, check it, add an entry, write it so that a power cut leaves the old or the new one; the one before is
kept as FILE.old. Neighbours: ``calibration`` fits the curves; the commissioning verbs write, the core reads at start.
Must not know: what a limit is, the running pod, the time.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from hal.calibration import NEVER_NS, Applied, Curve, Method, Standard, fit
from hal.errors import Code, PodError

_SAME = 1e-9  # a residual that was written and read again
_CLOCK_SLACK = timedelta(days=1)
Text = Annotated[str, Field(max_length=200)]
Word = Annotated[str, Field(min_length=1, max_length=60)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Taken(_Frozen):
    """One point as it was taken: see calibration.Standard; standard names the thing that was measured."""

    raw_value: float
    true_value: float
    spread_value: float = Field(default=0.0, ge=0.0)
    doubt_value: float = Field(default=0.0, ge=0.0)
    is_check: bool = False
    standard: Text = ""

    def point(self) -> Standard:
        """The figures alone."""
        return Standard(self.raw_value, self.true_value, self.spread_value, self.doubt_value, self.is_check)


class Calibration(_Frozen):
    """One named curve of one tag: points, who took them, when, until when it holds.

    drift_value: by how much the curve before was off; None for the first one of an instrument. replaced: why the
    history begins anew (another instrument, a repair).
    """

    tag: Word
    name: Word
    unit: Word
    method: Method
    points: tuple[Taken, ...] = Field(min_length=1, max_length=40)
    made_utc: AwareDatetime
    due_utc: AwareDatetime
    person: Word
    residual_value: float = Field(ge=0.0)
    drift_value: float | None = None
    replaced: Text = ""

    @property
    def unit_behind(self) -> str:
        """The unit as it stands behind a figure: a pure number shows none."""
        return "" if self.unit == "1" else f" {self.unit}"

    def curve(self) -> Curve:
        """The curve through its points, fitted again."""
        return fit(self.method, [point.point() for point in self.points], float("inf"))


class Stroke(_Frozen):
    """What an element needed from end to end, by its position feedback. at_most: between the samples around it.

    Of a lid, whose switch knows two places: open_s and close_s are the least that its samples allow.
    """

    element: Word
    tag: Word
    open_s: float = Field(ge=0.0)
    close_s: float = Field(ge=0.0)
    open_at_most_s: float = Field(gt=0.0)
    close_at_most_s: float = Field(gt=0.0)
    made_utc: AwareDatetime
    person: Word


class Book(_Frozen):
    """Everything known; in_force: the name of the curve of each tag that counts. Newest entries stand last."""

    schema_version: Literal[1] = 1
    calibrations: tuple[Calibration, ...] = ()
    in_force: Mapping[str, str] = {}
    strokes: tuple[Stroke, ...] = ()

    def active(self, tag: str) -> Calibration | None:
        """The curve in force on a tag."""
        name = self.in_force.get(tag)
        return next((x for x in self.calibrations if (x.tag, x.name) == (tag, name)), None)

    def stroke(self, element: str) -> Stroke | None:
        """The newest stroke of an element."""
        return next((x for x in reversed(self.strokes) if x.element == element), None)

    def with_calibration(self, new: Calibration) -> "Book":
        """The same with one more curve, in force from now on."""
        others = tuple(x for x in self.calibrations if (x.tag, x.name) != (new.tag, new.name))
        return self.model_copy(
            update={"calibrations": (*others, new), "in_force": {**self.in_force, new.tag: new.name}}
        )

    def with_active(self, tag: str, name: str) -> "Book":
        """The same with another curve in force. PodError E333 when there is none of that name."""
        known = [x.name for x in self.calibrations if x.tag == tag]
        if name not in known:
            text = f"{tag} has no calibration {name!r}: it has {', '.join(known) or 'none'}"
            raise PodError(Code.CALIBRATION_FILE, text)
        return self.model_copy(update={"in_force": {**self.in_force, tag: name}})

    def with_stroke(self, new: Stroke) -> "Book":
        """The same with one more stroke."""
        return self.model_copy(update={"strokes": (*self.strokes, new)})


def load(path: Path) -> Book:
    """The book; an empty one if there is no file. PodError E333 for one that cannot be read or was edited by hand."""
    try:
        book = Book.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Book()
    except OSError as error:
        raise _unusable(path, error.strerror or "cannot be read") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise _unusable(path, f"{place}: {first['msg']}") from None
    for x in book.calibrations:
        _check(path, x)
    for tag, name in book.in_force.items():
        if book.active(tag) is None:
            raise _unusable(path, f"in_force names {name!r} of {tag}, which is not there")
    return book


def update(path: Path, change: Callable[[Book], Book]) -> Book:
    """Read, change and write as one, whoever else does the same: two technicians lose nothing. PodError E333."""
    with contextlib.ExitStack() as held:
        try:
            lock = os.open(path.with_name(f".{path.name}.lock"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o660)
            held.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            text = f"{path}: {error.strerror}: it must be possible to write beside it"
            raise PodError(Code.CALIBRATION_FILE, text) from None
        book = change(load(path))
        save(path, book)
        return book


def save(path: Path, book: Book) -> None:
    """Write it; the file before becomes FILE.old. PodError E333 if it cannot be; the old one stays."""
    new, old = path.with_name(f".{path.name}.new"), path.with_name(path.name + ".old")
    text = json.dumps(book.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"
    try:
        with new.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        _keep(path, old)
        new.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        text = f"{path}: {error.strerror}: nothing was changed; make room or name another file"
        raise PodError(Code.CALIBRATION_FILE, text) from None


def _keep(path: Path, old: Path) -> None:
    """The present file under a second name, without a moment in which either is missing."""
    between = old.with_name(f".{old.name}.new")
    with contextlib.suppress(FileNotFoundError):
        between.unlink()
    with contextlib.suppress(FileNotFoundError):
        os.link(path, between)
        between.replace(old)


def applied(calibration: Calibration, now_utc: datetime, now_ns: int) -> Applied:
    """The curve with the monotonic time at which it falls due: from then on no step of the civil clock moves it.

    A clock that is before the calibration itself is wrong: the whole term counts from now (`clock_is_wrong` tells).
    """
    began = max(now_utc, calibration.made_utc) if not clock_is_wrong(calibration, now_utc) else calibration.made_utc
    left = calibration.due_utc - began
    left_ns = (left.days * 86_400 + left.seconds) * 1_000_000_000
    label = f"{calibration.name} of {calibration.made_utc:%Y-%m-%d} by {calibration.person}"
    return Applied(label, calibration.curve(), min(now_ns + left_ns, NEVER_NS))


def clock_is_wrong(calibration: Calibration, now_utc: datetime) -> bool:
    """Whether the civil clock stands before the moment at which this calibration was made."""
    return now_utc < calibration.made_utc - _CLOCK_SLACK


def _check(path: Path, x: Calibration) -> None:
    try:
        found = x.curve().residual_value
    except PodError as error:
        raise _unusable(path, f"{x.tag} {x.name}: {error.message}") from None
    if abs(found - x.residual_value) > _SAME * max(1.0, found):
        text = f"{x.tag} {x.name}: its points miss by {found:.6g}, it says {x.residual_value:.6g}"
        raise _unusable(path, f"{text}; it was edited by hand")


def _unusable(path: Path, why: str) -> PodError:
    text = f"{path}: {why}: put {path.name}.old in its place, or calibrate again"
    return PodError(Code.CALIBRATION_FILE, text)

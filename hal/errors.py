"""The one exception of the house and the numbers it carries.

Job: every mistake (wrong configuration, broken promise) is a PodError with a number that the
runbook explains. Field faults are not mistakes: they are values (see ``values``).
Neighbours: raised everywhere, caught in ``cli`` and once in ``loop``.
Must not know: how an error is shown.
"""

from enum import IntEnum


class Code(IntEnum):
    """Numbers used by ``hal``: 1xx configuration, 2xx bus, 3xx device, 4xx control, 9xx bug."""

    LINE_UNKNOWN = 201
    LINE_OVERLOADED = 202
    UNIT_CONFLICT = 203
    LINE_PROTOCOL = 204
    LINE_BAUD = 205
    PORT_UNAVAILABLE = 206
    PORT_HELD = 221
    LINE_BUSY = 222
    BUS_NOT_READ = 223
    BUS_FILE = 224
    BUS_STRANGER = 225
    TYPE_UNKNOWN = 301
    DESCRIPTION_INVALID = 302
    POINT_UNKNOWN = 303
    TAG_CONFLICT = 304
    WATCHDOG_ABSENT = 305
    READ_BACK_ABSENT = 306
    POINT_UNREADABLE = 307
    SPAN_INVALID = 308
    CYCLIC_WRITE = 309
    COMMAND_UNKNOWN = 310
    POINTS_UNFIT = 330
    CURVE_FALLS = 331
    RESIDUAL_TOO_LARGE = 332
    CALIBRATION_FILE = 333
    OUTPUT_UNKNOWN = 401


class PodError(Exception):
    """A numbered mistake: names the thing, the value, the limit and what to do."""

    def __init__(self, code: int, message: str) -> None:
        """Keep the number and the text; str() gives ``E<code> <message>``."""
        self.code = int(code)
        self.message = message
        super().__init__(f"E{self.code} {message}")

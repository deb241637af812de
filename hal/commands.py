"""One command of a device as a state machine without I/O: write, wait until it is confirmed, next step.

Job: turn the steps of a described command into requests, one at a time, and say at the end whether the device
did it. A write is sent once and never again: whether a lost one took is for a person to look at.
Neighbours: ``device_facts`` describes the steps; whoever owns the line sends the requests and brings verdicts.
Must not know: lines, ports, what the command does.
"""

from enum import Enum

from hal.description import Description
from hal.device_facts import DeviceCommand, Step
from hal.errors import Code, PodError
from hal.modbus import READ_FUNCTION, Request, Verdict, coils_request, read_request, registers_request

_NS = 1_000_000_000
_DATA_AT = 3  # of the reply to a read: unit, function, byte count


class Progress(Enum):
    """Where a command is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class CommandRun:
    """One command under way. ``next_request`` and ``answered`` in turn, until progress is no longer RUNNING."""

    def __init__(self, description: Description, name: str, unit: int, argument: int | None = None) -> None:
        """PodError 310 when the device has no such command, or it wants an argument that is not given."""
        self.progress, self.why = Progress.RUNNING, ""
        self._unit, self._argument = unit, argument
        self.command = _command(description, name, argument)
        self._steps = list(self.command.step)
        self._since_ns = -1

    def next_request(self) -> Request | None:
        """What to send now; None when the command has ended."""
        if self.progress is not Progress.RUNNING:
            return None
        step = self._steps[0]
        if step.do == "confirm":
            return read_request(self._unit, READ_FUNCTION[step.table], step.address, len(step.words))
        words = step.words or (self._argument or 0,)
        if step.table == "coil":
            return coils_request(self._unit, step.address, [bool(word) for word in words])
        return registers_request(self._unit, step.address, words)

    def answered(self, verdict: Verdict, reply: bytes, now_ns: int) -> None:
        """What became of the request, told at now_ns; a confirmation that is still missing is asked for again."""
        step = self._steps[0]
        if self._since_ns < 0:
            self._since_ns = now_ns
        if step.do == "write":
            if verdict is Verdict.ACCEPTED:
                self._step_done()
            elif verdict is Verdict.EXCEPTION:
                self._fail(f"the device refuses the write to {step.table} {step.address}")
            else:
                self._fail(f"no sound answer to the write to {step.table} {step.address}: look whether it took")
        elif verdict is Verdict.ACCEPTED:
            self._confirm(step, reply, now_ns)
        elif now_ns - self._since_ns > step.within_s * _NS:
            self._fail(f"{step.table} {step.address} could not be read for {step.within_s:g} s: look whether it took")

    def _confirm(self, step: Step, reply: bytes, now_ns: int) -> None:
        shown = _shown(step, reply)
        if all(word & step.mask == wanted & step.mask for word, wanted in zip(shown, step.words, strict=True)):
            self._step_done()
        elif step.failed is not None and shown[0] & step.mask == step.failed & step.mask:
            self._fail(f"the device reports failure: {step.table} {step.address} = 0x{shown[0]:04X}")
        elif now_ns - self._since_ns > step.within_s * _NS:
            told = " ".join(f"0x{word:04X}" for word in shown)
            self._fail(f"not confirmed within {step.within_s:g} s: {step.table} {step.address} = {told}")

    def _step_done(self) -> None:
        del self._steps[0]
        self._since_ns = -1
        if not self._steps:
            self.progress = Progress.DONE

    def _fail(self, why: str) -> None:
        self.progress, self.why = Progress.FAILED, f"{self.command.name}: {why}"


def _command(description: Description, name: str, argument: int | None) -> DeviceCommand:
    for command in description.command:
        if command.name != name:
            continue
        if argument is None and any(step.do == "write" and not step.words for step in command.step):
            raise PodError(Code.COMMAND_UNKNOWN, f"command {name} of {description.model} wants a number: give one")
        return command
    known = ", ".join(command.name for command in description.command) or "none"
    raise PodError(Code.COMMAND_UNKNOWN, f"{description.model} has no command {name!r}: it has {known}")


def _shown(step: Step, reply: bytes) -> list[int]:
    """Registers or bits of an accepted reply."""
    count, data = len(step.words), reply[_DATA_AT:]
    if step.table in ("coil", "discrete"):
        return [data[k // 8] >> k % 8 & 1 for k in range(count)]
    return [int.from_bytes(data[2 * k : 2 * k + 2], "big") for k in range(count)]

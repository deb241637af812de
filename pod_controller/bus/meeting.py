"""Whether a unit on a line is the device that the configuration means: asked before a hand writes to it.

Neighbours: `cli_write`, `cli_order` and `survey` ask. Must not know what is to be written.
"""

from hal.bus.asking import BusPort, known
from hal.description import load
from hal.errors import Code, PodError
from hal.modbus import READ_FUNCTION, Verdict, read_request
from pod_controller.bus.place import Place


def refuse_stranger(port: BusPort, place: Place, unit: int, timeout_ns: int) -> None:
    """PodError 225 when the unit shows another number than its [device.identity]."""
    text = stranger_text(port, place, unit, timeout_ns)
    if text:
        raise PodError(Code.BUS_STRANGER, f"unit {unit} on {place.at} {text}: nothing was written")


def stranger_text(port: BusPort, place: Place, unit: int, timeout_ns: int) -> str:
    """In which way the unit is not the device that is meant; empty when it is, or nobody can tell."""
    devices = place.config.device if place.config is not None else ()
    device = next((x for x in devices if x.line == place.line.name and x.unit == unit), None)
    wanted = None if device is None else device.identity or load(device.type).identity
    if device is None or wanted is None:
        return ""
    request = read_request(unit, READ_FUNCTION[wanted.table], wanted.address, len(wanted.words))
    answer = port.ask(known(request), timeout_ns)
    if answer.verdict is not Verdict.ACCEPTED:
        return f"does not show who it is ({answer.verdict.name.lower()}): is it {device.name}?"
    data = answer.pdu[2:]
    shown = tuple(int.from_bytes(data[k : k + 2], "big") for k in range(0, len(data), 2))
    if shown == wanted.words:
        return ""
    return (
        f"is not {device.name}: it shows {_hex(shown)}, not {_hex(wanted.words)}: are two adapters swapped, or was it"
        " exchanged? Then write its number into [device.identity]"
    )


def _hex(words: tuple[int, ...]) -> str:
    return " ".join(f"{word:04X}" for word in words)

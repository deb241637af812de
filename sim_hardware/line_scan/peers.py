"""The same requests by other people's clients on the same terminal: libmodbus (Debian's libmodbus5), minimalmodbus.

Each is asked only if it is installed here. Neighbours: `figures`; pymodbus' asynchronous client is in
`bench.line_cycle`. Must not know our master.
"""

import ctypes
import importlib
from collections.abc import Callable, Sequence
from typing import Any

from hal.clock import SystemClock
from hal.description import LineConfig
from sim_hardware.bench.line_cycle import Cycle, Exchange

_LIBRARY = "libmodbus.so.5"
_WRITE_COILS = 15
_BETWEEN_S = 0.06
Ask = Callable[[int, int, int, int], None]  # unit, function, address, count


def measured(config: LineConfig, exchanges: Sequence[Exchange], cycles: int) -> dict[str, list[Cycle]]:
    """Cycles by client, of those that are here."""
    found = {}
    for name, client in (("libmodbus", _libmodbus), ("minimalmodbus", _minimalmodbus)):
        made = client(config)
        if made is not None:
            ask, close = made
            found[name] = _cycles(ask, exchanges, cycles)
            close()
    return found


def _cycles(ask: Ask, exchanges: Sequence[Exchange], cycles: int) -> list[Cycle]:
    clock = SystemClock()
    taken = []
    for _ in range(cycles):
        began_ns = clock.now_ns()
        for exchange in exchanges:
            head = exchange.request
            ask(head[0], head[1], int.from_bytes(head[2:4], "big"), int.from_bytes(head[4:6], "big"))
        taken.append(Cycle(began_ns, clock.now_ns() - began_ns, tuple(exchanges)))
        clock.sleep_until_ns(clock.now_ns() + round(_BETWEEN_S * 1e9))
    return taken


def _libmodbus(config: LineConfig) -> tuple[Ask, Callable[[], None]] | None:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return None
    library.modbus_new_rtu.restype = ctypes.c_void_p
    library.modbus_new_rtu.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_char, ctypes.c_int, ctypes.c_int]
    context = ctypes.c_void_p(library.modbus_new_rtu(config.port.encode(), config.baud, b"N", 8, 1))
    library.modbus_connect(context)
    words, bits = (ctypes.c_uint16 * 128)(), (ctypes.c_uint8 * 16)()

    def ask(unit: int, function: int, address: int, count: int) -> None:
        library.modbus_set_slave(context, unit)
        if function == _WRITE_COILS:
            library.modbus_write_bits(context, address, count, bits)
        else:
            library.modbus_read_input_registers(context, address, count, words)

    def close() -> None:
        library.modbus_close(context)
        library.modbus_free(context)

    return ask, close


def _minimalmodbus(config: LineConfig) -> tuple[Ask, Callable[[], None]] | None:
    try:
        client: Any = importlib.import_module("minimalmodbus")
    except ImportError:
        return None
    instrument = client.Instrument(config.port, 1)
    instrument.serial.baudrate, instrument.serial.timeout = config.baud, 0.5

    def ask(unit: int, function: int, address: int, count: int) -> None:
        instrument.address = unit
        if function == _WRITE_COILS:
            instrument.write_bits(address, [0] * count)
        else:
            instrument.read_registers(address, count, functioncode=function)

    return ask, instrument.serial.close

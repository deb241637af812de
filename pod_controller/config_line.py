"""[[line]] of a pod's TOML: one serial line, or one Modbus TCP server.

Neighbours: `config` has the other tables, `config_contradictions` says which keys exclude each other, `hal` gets a
LineConfig. Must not know devices.
"""

from typing import Literal

from pydantic import Field

from hal.description import Framing, LineConfig
from pod_controller.config_types import ConfigTable, Name

MODBUS_PORT = 502  # registered for Modbus TCP


class Line(ConfigTable):
    """[[line]]: one serial line (port, baud) or one Modbus TCP server (host, tcp_port)."""

    name: Name
    protocol: Literal["modbus_rtu", "modbus_tcp", "ascii"]
    port: str | None = Field(default=None, min_length=1)
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] | None = None
    framing: Framing | None = None  # 8N1 unless said otherwise
    host: str | None = Field(default=None, min_length=2, max_length=40)
    tcp_port: int | None = Field(default=None, ge=1, le=65535)

    def config(self, moved_to: str | None) -> LineConfig:
        """What `hal` needs to know of it; moved_to replaces the device path (8N1 there), or host:port."""
        if self.protocol != "modbus_tcp":
            place, framing = (self.port or "", self.framing or "8N1") if moved_to is None else (moved_to, "8N1")
            return LineConfig(self.name, self.protocol, place, self.baud or 0, framing=framing)
        host, tcp_port = self.host or "", self.tcp_port or MODBUS_PORT
        if moved_to is not None:
            host, _, number = moved_to.rpartition(":")
            tcp_port = int(number)
        return LineConfig(self.name, self.protocol, "", 0, False, host, tcp_port)

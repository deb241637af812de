"""The outside world as values: ports, lines, devices and points; Readings in, Commands out.

Start reading at ``pod_io`` (what the controller sees), then ``line`` (how one serial line is driven
without I/O), then ``points`` (registers to values). Imports nothing of the other two packages.
"""

from hal.clock import Clock, SystemClock
from hal.description import DeviceConfig, Hardware, LineConfig
from hal.errors import PodError
from hal.values import Ack, Cause, Command, Quality, Reading, Scan

__all__ = [
    "Ack",
    "Cause",
    "Clock",
    "Command",
    "DeviceConfig",
    "Hardware",
    "LineConfig",
    "PodError",
    "Quality",
    "Reading",
    "Scan",
    "SystemClock",
]

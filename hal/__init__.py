"""The outside world as values: ports, lines, devices and points; Readings in, Commands out.

Start reading at ``pod_io`` (what the controller sees), then ``line`` (how one serial line is driven
without I/O), then ``points`` (registers to values). Imports nothing of the other two packages.
"""

"""The guard's source changed one place at a time, and a fast oracle that must notice every change.

Neighbours: `cli_guard` runs it. Must not know any simulated device: everything here is the kernels' own source, run
as plain Python.
"""

"""The pod in real time: with the controller before it, or its hardware alone for whoever wants to be master.

`real_time` runs both sides; `serve` the hardware, with `config` and `point_map`, the files that describe it.
Neighbours: `hardware` and `wire` are the devices and their ports, `cli` and `verbs.cli_serve` call. Must not know how
results are shown.
"""

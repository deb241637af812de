"""Modbus TCP seen from the far end: header and stream, the gateway behind it, the server on the loopback interface.

`mbap` frames, `gateway` asks the units of a line, `server` holds the connections. Neighbours: `slave` and `rtu_codec`
are the units, `wire` and `wiring` use it. Must not know devices or the controller's codec.
"""

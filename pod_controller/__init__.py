"""The controller: decides, guards, records and tells.

Neighbours: `hal` below it gives Readings and takes Commands; `sim_hardware` above it drives it on virtual time.
It must not know whether the pod around it is real. Importing this package imports nothing else, so that `podctl`
starts quickly and the kernels can live inside it.
"""

CONFIG_SCHEMA_VERSION = 1
"""Version of the pod configuration file's layout; a change of meaning raises it."""

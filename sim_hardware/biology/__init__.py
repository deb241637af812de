"""The living part of the simulated pod: digester, gas line, foam, luminous reactor, beside the hydraulics.

`records` has the tables, `settings` and `start` fill them, `step` is one minute of all of it. `adm1*` and `culture` are
the published models it is built on. Must not know the controller.
"""

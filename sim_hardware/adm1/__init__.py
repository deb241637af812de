"""Anaerobic Digestion Model No. 1 as published, and the stiff solver under it: `python -m sim_hardware.adm1`.

`records` names states and parameters, `parameters` and `files` fill them, `model` and `jacobian` are the equations,
`stiff` and `solver` step them, `simulation` runs them on a file's feed. Neighbours: `digester`, `culture`, `biology`
and `sourness` build on it. Must not know the pod.
"""

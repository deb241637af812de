"""What the guard is tried on, and who judges: small plants, states on the boundary, the inequality summed again.

`plant_builder` makes plants, `grid_states` states, `check` judges a permit, `grid` sweeps. Neighbours: `attack` and
`mutants` build on it, `bench.guard_parts` counts. Must not know how the guard decides.
"""

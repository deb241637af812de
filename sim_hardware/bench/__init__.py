"""What is measured, one module for each verb of `podctl bench` that needs one: figures beside their goals.

`core`, `biology`, `lateness`, `line_cycle` make rows; `ratio`, `frames`, `child` serve `core`; `guard_parts` and
`guard_cost` measure the guard. Neighbours: `verbs.cli_bench` and `verbs.cli_guard` print. Must not know how rows are
shown.
"""

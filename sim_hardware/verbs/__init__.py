"""The verbs of podctl that belong to the simulator, each imported when it is used, and what `podctl sim` shows.

Neighbours: `cli` is `podctl sim` itself, helped by `cli_report`, `cli_serve`, `outcome` (the result in words) and
`live` (a run on the terminal); pyproject.toml names the entry points. Must not know physics, frames or what a bench
measures.
"""

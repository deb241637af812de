"""`podctl bench scan`: ten devices with sixty tags on metered pseudo-terminals, and what the line makes of them.

`far_end` is the process with the devices, `master` our side, `peers` other people's clients, `figures` the rows.
"""

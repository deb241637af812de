"""Around `faults`: what one can sit on, what it does to a wire, where each kind is tested.

Neighbours: `faults` has the kinds and looks up `targets`; devices ask `wire_faults`; `podctl faults` shows `register`.
Must not know scenarios' times.
"""

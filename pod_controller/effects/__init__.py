"""Whether what is open and turns moves anything: levels against the rates that the configuration tells.

`balance` weighs one intake against the levels around it, `watch` makes its figures from frame, state and permit.
Nothing here decides: what it finds is told (journal, `podctl outputs`, `status`) and never heard by the guard.
"""

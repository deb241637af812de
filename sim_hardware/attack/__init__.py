"""Adversaries of the guard: plants of any shape, physics of their own, faults alone, in pairs, and beyond the promise.

`kinds` names the faults and their pairs. `shapes` draws plants, `piping` sums what they need, `world` draws what is
true. `play` is the game: `strikes` says when to break something, `breaks` does it, `flow` is the physics, `judge` looks
at the lips. `campaign` counts many seeds, `evolve` searches for the worst moment, `beyond` leaves the promise,
`necessity` deletes terms of the inequality one by one. Nothing here reads how the guard decides.
"""

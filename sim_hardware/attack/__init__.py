"""Adversaries of the guard: plants of any shape, physics of their own, faults alone, in pairs, and beyond the promise.

`kinds` names the faults and their pairs, `world` draws a plant and what is true of it, `play` is the game, `strikes`
breaks things, `campaign` counts many seeds, `evolve` searches for the worst moment, `beyond` leaves the promise,
`necessity` deletes terms of the inequality one by one. Nothing here reads how the guard decides.
"""

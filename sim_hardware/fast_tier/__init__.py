"""Tier A: plant, field and decision in one compiled loop.

`tier_a` prepares and runs it, `loop` is the loop; the `field` modules stand for devices and lines without bytes;
`policies` are what the decision is measured against. Neighbours: `plant` is the same plant as in the other tiers, `pod`
and `serving.real_time` are those. Must not know frames or registers.
"""

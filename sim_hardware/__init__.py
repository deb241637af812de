"""A pod made of equations, with instruments that speak the real bytes.

Job: everything that stands in for the hardware: masses and levels (`plant`), devices on the wire (`wiring`, `slave`,
`instruments`), virtual time (`executive`), what goes wrong (`faults`), what arrives (`scenarios`), and the fast tier in
which plant, field and decision run in one compiled loop (`tier_a`). It knows `hal` and `pod_controller`; neither of
them may know it.
"""

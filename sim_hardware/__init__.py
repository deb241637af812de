"""A pod made of equations, with instruments that speak the real bytes.

Job: everything that stands in for the hardware. Flat here: masses and levels (`plant` and its neighbours), devices on
the wire (`wiring`, `slave`, `instruments`), virtual time (`executive`), what goes wrong (`faults`), what arrives
(`scenarios`), the pod in front of the real program (`pod`). Rooms: models (`adm1`, `biology`), the compiled tier
(`fast_tier`), real ports (`serving`, `modbus_tcp`), what a fault sits on (`troubles`), devices from a description
(`described`), what is tried on the guard (`guard_trial`, `attack`, `mutants`, `proof`), what is measured (`bench`,
`line_scan`, `line_campaign`, `sourness`, `to_c`), what people see (`verbs`, `report`). It knows `hal` and
`pod_controller`; neither of them may know it.
"""

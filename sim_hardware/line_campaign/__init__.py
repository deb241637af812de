"""Random faults on one Modbus line, by the million, on virtual time: the master of `hal` against slaves from here.

`faults` has one function per fault, `far_end` the slaves, `desk` the wire, `campaign` master, oracle and figures.
Everything is drawn from one seed, so a run can be repeated byte for byte.
"""

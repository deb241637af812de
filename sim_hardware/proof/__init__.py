"""The guard's inequality proved by z3 over the reals, from the text of the kernels that run.

`algebra` counts with symbols, `interpreter` executes a kernel's source on them, `prover` asks z3; `tails`, `openings`,
`levels`, `chutes`, `intakes`, `grants` hold the obligations, `breakages` the deliberate faults that some obligation
must notice, `assumptions` what is taken as given. Nothing here may repeat a formula of a kernel.
"""

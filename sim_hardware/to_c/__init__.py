"""Kernels as C: translated from the source that numba compiles, built by gcc, callable on the same tables.

`structs` lays out records, `expressions` and `functions` translate, `kernels` collects what a kernel calls, `twin`
compiles. Neighbours: `bench`, `attack` and tests run the twins. Must not know what a kernel computes.
"""

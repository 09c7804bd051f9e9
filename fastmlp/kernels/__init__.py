"""Compiled loops: arrays in, arrays out.

A kernel draws nothing, reads and writes no file, raises nothing and allocates nothing. numba types
nothing, so the docstrings carry shapes and dtypes.
"""

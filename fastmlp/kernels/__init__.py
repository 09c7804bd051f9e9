"""Compiled loops: arrays in, arrays out.

A kernel draws nothing, reads and writes no file, raises nothing and allocates nothing. numba types
nothing, so the docstrings carry shapes and dtypes.
"""

import os


def _import_numba():
    """Import numba, which asks for the processors and takes a refusal (seccomp) for an error."""
    try:
        os.sched_getaffinity(0)
    except AttributeError:  # not every system has it, which numba knows
        pass
    except OSError:
        from unittest import mock

        everywhere = range(os.cpu_count() or 1)
        with mock.patch.object(os, "sched_getaffinity", return_value=everywhere):
            import numba  # noqa: F401


_import_numba()

"""How tests call what only kernels call."""

from functools import cache

import numba
import pytest

of_compiled_code = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT), reason="where nothing is compiled, NumPy's functions are used"
)


@cache
def compiled(function):
    """Compile a function, or a way in from Python to what is compiled already.

    Where nothing is compiled, all this changes nothing.
    """
    if type(function).__name__ == "function" and function.__module__.startswith("tests"):
        return numba.njit(error_model="numpy")(function)

    @numba.njit(error_model="numpy")
    def call(*arguments):
        return function(*arguments)

    return call

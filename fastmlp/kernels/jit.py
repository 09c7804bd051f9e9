"""How kernels are compiled.

An `entry` is called by Python, and all it calls is compiled into it and kept on disk with it. The
others, `kernel` and `inlined`, become parts of entries; see `inner`.
"""

import gc
from contextlib import contextmanager
from typing import Any

import numba
import numpy as np
from numba.core import config, types

from fastmlp.kernels.cache import KernelCache
from fastmlp.kernels.entries import EntryCompiler
from fastmlp.kernels.inner import InnerCompiler

# `contract` lets the compiler fuse a multiplication with the addition of its product. Nothing else
# is relaxed: sums keep their order, and NaN and infinity pass through, so that divergence shows.
# Kernels allocate nothing, and whoever calls one holds its arrays: no reference is counted
# (`_nrt`), which took a fifth of a one-row prediction. All kernels must agree on it: numba would
# let one give up a reference that another never took.
OPTIONS: Any = {
    "nogil": True, "fastmath": {"contract"}, "error_model": "numpy", "_nrt": False,
    "no_cfunc_wrapper": True,
}  # fmt: skip
INNER: Any = {
    **OPTIONS, "pipeline_class": InnerCompiler, "no_cpython_wrapper": True,
    # Left out, it would be that of the first caller to be compiled.
    "forceinline": False,
}  # fmt: skip
INLINED: Any = {**INNER, "forceinline": True}


def disabled() -> bool:
    """Tell whether kernels run as plain Python, which NUMBA_DISABLE_JIT=1 asks for.

    Returns
    -------
    bool
    """
    return bool(getattr(config, "DISABLE_JIT", False))


def kernel(function):
    """Compile a function that other kernels call."""
    return _without_literals(numba.njit(**INNER)(function))


def inlined(function):
    """Compile a function into the kernels that call it, so that vectors stay in registers."""
    return _without_literals(numba.njit(**INLINED)(function))


def _without_literals(dispatcher):
    """Compile one function for all calls whose arguments are constants, and not one for each.

    numba takes the layer 0 for another type than the layer `layer`. LLVM knows the constants, too.
    """
    if not disabled():
        find = dispatcher.get_call_template

        def find_shared(arguments, keywords):
            plain = {name: types.unliteral(kind) for name, kind in keywords.items()}
            return find(tuple(types.unliteral(kind) for kind in arguments), plain)

        dispatcher.get_call_template = find_shared
    return dispatcher


def entry(function):
    """Compile a function that Python calls, and keep the result on disk."""
    dispatcher = numba.njit(**OPTIONS, pipeline_class=EntryCompiler)(function)
    if not disabled():
        dispatcher._cache = KernelCache(function)
    return dispatcher


by_value: set[type] = set()
"""Classes of tuples each value of which is of a numba type of its own."""

_compiled: dict[tuple[Any, ...], Any] = {}


def specialise(dispatcher: Any, *arguments: Any) -> Any:
    """Compile an entry function for some arguments, or load it, and return what runs at once.

    Finding out the types of some dozens of arrays takes numba half a millisecond: it is done once
    for all arguments of these types. What is returned must be called with such.

    Parameters
    ----------
    dispatcher : function
        Decorated with `entry`.
    arguments
        Of the types meant.

    Returns
    -------
    callable
    """
    if disabled():
        return dispatcher
    key = dispatcher, kind_of(arguments)
    compiled = _compiled.get(key)
    if compiled is None:
        with collecting_nothing():
            compiled = dispatcher.compile(tuple(map(numba.typeof, arguments)))
        _compiled[key] = compiled
    return compiled


@contextmanager
def collecting_nothing():
    """Put off Python's search for garbage: numba's many objects are none, and it takes a fifteenth.

    Yields
    ------
    None
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def kind_of(argument: Any) -> Any:
    """Describe what numba makes an argument's type of; equal kinds are of one type.

    Parameters
    ----------
    argument : ndarray, number, or tuple of arguments

    Returns
    -------
    hashable
    """
    if isinstance(argument, np.ndarray):
        return argument.dtype, argument.ndim, argument.flags.num
    kind = type(argument)
    if isinstance(argument, tuple) and kind not in by_value:
        return kind, *map(kind_of, argument)
    return kind if isinstance(argument, int | float | np.generic) else argument

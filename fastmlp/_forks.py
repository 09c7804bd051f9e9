"""Modules that are imported late, and forks meanwhile.

A child that is forked while another thread imports or compiles would wait for ever: that thread's
locks stay locked in it.
"""

import importlib
import os
import sys
import threading
from types import ModuleType

COMPILED = "fastmlp.backends.compiled"

_importing: list[tuple[int, str]] = []
"""Threads, and the module that each imports."""

_lost: set[str] = set()
"""Modules that cannot be used in this process."""


def load(module: str) -> ModuleType:
    """Import a module, and keep note of it meanwhile.

    Parameters
    ----------
    module : str

    Returns
    -------
    module

    Raises
    ------
    RuntimeError
        See `require_whole`.
    """
    require_whole(module)
    entry = threading.get_ident(), module
    _importing.append(entry)
    try:
        return importlib.import_module(module)
    finally:
        _importing.remove(entry)


def require_whole(module: str) -> None:
    """Raise where using a module would wait for a thread that this process does not have.

    Parameters
    ----------
    module : str

    Raises
    ------
    RuntimeError
        If the process was forked while another thread imported the module or compiled its kernels.
    """
    if module in _lost:
        raise RuntimeError(
            f"{module} cannot be used in this process, which was forked while another thread was "
            "importing or compiling it. Start processes by 'spawn' or 'forkserver', or train once "
            "before forking."
        )


def _note_what_is_lost() -> None:
    """Note, in a forked child, what other threads were in the midst of."""
    here = threading.get_ident()
    _lost.update(module for thread, module in _importing if thread != here)
    _importing[:] = [entry for entry in _importing if entry[0] == here]
    if _is_compiling_elsewhere():
        _lost.add(COMPILED)


def _is_compiling_elsewhere() -> bool:
    """Tell whether another thread has numba's lock, which it holds while it compiles or loads."""
    module = sys.modules.get("numba.core.compiler_lock")
    compiler = getattr(module, "global_compiler_lock", None)
    if compiler is None:
        return False
    lock = compiler._lock
    free: bool = lock.acquire(blocking=False)
    if free:
        lock.release()
    return not free


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_what_is_lost)

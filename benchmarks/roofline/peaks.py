"""How fast the machine is: what registers, caches and memory give to a loop that does no more.

Bandwidths come from two loops that the compiler vectorises, over arrays of half of each cache's
size and, for the memory, of four times the last one's: adding numbers up, and multiplying them in
place, of which both directions count. The arithmetic peak comes from multiply-adds of registers.
"""

from pathlib import Path

import numba
import numpy as np

from fastmlp.backends.compiled.memory import zeros
from fastmlp.kernels.jit import specialise
from fastmlp.kernels.simd import Lanes, broadcast, fma, load, n_lanes, reduce_add

from .timing import Timed

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
USUAL_SIZES = {"L1": 32 << 10, "L2": 512 << 10, "L3": 16 << 20}
"""Taken where the system does not tell."""

LEAST_MEMORY = 256 << 20
"""Bytes of the array in memory; a quarter of it where the measurement is quick."""

FMA_CALLS = 1000
LANES = Lanes(np.float32, 64)


def cache_sizes():
    """Ask the system for the sizes of the first processor's data caches; only Linux tells.

    Returns
    -------
    dict of str to int
        Bytes, the nearest first.
    """
    sizes = {}
    for index in sorted(CACHES.glob("index*")):
        level, kind, size = (
            (index / name).read_text().strip() for name in ("level", "type", "size")
        )
        if kind != "Instruction":
            sizes[f"L{level}"] = int(size.rstrip("KM")) << (20 if size.endswith("M") else 10)
    return sizes or dict(USUAL_SIZES)


def level_of(n_bytes, levels):
    """Name the nearest level that holds so many bytes.

    Parameters
    ----------
    n_bytes : int
    levels : dict of str to dict
        As in `measure`'s peaks, the nearest first; "memory" holds everything.

    Returns
    -------
    str
    """
    return next(name for name, level in levels.items() if n_bytes <= (level["size"] or n_bytes))


def _add_up(n_calls, values, totals):
    for _ in range(n_calls):
        total = values.dtype.type(0)
        for index in range(values.size):
            total += values[index]
        totals[0] += total  # kept, so that no call can be left out


def _multiply(n_calls, values, totals):
    for _ in range(n_calls):
        for index in range(values.size):
            values[index] *= totals[0]


def _multiply_add(n_calls, lanes, values, totals):
    """Keep both multipliers of a core busy: eight sums of a register each would do on most."""
    factor, term = load(lanes, values, 0), load(lanes, values, n_lanes(lanes))
    a = b = c = d = e = broadcast(lanes, 0.0)
    for _ in range(n_calls * FMA_CALLS):
        a, b, c = fma(a, factor, term), fma(b, factor, term), fma(c, factor, term)
        d, e = fma(d, factor, term), fma(e, factor, term)
    totals[0] += reduce_add(a + b + c + d + e)


def timed_peaks(quick):
    """Prepare the loops.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    dict of (str, str) to Timed
        The level and "read" or "update"; ("registers", "fma").
    """
    loops = {"read": _add_up, "update": _multiply}
    peaks = {}
    for level, n_bytes in array_sizes(quick).items():
        values, totals = zeros(n_bytes // 4, np.float32), np.ones(1, np.float32)
        values[:] = 1  # else all of it would be one page of zeros
        for kind, loop in loops.items():
            peaks[level, kind] = Timed(_compiled(loop, {"contract", "reassoc"}, values, totals))
    values = zeros(2 * LANES.width, np.float32)
    values[:] = 0.5
    run = _compiled(_multiply_add, {"contract"}, LANES, values, np.zeros(1, np.float32))
    peaks["registers", "fma"] = Timed(run)
    return peaks


def _compiled(loop, fastmath, *arguments):
    """Compile a loop; what is returned is called with a number of turns."""
    dispatcher = numba.njit(fastmath=fastmath, error_model="numpy", nogil=True)(loop)
    entry = specialise(dispatcher, 1, *arguments)
    return lambda n_calls: entry(n_calls, *arguments)


def array_sizes(quick):
    """Choose the arrays' sizes in bytes: half of each cache, and four times the last.

    Parameters
    ----------
    quick : bool

    Returns
    -------
    dict of str to int
    """
    caches = cache_sizes()
    memory = max(LEAST_MEMORY, 4 * max(caches.values())) // (4 if quick else 1)
    return {level: size // 2 for level, size in caches.items()} | {"memory": memory}


def peaks_of(timed, sgemm, quick):
    """Turn times into rates.

    Parameters
    ----------
    timed : dict of (str, str) to Timed
    sgemm : dict of int to float
        Operations a second for each number of threads.
    quick : bool

    Returns
    -------
    dict
        "fma" and "sgemm" in operations a second, and "levels" with the size, and the bytes a second
        of "read" and "update".
    """
    caches, levels = cache_sizes(), {}
    for level, n_bytes in array_sizes(quick).items():
        read, update = (timed[level, kind].seconds for kind in ("read", "update"))
        levels[level] = {
            "size": caches.get(level), "read": n_bytes / read, "update": 2 * n_bytes / update,
        }  # fmt: skip
    fma_flops = 5 * 2 * LANES.width * FMA_CALLS
    return {"fma": fma_flops / timed["registers", "fma"].seconds, "sgemm": sgemm, "levels": levels}

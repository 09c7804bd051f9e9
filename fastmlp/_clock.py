"""The clock that durations are read from."""

import time

SHORTEST = 1e-9
"""Seconds that everything takes at least, so that a speed can be computed."""


def now() -> float:
    """Read a clock that only goes forward, in seconds.

    Tests that stop the time (freezegun) put others in the place of `perf_counter` and `monotonic`.
    A training lasts none the less, and its `time_budget` must run out: where the system has it,
    the clock is the one below those.

    Returns
    -------
    float
    """
    if hasattr(time, "clock_gettime"):
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.perf_counter()


def since(start: float) -> float:
    """Compute the seconds since `now()` was `start`: above 0 even where the clock stands still.

    Parameters
    ----------
    start : float

    Returns
    -------
    float
    """
    return max(SHORTEST, now() - start)

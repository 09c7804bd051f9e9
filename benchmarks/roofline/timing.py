"""Calls that are timed: many in one compiled loop, the shortest of several times counting."""

import time

import numba

from fastmlp.kernels.jit import specialise

ENOUGH_SECONDS = 5e-3
"""How long the calls of one measurement take at least: the clock's reading is lost in it."""

ROUNDS = 30
MOST_SECONDS = 1.5
"""After so long something is not measured again."""


class Timed:
    """Something that is done again and again, and how long it took at best.

    Parameters
    ----------
    run : callable
        Called with a number of calls to make.
    """

    def __init__(self, run):
        self.run = run
        self.seconds = float("inf")
        self.n_calls = 1
        self.spent = 0.0

    def prepare(self, enough):
        """Find out how many calls take long enough.

        Parameters
        ----------
        enough : float
            Seconds.
        """
        # The shortest of three, for one may have been held up.
        while (seconds := min(self._time() for _ in range(3))) < enough:
            self.n_calls = max(2 * self.n_calls, int(self.n_calls * enough / max(seconds, 1e-9)))
        self.spent = 0.0

    def repeat(self):
        """Measure once more; the shortest time counts."""
        self.seconds = min(self.seconds, self._time() / self.n_calls)

    def _time(self):
        start = time.perf_counter()
        self.run(self.n_calls)
        seconds = time.perf_counter() - start
        self.spent += seconds
        return seconds


def measure_all(timed, quick):
    """Measure each thing once a round, so that a disturbance does not hit all times of one.

    Parameters
    ----------
    timed : list of Timed
    quick : bool
    """
    for one in timed:
        one.prepare(ENOUGH_SECONDS / (10 if quick else 1))
    for _ in range(2 if quick else ROUNDS):
        for one in timed:
            if one.spent < MOST_SECONDS:
                one.repeat()


def compiled_loop(function, *arguments):
    """Compile a loop that calls a function, so that calling from Python does not count.

    Parameters
    ----------
    function : callable
        Called with the number of the call, from 0, and the arguments; it may call kernels.
    *arguments

    Returns
    -------
    callable
        Called with a number of calls to make.
    """
    inner = numba.njit(error_model="numpy", nogil=True)(function)

    @numba.njit(error_model="numpy", nogil=True)
    def loop(n_calls, arguments):
        for number in range(n_calls):
            inner(number, *arguments)

    entry = specialise(loop, 1, arguments)
    return lambda n_calls: entry(n_calls, arguments)

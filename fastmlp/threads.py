"""How many threads may compute."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from fastmlp.network import Network

LARGE_PRODUCT = 1 << 27
"""Multiplications in a layer's product of one batch from which a second thread pays: below, the
threads wait for one another longer than they compute."""

MOST_THREADS = 1024
"""More than any machine has use for."""

VARIABLES = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
"""What users, batch systems and joblib's worker processes limit threads by."""


def n_cores() -> int:
    """Count the processors that this process may use.

    OMP_NUM_THREADS and NUMBA_NUM_THREADS lower it, as they do for BLAS and for numba.
    """
    return min(_n_processors(), *(_limit_in(variable) for variable in VARIABLES))


def _n_processors() -> int:
    """Count those that the process is bound to, or all where the system does not say."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # not every system has it, and some refuse (seccomp)
        return os.cpu_count() or 1


def _limit_in(variable: str) -> int:
    """Read a number of threads from the environment, `MOST_THREADS` where it holds none.

    OpenMP takes a list, a number for each level of nested loops: ours are of the first.
    """
    try:
        limit = int(os.environ.get(variable, "").partition(",")[0])
    except ValueError:
        return MOST_THREADS
    return limit if limit > 0 else MOST_THREADS


def choose_blas_threads(n_threads: int | None, network: Network, n_rows: int) -> int:
    """Choose the number of threads of BLAS.

    Parameters
    ----------
    n_threads : int or None
        What the user asked for. None takes one thread, or every core if the largest product of a
        batch is large.
    network : Network
    n_rows : int
        Number of samples in a batch.

    Returns
    -------
    int
    """
    if n_threads is not None:
        return n_threads
    largest = n_rows * max(fan_in * fan_out for fan_in, fan_out in network.coef_shapes)
    return n_cores() if largest >= LARGE_PRODUCT else 1


class Setting(NamedTuple):
    """What is kept of a BLAS library while it is limited."""

    own: int
    """The number of threads that it had."""
    given: int
    """And the one that it was given."""
    shared: bool = True
    """Whether that holds for all threads of Python, as with most builds of OpenBLAS, or for the
    one that sets it, as with MKL."""


class BlasLimits:
    """The limits on BLAS that are in force, of all threads of Python together.

    Most BLAS libraries have one number of threads for the whole process. So what it was before the
    first limit is kept until the last is lifted, and meanwhile the lowest counts. A number that
    somebody else has set meanwhile is theirs to keep.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()  # a signal's handler may predict, too
        self.asked: dict[object, tuple[int, int]] = {}
        """The thread of Python of each limit, and its number."""
        self.libraries: list[Any] = []
        self.n_modules = 0
        self.settings: dict[str, Setting] = {}

    def add(self, key: object, n_threads: int) -> None:
        """Put a limit in force."""
        with self.lock:
            self._find_libraries()
            comes = not self._asked_here()
            self.asked[key] = threading.get_ident(), n_threads
            self._apply(comes)

    def lift(self, key: object) -> None:
        """Lift a limit, if it is in force."""
        with self.lock:
            self.asked.pop(key, None)
            self._apply()

    def forget_other_threads(self) -> None:
        """Lift, in a forked child, the limits of the threads that it does not have."""
        self.lock = threading.RLock()
        here = threading.get_ident()
        ours = {key: asked for key, asked in self.asked.items() if asked[0] == here}
        if len(ours) < len(self.asked):
            self.asked = ours
            self._apply()

    def _asked_here(self) -> bool:
        """Tell whether the calling thread has a limit in force."""
        return any(thread == threading.get_ident() for thread, _ in self.asked.values())

    def _find_libraries(self) -> None:
        """List the libraries that are loaded; a module imported since may have brought one.

        It takes a millisecond, several times as long as a small `partial_fit`.
        """
        if self.n_modules == len(sys.modules):
            return
        from threadpoolctl import ThreadpoolController

        self.libraries = ThreadpoolController().select(user_api="blas").lib_controllers
        self.n_modules = len(sys.modules)

    def _apply(self, comes: bool = False) -> None:
        """Give each library the lowest number asked for, or back its own; never a higher one.

        `comes` says that the calling thread had no limit in force: where it does not see what
        another was given, the library has a number for each thread.
        """
        lowest = min((number for _, number in self.asked.values()), default=MOST_THREADS)
        limited = self._asked_here()
        for library in self.libraries:
            current = library.num_threads
            own, given, shared = self.settings.get(library.filepath, Setting(current, current))
            if current != given:
                own, shared = current, shared and not comes
            given = min(own, lowest)
            self.settings[library.filepath] = Setting(own, given, shared)
            set_blas_threads(library, given if limited or shared else own)
        if not self.asked:
            self.settings.clear()


def set_blas_threads(library: Any, n_threads: int) -> None:
    """Set the number of threads of a BLAS library.

    Parameters
    ----------
    library : threadpoolctl.LibController
    n_threads : int
    """
    if library.num_threads == n_threads:
        return
    library.set_num_threads(n_threads)
    # From threadpoolctl 3.8 on the thread that sets OpenBLAS keeps the others from it until then.
    getattr(library, "clear_controlling_thread", lambda: None)()


_blas_limits = BlasLimits()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_blas_limits.forget_other_threads)


@contextmanager
def limit_blas(n_threads: int) -> Iterator[None]:
    """Limit every BLAS library that is loaded to so many threads, for the length of a `with`.

    NumPy and SciPy each bring their own; the backend must have been imported before. Limits may
    overlap, in one thread of Python or in several; where a library has fewer threads already,
    because of OPENBLAS_NUM_THREADS or of the user's own `threadpool_limits`, it keeps them.

    Parameters
    ----------
    n_threads : int
    """
    key = object()
    try:
        _blas_limits.add(key, n_threads)
        yield
    finally:
        _blas_limits.lift(key)

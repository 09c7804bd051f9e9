"""How many threads may compute."""

import os
from contextlib import AbstractContextManager

from fastmlp._checks import check_whole
from fastmlp.network import Network

LARGE_PRODUCT = 1 << 27
"""Multiplications in a layer's product of one batch from which a second thread pays: below, the
threads wait for one another longer than they compute."""


MOST_THREADS = 1024
"""More than any machine has use for."""


def n_cores() -> int:
    """Count the processors that this process may use.

    OMP_NUM_THREADS lowers it, as it does for BLAS: joblib sets it in its worker processes.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "")
    limit = int(asked) if asked.isdigit() and int(asked) > 0 else MOST_THREADS
    if hasattr(os, "sched_getaffinity"):
        return min(limit, len(os.sched_getaffinity(0)))
    return min(limit, os.cpu_count() or 1)


def check_n_threads(n_threads: int | None) -> int | None:
    """Check the `n_threads` argument.

    Parameters
    ----------
    n_threads : int or None

    Raises
    ------
    ValueError
        If it is not a whole number of at least 1 and at most `MOST_THREADS`.
    """
    return None if n_threads is None else check_whole("n_threads", n_threads, most=MOST_THREADS)


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


def limit_blas(n_threads: int) -> AbstractContextManager[object]:
    """Limit every BLAS library that is loaded to so many threads, for the length of a `with`.

    NumPy and SciPy each bring their own; the backend must have been imported before. It takes
    about a millisecond, so it is done once a fit and never once a batch.
    """
    from threadpoolctl import ThreadpoolController

    limit: AbstractContextManager[object] = ThreadpoolController().limit(
        limits=n_threads, user_api="blas"
    )
    return limit

"""Plain Python threads that run kernels, which do without the interpreter's lock."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from fastmlp.kernels.barrier import STRIDE, n_places


class Team:
    """The calling thread and others, which are started when they are first needed.

    Parameters
    ----------
    n_threads : int
        At most so many, the calling one included.
    """

    def __init__(self, n_threads: int) -> None:
        self.n_threads = n_threads
        self.pool: ThreadPoolExecutor | None = None

    def run(self, n_threads: int, work: Callable[[int, Any], object]) -> None:
        """Let some threads do a piece of work together.

        Parameters
        ----------
        n_threads : int
        work : callable
            Called with the number of each thread and the memory of a barrier. Where a thread does
            not come to the barrier, because starting it failed or the user interrupted, the others
            are told to stop waiting.
        """
        places = np.zeros(n_places(n_threads), np.int64)
        if n_threads == 1:
            work(0, places)
            return
        if self.pool is None:
            self.pool = ThreadPoolExecutor(self.n_threads - 1, "fastmlp")
        others: list[Future[object]] = []
        try:
            for thread in range(1, n_threads):
                others.append(self.pool.submit(work, thread, places))
            work(0, places)
            for other in others:
                other.result()
        except BaseException:
            places[n_threads * STRIDE] = 1
            wait(others)
            raise

    def split(self, n_items: int, work: Callable[[int, int], object]) -> None:
        """Split items among all threads.

        Parameters
        ----------
        n_items : int
        work : callable
            Called with the first item and the last, exclusive, of each thread.
        """
        n = max(1, min(self.n_threads, n_items))
        self.run(n, lambda thread, _: work(thread * n_items // n, (thread + 1) * n_items // n))

    def close(self) -> None:
        """End the other threads."""
        if self.pool is not None:
            self.pool.shutdown()
            self.pool = None

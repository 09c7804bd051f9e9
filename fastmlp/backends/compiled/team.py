"""Plain Python threads that run kernels, which do without the interpreter's lock."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from fastmlp.kernels.barrier import STRIDE, n_places


def call_off(places: Any) -> None:
    """Tell the threads at a barrier to stop waiting."""
    places[-STRIDE] = 1


class Helper(threading.Thread):
    """A thread that does its share of a piece of work and keeps the error if there is one.

    One is started for each piece of work, which takes 0.1 ms and leaves nothing behind: there is no
    pool to close, and none that a fork would lose.
    """

    def __init__(self, work: Callable[[int, Any], object], thread: int, places: Any) -> None:
        super().__init__(name=f"fastmlp-{thread}", daemon=True)
        self.work, self.thread, self.places = work, thread, places
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do the work."""
        try:
            self.work(self.thread, self.places)
        except BaseException as error:
            self.error = error
            call_off(self.places)


def run_together(n_threads: int, work: Callable[[int, Any], object]) -> None:
    """Let the calling thread and others do a piece of work together.

    Parameters
    ----------
    n_threads : int
        The calling one included.
    work : callable
        Called with the number of each thread and the memory of a barrier. Where a thread does not
        come to the barrier, because starting it failed or the user interrupted, the others are told
        to stop waiting.
    """
    places = np.zeros(n_places(n_threads), np.int64)
    helpers: list[Helper] = []
    try:
        for thread in range(1, n_threads):
            helper = Helper(work, thread, places)
            helper.start()
            helpers.append(helper)
        work(0, places)
        for helper in helpers:
            helper.join()
    except BaseException:
        call_off(places)
        for helper in helpers:
            helper.join()
        raise
    for helper in helpers:
        if helper.error is not None:
            raise helper.error


def split(n_threads: int, n_items: int, work: Callable[[int, int], object]) -> None:
    """Split items among threads.

    Parameters
    ----------
    n_threads : int
        At most so many.
    n_items : int
    work : callable
        Called with the first item and the last, exclusive, of each thread.
    """
    n = max(1, min(n_threads, n_items))
    run_together(n, lambda thread, _: work(thread * n_items // n, (thread + 1) * n_items // n))

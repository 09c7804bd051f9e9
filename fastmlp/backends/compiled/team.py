"""Plain Python threads that run kernels, which do without the interpreter's lock."""

import ctypes
import os
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from fastmlp.kernels.barrier import STRIDE, n_places

UNKNOWN = -1


def current_processor() -> int:
    """Ask on which processor the calling thread runs; `UNKNOWN` where the system does not tell."""
    ask = _getcpu()
    return UNKNOWN if ask is None else int(ask())


@cache
def _getcpu() -> Callable[[], int] | None:
    """Find the C library's function; not every system has it."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    try:
        found: Callable[[], int] = ctypes.CDLL(None).sched_getcpu
    except (OSError, AttributeError):
        return None
    return found


def move_away(home: int, thread: int) -> None:
    """Move the calling thread to a processor of its own, and leave it free to be moved again.

    Linux may start a thread on the processor of the one that starts it and leave it there for some
    5 ms, in which the two take turns although another processor is idle.

    Parameters
    ----------
    home : int
        The processor of the first thread.
    thread : int
        Which of the threads this is.
    """
    if home == UNKNOWN:
        return
    allowed = os.sched_getaffinity(0)
    others = sorted(allowed - {home})
    if others:
        os.sched_setaffinity(0, {others[(thread - 1) % len(others)]})
        os.sched_setaffinity(0, allowed)


def call_off(places: Any) -> None:
    """Tell the threads at a barrier to stop waiting."""
    places[-STRIDE] = 1


class Helper(threading.Thread):
    """A thread that does its share of a piece of work and keeps the error if there is one.

    One is started for each piece of work, which takes 0.1 ms and leaves nothing behind: there is no
    pool to close, and none that a fork would lose.
    """

    def __init__(
        self, work: Callable[[int, Any], object], thread: int, places: Any, home: int
    ) -> None:
        super().__init__(name=f"fastmlp-{thread}", daemon=True)
        self.work, self.thread, self.places, self.home = work, thread, places, home
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do the work."""
        try:
            move_away(self.home, self.thread)
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
    home = current_processor() if n_threads > 1 else UNKNOWN
    try:
        for thread in range(1, n_threads):
            helper = Helper(work, thread, places, home)
            helper.start()
            helpers.append(helper)
        work(0, places)
    except BaseException:
        call_off(places)
        raise
    finally:
        for helper in helpers:
            helper.join()
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

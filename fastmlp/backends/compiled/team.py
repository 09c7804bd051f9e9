"""Plain Python threads that run kernels, which do without the interpreter's lock."""

import _thread
import ctypes
import os
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from fastmlp.kernels.barrier import STRIDE, n_places
from fastmlp.kernels.task import Team

UNKNOWN = -1

PATIENCE = 1.0
"""Seconds after which helpers that have not run yet are done without."""

Work = Callable[[Team], object]


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
    5 ms, in which the two take turns although another processor is idle. Where the system refuses
    (seccomp, Android, gVisor) the thread stays where it is.

    Parameters
    ----------
    home : int
        The processor of the first thread.
    thread : int
        Which of the threads this is.
    """
    if home == UNKNOWN:
        return
    try:
        allowed = os.sched_getaffinity(0)
        others = sorted(allowed - {home})
        if others:
            os.sched_setaffinity(0, {others[(thread - 1) % len(others)]})
            os.sched_setaffinity(0, allowed)
    except OSError:
        return


def call_off(places: Any) -> None:
    """Tell the threads at a barrier to stop waiting."""
    places[-STRIDE] = 1


class Helper:
    """A thread that does its share of a piece of work and keeps the error if there is one.

    One is started for each piece of work, which takes 0.1 ms and leaves nothing behind: there is no
    pool to close, and none that a fork would lose.

    Parameters
    ----------
    work : callable
        See `run_together`.
    share : Team
    start : threading.Barrier
        Where all meet before any of them works.
    home : int
        The processor of the first thread.
    """

    def __init__(self, work: Work, share: Team, start: threading.Barrier, home: int) -> None:
        self.work, self.share, self.start, self.home = work, share, start, home
        self.starter = threading.get_native_id()
        self.done = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do the work, unless it is done without this thread."""
        try:
            if threading.get_native_id() == self.starter:
                self.start.abort()  # gevent, eventlet: it would not run beside the first thread
            self.start.wait(PATIENCE)
            self._work()
        except threading.BrokenBarrierError:
            pass
        finally:
            self.done.set()

    def _work(self) -> None:
        try:
            move_away(self.home, self.share.thread)
            self.work(self.share)
        except BaseException as error:
            self.error = error
            call_off(self.share.places)


def meet(helpers: list[Helper], start: threading.Barrier) -> int:
    """Start helpers, and wait until all of them run.

    Parameters
    ----------
    helpers : list of Helper
    start : threading.Barrier
        Broken where not all come, so that none works.

    Returns
    -------
    int
        How many threads can work, the calling one included. A container may limit them; at the end
        of the interpreter none can be started, or they never run.
    """
    for n_started, helper in enumerate(helpers, 1):
        try:
            _thread.start_new_thread(helper.run, ())
        except (RuntimeError, MemoryError):
            start.abort()
            for started in helpers[: n_started - 1]:
                started.done.wait(PATIENCE)  # until there is room for as many again
            return n_started
    try:
        start.wait(PATIENCE)
    except threading.BrokenBarrierError:
        return 1
    return len(helpers) + 1


def run_together(n_threads: int, work: Work) -> int:
    """Let the calling thread and others do a piece of work together.

    Parameters
    ----------
    n_threads : int
        The calling one included. Fewer work where others cannot be started, or do not run.
    work : callable
        Called with each thread's place in the team. Where a thread does not come to the barrier,
        because of an error or because the user interrupted, the others are told to stop waiting.

    Returns
    -------
    int
        How many worked.
    """
    if n_threads == 1:
        work(Team(0, 1, np.zeros(n_places(1), np.int64)))
        return 1
    places, start = np.zeros(n_places(n_threads), np.int64), threading.Barrier(n_threads)
    home = current_processor()
    shares = [Team(thread, n_threads, places) for thread in range(n_threads)]
    helpers = [Helper(work, share, start, home) for share in shares[1:]]
    n_present = 0
    try:
        n_present = meet(helpers, start)
        if n_present == n_threads:
            work(shares[0])
    except BaseException:
        start.abort()
        call_off(places)
        raise
    finally:
        if n_present == n_threads:
            for helper in helpers:
                helper.done.wait()
    if n_present < n_threads:
        return run_together(n_present, work)
    for helper in helpers:
        if helper.error is not None:
            raise helper.error
    return n_threads


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

    def do_share(team: Team) -> None:
        first, last = (
            thread * n_items // team.n_threads for thread in (team.thread, team.thread + 1)
        )
        work(first, last)

    run_together(max(1, min(n_threads, n_items)), do_share)

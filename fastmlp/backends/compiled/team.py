"""Plain Python threads that run kernels, which do without the interpreter's lock."""

import _thread
import ctypes
import os
import threading
from collections.abc import Callable
from functools import cache
from itertools import takewhile
from typing import Any

import numpy as np

from fastmlp.kernels.barrier import STRIDE, n_places
from fastmlp.kernels.task import Team

UNKNOWN = -1

PATIENCE = 1.0
"""Seconds until a helper that has not run yet is done without."""

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
    pool to close, and none that a fork would lose. It says that it is there and touches nothing
    before it is told its share, so that the work can go on without it.

    Parameters
    ----------
    work : callable
        See `run_together`.
    """

    def __init__(self, work: Work) -> None:
        self.work = work
        self.here, self.told, self.done = (threading.Event() for _ in range(3))
        self.native_id = 0
        self.share: Team | None = None
        self.home = UNKNOWN
        self.error: BaseException | None = None

    def run(self) -> None:
        """Report, wait to be told, and do the share of the work, if any."""
        self.native_id = threading.get_native_id()
        self.here.set()
        self.told.wait()
        if self.share is not None:
            self._do(self.share)
        self.done.set()

    def _do(self, share: Team) -> None:
        try:
            move_away(self.home, share.thread)
            self.work(share)
        except BaseException as error:
            self.error = error
            call_off(share.places)

    def came(self) -> bool:
        """Wait until the thread is there, and tell whether it runs beside the calling one.

        Where gevent or eventlet have taken the place of threads, it is the calling one. At the end
        of the interpreter, a new thread never runs.

        Returns
        -------
        bool
        """
        return self.here.wait(PATIENCE) and self.native_id != threading.get_native_id()


def gather(helpers: list[Helper], n_helpers: int, work: Work) -> None:
    """Start helpers, and dismiss those that cannot run beside the calling thread.

    Parameters
    ----------
    helpers : list of Helper
        Those that stay are put here; none, where no thread can be started.
    n_helpers : int
        At most so many.
    work : callable
        See `run_together`.
    """
    try:
        for _ in range(n_helpers):
            helper = Helper(work)
            _thread.start_new_thread(helper.run, ())
            helpers.append(helper)
    except (RuntimeError, MemoryError):
        pass  # a container's limit, or the end of the interpreter: those that there are will do
    n_present = len(list(takewhile(Helper.came, helpers)))
    for helper in helpers[n_present:]:
        helper.told.set()
    del helpers[n_present:]


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
    helpers: list[Helper] = []
    places = np.zeros(n_places(n_threads), np.int64)
    try:
        gather(helpers, n_threads - 1, work)
        n_present = len(helpers) + 1
        places = places[: n_places(n_present)]
        home = current_processor() if helpers else UNKNOWN
        for thread, helper in enumerate(helpers, 1):
            helper.share, helper.home = Team(thread, n_present, places), home
            helper.told.set()
        work(Team(0, n_present, places))
    except BaseException:
        call_off(places)
        raise
    finally:
        for helper in helpers:
            helper.told.set()
            if helper.share is not None:
                helper.done.wait()
    for helper in helpers:
        if helper.error is not None:
            raise helper.error
    return n_present


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

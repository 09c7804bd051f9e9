"""Plain Python threads that run kernels, which do without the interpreter's lock."""

import _thread
import ctypes
import os
import sys
import threading
from collections.abc import Callable
from functools import cache
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

import numpy as np

from fastmlp.kernels.barrier import STRIDE, barrier_size
from fastmlp.kernels.task import Team

UNKNOWN = -1

PATIENCE = 1.0
"""Seconds after which helpers that have not run yet are done without."""

LINGER = 0.1
"""Seconds that a helper waits for the next piece of work: longer than what an epoch is followed by,
where epochs are so short that it matters."""

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
    """Move the calling thread off the first one's processor, and leave it free to be moved again.

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
    if home == UNKNOWN or current_processor() != home:
        return
    try:
        allowed = os.sched_getaffinity(0)
        others = sorted(allowed - {home})
        if others:
            os.sched_setaffinity(0, {others[(thread - 1) % len(others)]})
            os.sched_setaffinity(0, allowed)
    except OSError:
        return


def cancel(barrier: Any) -> None:
    """Tell the threads at a barrier to stop waiting."""
    barrier[-STRIDE] = 1


class Job(NamedTuple):
    """A helper's share of a piece of work."""

    work: Work
    share: Team
    home: int
    """The processor of the first thread."""
    outcomes: "SimpleQueue[BaseException | None]"
    """Gets the error when it is done, or None."""

    def do(self) -> BaseException | None:
        """Do the work, on a processor of its own; return the error if there is one."""
        try:
            move_away(self.home, self.share.thread)
            self.work(self.share)
        except BaseException as error:
            cancel(self.share.barrier)
            return error
        return None


class Helper:
    """A thread that does its share of pieces of work, one after the other.

    Starting one takes 0.1 ms, and beside a busy neighbour some milliseconds; asking one that is
    idle takes 0.02 ms. It sleeps while it is idle, and ends after a while, so that nothing is left
    behind: there is no pool to close, and none that a fork would lose.
    """

    def __init__(self) -> None:
        self.starter = threading.get_native_id()
        self.is_beside = False
        """Whether it can run beside the thread that starts it; with gevent it cannot."""
        self.claim = threading.Lock()
        """Taken by the thread when it runs, or by whoever does not wait for it any longer."""
        self.came, self.over = threading.Event(), threading.Event()
        self.jobs: SimpleQueue[Job | None] = SimpleQueue()

    def run(self) -> None:
        """Do what is asked for, until nothing is asked for a while."""
        self.is_beside = threading.get_native_id() != self.starter
        if not self.claim.acquire(blocking=False):
            return
        self.came.set()
        while self.is_beside and self._do_next():
            pass
        self.over.set()

    def _do_next(self) -> bool:
        """Wait for a job and do it; False says that there are to be no more."""
        try:
            job = self.jobs.get(timeout=LINGER)
        except Empty:
            return not self._leave()
        if job is None:
            return False
        error = job.do()
        idle.add(self)  # before anybody goes on: the next piece may come at once
        job.outcomes.put(error)
        return True

    def _leave(self) -> bool:
        """Be idle no longer; False where somebody is about to ask."""
        try:
            idle.remove(self)
        except KeyError:
            return False
        return True

    def has_come(self, seconds: float) -> bool:
        """Wait until the thread runs; where it does not, it will do nothing."""
        if not self.came.wait(seconds) and self.claim.acquire(blocking=False):
            return False
        return self.is_beside


idle: set[Helper] = set()
"""Helpers that nobody has asked; whoever takes one out may ask it. No lock guards it, which a fork
could leave locked: to add to a set or to take out of it is one step of the interpreter."""


def gather(n_helpers: int) -> list[Helper]:
    """Take helpers that are idle, and start others where those are too few.

    Parameters
    ----------
    n_helpers : int

    Returns
    -------
    list of Helper
        Fewer where a container limits threads, or where they never run.
    """
    helpers, started = list(islice(iter(take_idle, None), n_helpers)), []
    for _ in range(n_helpers - len(helpers)):
        helper = Helper()
        try:
            _thread.start_new_thread(helper.run, ())
        except (RuntimeError, MemoryError):
            break
        started.append(helper)
    patience = PATIENCE
    for helper in started:
        if helper.has_come(patience):
            helpers.append(helper)
        else:
            patience = 0
    return helpers


def take_idle() -> Helper | None:
    """Take a helper that is idle, if there is one."""
    try:
        return idle.pop()
    except KeyError:
        return None


def dismiss_idle() -> None:
    """End the helpers that are idle."""
    for helper in iter(take_idle, None):
        helper.jobs.put(None)
        helper.over.wait(PATIENCE)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=dismiss_idle, after_in_child=idle.clear)


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
        work(Team(0, 1, np.zeros(barrier_size(1), np.int64)))
        return 1
    # At the end of the interpreter no other thread runs any more.
    helpers = [] if sys.is_finalizing() else gather(n_threads - 1)
    n_threads, n_asked = len(helpers) + 1, 0
    barrier = np.zeros(barrier_size(n_threads), np.int64)
    outcomes: SimpleQueue[BaseException | None] = SimpleQueue()
    home = current_processor() if helpers else UNKNOWN
    try:
        for thread, helper in enumerate(helpers, 1):
            helper.jobs.put(Job(work, Team(thread, n_threads, barrier), home, outcomes))
            n_asked = thread
        work(Team(0, n_threads, barrier))
    except BaseException:
        cancel(barrier)
        idle.update(helpers[n_asked:])
        raise
    finally:
        errors = [outcomes.get() for _ in range(n_asked)]
    for error in errors:
        if error is not None:
            raise error
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

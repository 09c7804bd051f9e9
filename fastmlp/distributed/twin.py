"""Ranks that are threads of one process: the twin of MPI, to try and to test with."""

import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp.distributed.communicator import TIMEOUT, RankError


class _Meeting:
    """Where the threads meet: what each brings, and who has come how often."""

    def __init__(self, size: int, timeout: float) -> None:
        self.barrier, self.timeout = threading.Barrier(size), timeout
        self.brought: list[Any] = [None] * size
        self.times = [0] * size
        self.failed: tuple[int, str] | None = None


class ThreadRank:
    """One of several threads as a rank; see `Communicator`.

    Parameters
    ----------
    rank : int
    meeting : object
        Shared by all.
    """

    def __init__(self, rank: int, meeting: _Meeting) -> None:
        self.rank, self.meeting, self.size = rank, meeting, len(meeting.brought)

    def all_reduce(self, values: Array) -> None:
        """Sum arrays over the ranks, in their order; see `Communicator.all_reduce`."""
        total = np.zeros_like(values)
        for part in self._exchange(values.copy()):
            total += part
        values[...] = total

    def broadcast(self, value: Any, root: int = 0) -> Any:
        """Send what one rank has to all; see `Communicator.broadcast`."""
        sent = pickle.dumps(value) if self.rank == root else None
        received = self._exchange(sent)[root]
        return value if self.rank == root else pickle.loads(received)

    def fail(self, reason: str) -> None:
        """Tell the others; see `Communicator.fail`."""
        if self.meeting.failed is None:
            self.meeting.failed = self.rank, reason
        self.meeting.barrier.abort()

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""

    def _exchange(self, value: Any) -> list[Any]:
        """Bring something, and take what all have brought."""
        meeting = self.meeting
        meeting.brought[self.rank] = value
        meeting.times[self.rank] += 1
        self._wait()
        all_of_them = list(meeting.brought)
        self._wait()  # until all have taken, before one brings the next
        return all_of_them

    def _wait(self) -> None:
        """Wait for all."""
        meeting = self.meeting
        try:
            meeting.barrier.wait(meeting.timeout)
        except threading.BrokenBarrierError:
            if meeting.failed is not None:
                rank, reason = meeting.failed
                raise RankError(f"rank {rank} ended: {reason}") from None
            most = max(meeting.times)
            late = [rank for rank, times in enumerate(meeting.times) if times < most]
            raise RankError(absent(late, meeting.timeout)) from None


def absent(ranks: list[int], timeout: float) -> str:
    """Say who has not come.

    Parameters
    ----------
    ranks : list of int
    timeout : float
        For how many seconds the others have waited.
    """
    names = ", ".join(map(str, ranks)) or "unknown"
    return f"no sign of rank {names} for {timeout:g} seconds: it hangs, or has died."


def in_threads(size: int, work: Callable[[ThreadRank], Any], timeout: float = TIMEOUT) -> list[Any]:
    """Let several threads of this process work as ranks.

    Parameters
    ----------
    size : int
    work : callable
        Called in each thread with its communicator.
    timeout : float
        Seconds for which a rank waits for the others.

    Returns
    -------
    list
        For each rank what `work` returned, or the exception that it raised.
    """
    meeting = _Meeting(size, timeout)
    outcomes: list[Any] = [None] * size

    def run(rank: int) -> None:
        try:
            outcomes[rank] = work(ThreadRank(rank, meeting))
        except BaseException as error:
            outcomes[rank] = error

    threads = [threading.Thread(target=run, args=(rank,), daemon=True) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes

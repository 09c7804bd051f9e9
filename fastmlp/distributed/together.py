"""One rank among several: what it agrees on with the others."""

import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from fastmlp._arrays import Array
from fastmlp.distributed.apart import ApartSteps
from fastmlp.distributed.communicator import Communicator, RankError
from fastmlp.distributed.shares import require_whole_shards, share
from fastmlp.distributed.steps import SharedSteps
from fastmlp.engine.interruptions import Interruptions
from fastmlp.ranks import Alone
from fastmlp.threads import n_cores

T = TypeVar("T")


class Together(Alone):
    """One rank of a training, with the methods of `Alone`.

    Parameters
    ----------
    communicator : Communicator
    reduction : {"sum", "ordered"}
    sync_every : int
        See `Ranks`.

    Attributes
    ----------
    interruptions : Interruptions
    """

    shared = True

    def __init__(self, communicator: Communicator, reduction: str, sync_every: int) -> None:
        self.communicator = communicator
        self.rank, self.size = communicator.rank, communicator.size
        self.reduction, self.sync_every = reduction, sync_every
        self.manner = {"reduction": reduction, "sync_every": sync_every}
        self.interruptions = Interruptions(alone=False)
        self.starts = np.zeros(self.size + 1, np.intp)
        self.agreed = False

    def place(self, counts: list[int]) -> None:
        """Give the rows of all ranks numbers; see `Alone.place`."""
        super().place(counts)
        if self.reduction == "ordered":
            require_whole_shards(self.starts)

    def share(self, n_samples: int) -> slice:
        """Return which rows are this rank's; see `Alone.share`."""
        return share(n_samples, self.rank, self.size, self.reduction)

    def agree(self, value: T) -> T:
        """Return what rank 0 has; see `Alone.agree`."""
        return self.communicator.broadcast(value)  # type: ignore[no-any-return]

    def decide(self, work: Callable[[], T]) -> T:
        """Do something, and return what rank 0's call returns; see `Alone.decide`."""
        value, interruption = None, None
        try:
            value = work()
        except KeyboardInterrupt as error:
            interruption = error
        value, interrupted = self.communicator.broadcast((value, interruption is not None))
        if interrupted:
            self.agreed = True
            raise interruption or KeyboardInterrupt
        return value  # type: ignore[no-any-return]

    def collect(
        self, work: Callable[[], T], describe: Callable[[T], Any] = lambda _: None
    ) -> tuple[T, list[Any]]:
        """Do something on each rank that may raise: then all raise; see `Alone.collect`."""
        result: Any = None
        told: tuple[str | None, Any] = None, None
        own: Exception | None = None
        try:
            result = work()
            told = None, describe(result)
        except Exception as error:
            told, own = (f"{type(error).__name__}: {error}", None), error
        everyone = [self.communicator.broadcast(told, root) for root in range(self.size)]
        failed = [rank for rank, (error, _) in enumerate(everyone) if error is not None]
        if failed:
            self.agreed = True
            raise own or RankError(f"rank {failed[0]} ended: {everyone[failed[0]][0]}")
        return result, [description for _, description in everyone]

    def gather(self, rows: Array) -> Array:
        """Put the rows of all ranks one after the other; see `Alone.gather`."""
        counts = np.zeros(self.size, np.int64)
        counts[self.rank] = len(rows)
        self.communicator.all_reduce(counts)
        first = int(counts[: self.rank].sum())
        together = np.zeros((int(counts.sum()), *rows.shape[1:]), rows.dtype)
        together[first : first + len(rows)] = rows
        self.communicator.all_reduce(together)  # to which the others add zeros
        return together

    def spread(self, values: Array) -> None:
        """Give all ranks the numbers of rank 0, to the bit, in a fortieth of `agree`'s time.

        Parameters
        ----------
        values : ndarray, contiguous
            Overwritten on the other ranks.
        """
        bits = values.view(f"u{values.itemsize}")  # as floats -0.0 would become 0.0
        if self.rank > 0:
            bits[...] = 0
        self.communicator.all_reduce(bits)

    def begin(self, start: Any, plan: Any) -> Any:
        """Begin a trainer that works together with the others'; see `Alone.begin`."""
        alone = self.size == 1 and self.reduction == "sum" and self.sync_every == 1
        if alone:
            return None
        n_threads = self._share_cores() if start.n_threads is None else start.n_threads
        steps = SharedSteps if self.sync_every == 1 else ApartSteps
        return steps(self, replace(start, n_threads=n_threads), plan)

    def _share_cores(self) -> int:
        """Count the processors that are this rank's: those that it may use, it may share."""
        try:
            processors = sorted(os.sched_getaffinity(0))
        except (AttributeError, OSError):
            processors = []
        place = platform.node(), processors
        _, places = self.collect(lambda: None, lambda _: place)
        return max(1, n_cores() // places.count(place))

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Tell the others where this rank alone cannot go on, and note signals."""
        try:
            with self.interruptions.listen() if self.size > 1 else nullcontext():
                yield
        except BaseException as error:
            # That a number is not finite all have seen.
            seen = ArithmeticError | RankError
            agreed = self.agreed or self.interruptions.heard
            if not (agreed or isinstance(error, seen) or isinstance(error.__cause__, seen)):
                self.communicator.fail(f"{type(error).__name__}: {error}")
            raise
        finally:
            self.communicator.close()

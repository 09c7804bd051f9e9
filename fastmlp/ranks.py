"""Where one process trains alone: what `fastmlp.distributed` does among several, done by one."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from fastmlp._arrays import Array, Indices
from fastmlp._errors import invalid

T = TypeVar("T")


class Alone:
    """One rank that has all rows.

    Attributes
    ----------
    rank, size : int
        The number of this process, from 0, and the number of all.
    starts : ndarray of shape (size + 1,), intp
        Where the rows of each rank begin among those of all, and where all end.
    shared : bool
        Whether there is a communicator, be it of one rank.
    manner : dict
        How steps are taken together; see `fastmlp.distributed.Ranks`.
    """

    rank, size = 0, 1
    shared = False

    def __init__(self) -> None:
        self.starts = np.zeros(2, np.intp)
        self.manner: dict[str, Any] = {"reduction": "sum", "sync_every": 1}

    @property
    def n_samples(self) -> int:
        """Number of rows of all ranks."""
        return int(self.starts[-1])

    @property
    def first(self) -> int:
        """Number of this rank's first row among those of all."""
        return int(self.starts[self.rank])

    @property
    def own_slice(self) -> slice:
        """Where the rows of this rank lie among those of all."""
        return slice(self.first, int(self.starts[self.rank + 1]))

    @property
    def fewest_rows(self) -> int:
        """How many rows X must have at least: one of several ranks may have none."""
        return 1 if self.size == 1 else 0

    def place(self, counts: list[int]) -> None:
        """Give the rows of all ranks numbers, those of rank 0 first.

        Parameters
        ----------
        counts : list of int
            How many each rank has.
        """
        self.starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)

    def share(self, n_samples: int) -> slice:
        """Return which rows of a data set that every rank can read are this rank's."""
        return slice(0, n_samples)

    def own(self, rows: Indices) -> Indices:
        """Pick this rank's rows out of rows of all, and number them from its own first."""
        first, last = self.starts[self.rank], self.starts[self.rank + 1]
        own: Indices = rows[(rows >= first) & (rows < last)] - first
        return own

    def agree(self, value: T) -> T:
        """Return what rank 0 has.

        Parameters
        ----------
        value : object
            It can be pickled.
        """
        return value

    def decide(self, work: Callable[[], T]) -> T:
        """Do something on each rank, and return what rank 0's call returns, or is interrupted by.

        Parameters
        ----------
        work : callable
        """
        return work()

    def collect(
        self, work: Callable[[], T], describe: Callable[[T], Any] = lambda _: None
    ) -> tuple[T, list[Any]]:
        """Do something on each rank that may raise: then all raise.

        Parameters
        ----------
        work : callable
        describe : callable
            From what `work` returns to what the others are to know of it.

        Returns
        -------
        result : object
            Of this rank's `work`.
        descriptions : list
            One a rank.
        """
        result = work()
        return result, [describe(result)]

    def gather(self, rows: Array) -> Array:
        """Put the rows of all ranks one after the other.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, ...)
            Of one dtype on all ranks.

        Returns
        -------
        ndarray of shape (sum of n_rows, ...)
        """
        return rows

    def gather_any(self, rows: Array) -> Array:
        """Put the rows of all ranks one after the other, be they text; see `gather`.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, ...)

        Returns
        -------
        ndarray of shape (sum of n_rows, ...)
        """
        _, everyone = self.collect(lambda: rows, lambda own: own)
        return rows if len(everyone) == 1 else np.concatenate(everyone)

    def begin(self, start: Any, plan: Any) -> Any:
        """Begin a trainer that works together with the others'; None where there are none.

        Parameters
        ----------
        start : fastmlp.engine.descent.Start
        plan : fastmlp.engine.plan.Plan
        """
        return


ALONE = Alone()
"""Where nobody needs to know which rows there are."""


def require_manner(ranks: Alone, settings: dict[str, Any], path: str) -> None:
    """Raise a `ValueError` where a checkpoint's steps were taken together in another way.

    Parameters
    ----------
    ranks : Alone
    settings : dict of str to object
        What the checkpoint says.
    path : str
        Where it lies.
    """
    for name, value in ranks.manner.items():
        was = settings.get(name, value if ranks.shared else ALONE.manner[name])
        if was != value:
            remedy = f"Pass comm=fastmlp.distributed.Ranks(..., {name}={was!r})."
            raise invalid(name, f"{was!r}, as in {path}", repr(value), remedy)


def require_alike(everyone: list[dict[str, Any]], name: str = "") -> None:
    """Raise a `ValueError` where something is not the same on all ranks.

    Parameters
    ----------
    everyone : list of dict of str to object
        What is to be the same, one a rank.
    name : str
        What the caller calls the data; left out where it is arguments that are compared.
    """
    for number, own in enumerate(everyone):
        for what, first in everyone[0].items():
            if own[what] != first:
                rule = f"data with the same {what}" if name else "the same"
                got = f"{first} on rank 0, {own[what]} on rank {number}"
                raise invalid(name or what, f"{rule} on all ranks", got)

"""What trainings on several machines need of a communicator, and what goes wrong there."""

from typing import Any, Protocol

from fastmlp._arrays import Array

TIMEOUT = 300.0
"""Seconds; a rank may have to compile, or to read its rows, while the others wait."""


class RankError(RuntimeError):
    """Another rank cannot go on, so that this one cannot either; the message names it."""


class Communicator(Protocol):
    """What several processes say to one another: each calls the same methods in the same order."""

    rank: int
    """The number of this process, from 0."""
    size: int
    """The number of all."""

    def all_reduce(self, values: Array) -> None:
        """Sum arrays of one shape and dtype over the ranks, in place: all have the sum.

        Parameters
        ----------
        values : ndarray, contiguous

        Raises
        ------
        RankError
            If another rank cannot go on, or does not come.
        """

    def broadcast(self, value: Any, root: int = 0) -> Any:
        """Send what one rank has to all.

        Parameters
        ----------
        value : object
            It can be pickled; only that of `root` counts.
        root : int

        Returns
        -------
        object

        Raises
        ------
        RankError
            See `all_reduce`.
        """

    def fail(self, reason: str) -> None:
        """Tell the others, who may be waiting, that this rank cannot go on.

        Parameters
        ----------
        reason : str
        """

    def close(self) -> None:
        """End the use of the communicator where all went well."""

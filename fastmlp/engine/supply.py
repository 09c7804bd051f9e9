"""Where the samples of an epoch come from: memory, or a source that is read piece by piece."""

from collections.abc import Generator
from typing import Any, NamedTuple, Protocol

import numpy as np

from fastmlp._arrays import Indices
from fastmlp.backends.contract import Problem, n_batches
from fastmlp.engine.state import State, UnfinishedEpoch


class Piece(NamedTuple):
    """Consecutive batches of an epoch, and the data that hold their samples."""

    problem: Problem
    order: Indices
    """(n_rows,): the samples, batch after batch; only the epoch's last may be short."""
    first: int
    """Number of its first batch in the epoch."""
    last: int
    """And of its last, exclusive."""


class Supply(Protocol):
    """Brings the samples of each epoch, in pieces of whole batches."""

    in_memory: bool
    """Whether all samples are there at any time."""
    sample: Problem
    """Data as those of the pieces, by which a backend prepares for them."""

    def begin(self, state: State) -> UnfinishedEpoch:
        """Begin an epoch.

        Parameters
        ----------
        state : State

        Returns
        -------
        UnfinishedEpoch
        """

    def count(self, state: State) -> int:
        """Count the samples of the epoch that is under way.

        Parameters
        ----------
        state : State

        Returns
        -------
        int
        """

    def pieces(self, state: State) -> Generator[Piece, None, None]:
        """Bring what is left of the epoch that is under way.

        Parameters
        ----------
        state : State

        Yields
        ------
        Piece
            The first may begin with batches that are done.
        """


class InMemory:
    """Samples that are all there: an epoch is one piece; see `Supply`.

    Parameters
    ----------
    problem : Problem
    step_size : int
        Samples an update.
    """

    in_memory = True

    def __init__(self, problem: Problem, step_size: int) -> None:
        self.sample, self.step_size = problem, step_size

    def begin(self, state: State) -> UnfinishedEpoch:
        """Draw the order of an epoch; see `Supply.begin`."""
        draws: Any = state.orders
        order = draws.draw()
        return UnfinishedEpoch(order, np.empty(n_batches(len(order), self.step_size)))

    def count(self, state: State) -> int:
        """Count the samples; see `Supply.count`."""
        return len(_order(state))

    def pieces(self, state: State) -> Generator[Piece, None, None]:
        """Bring all; see `Supply.pieces`."""
        order = _order(state)
        yield Piece(self.sample, order, 0, n_batches(len(order), self.step_size))


def _order(state: State) -> Indices:
    """Return the order of the epoch that is under way."""
    order: Any = None if state.unfinished is None else state.unfinished.order
    found: Indices = order
    return found

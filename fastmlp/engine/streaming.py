"""Samples that are read from a source while it is trained on."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._clock import now, since
from fastmlp.backends.contract import Problem, n_batches
from fastmlp.data.reading import Reader, Rows
from fastmlp.engine.state import State, UnfinishedEpoch
from fastmlp.engine.supply import Piece
from fastmlp.inputs import Features, Scale
from fastmlp.rng import BlockOrders

Array = NDArray[Any]

PIECE_BYTES = 1 << 23
"""Of the features of a piece: its rows are copied, in their order, out of a group of blocks. A call
of a backend takes half a millisecond beside its work on them."""


class Streamed:
    """Samples of a source, piece after piece; see `supply.Supply`.

    Parameters
    ----------
    reader : Reader
    orders : BlockOrders
    scale : Scale
    weigh : callable or None
        From targets to the weights of their samples; None weighs all alike.
    step_size : int
        Samples an update.
    """

    in_memory = False

    def __init__(
        self,
        reader: Reader,
        orders: BlockOrders,
        scale: Scale,
        weigh: Callable[[Array], Array] | None,
        step_size: int,
    ) -> None:
        self.reader, self.orders, self.scale, self.weigh = reader, orders, scale, weigh
        step_bytes = reader.source.n_features * reader.kept.itemsize * step_size
        self.step_size, self.n_steps = step_size, max(1, PIECE_BYTES // step_bytes)
        as_they_lie = replace(orders, shuffle=False, per_group=1)
        self.sample = self._problem(next(self._read(as_they_lie, 0, 0)))

    def begin(self, state: State) -> UnfinishedEpoch:
        """Begin an epoch, whose order follows from its number; see `Supply.begin`."""
        return UnfinishedEpoch(None, np.empty(n_batches(self.orders.n_samples, self.step_size)))

    def count(self, state: State) -> int:
        """Count the samples; see `Supply.count`."""
        return self.orders.n_samples

    def pieces(self, state: State) -> Generator[Piece, None, None]:
        """Read what is left of an epoch; see `Supply.pieces`."""
        unfinished = self.begin(state) if state.unfinished is None else state.unfinished
        first, start = unfinished.n_done // self.n_steps * self.n_steps, now()
        for rows in self._read(self.orders, state.epoch, first * self.step_size):
            n_rows = len(rows.X)
            last = first + n_batches(n_rows, self.step_size)
            piece = Piece(self._problem(rows), np.arange(n_rows), first, last)
            unfinished.seconds += since(start)  # waiting for data is training, too
            yield piece
            first, start = last, now()

    def _read(self, orders: BlockOrders, epoch: int, first: int) -> Iterator[Rows]:
        return self.reader.in_order(orders, epoch, first, self.n_steps * self.step_size)

    def _problem(self, rows: Rows) -> Problem:
        """Describe rows to a backend."""
        weights = None if self.weigh is None else self.weigh(rows.targets)
        return Problem(Features(rows.X, self.scale, self.reader.dtype), rows.targets, weights)

"""Samples that are read from a source while it is trained on."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

import numpy as np

from fastmlp._arrays import Array
from fastmlp._clock import now, since
from fastmlp.backends.contract import Problem, n_batches
from fastmlp.data.reading import Reader, Rows
from fastmlp.engine.interleaving import batch_order, rows_before
from fastmlp.engine.state import State, UnfinishedEpoch
from fastmlp.engine.supply import Piece
from fastmlp.inputs import Features, Scale
from fastmlp.ranks import ALONE, Alone
from fastmlp.rng import BlockOrders

PIECE_BYTES = 1 << 23
"""Of the features of a piece: its rows are copied, in their order, out of a group of blocks. A call
of a backend takes half a millisecond beside its work on them."""


class Streamed:
    """Samples of a source, piece after piece; see `supply.Supply`.

    Of several ranks each reads the rows of its own blocks, in an order of its own. Every batch has
    rows of each, as many as are its share; see `interleaving`.

    Parameters
    ----------
    reader : Reader
        Of this rank's source.
    orders : BlockOrders
        Of all ranks.
    scale : Scale
    weigh : callable or None
        From targets to the weights of their samples; None weighs all alike.
    step_size : int
        Samples an update.
    ranks : Alone
        Told of the rows of each piece.
    """

    in_memory = False

    def __init__(
        self,
        reader: Reader,
        orders: BlockOrders,
        scale: Scale,
        weigh: Callable[[Array], Array] | None,
        step_size: int,
        ranks: Alone = ALONE,
    ) -> None:
        self.reader, self.orders, self.scale, self.weigh = reader, orders, scale, weigh
        self.step_size, self.ranks = step_size, ranks
        self.counts = np.array([own.n_samples for own in orders.of_ranks()], np.intp)
        most = step_size * self.counts.max() / self.counts.sum()
        step_bytes = reader.source.n_features * reader.kept.itemsize * most
        self.n_steps = max(1, int(PIECE_BYTES / step_bytes))
        as_they_lie = replace(orders, shuffle=False, per_group=1)
        self.sample = next(self._read(as_they_lie, 0, 0)).problem

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
        for piece in self._read(self.orders, state.epoch, first):
            # Waiting for data is training, too.
            unfinished.seconds += self.ranks.agree(since(start))
            yield piece
            start = now()

    def _read(self, orders: BlockOrders, epoch: int, first: int) -> Iterator[Piece]:
        """Read the pieces of an epoch, the first of which begins with a batch."""
        n_samples, rank = orders.n_samples, self.ranks.rank
        places = np.arange(first, n_batches(n_samples, self.step_size), self.n_steps)
        starts = np.append(places * self.step_size, n_samples)
        mine = rows_before(starts, self.counts)[:, rank]
        sizes = np.diff(mine)
        rows = self.reader.in_order(
            orders.of_ranks()[rank], epoch, int(mine[0]), sizes[sizes > 0].tolist()
        )
        for step, begin, end, size in zip(places, starts, starts[1:], sizes, strict=False):
            borders = np.append(np.arange(begin, end, self.step_size), end)
            before = rows_before(borders, self.counts)
            self.ranks.place(np.diff(before[[0, -1]], axis=0)[0].tolist())
            own = next(rows) if size else self.reader.load([])
            last = int(step) + len(borders) - 1
            yield Piece(self._problem(own), batch_order(before), int(step), last)

    def _problem(self, rows: Rows) -> Problem:
        """Describe rows to a backend."""
        weights = rows.weights
        if self.weigh is not None:
            of_classes = self.weigh(rows.targets)
            weights = of_classes if weights is None else weights * of_classes
        if weights is not None:
            weights = self.ranks.gather(weights)
        return Problem(Features(rows.X, self.scale, self.reader.dtype), rows.targets, weights)

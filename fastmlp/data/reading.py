"""Blocks, read and checked: into one array each of features and targets, or row after row."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple, TypeVar
from zlib import adler32

import numpy as np

from fastmlp._arrays import Array, Indices
from fastmlp._errors import invalid
from fastmlp.containers import NUMERIC_KINDS
from fastmlp.data.memory import Ring, allocate
from fastmlp.data.source import Chunk, Source, kept_dtype
from fastmlp.inputs import Features, Scale, require_finite
from fastmlp.rng import BlockOrders

Item = TypeVar("Item")
Encode = Callable[[Array, str], Array]
"""Turns targets as they come into the engine's; told what to call them in an error message."""

SAME = "Data must stay as they are while they are trained on: begin again."


class Rows(NamedTuple):
    """Rows as the engine takes them."""

    X: Array
    """(n_rows, n_features), uint8 or what is computed in."""
    targets: Array
    """(n_rows,) intp, or (n_rows, n_outputs)."""
    weights: Array | None = None
    """(n_rows,), of what is computed in; None where all weigh alike."""


def checked(source: Source, block: int) -> Iterator[Chunk]:
    """Read a block, and see that it is what the source says.

    Parameters
    ----------
    source : Source
    block : int

    Yields
    ------
    Chunk

    Raises
    ------
    ValueError
        If it cannot be read, or its rows are of another number, width or dtype.
    """
    place, n_rows = source.place(block), 0
    try:
        for chunk in source.chunks(block):
            _require_like(source, chunk, place)
            n_rows += len(chunk.X)
            yield chunk
    except OSError as error:
        raise invalid(place, "there, and readable, all the time", str(error)) from error
    if n_rows != source.lengths[block]:
        raise invalid(place, f"of {source.lengths[block]} rows", f"{n_rows} rows", SAME)


def _require_like(source: Source, chunk: Chunk, place: str) -> None:
    """Raise a `ValueError` where rows are not what the source says."""
    X, y, weights = chunk
    if X.ndim != 2 or X.shape[1] != source.n_features:
        raise invalid(f"X in {place}", f"of {source.n_features} columns", f"shape {X.shape}")
    if X.dtype.kind not in NUMERIC_KINDS:
        remedy = "Encode text as numbers first."
        raise invalid(f"X in {place}", "numeric", f"dtype {X.dtype}", remedy)
    if X.dtype != source.dtype:
        rule = f"of dtype {source.dtype}, as in the blocks before"
        raise invalid(f"X in {place}", rule, f"dtype {X.dtype}")
    if y is not None and len(y) != len(X):
        raise invalid(f"y in {place}", f"as long as X, {len(X)} rows", f"{len(y)} rows")
    if weights is not None and (weights.shape != (len(X),) or weights.dtype.kind not in "biuf"):
        got = f"{weights.dtype} of shape {weights.shape}"
        raise invalid(f"weight in {place}", f"{len(X)} numbers, one a row of X", got)


class Checks:
    """A number by which to know a block again.

    Adler-32 takes 0.3 ns a byte, a tenth of what a small network does.
    """

    def __init__(self) -> None:
        self.value = 1

    def add(self, chunk: Chunk) -> None:
        """Take rows in."""
        for values in chunk:
            if values is not None:
                whole = values.astype(str) if values.dtype == object else values
                self.value = adler32(np.ascontiguousarray(whole).view(np.uint8).data, self.value)


class Reader:
    """Reads the blocks of a source as the engine takes them.

    Parameters
    ----------
    source : Source
    dtype : dtype
        What is computed in.
    encode : callable
        See `Encode`.
    checks : sequence of int, optional
        What is known of each block; see `Checks`. Left out, values are looked at instead.
    no_targets : ndarray of shape (0, ...), optional
        What `encode` makes of no rows.
    """

    def __init__(
        self,
        source: Source,
        dtype: np.dtype[Any],
        encode: Encode,
        checks: Sequence[int] | None = None,
        no_targets: Array | None = None,
    ) -> None:
        self.source, self.dtype, self.encode, self.checks = source, dtype, encode, checks
        self.no_targets = np.empty(0) if no_targets is None else no_targets
        self.kept = kept_dtype(source.dtype, dtype)

    def load(
        self, blocks: Sequence[int] | Indices, allocate: Callable[..., Array] = allocate
    ) -> Rows:
        """Read blocks, one after the other.

        Parameters
        ----------
        blocks : sequence of int
        allocate : callable
            Makes the array of the features, from its shape and dtype.

        Returns
        -------
        Rows

        Raises
        ------
        ValueError
            If a block cannot be read or used, or is not what it was.
        """
        source, first = self.source, 0
        n_rows = sum(int(source.lengths[block]) for block in blocks)
        X, targets = allocate((n_rows, source.n_features), self.kept), []
        weights = np.empty(n_rows, self.dtype) if source.weighted else None
        for block in blocks:
            for chunk in self._known(block):
                last = first + len(chunk.X)
                X[first:last] = chunk.X
                if weights is not None:
                    weights[first:last] = chunk.weights
                first = last
                if chunk.y is not None:
                    targets.append(self.encode(chunk.y, f"y in {source.place(block)}"))
        return Rows(X, np.concatenate(targets) if targets else self.no_targets, weights)

    def _known(self, block: int) -> Iterator[Chunk]:
        """Read a block, and see that its values are finite, or what they were before."""
        source, check, n_rows = self.source, Checks(), 0
        name = f"X in {source.place(block)}"
        for chunk in checked(source, block):
            if self.checks is None:
                require_finite(chunk.X, source.feature_names, self.dtype, name, n_rows)
            else:
                check.add(chunk)
            n_rows += len(chunk.X)
            yield chunk
        if self.checks is not None and check.value != self.checks[block]:
            raise invalid(source.place(block), "what it was before", "other values", SAME)

    def in_parts(self, blocks: Sequence[int] | Indices) -> Iterator[Rows]:
        """Read blocks one at a time, the next while one is worked on."""
        return read_ahead(self.load([block]) for block in blocks)

    def in_order(
        self, orders: BlockOrders, epoch: int, first: int, sizes: Iterable[int]
    ) -> Iterator[Rows]:
        """Read the rows of an epoch in their order.

        Parameters
        ----------
        orders : BlockOrders
        epoch : int
        first : int
            The row of the epoch to begin with.
        sizes : iterable of int
            So many at a time, at least 1; no more than are left.

        Yields
        ------
        Rows
        """
        groups = orders.groups(epoch)
        ends = np.cumsum([orders.lengths[group].sum() for group in groups])
        begin = int(np.searchsorted(ends, first, side="right"))
        skipped = first - (int(ends[begin - 1]) if begin else 0)
        # One group is put in order while the next is read.
        memory = Ring(2).allocate
        loaded = ((group, self.load(groups[group], memory)) for group in range(begin, len(groups)))
        runs = _runs(read_ahead(loaded), orders, epoch, skipped)
        # A thread of its own: it takes a quarter to a half of what a small network does.
        return read_ahead(_cut(runs, sizes))


def _runs(
    loaded: Iterator[tuple[int, Rows]], orders: BlockOrders, epoch: int, skipped: int
) -> Iterator[tuple[Rows, Indices]]:
    """Draw the order of the rows of each group."""
    for number, rows in loaded:
        yield rows, orders.rows_of(epoch, number, len(rows.X))[skipped:]
        skipped = 0


def _cut(runs: Iterator[tuple[Rows, Indices]], sizes: Iterable[int]) -> Iterator[Rows]:
    """Copy rows out of one group after the other, some at a time."""
    piece: Rows | None = None
    n_done, coming = 0, iter(sizes)
    # One piece is made, one is ready, and one is worked on.
    rings = Ring(3), Ring(3), Ring(3)
    for rows, order in runs:
        taken = 0
        while taken < len(order):
            if piece is None:
                size, n_done = next(coming), 0
                piece = Rows(*map(partial(_allocate, size), rings, rows))
            some = order[taken : taken + len(piece.X) - n_done]
            for target, values in zip(piece, rows, strict=True):
                if target is None or values is None:
                    continue
                # "clip" lets NumPy write into the target at once; no row is out of bounds.
                np.take(values, some, axis=0, out=target[n_done : n_done + len(some)], mode="clip")
            taken, n_done = taken + len(some), n_done + len(some)
            if n_done == len(piece.X):
                yield piece
                piece = None


def _allocate(n_rows: int, ring: Ring, values: Array | None) -> Any:
    """Make room for rows like others; None where there are none."""
    return values if values is None else ring.allocate((n_rows, *values.shape[1:]), values.dtype)


def read_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Have a second thread make the next item while one is worked on.

    Parameters
    ----------
    items : iterator

    Yields
    ------
    object
        Two are there at a time, at most.
    """
    pool, end = ThreadPoolExecutor(1, "fastmlp-reading"), object()
    try:
        coming = pool.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, items, end)
            yield item  # type: ignore[misc]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def read_all(source: Source) -> Iterator[tuple[int, int, Chunk]]:
    """Read all blocks, one after the other, some rows while others are worked on.

    Parameters
    ----------
    source : Source

    Yields
    ------
    block : int
    first : int
        Where in the block the rows begin.
    rows : Chunk
    """

    def read() -> Iterator[tuple[int, int, Chunk]]:
        for block in range(len(source.lengths)):
            first = 0
            for chunk in checked(source, block):
                yield block, first, chunk
                first += len(chunk.X)

    return read_ahead(read())


def features_of(source: Source, scale: Scale, dtype: np.dtype[Any]) -> Iterator[Features]:
    """Read the features of a source, block by block, in its own order.

    Parameters
    ----------
    source : Source
        Its target is not looked at.
    scale : Scale
    dtype : dtype
        What is computed in.

    Yields
    ------
    Features
    """
    reader = Reader(source, dtype, lambda y, name: np.empty(0))
    for rows in reader.in_parts(range(len(source.lengths))):
        yield Features(rows.X, scale, dtype)

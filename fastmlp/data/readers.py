"""Blocks from the user's own functions, and rows from an iterator."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from fastmlp._checks import check_whole
from fastmlp._errors import invalid
from fastmlp.containers import as_table, is_sparse
from fastmlp.data.ranges import count_targets
from fastmlp.data.source import BUFFER, Chunk, Source, require_rows

DENSE = "Sources are of dense rows; train takes a sparse matrix that is in memory."


def as_chunk(given: Any, place: str) -> Chunk:
    """Take what a user's function returns as X and y.

    Parameters
    ----------
    given : object
        A pair, or X alone.
    place : str
        For error messages.
    """
    X, y = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    if is_sparse(X):
        raise invalid(f"X in {place}", "dense", "a sparse matrix", DENSE)
    return Chunk(as_table(X, f"X in {place}").values, None if y is None else np.asarray(y))


class Blocks(Source):
    """Blocks that are read by calling a function each; see `blocks`."""

    def __init__(
        self,
        readers: Sequence[Callable[[], Any]],
        lengths: Sequence[int] | None,
        buffer: str | int,
    ) -> None:
        super().__init__(buffer)
        self.readers = list(readers)
        if not self.readers or not all(map(callable, self.readers)):
            raise invalid("readers", "a sequence of callables, not empty", repr(readers))
        first = self._read(0)
        if first.X.ndim != 2:
            raise invalid("X in block 0", "2-D (n_samples, n_features)", f"shape {first.X.shape}")
        self.n_features, self.dtype = first.X.shape[1], first.X.dtype
        self.n_targets = count_targets(first.y)
        if lengths is None:
            rest = (len(self._read(block).X) for block in range(1, len(self.readers)))
            lengths = [len(first.X), *rest]
        self.lengths = tuple(check_whole("lengths", length) for length in lengths)
        if len(self.lengths) != len(self.readers):
            rule = f"one number for each of the {len(self.readers)} readers"
            raise invalid("lengths", rule, f"{len(self.lengths)} numbers")
        require_rows(self, "readers")

    def chunks(self, block: int) -> Iterator[Chunk]:
        """Read a block; see `Source.chunks`."""
        yield self._read(block)

    def place(self, block: int) -> str:
        """Say where a block lies; see `Source.place`."""
        return f"block {block}"

    def _read(self, block: int) -> Chunk:
        return as_chunk(self.readers[block](), self.place(block))


def blocks(
    readers: Sequence[Callable[[], Any]],
    lengths: Sequence[int] | None = None,
    *,
    buffer: str | int = BUFFER,
) -> Source:
    """Train on blocks that functions of one's own read.

    Parameters
    ----------
    readers : sequence of callable
        Each returns a block as (X, y), or X alone to predict: the same whenever it is called.
    lengths : sequence of int, optional
        Rows of each block; left out, each is read once to count them.
    buffer : str or int
        How much memory the rows may take, such as "2GB".

    Returns
    -------
    Source

    Raises
    ------
    ValueError
        If there are no readers, or lengths of another number.

    Examples
    --------
    >>> import fastmlp, functools, sklearn.datasets
    >>> X, y = sklearn.datasets.load_digits(return_X_y=True)
    >>> def read(start):
    ...     return X[start : start + 300], y[start : start + 300]
    >>> source = fastmlp.data.blocks([functools.partial(read, n) for n in range(0, len(X), 300)])
    >>> source
    <source of 1,797 rows of 64 float64 features in 6 blocks>
    """
    return Blocks(readers, lengths, buffer)


class Stream(Source):
    """Rows that come in one order only; see `iterator`."""

    repeatable = False

    def __init__(
        self, factory: Callable[[], Iterable[Any]], n_samples: int | None, buffer: str | int
    ) -> None:
        super().__init__(buffer)
        if not callable(factory):
            remedy = "Pass what makes one: lambda: read_batches()."
            raise invalid("factory", "a callable that returns an iterator", repr(factory), remedy)
        self.factory = factory
        lengths = []
        for number, given in enumerate(factory()):
            chunk = as_chunk(given, f"batch {number}")
            if number == 0:
                self.n_features, self.dtype = chunk.X.shape[1], chunk.X.dtype
                self.n_targets = count_targets(chunk.y)
            if len(chunk.X):
                lengths.append(len(chunk.X))
            if n_samples is not None:
                break
        if n_samples is not None and lengths:
            full, rest = divmod(check_whole("n_samples", n_samples), lengths[0])
            lengths = [lengths[0]] * full + [rest] * (rest > 0)
        if not lengths:
            raise invalid("factory", "a callable that returns an iterator", "one of nothing")
        self.lengths = tuple(lengths)
        require_rows(self, "factory")
        self.open: Iterator[Chunk] = iter(())
        self.next_block, self.rest = 0, None

    rest: Chunk | None

    def chunks(self, block: int) -> Iterator[Chunk]:
        """Read the next block; the first begins anew; see `Source.chunks`."""
        if block == 0:
            batches = enumerate(self.factory())
            self.open = (as_chunk(given, f"batch {number}") for number, given in batches)
            self.next_block, self.rest = 0, None
        if block != self.next_block:
            raise invalid("block", f"{self.next_block}, the next of an iterator", block)
        self.next_block, left = block + 1, self.lengths[block]
        while left > 0:
            chunk = self.rest if self.rest is not None else next(self.open, None)
            if chunk is None:
                return
            self.rest = None
            if len(chunk.X) > left:
                self.rest = _part(chunk, slice(left, None))
                chunk = _part(chunk, slice(0, left))
            left -= len(chunk.X)
            yield chunk

    def place(self, block: int) -> str:
        """Say where a block lies; see `Source.place`."""
        first = sum(self.lengths[:block])
        return f"the iterator, rows {first} to {first + self.lengths[block] - 1}"


def _part(chunk: Chunk, rows: slice) -> Chunk:
    return Chunk(chunk.X[rows], None if chunk.y is None else chunk.y[rows])


def iterator(
    factory: Callable[[], Iterable[Any]],
    n_samples: int | None = None,
    *,
    buffer: str | int = BUFFER,
) -> Source:
    """Train on batches that an iterator yields, as loaders of other libraries do.

    Rows are mixed only within the buffer, and only as the iterator mixes them beyond it. A run
    cannot be resumed, and `checkpoint` is refused: nobody can go back in an iterator. Where blocks
    can be read again, `blocks` is the better choice.

    Parameters
    ----------
    factory : callable
        Returns a new iterator of (X, y), whose rows may be others in each epoch, but of the same
        number.
    n_samples : int, optional
        Rows of an epoch; left out, all are read once to count them.
    buffer : str or int
        How much memory the rows may take, such as "2GB".

    Returns
    -------
    Source

    Raises
    ------
    ValueError
        If `factory` is no callable, or returns nothing.
    """
    return Stream(factory, n_samples, buffer)

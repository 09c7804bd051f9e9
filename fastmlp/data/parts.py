"""Parts of a source: some of its blocks, as a source of their own."""

from collections.abc import Iterator

import numpy as np

from fastmlp._checks import check_whole
from fastmlp._errors import invalid
from fastmlp.data.source import Chunk, Derived, Source


class SourcePart(Derived):
    """Consecutive blocks of a source.

    Parameters
    ----------
    source : Source
    first, last : int
        The blocks, the last exclusive.
    """

    def __init__(self, source: Source, first: int, last: int) -> None:
        super().__init__(source)
        self.first, self.lengths = first, source.lengths[first:last]

    def chunks(self, block: int) -> Iterator[Chunk]:
        """Read a block; see `Source.chunks`."""
        return self.source.chunks(self.first + block)

    def place(self, block: int) -> str:
        """Say where a block lies; see `Source.place`."""
        return self.source.place(self.first + block)


def part(source: Source, number: int, n_parts: int) -> Source:
    """Cut a source into parts of about as many rows, in whole blocks, and return one.

    So several processes that train together (`comm=`) share what all can read.

    Parameters
    ----------
    source : Source
    number : int
        From 0: the rank.
    n_parts : int
        The number of ranks.

    Returns
    -------
    Source

    Raises
    ------
    ValueError
        If the source has fewer blocks, or cannot be read block by block.

    Examples
    --------
    >>> import fastmlp, numpy as np
    >>> X = np.arange(600.0).reshape(200, 3)
    >>> def read(start):
    ...     return X[start : start + 50], X[start : start + 50, 0]
    >>> source = fastmlp.data.blocks([lambda start=n: read(start) for n in range(0, 200, 50)])
    >>> fastmlp.data.part(source, 0, 2)
    <source of 100 rows of 3 float64 features in 2 blocks>
    """
    check_whole("number", number, 0, check_whole("n_parts", n_parts) - 1)
    if not source.repeatable:
        raise invalid("source", "one of blocks", "an iterator", "Let each rank have its own.")
    n_blocks = len(source.lengths)
    if n_blocks < n_parts:
        rule = f"of at least {n_parts} blocks, one a part"
        raise invalid("source", rule, f"{n_blocks}", "fastmlp.data.shuffle writes smaller ones.")
    middles = np.cumsum(source.lengths) - np.asarray(source.lengths) / 2
    borders = np.searchsorted(middles, np.arange(1, n_parts) * source.n_samples / n_parts)
    least, most = np.arange(1, n_parts), n_blocks - np.arange(n_parts - 1, 0, -1)
    borders = np.maximum.accumulate(np.clip(borders, least, most) - least) + least
    first, last = np.concatenate([[0], borders, [n_blocks]])[number : number + 2]
    return SourcePart(source, int(first), int(last))

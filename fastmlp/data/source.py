"""What every source is: rows in numbered blocks, which are read when they are needed."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastmlp._arrays import Array
from fastmlp._errors import invalid
from fastmlp.data.memory import as_bytes

BUFFER = "2GB"
"""What a source may take in memory, unless it is told otherwise."""


class Chunk(NamedTuple):
    """Consecutive rows of a block, as they come."""

    X: Array
    """(n_rows, n_features)."""
    y: Array | None
    """(n_rows,) or (n_rows, n_targets); None where there is no target."""
    weights: Array | None = None
    """(n_rows,): what each row weighs; None where all weigh alike."""


class Source(ABC):
    """Data that need not fit in memory: `fastmlp.train` and the estimators take it for X and y.

    Made by the functions of `fastmlp.data`.

    Parameters
    ----------
    buffer : str or int
        How much memory the rows may take.

    Attributes
    ----------
    lengths : sequence of int
        Rows of each block.
    n_features : int
    dtype : dtype
        Of the values as they lie.
    feature_names : tuple of str, or None
        None where the columns have no names.
    n_targets : int
        Columns of the target; 0 where there is none.
    weighted : bool
        Whether rows have weights.
    repeatable : bool
        Whether a block that is read again holds the same rows, and any may be read at any time.
    """

    lengths: Sequence[int]
    n_features: int
    dtype: np.dtype[Any]
    feature_names: tuple[str, ...] | None = None
    n_targets: int = 1
    weighted = False
    repeatable = True

    def __init__(self, buffer: str | int = BUFFER) -> None:
        self.buffer = as_bytes(buffer)

    @abstractmethod
    def chunks(self, block: int) -> Iterator[Chunk]:
        """Read a block, some rows at a time.

        Parameters
        ----------
        block : int

        Yields
        ------
        Chunk
        """

    @abstractmethod
    def place(self, block: int) -> str:
        """Say where a block lies, for error messages.

        Parameters
        ----------
        block : int

        Returns
        -------
        str
        """

    @property
    def n_samples(self) -> int:
        """Number of rows."""
        return int(sum(self.lengths))

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of features."""
        return self.n_samples, self.n_features

    def __repr__(self) -> str:
        rows, blocks = f"{self.n_samples:,} rows", f"{len(self.lengths):,} blocks"
        return f"<source of {rows} of {self.n_features} {self.dtype} features in {blocks}>"


class Derived(Source):
    """A source that is made of another, block by block.

    Parameters
    ----------
    source : Source
    """

    def __init__(self, source: Source) -> None:
        super().__init__(source.buffer)
        self.source, self.lengths = source, source.lengths
        self.n_features, self.dtype = source.n_features, source.dtype
        self.feature_names, self.n_targets = source.feature_names, source.n_targets
        self.weighted, self.repeatable = source.weighted, source.repeatable

    def place(self, block: int) -> str:
        """Say where a block lies; see `Source.place`."""
        return self.source.place(block)


def require_rows(source: Source, what: str) -> None:
    """Raise a `ValueError` where a source has no rows or no features.

    Parameters
    ----------
    source : Source
    what : str
        What its caller was given.
    """
    if source.n_samples == 0 or source.n_features == 0:
        raise invalid(what, "not empty", f"{source.n_samples} rows of {source.n_features} features")


def kept_dtype(dtype: np.dtype[Any], computed: np.dtype[Any]) -> np.dtype[Any]:
    """Choose what values are kept as: bytes stay bytes, other numbers become what is computed in.

    Parameters
    ----------
    dtype : dtype
        As they lie.
    computed : dtype
    """
    return np.dtype(np.uint8) if dtype in (np.uint8, np.bool_) else computed


def names_of(source: Source) -> Array | None:
    """Return the names of the features as `feature_names` functions take them.

    Parameters
    ----------
    source : Source
    """
    names = source.feature_names
    return None if names is None else np.array(names, dtype=object)


def require_no_target(y: Any, names: tuple[str, str]) -> None:
    """Raise a `ValueError` where a target is given beside a source.

    Parameters
    ----------
    y : object
    names : (str, str)
        What the caller calls the source and the target.
    """
    if y is not None:
        rule = f"left out where {names[0]} is a source, which has its own"
        raise invalid(names[1], rule, f"a {type(y).__name__}")


def require_width(source: Source, n_features: int, name: str) -> None:
    """Raise a `ValueError` where a source has not as many features as there were in training.

    Parameters
    ----------
    source : Source
    n_features : int
    name : str
        What the caller calls it.
    """
    if source.n_features != n_features:
        rule = f"of {n_features} columns, as in training"
        raise invalid(name, rule, f"a source of {source.n_features}")

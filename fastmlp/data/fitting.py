"""What of a source fits in memory: all of it, or so many blocks."""

from typing import Any

import numpy as np

from fastmlp._errors import invalid
from fastmlp.data.memory import affordable
from fastmlp.data.reading import Reader, Rows
from fastmlp.data.source import Source, kept_dtype

WORD = 8
"""Bytes of a target, and of a row's place in the order."""


def row_bytes(source: Source, dtype: np.dtype[Any]) -> int:
    """Count what a row takes in memory.

    Parameters
    ----------
    source : Source
    dtype : dtype
        What is computed in.
    """
    features = source.n_features * kept_dtype(source.dtype, dtype).itemsize
    return features + WORD * (1 + source.weighted + max(1, source.n_targets))


def is_small(source: Source, dtype: np.dtype[Any]) -> bool:
    """Tell whether all rows of a source fit in its buffer, so that they are read into arrays.

    Parameters
    ----------
    source : Source
    dtype : dtype
        What is computed in.
    """
    needed = source.n_samples * row_bytes(source, dtype)
    return source.repeatable and needed <= affordable(source.buffer, needed)


def read_whole(source: Source, dtype: np.dtype[Any], name: str = "X") -> Rows:
    """Read a source into arrays.

    Parameters
    ----------
    source : Source
        With a target.
    dtype : dtype
        What is computed in.
    name : str
        What the caller calls it.

    Returns
    -------
    Rows
        Their targets as they come.
    """
    require_target(source, name)
    return Reader(source, dtype, lambda y, _: np.asarray(y)).load(range(len(source.lengths)))


def weights_of(rows: Rows, sample_weight: Any) -> Any:
    """Return what weighs the rows of a source that was read whole: its own, or an argument.

    Parameters
    ----------
    rows : Rows
    sample_weight : object

    Raises
    ------
    ValueError
        If there are both.
    """
    if rows.weights is None:
        return sample_weight
    require_no_weights(sample_weight)
    return rows.weights


def require_no_weights(sample_weight: Any) -> None:
    """Raise a `ValueError` where weights are given beside a source.

    Parameters
    ----------
    sample_weight : object
    """
    if sample_weight is not None:
        remedy = "A source has its own: fastmlp.data.npy(X, y, weight=...), for example."
        raise invalid("sample_weight", "left out where X is a source", "weights", remedy)


def require_target(source: Source, name: str) -> None:
    """Raise a `ValueError` where a source has no target.

    Parameters
    ----------
    source : Source
    name : str
        What the caller calls it.
    """
    if source.n_targets == 0:
        remedy = "Name its column: fastmlp.data.parquet(folder, target=...), for example."
        raise invalid(name, "a source with a target", "one without", remedy)


def blocks_at_once(source: Source, dtype: np.dtype[Any]) -> int:
    """Count the blocks that are in memory together: half of the buffer is filled meanwhile.

    Parameters
    ----------
    source : Source
    dtype : dtype
        What is computed in.

    Returns
    -------
    int
        So many of the largest fit.

    Raises
    ------
    ValueError
        If not one does.
    """
    needed = source.n_samples * row_bytes(source, dtype)
    longest = max([1, *source.lengths]) * row_bytes(source, dtype)
    fitting = affordable(source.buffer, needed) // 2 // longest
    if fitting == 0:
        rule = f"at least {2 * longest / 1e6:.3g} MB, for two of the largest blocks"
        remedy = "fastmlp.data.shuffle(source, folder) rewrites the data in smaller blocks."
        raise invalid("buffer", rule, f"{source.buffer / 1e6:.3g} MB", remedy)
    return fitting

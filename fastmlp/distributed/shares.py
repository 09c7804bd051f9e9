"""Which rows are whose."""

import numpy as np

from fastmlp._arrays import Array, Indices
from fastmlp._checks import check_name, check_whole
from fastmlp._errors import invalid

N_SHARDS = 16
"""Into so many shards of consecutive rows all rows are cut where sums are to be ordered."""

REDUCTIONS = ("sum", "ordered")
"""How gradients are summed; see `Ranks`."""


def shard_starts(n_samples: int) -> Indices:
    """List where the shards begin among all rows, and where they end.

    They depend on nothing but the number of rows.

    Parameters
    ----------
    n_samples : int

    Returns
    -------
    ndarray of shape (N_SHARDS + 1,), intp
    """
    return np.arange(N_SHARDS + 1) * n_samples // N_SHARDS


def share(n_samples: int, rank: int, size: int, reduction: str = "sum") -> slice:
    """Choose a rank's rows among consecutive ones that every rank can read.

    Parameters
    ----------
    n_samples : int
        Number of all rows.
    rank : int
        From 0.
    size : int
        Number of ranks.
    reduction : {"sum", "ordered"}
        With "ordered" a share is made of whole sixteenths; see `Ranks`.

    Returns
    -------
    slice

    Examples
    --------
    >>> from fastmlp.distributed import share
    >>> share(100, 1, 3)
    slice(33, 66, None)
    >>> share(100, 1, 3, "ordered")
    slice(31, 62, None)
    """
    check_name("reduction", reduction, REDUCTIONS)
    check_whole("rank", rank, 0, check_whole("size", size) - 1)
    if reduction == "sum":
        return slice(rank * n_samples // size, (rank + 1) * n_samples // size)
    starts = shard_starts(n_samples)
    first, last = (int(starts[number * N_SHARDS // size]) for number in (rank, rank + 1))
    return slice(first, last)


def require_whole_shards(starts: Array) -> None:
    """Raise a `ValueError` where a shard lies on two ranks.

    Parameters
    ----------
    starts : ndarray of shape (size + 1,), intp
        Where the ranks' rows begin, and where they end.
    """
    expected = shard_starts(int(starts[-1]))
    if not np.isin(starts, expected).all():
        got = " ".join(map(str, np.diff(starts)))
        raise invalid(
            "X", f"divided among the ranks into whole sixteenths of all {starts[-1]} rows with "
            "reduction='ordered'", f"{got} rows", "fastmlp.distributed.share divides them so.",
        )  # fmt: skip

"""Batches of several ranks, each of which reads its rows in an order of its own."""

import numpy as np

from fastmlp._arrays import Array, Indices


def rows_before(places: Indices, counts: Indices) -> Indices:
    """Count how many of the first rows of an epoch are each rank's.

    The rows of a rank are spread evenly over the epoch: of the first p rows of ranks 0 to r,
    p c / (c + d), rounded, are those of ranks 0 to r - 1, where these have c rows and rank r has d.
    So each row is some rank's, and no rank has ever fewer than before.

    Parameters
    ----------
    places : ndarray of shape (n_places,), intp
        After so many rows.
    counts : ndarray of shape (size,), intp
        Rows of each rank.

    Returns
    -------
    ndarray of shape (n_places, size), intp
    """
    ends = np.cumsum(counts).tolist()
    before = np.zeros((len(places), len(counts) + 1), np.intp)
    before[:, -1] = places
    for rank in range(len(counts) - 1, 0, -1):
        if ends[rank] > 0:
            # Python's integers: the product of two numbers of rows may need more than 64 bits.
            twice = 2 * before[:, rank + 1].astype(object) * ends[rank - 1]
            before[:, rank] = (twice + ends[rank]) // (2 * ends[rank])
    return before[:, 1:] - before[:, :-1]


def batch_order(before: Indices) -> Indices:
    """List the rows of some batches, of which those of rank 0 come first.

    Parameters
    ----------
    before : ndarray of shape (n_batches + 1, size), intp
        See `rows_before`, where the batches begin and where the last ends.

    Returns
    -------
    ndarray of shape (n_rows,), intp
        Batch after batch; the rows are numbered rank after rank.
    """
    lengths: Array = np.diff(before, axis=0)
    of_rank = lengths.sum(axis=0)
    firsts = np.cumsum(of_rank) - of_rank + before[:-1] - before[0]
    runs = lengths.ravel()
    shifts = firsts.ravel() - (np.cumsum(runs) - runs)
    order: Indices = np.arange(runs.sum()) + np.repeat(shifts, runs)
    return order

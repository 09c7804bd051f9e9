"""Counts, means and squared deviations of columns, which come in parts."""

import numpy as np

from fastmlp._arrays import Array


def moments_of(values: Array) -> Array:
    """Compute the count, the mean and the summed squared deviations of each column.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)

    Returns
    -------
    ndarray of shape (3, n_columns), float64
    """
    mean = values.mean(axis=0, dtype=np.float64)
    return np.stack([np.full(len(mean), float(len(values))), mean,
                     np.square(values - mean).sum(axis=0)])  # fmt: skip


def merged(first: Array, second: Array) -> Array:
    """Put the moments of two parts together (Chan, Golub & LeVeque 1983).

    Parameters
    ----------
    first, second : ndarray of shape (3, n_columns)
        See `moments_of`; of no rows at all where the counts are 0.
    """
    if not first[0].any():
        return second
    count, gap = first[0] + second[0], second[1] - first[1]
    mean = first[1] + gap * second[0] / count
    return np.stack([count, mean, first[2] + second[2] + gap**2 * first[0] * second[0] / count])

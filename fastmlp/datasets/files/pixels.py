"""Bytes may be pixels, which are scaled, or a table's numbers, which are not."""

import numpy as np

from fastmlp._arrays import Array

PIXEL_SPAN = 128
"""Half of the range of a byte."""


def guess_scale(X: Array) -> tuple[str | None, tuple[str, ...]]:
    """Tell how features are to be scaled, and say so where they are bytes.

    Pixels share one range. In a table, columns of flags and counts stand beside others, or span
    little of what a byte holds: divided by 255 they would be lost.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)

    Returns
    -------
    input_scale : "unit" or None
        "unit" for uint8 where at least half of the columns that vary span `PIXEL_SPAN` or more.
    notes : tuple of str
        One for uint8, none for others.
    """
    if X.dtype != np.uint8 or X.ndim != 2 or not X.size:
        return None, ()
    spans = np.ptp(X, axis=0)
    spans = spans[spans > 0]
    if len(spans) and np.mean(spans >= PIXEL_SPAN) >= 0.5:
        return "unit", ("bytes, read as pixels: input_scale 'unit', x / 255, unless it is given",)
    return None, ("bytes, read as a table: input_scale None, unless it is given",)

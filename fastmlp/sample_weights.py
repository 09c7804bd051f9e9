"""The samples' weights, in what is computed in."""

from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp._errors import invalid


def as_weights(weights: Array, dtype: np.dtype[Any], name: str, incremental: bool) -> Array:
    """Turn weights into what is computed in.

    Parameters
    ----------
    weights : ndarray of shape (n_samples,)
    dtype : dtype
        float32 or float64.
    name : str
        What the caller calls them, for the error messages.
    incremental : bool
        Whether all may be 0: a batch without weight moves nothing.

    Returns
    -------
    ndarray of shape (n_samples,), dtype

    Raises
    ------
    ValueError
        If one is negative or not finite, all are 0, or the largest would make sums of products with
        it underflow or overflow, so that nothing could be learned.
    """
    least, largest, limits = weights.min(), weights.max(), np.finfo(dtype)
    if not (least >= 0 and largest < np.inf):
        raise invalid(name, "finite and at least 0", f"{least} to {largest}")
    if largest == 0 and not incremental:
        raise invalid(name, "above 0 for some of the samples", "0 for all")
    low, high = float(limits.tiny / limits.eps), float(limits.max * limits.eps)
    if largest != 0 and not low <= largest <= high:
        raise invalid(
            name, f"from {low:.0e} to {high:.0e} at its largest to be computed with in {dtype}",
            f"{largest:.3g}", "Multiply all by one number, and alpha and l1 with them.",
        )  # fmt: skip
    return weights.astype(dtype)

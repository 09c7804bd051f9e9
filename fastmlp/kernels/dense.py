"""Reading a batch of samples from a dense matrix where it lies."""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.jit import kernel
from fastmlp.kernels.simd import item


class DenseFeatures(NamedTuple):
    """The data matrix X = scale V + shift, V in flat memory of any order."""

    values: np.ndarray
    """(n,) float32, float64 or uint8."""
    row_step: int
    column_step: int
    scale: float
    shift: float


@kernel
def gather(features, batch, first, last, inputs, start, n_features):
    """Compute scale v + shift for every value of some rows of a batch.

    Parameters
    ----------
    features : DenseFeatures
    batch : (n_rows,) intp
        The samples.
    first, last : int
        Which rows of the batch.
    inputs : (n,) float
        The batch's matrix is overwritten, from `start` on.
    start : int
    n_features : int
    """
    number, scale, shift = inputs.dtype.type, features.scale, features.shift
    for row in range(first, last):
        begin = batch[row] * features.row_step
        # Slices, whose indices cannot be negative: else the compiler does not vectorise.
        values = features.values[begin : begin + (n_features - 1) * features.column_step + 1]
        target = inputs[start + row * n_features : start + (row + 1) * n_features]
        if features.column_step == 1:  # said apart, for then they lie side by side
            for feature in range(n_features):
                target[feature] = number(values[feature]) * scale + shift
        else:
            for feature in range(n_features):
                value = item(values, feature * features.column_step)
                target[feature] = number(value) * scale + shift

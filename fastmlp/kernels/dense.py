"""Reading a batch of samples from a dense matrix where it lies."""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.kinds import is_a
from fastmlp.kernels.simd import broadcast, fma, item, load_as, n_lanes, store


class DenseFeatures(NamedTuple):
    """The data matrix X = scale V + shift, V in flat memory of any order."""

    values: np.ndarray
    """(n,) float32, float64 or uint8."""
    row_step: int
    column_step: int
    scale: float
    shift: float


@inlined
def count_dense(dense):
    """Count the dense columns beside sparse ones: they lie row by row; () where there are none."""
    if is_a(dense, DenseFeatures):
        return dense.row_step
    return 0


@kernel
def gather(lanes, features, batch, first, last, n_features, inputs):
    """Compute scale v + shift for every value of some rows of a batch.

    Parameters
    ----------
    lanes : simd.Lanes
        Values that are read at a time.
    features : DenseFeatures
    batch : (n_rows,) intp
        The samples.
    first, last : int
        Which rows of the batch.
    n_features : int
    inputs : products.Matrix of shape (n_rows, n_features)
        These rows are overwritten, and what lies behind them up to a multiple of the lanes.
    """
    memory, size = inputs.memory, n_lanes(lanes)
    number, scale, shift = memory.dtype.type, features.scale, features.shift
    scales, shifts = broadcast(lanes, scale), broadcast(lanes, shift)
    whole = n_features // size * size if features.column_step == 1 else 0
    for row in range(first, last):
        source = batch[row] * features.row_step
        target = inputs.start + row * inputs.row_step
        for feature in range(0, whole, size):
            values = load_as(lanes, features.values, source + feature)
            store(memory, target + feature, fma(values, scales, shifts))
    if whole == n_features:
        return
    for row in range(first, last):
        source = batch[row] * features.row_step
        target = inputs.start + row * inputs.row_step
        if features.column_step == 1 and source + whole + size <= features.values.size:
            # A vector that reads from the next sample, too: one by one takes ten times as long.
            values = load_as(lanes, features.values, source + whole)
            store(memory, target + whole, fma(values, scales, shifts))
        else:
            for feature in range(whole, n_features):
                value = item(features.values, source + feature * features.column_step)
                memory[target + feature] = number(value) * scale + shift

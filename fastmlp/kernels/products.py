"""Products of dense matrices, tile by tile; see `tiles`.

The right factor and the result are panels: as many columns as a vector has lanes. So fast it is on
one core of a Zen 4 in panels of a line of memory, beside NumPy's OpenBLAS, in GFLOP/s; in the last
two columns both were held to AVX2:

| n_rows x n_inner x n_columns | float32 | OpenBLAS | float64 | OpenBLAS | AVX2 | OpenBLAS |
|---|---:|---:|---:|---:|---:|---:|
| 64 x 784 x 100 (forward) | 98 | 92 | 53 | 42 | 100 | 98 |
| 784 x 64 x 100 (gradient) | 97 | 94 | 52 | 43 | 96 | 98 |
| 200 x 20 x 100 | 95 | 85 | 51 | 47 | 98 | 77 |
| 64 x 100 x 16 | 110 | 72 | 56 | 44 | 114 | 58 |
| 256 x 256 x 256 | 115 | 104 | 56 | 50 | 113 | 109 |
| 256 x 1024 x 1024 | 106 | 93 | 51 | 49 | 104 | 103 |

Of 112 lanes 100 are counted. So no product here calls BLAS.
"""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.dense import DenseFeatures
from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.kinds import is_a
from fastmlp.kernels.simd import broadcast, load, store
from fastmlp.kernels.tiles import multiply_tiles

INNER = 256
"""Products that are added up at a time: so many lines of each factor stay in a first-level cache
while all tiles of a panel pass."""


class Matrix(NamedTuple):
    """A matrix in flat memory.

    Its element (row, column) lies at `start + row * row_step + column * column_step`.
    """

    memory: np.ndarray
    start: int
    n_rows: int
    row_step: int
    column_step: int


@inlined
def multiply(lanes, left, right, result, adding):
    """Compute C = A B, or C + A B; each element is the sum over k from the first to the last.

    Parameters
    ----------
    lanes : simd.Lanes
    left : Matrix of shape (n_rows, n_inner)
    right : Matrix of shape (n_inner, n_lanes), column step 1
    result : Matrix of shape (n_rows, n_lanes), column step 1
        Overwritten, or added to.
    adding : bool
        Whether it is added to.
    """
    for first in range(0, max(1, right.n_rows), INNER):
        n_inner = min(INNER, right.n_rows - first)
        place = left.start + first * left.column_step
        some = Matrix(left.memory, place, left.n_rows, left.row_step, left.column_step)
        place = right.start + first * right.row_step
        rows = Matrix(right.memory, place, n_inner, right.row_step, 1)
        multiply_tiles(lanes, some, rows, result, adding or first > 0)


@inlined
def add_dense(lanes, dense, left, right, result):
    """Compute C + A B where there are dense columns beside sparse ones; see `multiply`.

    Parameters
    ----------
    lanes : simd.Lanes
    dense : dense.DenseFeatures or ()
        () where there are none.
    left, right, result : Matrix
    """
    if is_a(dense, DenseFeatures):
        multiply(lanes, left, right, result, True)


@kernel
def add_rows(lanes, matrix):
    """Add the rows of a matrix up.

    Parameters
    ----------
    lanes : simd.Lanes
    matrix : Matrix of shape (n_rows, n_lanes), column step 1

    Returns
    -------
    vector
    """
    total = broadcast(lanes, 0.0)
    for row in range(matrix.n_rows):
        total = total + load(lanes, matrix.memory, matrix.start + row * matrix.row_step)
    return total


@kernel
def add_to_rows(lanes, vector, matrix):
    """Add a vector to each row of a matrix of n_lanes columns, in place."""
    for row in range(matrix.n_rows):
        place = matrix.start + row * matrix.row_step
        store(matrix.memory, place, load(lanes, matrix.memory, place) + vector)

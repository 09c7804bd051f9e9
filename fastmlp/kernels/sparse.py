"""The first layer on inputs of which most are the same: only the others cost anything.

An input is x = scale p + constant with p mostly zero, so that

    x W = scale (p W) + constant (sum of the rows of W),

and for each nonzero p_k one row of W is added to sums that stay in registers; going back, p_k times
the deltas is added to row k of the gradient. With 64 float32 units a nonzero costs 1.5 ns forward
and as many back on a Zen 5, where the floor is four loads, or four loads and stores, of 64 bytes
from the second-level cache. Features are taken a block at a time, so that a block of W, or of the
gradient, stays in a cache while all rows of the batch pass.
"""

from typing import Any, NamedTuple

import numpy as np

from fastmlp.kernels.compression import can_compress, count_differing, pick_differing
from fastmlp.kernels.dense import count_dense
from fastmlp.kernels.jit import entry, inlined, kernel
from fastmlp.kernels.simd import broadcast, fma, item, load, n_lanes, prefetch, store

AHEAD = 64
"""How many samples ahead the memory is asked for the rows: they lie anywhere."""

LINE = 16
"""Indices in a line of memory."""


class SparseFeatures(NamedTuple):
    """The data matrix X = scale P + constant, P in compressed rows."""

    indptr: np.ndarray
    """(n_samples + 1,) int64."""
    indices: np.ndarray
    """(n_nonzeros,) int32, in each row rising."""
    values: np.ndarray
    """(n_nonzeros,) float32, float64 or uint8."""
    sums: np.ndarray
    """(n_samples,) float: the sum of each row's values; empty where the constant is 0."""
    scale: float
    constant: float
    block: int
    """Number of features taken at a time."""
    in_place: bool
    """Whether a step adds straight onto the weights, and touches no others."""
    dense: Any = ()
    """DenseFeatures: the first columns of P where they are dense, row by row; else ()."""

    @property
    def n_dense(self) -> int:
        """Number of dense columns; kernels ask `dense.count_dense`."""
        return int(self.dense.row_step) if self.dense else 0


@inlined
def add_weight_rows(lanes, features, cursor, end, limit, weights, start, total):
    """Add p_k W_k for the nonzeros from a cursor on, up to a feature.

    Parameters
    ----------
    lanes : simd.Lanes
    features : SparseFeatures
    cursor, end : int
        The first nonzero, and where its sample ends.
    limit : int
        The feature at which to stop.
    weights : (n_packed,) float
    start : int
        Where the weights of feature 0 lie.
    total : vector

    Returns
    -------
    total : vector
    cursor : int
        The first nonzero that is left.
    """
    size = n_lanes(lanes)
    while cursor < end and item(features.indices, cursor) < limit:
        row = load(lanes, weights, start + item(features.indices, cursor) * size)
        total = fma(broadcast(lanes, item(features.values, cursor)), row, total)
        cursor += 1
    return total, cursor


@inlined
def add_to_rows(lanes, features, cursor, end, limit, deltas, target, start):
    """Add p_k times the deltas to row k for the nonzeros from a cursor on, up to a feature.

    Parameters
    ----------
    lanes : simd.Lanes
    features : SparseFeatures
    cursor, end, limit : int
        See `add_weight_rows`.
    deltas : vector
    target : (n,) float
        Added to.
    start : int
        Where the row of feature 0 lies, or would lie.

    Returns
    -------
    cursor : int
        The first nonzero that is left.
    """
    size = n_lanes(lanes)
    while cursor < end and item(features.indices, cursor) < limit:
        place = start + item(features.indices, cursor) * size
        p = broadcast(lanes, item(features.values, cursor))
        store(target, place, fma(p, deltas, load(lanes, target, place)))
        cursor += 1
    return cursor


@kernel
def start_rows(features, batch, cursors):
    """Point to the first nonzero of each row of a batch.

    Parameters
    ----------
    features : SparseFeatures
    batch : (n_rows,) intp
        The samples.
    cursors : (at least n_rows,) int64
        Overwritten.
    """
    for row in range(batch.size):
        cursors[row] = features.indptr[batch[row]]


@inlined
def prefetch_row(features, sample):
    """Ask the memory for a row that will be read soon."""
    for place in range(features.indptr[sample], features.indptr[sample + 1], LINE):
        prefetch(features.indices, place)
        prefetch(features.values, place)


@kernel
def multiply_nonzeros(lanes, features, batch, n_features, weights, start, cursors, result):
    """Compute P W for one panel.

    Parameters
    ----------
    lanes : simd.Lanes
    features : SparseFeatures
    batch : (n_rows,) intp
        The samples.
    n_features : int
    weights : (n_packed,) float
    start : int
        Where the panel's weights start.
    cursors : (at least n_rows,) int64
        Workspace.
    result : products.Matrix of shape (n_rows, n_lanes)
        Overwritten.
    """
    start_rows(features, batch, cursors)
    begin = count_dense(features.dense)
    for low in range(begin, n_features, features.block):
        limit = low + features.block
        for row in range(batch.size):
            place = result.start + row * result.row_step
            total = broadcast(lanes, 0.0) if low == begin else load(lanes, result.memory, place)
            end = features.indptr[batch[row] + 1]
            total, cursors[row] = add_weight_rows(
                lanes, features, cursors[row], end, limit, weights, start, total
            )
            store(result.memory, place, total)


@kernel
def add_nonzero_products(lanes, features, batch, limit, deltas, cursors, target, start):
    """Add P^T D for the features up to a limit; see `add_to_rows`.

    Parameters
    ----------
    lanes : simd.Lanes
    features : SparseFeatures
    batch : (n_rows,) intp
        The samples.
    limit : int
        The feature at which to stop.
    deltas : products.Matrix of shape (n_rows, n_lanes)
    cursors : (at least n_rows,) int64
        Where to begin in each row; moved on.
    target : (n,) float
        Added to.
    start : int
        Where the row of feature 0 lies, or would lie.
    """
    for row in range(batch.size):
        delta = load(lanes, deltas.memory, deltas.start + row * deltas.row_step)
        end = features.indptr[batch[row] + 1]
        cursors[row] = add_to_rows(lanes, features, cursors[row], end, limit, delta, target, start)


@entry
def count_nonzeros(
    lanes, values, row_step, column_step, background, n_features, first, last, counts
):
    """Count the values in some rows that differ from the background.

    Parameters
    ----------
    lanes : simd.Lanes
        So many values are looked at at a time.
    values : (n,) float32, float64 or uint8
        The data matrix in flat memory.
    row_step, column_step : int
        Distance of its rows and of its columns there.
    background : scalar of the values' dtype
    n_features : int
    first, last : int
        Which rows, the last exclusive.
    counts : (n_samples,) int64
        Overwritten in these rows.
    """
    size = n_lanes(lanes)
    whole = n_features // size * size if column_step == 1 else 0
    for sample in range(first, last):
        start, count = sample * row_step, 0
        for feature in range(0, whole, size):
            count += count_differing(lanes, values, start + feature, background)
        for feature in range(whole, n_features):
            count += item(values, start + feature * column_step) != background
        counts[sample] = count


@inlined
def write_one(matrix, start, feature, indices, packed, place):
    """Write a value and tell whether it counts: else the next one is written over it.

    So there is no branch, which would be hard to predict: 0.4 us for 784 values.
    """
    values, column_step, background = matrix
    value = item(values, start + feature * column_step)
    indices[place] = feature
    packed[place] = packed.dtype.type(np.float64(value) - np.float64(background))
    return value != background


@entry
def pack_nonzeros(
    lanes, values, row_step, column_step, background, n_features, first, last, indptr, indices,
    packed,
):  # fmt: skip
    """Copy what differs from the background, less the background, into compressed rows.

    By vectors, save for the last places of these rows: more is written than counts. Without
    AVX-512 only a vector's question whether anything counts is asked at once.

    Parameters
    ----------
    lanes, values, row_step, column_step, background, n_features, first, last : see `count_nonzeros`
    indptr : (n_samples + 1,) int64
    indices : (n_nonzeros,) int32
        Overwritten in these rows.
    packed : (n_nonzeros,) float32, float64 or uint8
        Overwritten in these rows.
    """
    size, limit, matrix = (
        n_lanes(lanes),
        indptr[last] - n_lanes(lanes),
        (values, column_step, background),
    )
    whole = n_features // size * size if column_step == 1 else 0
    for sample in range(first, last):
        start, place, end, feature = sample * row_step, indptr[sample], indptr[sample + 1], 0
        while feature < whole and place <= limit:
            if count_differing(lanes, values, start + feature, background) == 0:
                feature += size
            elif can_compress(lanes):
                place += pick_differing(
                    lanes, values, start + feature, background, feature, packed, indices, place
                )
                feature += size
            else:
                for _ in range(size):
                    place += write_one(matrix, start, feature, indices, packed, place)
                    feature += 1
        while place < end:
            place += write_one(matrix, start, feature, indices, packed, place)
            feature += 1

"""From the data as they lie to what the kernels read.

Dense data of which most values are the same, the background, are packed once into compressed rows
of the others; a CSR matrix is one already, and other dense data are read where they lie. With
b the background, x = scale v + shift = scale (v - b) + (scale b + shift): the first part is sparse,
the second constant. Nothing else than rounding changes.
"""

from typing import Any, NamedTuple

import numpy as np

from fastmlp._arrays import Array
from fastmlp.backends.compiled.memory import read_only
from fastmlp.backends.compiled.team import split
from fastmlp.inputs import Features
from fastmlp.kernels.dense import DenseFeatures
from fastmlp.kernels.layout import choose_lanes
from fastmlp.kernels.simd import Lanes
from fastmlp.kernels.sparse import SparseFeatures, count_nonzeros, pack_nonzeros
from fastmlp.network import Network

NONZERO_COST, LANE_COST, UPDATE_COST = 40.0, 2.6, 3.0
"""What the first layer costs forward and back, in units of what a feature's lane costs in products
of dense matrices: to find the weights of a nonzero; a lane of them; and, for each lane and batch,
to read and write the weights that a plain step on a nonzero does not touch. Fitted on a Zen 4 to
where 784 features take as long either way: at shares of 0.20, 0.31, 0.28, 0.34 and 0.36 for 16, 64,
100, 256 and 512 float32 units in batches of 64 and more, of 0.5 for 100 in batches of 4. AVX2's
registers alone give the same shares, and so does float64 to a fifth."""

CANDIDATES = 2048
"""About so many values, from all columns, are sorted: what most values are is among them."""

LOOKED_AT = 64
"""Rows from which the background and the share are estimated, spread over the data."""

LOOKED_AT_ONCE = Lanes(np.float32, 16)
"""So many values of any dtype are compared with the background at a time."""

BLOCK = 512
"""At most so many features are taken at a time: their weights, 128 KiB a panel, stay cached."""

SUMMED_ROWS = 4096
"""Rows added up at a time."""

FULL_BLOCK = 16
"""Nonzeros in a row's block from which blocks pay."""


def flat(values: Array) -> tuple[Array, int, int]:
    """View a dense matrix as one vector in memory order, with the steps of its rows and columns.

    Only a strided view that is neither C- nor Fortran-contiguous is copied.
    """
    n_samples, n_features = values.shape
    if values.flags.f_contiguous and not values.flags.c_contiguous:
        return read_only(values.T.ravel()), 1, n_samples
    return read_only(values.ravel()), n_features, 1


def as_dense(features: Features) -> DenseFeatures:
    """Hand a dense matrix to the kernels where it lies.

    Parameters
    ----------
    features : Features

    Returns
    -------
    DenseFeatures
    """
    number, (scale, shift) = features.dtype.type, features.scale
    return DenseFeatures(*flat(features.values), number(scale), number(shift))


def as_sparse(features: Features) -> SparseFeatures:
    """Hand a CSR matrix to the kernels where it lies; only the short `indptr` may be copied.

    Parameters
    ----------
    features : Features

    Returns
    -------
    SparseFeatures
    """
    matrix = features.values
    indices = matrix.indices.astype(np.int32, copy=False)
    sums = row_sums(features, matrix.indptr, matrix.data) if features.scale.shift else None
    return make_sparse(features, matrix.indptr, indices, matrix.data, sums, 0.0)


class Costs(NamedTuple):
    """What the first layer costs a sample, forward and back; see `NONZERO_COST`."""

    column: float
    """A feature where all are dense."""
    beside: float
    """One that is dense beside sparse ones, in their panels."""
    nonzero: float


def costs_of(network: Network, dtype: np.dtype[Any], batch_size: int, plain: bool) -> Costs:
    """Work out what the first layer costs.

    Parameters
    ----------
    network : Network
    dtype : dtype
    batch_size : int
    plain : bool
        Whether a step may add straight onto the weights.

    Returns
    -------
    Costs
        They depend on shapes alone, as the results' bits do.
    """
    n_units, widest = network.layer_sizes[1], max(network.layer_sizes[1:-1], default=0)
    widths = [choose_lanes(widest or n_units, dtype, sparse).width for sparse in (False, True)]
    dense, sparse = (-(-n_units // width) * width for width in widths)
    use = 1 + (UPDATE_COST / batch_size if plain else 0.0)
    beside = sparse * use if batch_size > 1 else np.inf  # single samples have kernels of their own
    return Costs(dense * use, beside, NONZERO_COST + LANE_COST * sparse)


def break_even(network: Network, dtype: np.dtype[Any], batch_size: int, plain: bool) -> float:
    """Find the share of nonzeros up to which skipping zeros costs less than products of matrices.

    It may be above 1; see `costs_of`.
    """
    costs = costs_of(network, dtype, batch_size, plain)
    return costs.column / costs.nonzero


def pack(features: Features, n_threads: int, limit: float) -> SparseFeatures | DenseFeatures:
    """Bring the data into the form in which training on them is fastest.

    Parameters
    ----------
    features : Features
    n_threads : int
        So many threads may pack.
    limit : float
        Up to this share of values that differ from the background, dense data are packed; see
        `break_even`.

    Returns
    -------
    SparseFeatures or DenseFeatures
    """
    if features.is_sparse:
        return as_sparse(features)
    background, share = estimate_background(features.values, limit)
    if share > limit:
        return as_dense(features)
    return without_background(features, background, n_threads)


def without_background(features: Features, background: Any, n_threads: int) -> SparseFeatures:
    """Copy what differs from the background into compressed rows.

    Parameters
    ----------
    features : Features
        A dense matrix.
    background : scalar of its dtype
    n_threads : int

    Returns
    -------
    SparseFeatures
    """
    values, row_step, column_step = flat(features.values)
    n_samples, n_features = features.values.shape
    matrix = (LOOKED_AT_ONCE, values, row_step, column_step, background, n_features)
    counts = np.zeros(n_samples, np.int64)
    split(n_threads, n_samples, lambda first, last: count_nonzeros(*matrix, first, last, counts))
    indptr = np.append(0, np.cumsum(counts))
    # Bytes stay bytes: the background of images is 0.
    dtype = features.dtype if background != 0 else values.dtype
    indices, packed = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], dtype)
    target = (read_only(indptr), indices, packed)
    split(n_threads, n_samples, lambda first, last: pack_nonzeros(*matrix, first, last, *target))
    constant = features.scale.scale * float(background) + features.scale.shift
    sums = row_sums(features, indptr, packed) if constant else None
    return make_sparse(features, indptr, indices, packed, sums, float(background))


def estimate_background(values: Array, limit: float) -> tuple[Any, float]:
    """Find the value that most have in some rows, and the share of the others among them.

    Where most have one it is the median. Zero is taken where it is frequent enough. NaN does not
    occur.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_features)
    limit : float
        The largest share that is of use.

    Returns
    -------
    background : scalar of the values' dtype
    share : float
    """
    step = max(1, len(values) // LOOKED_AT)
    some = np.ascontiguousarray(values[::step][:LOOKED_AT]).ravel()
    zero_share = np.count_nonzero(some) / some.size
    if zero_share <= limit:
        return values.dtype.type(0), zero_share
    few = np.sort(some[:: some.size // CANDIDATES | 1])
    median = few[few.size // 2]
    return median, 1 - np.count_nonzero(some == median) / some.size


def row_sums(features: Features, indptr: Array, values: Array) -> Array:
    """Add up the values of each row.

    Parameters
    ----------
    features : Features
        They say what is computed in.
    indptr : ndarray of shape (n_samples + 1,)
    values : ndarray of shape (n_nonzeros,)

    Returns
    -------
    ndarray of shape (n_samples,)
    """
    sums = np.zeros(len(indptr) - 1, features.dtype)
    for first in range(0, len(sums), SUMMED_ROWS):  # float64 copies are made of the values
        ends = indptr[first : first + SUMMED_ROWS + 1]
        filled = ends[1:] > ends[:-1]  # reduceat would give an empty row the next one's value
        if filled.any():
            some, starts = values[ends[0] : ends[-1]], ends[:-1][filled] - ends[0]
            totals = np.add.reduceat(some, starts, dtype=np.float64)
            sums[first : first + SUMMED_ROWS][filled] = totals
    return sums


def make_sparse(
    features: Features,
    indptr: Array,
    indices: Array,
    values: Array,
    sums: Array | None,
    background: float,
) -> SparseFeatures:
    """Put the parts of the kernels' sparse matrix together."""
    number, (scale, shift) = features.dtype.type, features.scale
    return SparseFeatures(
        indptr=read_only(indptr.astype(np.int64, copy=False)),
        indices=read_only(indices),
        values=read_only(values),
        sums=read_only(np.empty(0, features.dtype) if sums is None else sums),
        scale=number(scale),
        constant=number(scale * background + shift),
        block=choose_block(features, len(values)),
        in_place=False,
    )


def choose_block(features: Features, n_nonzeros: int, n_dense: int = 0) -> int:
    """Choose how many features are taken at a time.

    Parameters
    ----------
    features : Features
    n_nonzeros : int
    n_dense : int
        Features that are not among them.

    Returns
    -------
    int
    """
    n_features = features.n_features - n_dense
    n_blocks = -(-n_features // BLOCK)
    full = n_nonzeros >= FULL_BLOCK * n_blocks * features.n_samples
    if not full or (features.is_sparse and not features.values.has_sorted_indices):
        return n_features
    return -(-n_features // n_blocks)

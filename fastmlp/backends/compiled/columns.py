"""Columns of sparse data that are mostly nonzero: read densely, beside the others' nonzeros.

Tables are mixed: some columns of measurements beside many of categories or words, and the middle of
images beside their border. The features are put in another order, in which the dense ones come
first; users see the weights in their own.
"""

from typing import NamedTuple

import numpy as np

from fastmlp._arrays import Indices
from fastmlp.backends.compiled.memory import read_only
from fastmlp.backends.compiled.packing import Costs, choose_block, pack
from fastmlp.backends.compiled.team import split
from fastmlp.inputs import Features
from fastmlp.kernels.columns import count_sparse, split_rows
from fastmlp.kernels.dense import DenseFeatures
from fastmlp.kernels.sparse import SparseFeatures

LOOKED_AT = 256
"""Rows from which the share of each column is estimated, spread over the data."""

LEAST_SAMPLES = 1024
"""Fewer are learned from in less time than it takes to find out and to copy."""

WORTHWHILE = 0.85
"""Columns are taken apart where the first layer then costs at most so much of what it did. On a
Zen 4 a sample of MNIST, of which 200 columns become dense, then takes 0.78 to 0.93 of the time with
64 or 256 units in batches of 64 or 256; of 20 measurements beside 10 categories of 50 each 0.76 to
0.79, beside 50 categories of 10 each 0.88 to 0.93; with Adam 0.79 to 0.96. Taking
60,000 images apart takes 20 ms, which a few epochs have back."""


class Columns(NamedTuple):
    """Which features are dense."""

    order: Indices
    """(n_features,): the features, the dense ones first."""
    n_dense: int


class Frame(NamedTuple):
    """What the layout of a network depends on beside its shape."""

    sparse: bool
    """Whether it is made for sparse inputs; others may be learned from, too."""
    columns: Columns | None

    def is_like(self, other: "Frame") -> bool:
        """Tell whether the layouts are the same."""
        mine, theirs = self.columns, other.columns
        if self.sparse != other.sparse or mine is None or theirs is None:
            return self.sparse == other.sparse and mine is theirs
        return mine.n_dense == theirs.n_dense and np.array_equal(mine.order, theirs.order)


def read_framed(
    features: Features, columns: Columns | None, limit: float, n_threads: int
) -> SparseFeatures | DenseFeatures:
    """Bring data into a form that goes with others' columns.

    Parameters
    ----------
    features : Features
    columns : Columns or None
        Chosen for other data.
    limit : float
        See `packing.pack`.
    n_threads : int
        So many threads may copy.

    Returns
    -------
    SparseFeatures or DenseFeatures
        Sparse where there are columns, whatever these data are.
    """
    if columns is None:
        return pack(features, n_threads, limit)
    packed = pack(features, n_threads, np.inf)
    assert isinstance(packed, SparseFeatures)
    return copy_apart(features, packed, columns, n_threads)


def take_apart(
    features: Features, packed: SparseFeatures | DenseFeatures, costs: Costs, n_threads: int
) -> tuple[SparseFeatures | DenseFeatures, Columns | None]:
    """Take the dense columns of sparse data apart where that pays.

    Data that are read densely as a whole stay so: their batches are shared out by rows, which keeps
    more threads busy.

    Parameters
    ----------
    features : Features
        The data.
    packed : SparseFeatures or DenseFeatures
        The same as the kernels see it.
    costs : Costs
    n_threads : int
        So many threads may copy.

    Returns
    -------
    packed : SparseFeatures or DenseFeatures
    columns : Columns or None
        None where nothing was done.
    """
    if not isinstance(packed, SparseFeatures) or features.n_samples < LEAST_SAMPLES:
        return packed, None
    columns = choose_columns(packed, features.n_features, costs)
    if columns is None:
        return packed, None
    return copy_apart(features, packed, columns, n_threads), columns


def choose_columns(packed: SparseFeatures, n_features: int, costs: Costs) -> Columns | None:
    """Choose the columns that cost less as dense ones.

    Parameters
    ----------
    packed : SparseFeatures
    n_features : int
    costs : Costs

    Returns
    -------
    Columns or None
        None where all stay sparse.
    """
    n_samples = len(packed.indptr) - 1
    rows = np.arange(0, n_samples, -(-n_samples // LOOKED_AT))
    some = [packed.indices[packed.indptr[row] : packed.indptr[row + 1]] for row in rows]
    sparse = np.bincount(np.concatenate(some), minlength=n_features) * costs.nonzero / len(rows)
    is_dense = sparse > costs.beside
    mixed = np.where(is_dense, costs.beside, sparse)
    if is_dense.all() or mixed.sum() >= WORTHWHILE * sparse.sum():
        return None
    return Columns(np.argsort(~is_dense, kind="stable"), int(is_dense.sum()))


def copy_apart(
    features: Features, packed: SparseFeatures, columns: Columns, n_threads: int
) -> SparseFeatures:
    """Copy the dense columns, and the nonzeros of the others; see `take_apart`."""
    n_samples, n_dense = features.n_samples, columns.n_dense
    places = np.empty(features.n_features, np.int32)
    places[columns.order] = np.arange(features.n_features)
    source = (packed.indptr, packed.indices, read_only(places), n_dense)
    counts = np.empty(n_samples, np.int64)
    split(n_threads, n_samples, lambda *rows: count_sparse(*source, *rows, counts))
    indptr = np.append(0, np.cumsum(counts))
    indices, values = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], packed.values.dtype)
    dense = np.zeros(n_samples * n_dense, packed.values.dtype)
    target = (packed.values, read_only(indptr), indices, values, dense)
    split(n_threads, n_samples, lambda *rows: split_rows(*source, *rows, *target))
    number = features.dtype.type
    return packed._replace(
        indptr=read_only(indptr),
        indices=read_only(indices),
        values=read_only(values),
        block=choose_block(features, len(values), n_dense),
        # The scale and the constant are applied to the sums over all columns.
        dense=DenseFeatures(read_only(dense), n_dense, 1, number(1), number(0)),
    )

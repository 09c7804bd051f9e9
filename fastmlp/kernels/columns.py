"""Taking dense columns out of compressed rows."""

from fastmlp.kernels.jit import entry
from fastmlp.kernels.simd import item


@entry
def count_sparse(indptr, indices, places, n_dense, first, last, counts):
    """Count the nonzeros of some rows that are in no dense column.

    Parameters
    ----------
    indptr : (n_samples + 1,) int64
    indices : (n_nonzeros,) int32
    places : (n_features,) int32
        Where each feature comes: the dense ones first.
    n_dense : int
    first, last : int
        Which rows, the last exclusive.
    counts : (n_samples,) int64
        Overwritten in these rows.
    """
    for sample in range(first, last):
        count = 0
        for source in range(indptr[sample], indptr[sample + 1]):
            count += item(places, item(indices, source)) >= n_dense
        counts[sample] = count


@entry
def split_rows(
    indptr, indices, places, n_dense, first, last, values, sparse_indptr, sparse_indices,
    sparse_values, dense,
):  # fmt: skip
    """Copy the nonzeros of some rows to the dense columns and to compressed rows.

    Parameters
    ----------
    indptr, indices, places, n_dense, first, last : see `count_sparse`
    values : (n_nonzeros,) float32, float64 or uint8
    sparse_indptr : (n_samples + 1,) int64
    sparse_indices : (n_sparse,) int32
        Overwritten in these rows by the places of the features.
    sparse_values : (n_sparse,), of the values' dtype
        Overwritten in these rows.
    dense : (n_samples * n_dense,), of the values' dtype
        Zeros; overwritten in these rows.
    """
    for sample in range(first, last):
        target = sparse_indptr[sample]
        for source in range(indptr[sample], indptr[sample + 1]):
            place, value = item(places, item(indices, source)), item(values, source)
            if place < n_dense:
                dense[sample * n_dense + place] = value
            else:
                sparse_indices[target], sparse_values[target] = place, value
                target += 1

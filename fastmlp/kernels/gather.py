"""Reading a batch of samples from the data where it lies."""

from fastmlp.kernels.jit import kernel


@kernel
def gather(features, scale, samples, inputs):
    """Compute value * scale + shift for every value of some samples.

    Parameters
    ----------
    features : tuple
        (values, (row_stride, column_stride)) of a dense matrix, the values in memory order as one
        read-only vector and the strides counted in values, so that every memory order is of one
        type; or (data, indices, indptr) of a CSR matrix.
    scale : tuple of two floats
        Scale and shift, of the dtype of `inputs`.
    samples : (n_rows,) intp
    inputs : (n_rows, n_features) float
        Overwritten.
    """
    # The length of the tuple is a constant when this is compiled: one branch remains.
    if len(features) == 2:
        gather_dense(features[0], features[1], scale, samples, inputs)
    else:
        gather_csr(features[0], features[1], features[2], scale, samples, inputs)


@kernel
def gather_dense(values, strides, scale, samples, inputs):
    """Gather from a dense matrix; see `gather`."""
    number = inputs.dtype.type
    row_stride, column_stride = strides
    n_features = inputs.shape[1]
    for row in range(samples.size):
        start = samples[row] * row_stride
        # A slice, whose indices cannot be negative: else the compiler does not vectorise.
        values_of_row = values[start : start + (n_features - 1) * column_stride + 1]
        if column_stride == 1:  # said apart, for then they lie side by side
            for feature in range(n_features):
                inputs[row, feature] = number(values_of_row[feature]) * scale[0] + scale[1]
        else:
            for feature in range(n_features):
                value = values_of_row[feature * column_stride]
                inputs[row, feature] = number(value) * scale[0] + scale[1]


@kernel
def gather_csr(data, indices, indptr, scale, samples, inputs):
    """Gather from a CSR matrix; entries at the same place are added up, see `gather`."""
    number = inputs.dtype.type
    for row in range(samples.size):
        sample = samples[row]
        for feature in range(inputs.shape[1]):
            inputs[row, feature] = scale[1]
        for position in range(indptr[sample], indptr[sample + 1]):
            inputs[row, indices[position]] += number(data[position]) * scale[0]

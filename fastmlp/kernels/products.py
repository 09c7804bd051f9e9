"""Matrix products of a layer: through BLAS, or where there is little to multiply by skipping zeros.

A zero input contributes nothing to a product or to a gradient, so skipping it is exact. Touching
one row of W for each nonzero costs about 10 ns a hundred units; BLAS reads and writes all of W
whatever the batch, 784 x 100 float32 in some 30 us. So the loops win while the batch has fewer than
about three nonzeros for each row of W: up to 15 MNIST images (19 % of the pixels are not zero),
or 3 samples without a zero.
"""

import numpy as np

from fastmlp.kernels.jit import kernel

NONZEROS_A_WEIGHT_ROW = 3
"""Up to so many nonzeros for each row of W the loops are used, else BLAS."""

MOST_ROWS = 32
"""Above so many rows the nonzeros are not counted: BLAS is used."""


@kernel
def is_small(inputs):
    """Tell whether there is so little to multiply that the loops beat BLAS.

    Parameters
    ----------
    inputs : (n_rows, fan_in) float

    Returns
    -------
    bool
    """
    if inputs.shape[0] > MOST_ROWS:
        return False
    if inputs.shape[0] <= NONZEROS_A_WEIGHT_ROW:
        return True
    zero = inputs.dtype.type(0)
    n_nonzeros = 0
    for row in range(inputs.shape[0]):
        for feature in range(inputs.shape[1]):
            n_nonzeros += inputs[row, feature] != zero
    return n_nonzeros <= NONZEROS_A_WEIGHT_ROW * inputs.shape[1]


@kernel
def find_nonzeros(inputs, row, positions):
    """List where a row is not zero.

    Parameters
    ----------
    inputs : (n_rows, fan_in) float
    row : int
    positions : (at least fan_in + 1,) intp
        Its first entries are overwritten.

    Returns
    -------
    int
        How many there are.
    """
    zero = inputs.dtype.type(0)
    count = 0
    for feature in range(inputs.shape[1]):
        positions[count] = feature  # without a branch, which would be hard to predict
        count += inputs[row, feature] != zero
    return count


@kernel
def multiply(inputs, coefs, outputs, positions):
    """Compute X W.

    Parameters
    ----------
    inputs : (n_rows, fan_in) float, C-contiguous
    coefs : (fan_in, fan_out) float, C-contiguous
    outputs : (n_rows, fan_out) float, C-contiguous
        Overwritten.
    positions : (at least fan_in + 1,) intp
        Workspace.
    """
    if is_small(inputs):
        multiply_nonzeros(inputs, coefs, outputs, positions)
    else:
        np.dot(inputs, coefs, outputs)


@kernel
def multiply_nonzeros(inputs, coefs, outputs, positions):
    """Compute X W from the nonzeros of X, four rows of W a pass; see `multiply`."""
    n_units = coefs.shape[1]
    for row in range(inputs.shape[0]):
        count = find_nonzeros(inputs, row, positions)
        for unit in range(n_units):
            outputs[row, unit] = 0
        paired = count - count % 4
        for first in range(0, paired, 4):
            f0, f1 = positions[first], positions[first + 1]
            f2, f3 = positions[first + 2], positions[first + 3]
            x0, x1, x2, x3 = inputs[row, f0], inputs[row, f1], inputs[row, f2], inputs[row, f3]
            for unit in range(n_units):
                outputs[row, unit] += (
                    x0 * coefs[f0, unit]
                    + x1 * coefs[f1, unit]
                    + x2 * coefs[f2, unit]
                    + x3 * coefs[f3, unit]
                )
        for index in range(paired, count):
            feature = positions[index]
            value = inputs[row, feature]
            for unit in range(n_units):
                outputs[row, unit] += value * coefs[feature, unit]


@kernel
def multiply_by_transpose(deltas, coefs, outputs):
    """Compute D W^T, which carries the deltas of a layer back to its input.

    Parameters
    ----------
    deltas : (n_rows, fan_out) float, C-contiguous
    coefs : (fan_in, fan_out) float, C-contiguous
    outputs : (n_rows, fan_in) float, C-contiguous
        Overwritten.
    """
    np.dot(deltas, coefs.T, outputs)


@kernel
def set_gradient(inputs, deltas, coef_grads, intercept_grads):
    """Compute a layer's gradient: X^T D, and the column sums of D.

    Parameters
    ----------
    inputs : (n_rows, fan_in) float, C-contiguous
    deltas : (n_rows, fan_out) float, C-contiguous
    coef_grads : (fan_in, fan_out) float, C-contiguous
        Overwritten.
    intercept_grads : (fan_out,) float
        Overwritten.
    """
    np.dot(inputs.T, deltas, coef_grads)
    intercept_grads[:] = 0
    for row in range(deltas.shape[0]):
        for unit in range(deltas.shape[1]):
            intercept_grads[unit] += deltas[row, unit]


@kernel
def descend_nonzeros(inputs, deltas, rate, coefs, intercepts, positions):
    """Subtract rate times a layer's gradient without forming it.

    W <- W - rate X^T D, b <- b - rate * column sums of D. Rows of W whose inputs are all zero do
    not change and are not touched.

    Parameters
    ----------
    inputs : (n_rows, fan_in) float
    deltas : (n_rows, fan_out) float
        Overwritten by rate * D.
    rate : float
    coefs : (fan_in, fan_out) float
        Updated in place.
    intercepts : (fan_out,) float
        Updated in place.
    positions : (at least fan_in + 1,) intp
        Workspace.
    """
    n_units = coefs.shape[1]
    for row in range(deltas.shape[0]):
        for unit in range(n_units):
            deltas[row, unit] *= rate
            intercepts[unit] -= deltas[row, unit]
        for index in range(find_nonzeros(inputs, row, positions)):
            feature = positions[index]
            value = inputs[row, feature]
            for unit in range(n_units):
                coefs[feature, unit] -= value * deltas[row, unit]

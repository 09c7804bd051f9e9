"""Matrix products of a layer: by BLAS, or where many inputs are zero by loops over the others.

A zero input contributes nothing to a product or to a gradient, so skipping it is exact. With 100
units the loops take about 8 ns a nonzero, forward and back together, and BLAS 3 ns an input, zero
or not: the loops win while fewer than a quarter of the inputs are not zero (of MNIST's, 19 %). A
small batch costs BLAS more: it reads and writes all of W whatever the batch, so the loops win up to
about three nonzeros for each row of W too.
"""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.jit import kernel

NONZEROS_A_WEIGHT_ROW = 3
"""Up to so many nonzeros for each row of W the loops are used."""

ONE_NONZERO_IN = 4
"""Up to one nonzero in so many inputs the loops are used."""


class Nonzeros(NamedTuple):
    """Where each layer's inputs are not zero."""

    few: np.ndarray
    """(n_layers,) bool: whether there are so few that the loops pay; else nothing is listed."""
    positions: list[np.ndarray]
    """(n_room,) intp for each layer: the features, one row of the batch after another."""
    ends: list[np.ndarray]
    """(most_rows,) intp for each layer: where each row's features end."""


@kernel
def most_nonzeros(n_rows, fan_in):
    """Compute the largest number of nonzeros for which the loops are used."""
    return max(NONZEROS_A_WEIGHT_ROW * fan_in, n_rows * fan_in // ONE_NONZERO_IN)


@kernel
def make_nonzeros(layer_sizes, most_rows):
    """Allocate a `Nonzeros` for batches of at most so many rows.

    Parameters
    ----------
    layer_sizes : (n_layers + 1,) intp
    most_rows : int

    Returns
    -------
    Nonzeros
    """
    positions, ends = [], []
    for layer in range(layer_sizes.size - 1):
        fan_in = layer_sizes[layer]
        n_room = most_nonzeros(most_rows, fan_in) + fan_in + 1
        positions.append(np.empty(n_room, np.intp))
        ends.append(np.empty(most_rows, np.intp))
    return Nonzeros(np.empty(layer_sizes.size - 1, np.bool_), positions, ends)


@kernel
def list_nonzeros(inputs, positions, ends):
    """List where the inputs of a layer are not zero, up to the number for which that pays.

    Parameters
    ----------
    inputs : (n_rows, fan_in) float
    positions, ends : see `Nonzeros`
        Overwritten.

    Returns
    -------
    bool
        Whether there are few enough, and all are listed.
    """
    n_rows, fan_in = inputs.shape
    zero = inputs.dtype.type(0)
    most, count = most_nonzeros(n_rows, fan_in), 0
    for row in range(n_rows):
        if count > most:
            return False
        for feature in range(fan_in):
            positions[count] = feature  # without a branch, which would be hard to predict
            count += inputs[row, feature] != zero
        ends[row] = count
    return count <= most


@kernel
def multiply(inputs, coefs, few, positions, ends, outputs):
    """Compute X W.

    Parameters
    ----------
    inputs : (n_rows, fan_in) float, C-contiguous
    coefs : (fan_in, fan_out) float, C-contiguous
    few, positions, ends : see `Nonzeros`
    outputs : (n_rows, fan_out) float, C-contiguous
        Overwritten.
    """
    if few:
        multiply_nonzeros(inputs, coefs, positions, ends, outputs)
    else:
        np.dot(inputs, coefs, outputs)


@kernel
def multiply_nonzeros(inputs, coefs, positions, ends, outputs):
    """Compute X W from the nonzeros of X, four rows of W a pass; see `multiply`."""
    n_units = coefs.shape[1]
    start = 0
    for row in range(inputs.shape[0]):
        end = ends[row]
        for unit in range(n_units):
            outputs[row, unit] = 0
        paired = end - (end - start) % 4
        for index in range(start, paired, 4):
            f0, f1 = positions[index], positions[index + 1]
            f2, f3 = positions[index + 2], positions[index + 3]
            x0, x1, x2, x3 = inputs[row, f0], inputs[row, f1], inputs[row, f2], inputs[row, f3]
            for unit in range(n_units):
                outputs[row, unit] += (
                    x0 * coefs[f0, unit]
                    + x1 * coefs[f1, unit]
                    + x2 * coefs[f2, unit]
                    + x3 * coefs[f3, unit]
                )
        for index in range(paired, end):
            feature = positions[index]
            value = inputs[row, feature]
            for unit in range(n_units):
                outputs[row, unit] += value * coefs[feature, unit]
        start = end


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
def add_column_sums(deltas, sums):
    """Add the sum of each column.

    Parameters
    ----------
    deltas : (n_rows, n_units) float
    sums : (n_units,) float
        Added to.
    """
    for row in range(deltas.shape[0]):
        for unit in range(deltas.shape[1]):
            sums[unit] += deltas[row, unit]


@kernel
def add_nonzero_products(inputs, deltas, positions, ends, sums):
    """Add X^T D from the nonzeros of X, two rows of the sum a pass.

    Rows that belong to inputs which are all zero are not touched.

    Parameters
    ----------
    inputs : (n_rows, fan_in) float
    deltas : (n_rows, fan_out) float
    positions, ends : see `Nonzeros`
    sums : (fan_in, fan_out) float
        Added to.
    """
    n_units = deltas.shape[1]
    start = 0
    for row in range(deltas.shape[0]):
        end = ends[row]
        paired = end - (end - start) % 2
        for index in range(start, paired, 2):
            f0, f1 = positions[index], positions[index + 1]
            x0, x1 = inputs[row, f0], inputs[row, f1]
            for unit in range(n_units):
                delta = deltas[row, unit]
                sums[f0, unit] += x0 * delta
                sums[f1, unit] += x1 * delta
        for index in range(paired, end):
            feature = positions[index]
            value = inputs[row, feature]
            for unit in range(n_units):
                sums[feature, unit] += value * deltas[row, unit]
        start = end


@kernel
def set_gradient(inputs, deltas, few, positions, ends, coef_grads, intercept_grads):
    """Compute a layer's gradient: X^T D, and the column sums of D.

    Parameters
    ----------
    inputs : (n_rows, fan_in) float, C-contiguous
    deltas : (n_rows, fan_out) float, C-contiguous
    few, positions, ends : see `Nonzeros`
    coef_grads : (fan_in, fan_out) float, C-contiguous
        Overwritten.
    intercept_grads : (fan_out,) float
        Overwritten.
    """
    if few:
        coef_grads[:] = 0
        add_nonzero_products(inputs, deltas, positions, ends, coef_grads)
    else:
        np.dot(inputs.T, deltas, coef_grads)
    intercept_grads[:] = 0
    add_column_sums(deltas, intercept_grads)


@kernel
def descend(inputs, deltas, rate, few, positions, ends, coef_grads, coefs, intercepts):
    """Take one step of plain SGD on one layer: W <- W - rate X^T D, b <- b - rate sum(D).

    Where few inputs are not zero the gradient is never formed.

    Parameters
    ----------
    inputs : (n_rows, fan_in) float, C-contiguous
    deltas : (n_rows, fan_out) float, C-contiguous
        Overwritten by -rate D.
    rate : float
    few, positions, ends : see `Nonzeros`
    coef_grads : (fan_in, fan_out) float, C-contiguous
        Workspace.
    coefs : (fan_in, fan_out) float, C-contiguous
        Updated in place.
    intercepts : (fan_out,) float
        Updated in place.
    """
    for row in range(deltas.shape[0]):
        for unit in range(deltas.shape[1]):
            deltas[row, unit] *= -rate
    if few:
        add_nonzero_products(inputs, deltas, positions, ends, coefs)
    else:
        np.dot(inputs.T, deltas, coef_grads)
        for row in range(coefs.shape[0]):
            for unit in range(coefs.shape[1]):
                coefs[row, unit] += coef_grads[row, unit]
    add_column_sums(deltas, intercepts)

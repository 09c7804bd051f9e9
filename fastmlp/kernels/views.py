"""Views of flat memory as the matrices of a network's layers.

Depth and width are data, not part of a type: one compiled version serves every network. The views
are made once an epoch and kept in lists, for making one costs as much as 60 multiplications.
"""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.jit import kernel


class Parameters(NamedTuple):
    """A parameter or gradient buffer and its views; see `fastmlp.network.Parameters`."""

    buffer: np.ndarray
    """(n_parameters,) float."""
    coefs: list[np.ndarray]
    """(fan_in, fan_out) float for each layer."""
    intercepts: list[np.ndarray]
    """(fan_out,) float for each layer."""
    penalised: np.ndarray
    """(n_coefs,) float: the weights of all layers, the part that L2 acts on."""


@kernel
def view_parameters(buffer, layer_sizes):
    """View a buffer that begins with the weights of all layers and ends with their biases.

    Parameters
    ----------
    buffer : (n_parameters,) float
    layer_sizes : (n_layers + 1,) intp

    Returns
    -------
    views : Parameters
    """
    n_layers = layer_sizes.size - 1
    n_coefs = 0
    for layer in range(n_layers):
        n_coefs += layer_sizes[layer] * layer_sizes[layer + 1]
    coefs, intercepts = [], []
    coef_start, intercept_start = 0, n_coefs
    for layer in range(n_layers):
        fan_in, fan_out = layer_sizes[layer], layer_sizes[layer + 1]
        coefs.append(buffer[coef_start : coef_start + fan_in * fan_out].reshape(fan_in, fan_out))
        intercepts.append(buffer[intercept_start : intercept_start + fan_out])
        coef_start += fan_in * fan_out
        intercept_start += fan_out
    return Parameters(buffer, coefs, intercepts, buffer[:n_coefs])


@kernel
def view_units(workspace, sizes, n_rows):
    """View a workspace as one matrix of units for each layer.

    Parameters
    ----------
    workspace : (at least n_rows * sum(sizes),) float
    sizes : (n_layers,) intp
        Number of units of each layer.
    n_rows : int

    Returns
    -------
    list of (n_rows, sizes[layer]) float
    """
    units = []
    start = 0
    for layer in range(sizes.size):
        end = start + n_rows * sizes[layer]
        units.append(workspace[start:end].reshape(n_rows, sizes[layer]))
        start = end
    return units

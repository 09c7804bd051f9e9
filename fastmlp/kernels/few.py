"""Predictions for a few rows, from the parameters where they lie.

For a few rows, packing the weights into panels would cost more than it saves: 784-100-10 is 79,510
numbers. Here the rows of a weight matrix that belong to nonzero inputs are added up, as they lie.
"""

import numpy as np

from fastmlp.kernels.activations import FROM_VALUE, apply, value_and_slope
from fastmlp.kernels.jit import entry, kernel
from fastmlp.kernels.layout import NEVER
from fastmlp.kernels.outputs import put_out
from fastmlp.kernels.simd import (
    broadcast,
    fma,
    line_start,
    load,
    load_first,
    n_lanes,
    store,
)


@kernel
def start_sums(lanes, intercepts, start, n_outputs, outputs):
    """Begin each unit's sum with its bias, and fill the last vector up with zeros."""
    for place in range(0, n_outputs, n_lanes(lanes)):
        bias = load_first(lanes, intercepts, start + place, n_outputs - place)
        store(outputs, place, bias)


@kernel
def add_products(lanes, inputs, n_inputs, weights, start, n_outputs, outputs):
    """Add x W, skipping the inputs that are 0.

    Parameters
    ----------
    lanes : simd.Lanes
    inputs : (at least n_inputs,) float
    n_inputs : int
    weights : (n_parameters,) float
        The matrix W, a row after the other, lies in it.
    start : int
        Where W begins.
    n_outputs : int
    outputs : (n_outputs up to the next multiple of the lanes,) float
        Added to.
    """
    size, zero = n_lanes(lanes), inputs.dtype.type(0)
    whole = n_outputs // size * size
    for index in range(n_inputs):
        if inputs[index] != zero:
            x, row = broadcast(lanes, inputs[index]), start + index * n_outputs
            for place in range(0, whole, size):
                w = load(lanes, weights, row + place)
                store(outputs, place, fma(x, w, load(lanes, outputs, place)))
            if whole < n_outputs:
                w = load_first(lanes, weights, row + whole, n_outputs - whole)
                store(outputs, whole, fma(x, w, load(lanes, outputs, whole)))


@kernel
def activate(lanes, code, units):
    """Apply an activation function to units whose number is a multiple of the lanes."""
    for place in range(0, units.size, n_lanes(lanes)):
        z = load(lanes, units, place)
        store(units, place, apply(code, z) if code in FROM_VALUE else value_and_slope(code, z)[0])


@entry
def predict_few(
    lanes, parameters, layer_sizes, activations, output, X, scale, shift, space, predictions
):
    """Compute the predictions for a few rows.

    Parameters
    ----------
    lanes : simd.Lanes
    parameters : (n_parameters,) float
        As in `fastmlp.network.Parameters`.
    layer_sizes : (n_layers + 1,) intp
    activations : (n_layers - 1,) intp
        Codes of `activations`.
    output : int
        One of `outputs.OUTPUT_CODES`.
    X : (n_rows, n_features) float
        C-contiguous.
    scale, shift : float
        The network's input is X * scale + shift.
    space : (at least 2 * widest + 1 line of memory,) float
        Workspace; `widest` is a multiple of the lanes and no less than the width of any layer.
    predictions : (n_rows, n_outputs) float
        Overwritten.

    Returns
    -------
    bool
        Whether all values of X are finite; where not, the predictions are worth nothing.
    """
    size, n_layers = n_lanes(lanes), layer_sizes.size - 1
    start, widest, n_coefs = line_start(space), space.size // 2 // size * size, 0
    inputs, units = space[start : start + widest], space[start + widest : start + 2 * widest]
    for layer in range(n_layers):
        n_coefs += layer_sizes[layer] * layer_sizes[layer + 1]
    finite = True
    for row in range(X.shape[0]):
        for feature in range(X.shape[1]):
            finite &= np.isfinite(X[row, feature])
            inputs[feature] = X[row, feature] * scale + shift
        if not finite:
            return False
        coefs, intercepts = 0, n_coefs
        for layer in range(n_layers):
            fan_in, fan_out = layer_sizes[layer], layer_sizes[layer + 1]
            start_sums(lanes, parameters, intercepts, fan_out, units)
            add_products(lanes, inputs, fan_in, parameters, coefs, fan_out, units)
            if layer < n_layers - 1:
                activate(lanes, activations[layer], units[: (fan_out + size - 1) // size * size])
            inputs, units = units, inputs
            coefs += fan_in * fan_out
            intercepts += fan_out
        n_outputs = layer_sizes[n_layers]
        width = (n_outputs + size - 1) // size * size
        inputs[n_outputs:width] = NEVER
        put_out(lanes, output, inputs, 0, width)
        for unit in range(n_outputs):
            predictions[row, unit] = inputs[unit]
    return True

"""A whole epoch, and a whole prediction, in one compiled call.

784-100-10 at batch 64 costs 10 MFLOP forward and as many back for each batch; BLAS bounds it. At
batch 1 it moves the first layer's weights twice, of those rows whose pixel is not zero; the
second-level cache bounds it.
"""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.elementwise import (
    activate,
    add_intercepts,
    multiply_by_derivative,
    softmax_cross_entropy,
)
from fastmlp.kernels.gather import gather
from fastmlp.kernels.jit import entry, kernel
from fastmlp.kernels.products import (
    descend_nonzeros,
    is_small,
    multiply,
    multiply_by_transpose,
    set_gradient,
)
from fastmlp.kernels.updates import adam_update, momentum_update, penalise, sgd_update
from fastmlp.kernels.views import view_parameters, view_units

SGD, MOMENTUM, ADAM = range(3)


class Network(NamedTuple):
    """A network as the kernels see it."""

    layer_sizes: np.ndarray
    """(n_layers + 1,) intp: features, hidden units of each layer, classes."""
    activations: np.ndarray
    """(n_layers - 1,) intp: codes of `elementwise`."""


class Solver(NamedTuple):
    """An update rule as the kernels see it; the floats are of the parameters' dtype."""

    code: int
    """`SGD`, `MOMENTUM` or `ADAM`."""
    alpha: float
    momentum: float
    nesterov: bool
    betas: tuple[float, float]
    epsilon: float


@kernel
def forward(parameters, activations, units, positions):
    """Compute the units of every layer from those of the first, the inputs.

    Parameters
    ----------
    parameters : views.Parameters
    activations : (n_layers - 1,) intp
    units : list of (n_rows, layer_sizes[layer]) float
        The inputs, then the hidden layers and the logits, which are overwritten.
    positions : (max(layer_sizes) + 1,) intp
        Workspace.
    """
    for layer in range(len(parameters.coefs)):
        z = units[layer + 1]
        multiply(units[layer], parameters.coefs[layer], z, positions)
        if layer < activations.size:
            activate(activations[layer], z, parameters.intercepts[layer])
        else:
            add_intercepts(z, parameters.intercepts[layer])


@kernel
def carry_back(coefs, activation, deltas, units, deltas_before):
    """Compute the deltas of a hidden layer from those of the next: (D W^T) f'(z).

    Parameters
    ----------
    coefs : (fan_in, fan_out) float
        Weights of the next layer.
    activation : int
        Code of the hidden layer's activation.
    deltas : (n_rows, fan_out) float
    units : (n_rows, fan_in) float
        The hidden layer's activations.
    deltas_before : (n_rows, fan_in) float
        Overwritten.
    """
    multiply_by_transpose(deltas, coefs, deltas_before)
    multiply_by_derivative(activation, units, deltas_before)


@kernel
def descend_layer(parameters, gradients, layer, rate, inputs, deltas, positions):
    """Take one step of plain SGD on one layer, without its gradient where that is cheaper.

    Parameters
    ----------
    parameters : views.Parameters
        The layer's part is updated in place.
    gradients : views.Parameters
        Workspace: the layer's part is overwritten.
    layer : int
    rate : float
    inputs : (n_rows, fan_in) float
    deltas : (n_rows, fan_out) float
        Overwritten.
    positions : (max(layer_sizes) + 1,) intp
        Workspace.
    """
    coefs, intercepts = parameters.coefs[layer], parameters.intercepts[layer]
    if is_small(inputs):
        descend_nonzeros(inputs, deltas, rate, coefs, intercepts, positions)
        return
    coef_grads, intercept_grads = gradients.coefs[layer], gradients.intercepts[layer]
    set_gradient(inputs, deltas, coef_grads, intercept_grads)
    sgd_update(coefs.ravel(), coef_grads.ravel(), rate)
    sgd_update(intercepts, intercept_grads, rate)


@kernel
def backward(parameters, gradients, activations, plain, rate, units, deltas, positions):
    """Go back through the layers: set the gradients, or with plain SGD take the step at once.

    Parameters
    ----------
    parameters : views.Parameters
        Updated in place where `plain`.
    gradients : views.Parameters
        Overwritten.
    activations : (n_layers - 1,) intp
    plain : bool
        Whether the step is plain SGD's, which needs a layer's gradient only once.
    rate : float
    units : list of (n_rows, layer_sizes[layer]) float
    deltas : list of (n_rows, layer_sizes[layer + 1]) float
        The last layer's are given; all are overwritten.
    positions : (max(layer_sizes) + 1,) intp
        Workspace.
    """
    for layer in range(len(deltas) - 1, -1, -1):
        if layer > 0:
            coefs = parameters.coefs[layer]
            carry_back(
                coefs, activations[layer - 1], deltas[layer], units[layer], deltas[layer - 1]
            )
        if plain:
            descend_layer(
                parameters, gradients, layer, rate, units[layer], deltas[layer], positions
            )
        else:
            set_gradient(
                units[layer], deltas[layer], gradients.coefs[layer], gradients.intercepts[layer]
            )


@kernel
def update(parameters, gradients, solver, state, rate, n_rows):
    """Take one step of a solver that needs the whole gradient and return the L2 penalty before it.

    Parameters
    ----------
    parameters : views.Parameters
        Updated in place.
    gradients : views.Parameters
        Of the mean cross-entropy; the penalty's are added.
    solver : Solver
    state : (n_slots, n_parameters) float
        Updated in place.
    rate : float
    n_rows : int
        Number of samples in the batch.

    Returns
    -------
    float64
    """
    buffer, penalty = parameters.buffer, 0.0
    if solver.alpha > 0:
        strength = solver.alpha / buffer.dtype.type(n_rows)
        penalty = penalise(parameters.penalised, gradients.penalised, strength)
    if solver.code == ADAM:
        adam_update(buffer, gradients.buffer, state, rate, solver.betas, solver.epsilon)
    elif solver.code == MOMENTUM:
        velocity = state[0]
        momentum_update(buffer, gradients.buffer, velocity, rate, solver.momentum, solver.nesterov)
    else:
        sgd_update(buffer, gradients.buffer, rate)
    return penalty


@entry
def run_epoch(
    buffer, network, solver, state, features, scale, targets, permutation, batch_size, rates, losses
):
    """Train on every sample once.

    Parameters
    ----------
    buffer : (n_parameters,) float
        Updated in place.
    network : Network
    solver : Solver
    state : (n_slots, n_parameters) float
        Updated in place.
    features, scale : see `fastmlp.kernels.gather.gather`
    targets : (n_samples,) intp
    permutation : (n_samples,) intp
    batch_size : int
    rates : (n_batches,) float
    losses : (n_batches,) float64
        Overwritten by the loss of each batch before its update.
    """
    sizes, activations = network.layer_sizes, network.activations
    most_rows = min(batch_size, permutation.size)
    parameters = view_parameters(buffer, sizes)
    gradients = view_parameters(np.empty(buffer.size, buffer.dtype), sizes)
    units_workspace = np.empty(most_rows * sizes.sum(), buffer.dtype)
    deltas_workspace = np.empty(most_rows * sizes[1:].sum(), buffer.dtype)
    positions = np.empty(sizes.max() + 1, np.intp)
    units = view_units(units_workspace, sizes, most_rows)
    deltas = view_units(deltas_workspace, sizes[1:], most_rows)
    plain = solver.code == SGD and solver.alpha == 0
    for step in range(losses.size):
        batch = permutation[step * batch_size : (step + 1) * batch_size]
        if batch.size != most_rows:  # the last batch, where it is smaller
            units = view_units(units_workspace, sizes, batch.size)
            deltas = view_units(deltas_workspace, sizes[1:], batch.size)
        gather(features, scale, batch, units[0])
        forward(parameters, activations, units, positions)
        loss = softmax_cross_entropy(units[-1], targets, batch, deltas[-1])
        backward(parameters, gradients, activations, plain, rates[step], units, deltas, positions)
        if not plain:
            loss += update(parameters, gradients, solver, state, rates[step], batch.size)
        losses[step] = loss


@entry
def predict_logits(buffer, network, features, scale, block_rows, logits):
    """Compute the logits of every sample, a block of rows at a time.

    Parameters
    ----------
    buffer : (n_parameters,) float
    network : Network
    features, scale : see `fastmlp.kernels.gather.gather`
    block_rows : int
        Bounds the memory.
    logits : (n_samples, n_classes) float
        Overwritten.
    """
    n_samples, sizes = logits.shape[0], network.layer_sizes
    most_rows = min(block_rows, n_samples)
    parameters = view_parameters(buffer, sizes)
    workspace = np.empty(most_rows * sizes.sum(), buffer.dtype)
    positions = np.empty(sizes.max() + 1, np.intp)
    for start in range(0, n_samples, block_rows):
        samples = np.arange(start, min(start + block_rows, n_samples))
        units = view_units(workspace, sizes, samples.size)
        gather(features, scale, samples, units[0])
        forward(parameters, network.activations, units, positions)
        logits[start : start + samples.size] = units[-1]

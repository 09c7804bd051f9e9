"""A whole epoch, and a whole prediction, in one compiled call.

784-100-10 costs 160 kFLOP a sample forward and as many back where every input counts: BLAS bounds
it. Of MNIST's inputs a fifth does, and the rows of the first weight matrix that belong to them are
read twice and written once, 0.2 MB a sample: the second-level cache bounds it.
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
    descend,
    list_nonzeros,
    make_nonzeros,
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
def forward(parameters, activations, units, nonzeros):
    """Compute the units of every layer from those of the first, the inputs.

    Parameters
    ----------
    parameters : views.Parameters
    activations : (n_layers - 1,) intp
    units : list of (n_rows, layer_sizes[layer]) float
        The inputs, then the hidden layers and the logits, which are overwritten.
    nonzeros : products.Nonzeros
        Overwritten.
    """
    for layer in range(len(parameters.coefs)):
        inputs, z = units[layer], units[layer + 1]
        positions, ends = nonzeros.positions[layer], nonzeros.ends[layer]
        few = list_nonzeros(inputs, positions, ends)
        nonzeros.few[layer] = few
        multiply(inputs, parameters.coefs[layer], few, positions, ends, z)
        if layer < activations.size:
            activate(activations[layer], z, parameters.intercepts[layer])
        else:
            add_intercepts(z, parameters.intercepts[layer])


@kernel
def backward(parameters, gradients, activations, plain, rate, units, deltas, nonzeros):
    """Go back through the layers: set the gradients, or with plain SGD take the step at once.

    The deltas of a hidden layer are those of the next carried back: (D W^T) f'(z).

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
    nonzeros : products.Nonzeros
        Of the forward pass.
    """
    for layer in range(len(deltas) - 1, -1, -1):
        inputs, ours = units[layer], deltas[layer]
        coefs, coef_grads = parameters.coefs[layer], gradients.coefs[layer]
        few, positions = nonzeros.few[layer], nonzeros.positions[layer]
        ends = nonzeros.ends[layer]
        if layer > 0:
            multiply_by_transpose(ours, coefs, deltas[layer - 1])
            multiply_by_derivative(activations[layer - 1], inputs, deltas[layer - 1])
        if plain:
            intercepts = parameters.intercepts[layer]
            descend(inputs, ours, rate, few, positions, ends, coef_grads, coefs, intercepts)
        else:
            intercept_grads = gradients.intercepts[layer]
            set_gradient(inputs, ours, few, positions, ends, coef_grads, intercept_grads)


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
    nonzeros = make_nonzeros(sizes, most_rows)
    units = view_units(units_workspace, sizes, most_rows)
    deltas = view_units(deltas_workspace, sizes[1:], most_rows)
    plain = solver.code == SGD and solver.alpha == 0
    for step in range(losses.size):
        batch = permutation[step * batch_size : (step + 1) * batch_size]
        if batch.size != most_rows:  # the last batch, where it is smaller
            units = view_units(units_workspace, sizes, batch.size)
            deltas = view_units(deltas_workspace, sizes[1:], batch.size)
        gather(features, scale, batch, units[0])
        forward(parameters, activations, units, nonzeros)
        loss = softmax_cross_entropy(units[-1], targets, batch, deltas[-1])
        backward(parameters, gradients, activations, plain, rates[step], units, deltas, nonzeros)
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
    nonzeros = make_nonzeros(sizes, most_rows)
    for start in range(0, n_samples, block_rows):
        samples = np.arange(start, min(start + block_rows, n_samples))
        units = view_units(workspace, sizes, samples.size)
        gather(features, scale, samples, units[0])
        forward(parameters, network.activations, units, nonzeros)
        logits[start : start + samples.size] = units[-1]

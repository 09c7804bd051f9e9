"""The truth: the article's algorithm for any depth, one sample at a time.

Forward one sample, go back through the layers by the chain rule, add its gradient to the
accumulators, update after `batch_size` samples. With `batch_size=1` this is the article's
stochastic gradient descent to the letter.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.backends.contract import Capabilities, SimpleTrainer, Trainer, batches, n_batches
from fastmlp.functional import (
    ACTIVATIONS,
    softmax_cross_entropy,
    softmax_cross_entropy_gradient,
)
from fastmlp.inputs import Features
from fastmlp.network import Parameters
from fastmlp.optimizers import Rule, penalise

Array = NDArray[Any]

CAPABILITIES = Capabilities(
    activations=tuple(ACTIVATIONS), solvers=("sgd", "adam"), dtypes=("float32", "float64")
)


def trainer(
    parameters: Parameters,
    rule: Rule,
    features: Features,
    targets: NDArray[np.intp],
    batch_size: int,
    n_threads: int | None,
) -> Trainer:
    """Begin a training; see `fastmlp.backends.contract.Backend.trainer`."""
    return SimpleTrainer(run_batches, parameters, rule, features, targets, batch_size)


def forward(parameters: Parameters, x: Array) -> tuple[list[Array], Array]:
    """Compute the input of every layer, and the logits, for one sample.

    Parameters
    ----------
    parameters : Parameters
    x : ndarray of shape (n_features,)

    Returns
    -------
    layer_inputs : list of ndarray of shape (fan_in,)
        The sample itself, then the activations of each hidden layer.
    logits : ndarray of shape (n_classes,)
    """
    layer_inputs = [x]
    hidden = zip(
        parameters.coefs, parameters.intercepts, parameters.network.activations, strict=False
    )
    for coefs, intercepts, activation in hidden:
        z = layer_inputs[-1] @ coefs + intercepts
        layer_inputs.append(ACTIVATIONS[activation].function(z))
    logits = layer_inputs[-1] @ parameters.coefs[-1] + parameters.intercepts[-1]
    return layer_inputs, logits


def add_gradient(parameters: Parameters, x: Array, target: int, gradients: Parameters) -> float:
    """Add one sample's gradient to the accumulators and return its loss.

    Parameters
    ----------
    parameters : Parameters
    x : ndarray of shape (n_features,)
    target : int
        Index of the sample's class.
    gradients : Parameters
        Added to.

    Returns
    -------
    float
        The cross-entropy, in nats.
    """
    layer_inputs, logits = forward(parameters, x)
    deltas = softmax_cross_entropy_gradient(logits, target)
    for layer in reversed(range(len(layer_inputs))):
        gradients.coefs[layer][...] += np.outer(layer_inputs[layer], deltas)
        gradients.intercepts[layer][...] += deltas
        if layer > 0:
            activation = ACTIVATIONS[parameters.network.activations[layer - 1]]
            slope = activation.derivative(layer_inputs[layer])
            deltas = parameters.coefs[layer] @ deltas * slope
    return float(softmax_cross_entropy(logits, target))


def run_batches(
    parameters: Parameters,
    rule: Rule,
    state: Array,
    features: Features,
    targets: NDArray[np.intp],
    permutation: NDArray[np.intp],
    batch_size: int,
    rates: Array,
) -> NDArray[np.float64]:
    """Train on some samples, a batch after the other.

    Parameters
    ----------
    parameters : Parameters
        Updated in place.
    rule : Rule
        The solver and the L2 penalty.
    state : ndarray of shape (n_slots, n_parameters)
        The solver's memory, updated in place.
    features : Features
        The data.
    targets : ndarray of shape (n_samples,), intp
        Index of each sample's class.
    permutation : ndarray of shape (n,), intp
        The samples, in their order.
    batch_size : int
        Number of samples an update; a last batch that is smaller is a batch like the others.
    rates : ndarray of shape (n_batches,), the parameters' dtype
        The learning rate of each update.

    Returns
    -------
    ndarray of shape (n_batches,), float64
        The loss of each batch at the parameters before its update: the mean of its samples'
        cross-entropies, plus the L2 penalty.
    """
    gradients = Parameters.zeros(parameters.network, parameters.dtype)
    losses = np.empty(n_batches(len(permutation), batch_size))
    for step, batch in enumerate(batches(permutation, batch_size)):
        gradients.buffer[...] = 0
        loss = 0.0
        for sample in batch:
            x = features.rows([sample])[0]
            loss += add_gradient(parameters, x, targets[sample], gradients)
        gradients.buffer /= len(batch)
        penalty = penalise(parameters, gradients, rule.alpha, len(batch))
        losses[step] = loss / len(batch) + penalty
        rule.solver.update(parameters.buffer, gradients.buffer, state, rates[step])
    return losses


def predict_logits(
    parameters: Parameters, features: Features, n_threads: int | None = None
) -> Array:
    """Compute the logits of every sample; see `fastmlp.backends.contract.Backend`."""
    logits = np.empty((features.n_samples, parameters.network.layer_sizes[-1]), parameters.dtype)
    for sample in range(features.n_samples):
        logits[sample] = forward(parameters, features.rows([sample])[0])[1]
    return logits

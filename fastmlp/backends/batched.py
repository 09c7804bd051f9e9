"""The same algorithm with a matrix a batch, in NumPy.

The samples of a batch are the rows of a matrix, so that each product of the reference becomes one
matrix product; the functions and their arguments are those of `reference`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.backends.contract import (
    Capabilities,
    SimpleTrainer,
    Trainer,
    batches,
    n_batches,
)
from fastmlp.functional import (
    ACTIVATIONS,
    softmax_cross_entropy,
    softmax_cross_entropy_gradient,
)
from fastmlp.inputs import Features
from fastmlp.network import Parameters
from fastmlp.optimizers import Rule, penalise
from fastmlp.threads import choose_blas_threads, limit_blas

Array = NDArray[Any]

CAPABILITIES = Capabilities(
    activations=tuple(ACTIVATIONS), solvers=("sgd", "adam"), dtypes=("float32", "float64")
)

PREDICT_ROWS = 1024
"""Rows predicted at a time: memory stays bounded, and larger blocks are no faster."""


def trainer(
    parameters: Parameters,
    rule: Rule,
    features: Features,
    targets: NDArray[np.intp],
    batch_size: int,
    n_threads: int | None,
) -> Trainer:
    """Begin a training; see `fastmlp.backends.contract.Backend.trainer`."""
    simple = SimpleTrainer(run_batches, parameters, rule, features, targets, batch_size)
    simple.blas_threads = choose_blas_threads(n_threads, parameters.network, batch_size)
    return simple


def forward(parameters: Parameters, X: Array) -> tuple[list[Array], Array]:
    """Compute the input of every layer, and the logits, for one batch.

    Parameters
    ----------
    parameters : Parameters
    X : ndarray of shape (n_rows, n_features)

    Returns
    -------
    layer_inputs : list of ndarray of shape (n_rows, fan_in)
    logits : ndarray of shape (n_rows, n_classes)
    """
    layer_inputs = [X]
    hidden = zip(
        parameters.coefs, parameters.intercepts, parameters.network.activations, strict=False
    )
    for coefs, intercepts, activation in hidden:
        z = layer_inputs[-1] @ coefs
        z += intercepts
        layer_inputs.append(ACTIVATIONS[activation].function(z))
    logits = layer_inputs[-1] @ parameters.coefs[-1] + parameters.intercepts[-1]
    return layer_inputs, logits


def set_gradient(
    parameters: Parameters, X: Array, targets: NDArray[np.intp], gradients: Parameters
) -> float:
    """Overwrite `gradients` with one batch's mean gradient and return its mean loss.

    Parameters
    ----------
    parameters : Parameters
    X : ndarray of shape (n_rows, n_features)
    targets : ndarray of shape (n_rows,), intp
    gradients : Parameters
        Overwritten.

    Returns
    -------
    float
        The mean cross-entropy, in nats.
    """
    layer_inputs, logits = forward(parameters, X)
    deltas = softmax_cross_entropy_gradient(logits, targets)
    deltas /= len(X)
    for layer in reversed(range(len(layer_inputs))):
        np.matmul(layer_inputs[layer].T, deltas, out=gradients.coefs[layer])
        deltas.sum(axis=0, out=gradients.intercepts[layer])
        if layer > 0:
            activation = ACTIVATIONS[parameters.network.activations[layer - 1]]
            deltas = deltas @ parameters.coefs[layer].T
            deltas *= activation.derivative(layer_inputs[layer])
    return float(softmax_cross_entropy(logits, targets).mean(dtype=np.float64))


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
    """Train on some samples; see `fastmlp.backends.reference.run_batches`."""
    gradients = Parameters.zeros(parameters.network, parameters.dtype)
    losses = np.empty(n_batches(len(permutation), batch_size))
    for step, batch in enumerate(batches(permutation, batch_size)):
        loss = set_gradient(parameters, features.rows(batch), targets[batch], gradients)
        penalty = penalise(parameters, gradients, rule.alpha, len(batch))
        losses[step] = loss + penalty
        rule.solver.update(parameters.buffer, gradients.buffer, state, rates[step])
    return losses


def predict_logits(
    parameters: Parameters, features: Features, n_threads: int | None = None
) -> Array:
    """Compute the logits of every sample; see `fastmlp.backends.contract.Backend`."""
    logits = np.empty((features.n_samples, parameters.network.layer_sizes[-1]), parameters.dtype)
    with limit_blas(choose_blas_threads(n_threads, parameters.network, PREDICT_ROWS)):
        for start in range(0, features.n_samples, PREDICT_ROWS):
            rows = slice(start, start + PREDICT_ROWS)
            logits[rows] = forward(parameters, features.rows(rows))[1]
    return logits

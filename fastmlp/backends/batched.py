"""The same algorithm with a matrix a batch, in NumPy.

The samples of a batch are the rows of a matrix, so that each product of the reference becomes one
matrix product; the functions and their arguments are those of `reference`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._arrays import Array
from fastmlp.activations import ACTIVATIONS
from fastmlp.backends.contract import (
    BackendTrainer,
    Capabilities,
    Epoch,
    Objective,
    Problem,
    batches,
    keep_factors,
)
from fastmlp.backends.simple import SimpleTrainer
from fastmlp.inputs import Features
from fastmlp.losses import LOSSES, loss_gradient, sample_losses
from fastmlp.network import Parameters
from fastmlp.optimizers import Rule, penalise, take_step
from fastmlp.threads import choose_blas_threads, limit_blas

CAPABILITIES = Capabilities(
    activations=tuple(ACTIVATIONS), losses=tuple(LOSSES), dtypes=("float32", "float64")
)

PREDICT_ROWS = 1024
"""Rows predicted at a time: memory stays bounded, and larger blocks are no faster."""


def trainer(
    parameters: Parameters,
    rule: Rule,
    objective: Objective,
    problem: Problem,
    batch_size: int,
    n_threads: int | None,
) -> BackendTrainer:
    """Begin a training; see `fastmlp.backends.contract.Backend.trainer`."""
    simple = SimpleTrainer(run_batches, parameters, rule, objective, problem, batch_size)
    simple.blas_threads = choose_blas_threads(n_threads, parameters.network, batch_size)
    return simple


class Pass(NamedTuple):
    """What the forward pass leaves for the backward pass."""

    layer_inputs: list[Array]
    """(n_rows, fan_in): the batch itself, then what each hidden layer hands on."""
    pre_activations: list[Array]
    """(n_rows, fan_out): z of each hidden layer."""
    units: list[Array]
    """(n_rows, fan_out): f(z) of each hidden layer, before dropout."""
    logits: Array


def forward(parameters: Parameters, X: Array, factors: list[Array | None] | None = None) -> Pass:
    """Compute every layer for one batch.

    Parameters
    ----------
    parameters : Parameters
    X : ndarray of shape (n_rows, n_features)
    factors : list of ndarray or None, optional
        What dropout multiplies each hidden layer's units by; see `keep_factors`.

    Returns
    -------
    Pass
    """
    done = Pass([X], [], [], X)
    for layer, name in enumerate(parameters.network.activations):
        z = done.layer_inputs[-1] @ parameters.coefs[layer]
        z += parameters.intercepts[layer]
        units = ACTIVATIONS[name].function(z)
        factor = factors[layer] if factors else None
        done.pre_activations.append(z)
        done.units.append(units)
        done.layer_inputs.append(units if factor is None else units * factor)
    logits = done.layer_inputs[-1] @ parameters.coefs[-1] + parameters.intercepts[-1]
    return done._replace(logits=logits)


def set_gradient(
    parameters: Parameters,
    done: Pass,
    factors: list[Array | None] | None,
    deltas: Array,
    gradients: Parameters,
) -> None:
    """Overwrite `gradients` with one batch's gradient.

    Parameters
    ----------
    parameters : Parameters
    done : Pass
    factors : list of ndarray or None, or None
        See `forward`.
    deltas : ndarray of shape (n_rows, n_outputs)
        d loss / d logits.
    gradients : Parameters
        Overwritten.
    """
    for layer in reversed(range(len(parameters.coefs))):
        np.matmul(done.layer_inputs[layer].T, deltas, out=gradients.coefs[layer])
        deltas.sum(axis=0, out=gradients.intercepts[layer])
        if layer > 0:
            before = layer - 1
            activation = ACTIVATIONS[parameters.network.activations[before]]
            deltas = deltas @ parameters.coefs[layer].T
            deltas *= activation.derivative(done.units[before], done.pre_activations[before])
            factor = factors[before] if factors else None
            if factor is not None:
                deltas *= factor


def run_batches(
    parameters: Parameters,
    rule: Rule,
    objective: Objective,
    problem: Problem,
    state: Array,
    batch_size: int,
    piece: Epoch,
) -> NDArray[np.float64]:
    """Train on some samples; see `fastmlp.backends.reference.run_batches`."""
    gradients = Parameters.zeros(parameters.network, parameters.dtype)
    losses = np.empty(len(piece.rates))
    for step, batch in enumerate(batches(piece.permutation, batch_size)):
        factors, total = None, piece.totals[step]
        if piece.draw is not None:
            numbers = piece.draw(len(batch))
            factors = keep_factors(parameters.network, objective, numbers, parameters.dtype)
        done = forward(parameters, problem.features.rows(batch), factors)
        targets = problem.targets[batch]
        row_losses = sample_losses(objective.loss, done.logits, targets).astype(np.float64)
        deltas = loss_gradient(objective.loss, done.logits, targets)
        deltas /= total
        if problem.weights is not None:
            row_losses *= problem.weights[batch]
            deltas *= problem.weights[batch, np.newaxis]
        set_gradient(parameters, done, factors, deltas, gradients)
        losses[step] = row_losses.sum() / total + penalise(parameters, gradients, rule, total)
        take_step(parameters, gradients, rule, state, piece.rates[step], piece.decays[step])
    return losses


def predict_logits(
    parameters: Parameters, features: Features, n_threads: int | None = None
) -> Array:
    """Compute the logits of every sample; see `fastmlp.backends.contract.Backend`."""
    logits = np.empty((features.n_samples, parameters.network.layer_sizes[-1]), parameters.dtype)
    with limit_blas(choose_blas_threads(n_threads, parameters.network, PREDICT_ROWS)):
        for start in range(0, features.n_samples, PREDICT_ROWS):
            rows = slice(start, start + PREDICT_ROWS)
            logits[rows] = forward(parameters, features.rows(rows)).logits
    return logits

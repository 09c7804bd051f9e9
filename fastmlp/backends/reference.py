"""The truth: the article's algorithm for any depth, one sample at a time.

Forward one sample, go back through the layers by the chain rule, add its gradient to the
accumulators, update after `batch_size` samples. With `batch_size=1` this is the article's
stochastic gradient descent to the letter.
"""

from typing import Any, NamedTuple

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

CAPABILITIES = Capabilities(
    activations=tuple(ACTIVATIONS), losses=tuple(LOSSES), dtypes=("float32", "float64")
)


def trainer(
    parameters: Parameters,
    rule: Rule,
    objective: Objective,
    problem: Problem,
    batch_size: int,
    n_threads: int | None,
) -> BackendTrainer:
    """Begin a training; see `fastmlp.backends.contract.Backend.trainer`."""
    return SimpleTrainer(run_batches, parameters, rule, objective, problem, batch_size)


class Pass(NamedTuple):
    """What the forward pass leaves for the backward pass."""

    layer_inputs: list[Array]
    """The input of every layer: the sample itself, then what each hidden layer hands on."""
    slopes: list[Array]
    """f'(z) of each hidden layer, times what dropout multiplies its units by."""
    logits: Array


def forward(parameters: Parameters, x: Array, factors: list[Array | None] | None = None) -> Pass:
    """Compute every layer for one sample.

    Parameters
    ----------
    parameters : Parameters
    x : ndarray of shape (n_features,)
    factors : list of ndarray or None, optional
        What dropout multiplies each hidden layer's units by; see `keep_factors`.

    Returns
    -------
    Pass
    """
    layer_inputs, slopes = [x], []
    for layer, name in enumerate(parameters.network.activations):
        z = layer_inputs[-1] @ parameters.coefs[layer] + parameters.intercepts[layer]
        units = ACTIVATIONS[name].function(z)
        slope = ACTIVATIONS[name].derivative(units, z)
        factor = factors[layer] if factors else None
        layer_inputs.append(units if factor is None else units * factor)
        slopes.append(slope if factor is None else slope * factor)
    logits = layer_inputs[-1] @ parameters.coefs[-1] + parameters.intercepts[-1]
    return Pass(layer_inputs, slopes, logits)


def add_gradient(
    parameters: Parameters, done: Pass, deltas: Array, weight: Any, gradients: Parameters
) -> None:
    """Add one sample's gradient, times its weight, to the accumulators.

    Parameters
    ----------
    parameters : Parameters
    done : Pass
    deltas : ndarray of shape (n_outputs,)
        d loss / d logits.
    weight : scalar
    gradients : Parameters
        Added to.
    """
    deltas = deltas * weight
    for layer in reversed(range(len(parameters.coefs))):
        gradients.coefs[layer][...] += np.outer(done.layer_inputs[layer], deltas)
        gradients.intercepts[layer][...] += deltas
        if layer > 0:
            deltas = parameters.coefs[layer] @ deltas * done.slopes[layer - 1]


def run_batches(
    parameters: Parameters,
    rule: Rule,
    objective: Objective,
    problem: Problem,
    state: Array,
    batch_size: int,
    piece: Epoch,
) -> NDArray[np.float64]:
    """Train on some samples, a batch after the other.

    Parameters
    ----------
    parameters : Parameters
        Updated in place.
    rule : Rule
        The solver and the penalties.
    objective : Objective
        The loss and the dropout.
    problem : Problem
        The data.
    state : ndarray of shape (n_slots, n_parameters)
        The solver's memory, updated in place.
    batch_size : int
        Number of samples an update; a last batch that is smaller is a batch like the others.
    piece : Epoch
        An epoch or a piece of it.

    Returns
    -------
    ndarray of shape (n_batches,), float64
        See `fastmlp.backends.contract.Trainer.run_epoch`.
    """
    gradients = Parameters.zeros(parameters.network, parameters.dtype)
    losses = np.empty(len(piece.rates))
    for step, batch in enumerate(batches(piece.permutation, batch_size)):
        gradients.buffer[...] = 0
        loss = 0.0
        for sample in batch:
            factors = None
            if piece.draw is not None:
                numbers = piece.draw(1)[0]
                factors = keep_factors(parameters.network, objective, numbers, parameters.dtype)
            done = forward(parameters, problem.features.rows([sample])[0], factors)
            weight = 1 if problem.weights is None else problem.weights[sample]
            target = problem.targets[sample]
            loss += float(weight * sample_losses(objective.loss, done.logits, target))
            deltas = loss_gradient(objective.loss, done.logits, target)
            add_gradient(parameters, done, deltas, weight, gradients)
        total = piece.totals[step]
        gradients.buffer /= total
        losses[step] = loss / total + penalise(parameters, gradients, rule, total)
        take_step(parameters, gradients, rule, state, piece.rates[step], piece.decays[step])
    return losses


def predict_logits(
    parameters: Parameters, features: Features, n_threads: int | None = None
) -> Array:
    """Compute the logits of every sample; see `fastmlp.backends.contract.Backend`."""
    logits = np.empty((features.n_samples, parameters.network.layer_sizes[-1]), parameters.dtype)
    for sample in range(features.n_samples):
        logits[sample] = forward(parameters, features.rows([sample])[0]).logits
    return logits

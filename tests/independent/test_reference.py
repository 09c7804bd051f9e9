"""The reference against finite differences, a network worked by hand, a second derivation."""

import math

import numpy as np
import pytest

from fastmlp.activations import ACTIVATIONS
from fastmlp.article import (
    softmax_cross_entropy_gradient,
    softmax_cross_entropy_gradient_by_jacobian,
)
from fastmlp.backends import reference
from fastmlp.backends.contract import Epoch, Objective, Problem
from fastmlp.inputs import Scale, as_features
from fastmlp.losses import Loss
from fastmlp.network import Network, Parameters
from fastmlp.optimizers import SGD, Rule
from tests.oracles import finite_differences, naive_logits, naive_loss


def one_step(parameters, X, targets, alpha=0.0):
    """Take one step of a rate of 1 on all samples; return the gradient and the loss before it."""
    before = parameters.buffer.copy()
    features = as_features(X, Scale(1.0, 0.0), parameters.dtype)
    state = np.empty((0, before.size))
    order = np.arange(len(X))
    piece = Epoch(order, np.ones(1), np.zeros(1), np.array([float(len(X))]))
    losses = reference.run_batches(
        parameters, Rule(SGD(), alpha), Objective(Loss("softmax")), Problem(features, targets),
        state, len(X), piece,
    )  # fmt: skip
    return Parameters(parameters.network, before - parameters.buffer), losses[0]


@pytest.mark.parametrize("alpha", [0.0, 0.7])
@pytest.mark.parametrize("hidden", [(), (5,), (8, 3)], ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient_agrees_with_finite_differences(activation, hidden, alpha, tiny):
    network = Network((6, *hidden, 3), (activation,) * len(hidden))
    parameters = Parameters(network, np.random.default_rng(1).normal(0, 0.5, network.n_parameters))
    twin = parameters.copy()

    def loss():
        return naive_loss(twin.coefs, twin.intercepts, network.activations, *tiny, alpha)

    expected_loss = loss()
    expected = finite_differences(loss, twin.buffer)
    actual, actual_loss = one_step(parameters, *tiny, alpha)
    assert actual_loss == pytest.approx(expected_loss, rel=1e-13)
    # The truncation error is step^2 times a third derivative, 1e-12; the rounding error is
    # rounding unit x loss / step, 1e-10.
    np.testing.assert_allclose(actual.buffer, expected, rtol=0, atol=1e-8)


def test_logits_agree_with_the_textbook(tiny):
    network = Network((6, 5, 4, 3), ("relu", "tanh"))
    parameters = Parameters(network, np.random.default_rng(2).normal(size=network.n_parameters))
    features = as_features(tiny.X, Scale(1.0, 0.0), parameters.dtype)
    expected = naive_logits(parameters.coefs, parameters.intercepts, network.activations, tiny.X)
    actual = reference.predict_logits(parameters, features)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-13)


def test_small_network_agrees_with_the_numbers_worked_by_hand():
    # x = (1, 2), one hidden unit: z = 1 * 0.5 + 2 * -0.25 + 0 = 0, so a = 1/2 and a' = 1/4.
    # Logits (1/2 * 2 ln 3, 0) = (ln 3, 0): softmax (3/4, 1/4); the target is the second class.
    # Loss = -ln 1/4 = ln 4. Output deltas (3/4, 1/4 - 1); coef_grads a * deltas = (3/8, -3/8).
    # Hidden delta = (3/4 * 2 ln 3 - 3/4 * 0) / 4 = 3/8 ln 3; coef_grads (1, 2) times it.
    parameters = Parameters.zeros(Network((2, 1, 2), ("logistic",)), np.float64)
    parameters.coefs[0][...] = [[0.5], [-0.25]]
    parameters.coefs[1][...] = [[2 * math.log(3), 0.0]]
    gradient, loss = one_step(parameters, np.array([[1.0, 2.0]]), np.array([1]))
    delta = 3 / 8 * math.log(3)
    assert loss == pytest.approx(math.log(4), abs=1e-15)
    np.testing.assert_allclose(gradient.coefs[1], [[3 / 8, -3 / 8]], atol=1e-15)
    np.testing.assert_allclose(gradient.intercepts[1], [3 / 4, -3 / 4], atol=1e-15)
    np.testing.assert_allclose(gradient.coefs[0], [[delta], [2 * delta]], atol=1e-15)
    np.testing.assert_allclose(gradient.intercepts[0], [delta], atol=1e-15)


@pytest.mark.parametrize("target", [0, 4, 9])
def test_two_derivations_of_the_softmax_cross_entropy_gradient_agree(target):
    logits = np.random.default_rng(3).normal(0, 2, 10)
    short = softmax_cross_entropy_gradient(logits, target)
    long = softmax_cross_entropy_gradient_by_jacobian(logits, target)
    np.testing.assert_allclose(short, long, rtol=0, atol=1e-15)
    assert short[target] < 0

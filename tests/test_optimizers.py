"""Update rules against the papers' formulas, one number at a time."""

import numpy as np
import pytest

from fastmlp.network import Network, Parameters
from fastmlp.optimizers import SGD, Adam, AdamW, Lion, NAdam, RMSprop, Rule, penalise, take_step
from tests.oracles import textbook_steps

SOLVERS = {
    "sgd": SGD(),
    "momentum": SGD(momentum=0.9),
    "nesterov": SGD(momentum=0.9, nesterov=True),
    "adam": Adam(),
    "rmsprop": RMSprop(beta_2=0.9),
    "lion": Lion(),
    "nadam": NAdam(),
}


@pytest.mark.parametrize("name", SOLVERS)
def test_steps_agree_with_the_textbook(name):
    solver = SOLVERS[name]
    gradients = np.random.default_rng(0).normal(size=(6, 3))
    parameters, state = np.zeros(3), np.zeros((solver.n_slots, 3))
    rates = solver.rates(np.full(6, 0.1), first_step=0)
    actual = []
    for gradient, rate in zip(gradients, rates, strict=True):
        solver.update(parameters, gradient, state, rate)
        actual.append(parameters.copy())
    steps = [list(textbook_steps(name, gradients[:, index], 0.1)) for index in range(3)]
    expected = np.cumsum(np.array(steps).T, axis=0)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("solver", [Adam(), NAdam()], ids=str)
def test_bias_correction_goes_on_in_the_next_epoch(solver):
    whole = solver.rates(np.full(7, 0.1), first_step=0)
    parts = [solver.rates(np.full(3, 0.1), 0), solver.rates(np.full(4, 0.1), 3)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_penalty_spares_the_biases():
    network = Network((2, 1), ())
    parameters = Parameters(network, np.array([3.0, -4.0, 100.0]))
    gradients = Parameters.zeros(network, np.float64)
    assert penalise(parameters, gradients, Rule(SGD(), 0.5), 10) == pytest.approx(0.5 * 25 / 20)
    np.testing.assert_allclose(gradients.buffer, [0.15, -0.2, 0.0])


def test_l1_penalty_is_the_sum_of_sizes():
    network = Network((2, 1), ())
    parameters = Parameters(network, np.array([3.0, -4.0, 100.0]))
    gradients = Parameters.zeros(network, np.float64)
    assert penalise(parameters, gradients, Rule(SGD(), l1=0.5), 10) == pytest.approx(0.35)
    np.testing.assert_allclose(gradients.buffer, [0.05, -0.05, 0.0])


def test_long_gradients_are_shortened():
    network = Network((2, 1), ())
    parameters = Parameters.zeros(network, np.float64)
    rule, state = Rule(SGD(), max_grad_norm=1.0), np.empty((0, 3))
    take_step(parameters, Parameters(network, np.array([3.0, 0, 4])), rule, state, 1.0, 0.0)
    np.testing.assert_allclose(parameters.buffer, [-0.6, 0, -0.8])
    take_step(parameters, Parameters(network, np.array([0.3, 0, 0.4])), rule, state, 1.0, 0.0)
    np.testing.assert_allclose(parameters.buffer, [-0.9, 0, -1.2])


def test_adamw_shrinks_the_weights_beside_the_step_of_adam():
    network = Network((2, 1), ())
    moved, plain = (Parameters(network, np.array([3.0, -4.0, 5.0])) for _ in range(2))
    gradient = np.array([1.0, 2.0, 3.0])
    rule = Rule(AdamW(weight_decay=0.1))
    (decay,) = rule.decays(np.array([0.5]))
    take_step(moved, Parameters(network, gradient.copy()), rule, np.zeros((2, 3)), 0.5, decay)
    Adam().update(plain.buffer, gradient, np.zeros((2, 3)), 0.5)
    np.testing.assert_allclose(moved.buffer - plain.buffer, [-0.15, 0.2, 0.0], atol=1e-15)


def test_nadam_is_pytorchs():
    gradients = [[0.3, -1.0, 2.0], [0.1, 0.5, -2.0], [-0.7, 0.2, 0.1], [0.05, 0.0, 1.0]]
    parameters, state = np.array([1.0, -2.0, 0.5]), np.zeros((2, 3))
    rates = NAdam().rates(np.full(4, 0.1), first_step=0)
    for gradient, rate in zip(gradients, rates, strict=True):
        NAdam().update(parameters, np.array(gradient), state, rate)
    # torch.optim.NAdam (torch 2.13, lr=0.1) adds epsilon to the corrected root: 1e-8 apart.
    expected = [0.9505492905022344, -1.9516133582280635, 0.4192850765820238]
    np.testing.assert_allclose(parameters, expected, atol=1e-6)


def test_nadams_rates_of_late_steps_are_those_of_the_first_ones_carried_on():
    whole = NAdam().rates(np.full(600, 0.1), first_step=0)
    np.testing.assert_allclose(NAdam().rates(np.full(100, 0.1), 500), whole[500:], rtol=1e-15)
    late = NAdam().rates(np.full(1, 0.1), first_step=10**9)
    np.testing.assert_allclose(late, [[0.09, 0.01]], rtol=1e-12)
    assert np.isfinite(NAdam(beta_1=0.0).rates(np.full(3, 0.1), 0)).all()

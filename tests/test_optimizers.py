"""Update rules and schedules against the papers' formulas, one number at a time."""

import numpy as np
import pytest

from fastmlp.network import Network, Parameters
from fastmlp.optimizers import SGD, Adam, Progress, cosine, invscaling, one_cycle, penalise
from tests.oracles import textbook_steps

SOLVERS = {
    "sgd": SGD(),
    "momentum": SGD(momentum=0.9),
    "nesterov": SGD(momentum=0.9, nesterov=True),
    "adam": Adam(),
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


def test_adam_bias_correction_goes_on_in_the_next_epoch():
    whole = Adam().rates(np.full(7, 0.1), first_step=0)
    parts = [Adam().rates(np.full(3, 0.1), 0), Adam().rates(np.full(4, 0.1), 3)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_penalty_spares_the_biases():
    network = Network((2, 1), ())
    parameters = Parameters(network, np.array([3.0, -4.0, 100.0]))
    gradients = Parameters.zeros(network, np.float64)
    assert penalise(parameters, gradients, 0.5, 10) == pytest.approx(0.5 * 25 / 20)
    np.testing.assert_allclose(gradients.buffer, [0.15, -0.2, 0.0])


def test_cosine_falls_from_the_rate_to_almost_zero():
    rates = cosine(0.4, Progress(0, 100, 100, 0))
    assert rates[0] == 0.4
    assert rates[50] == pytest.approx(0.2)
    assert 0 < rates[-1] < 0.4 / 1000
    assert (np.diff(rates) < 0).all()


def test_invscaling_is_one_rate_an_epoch():
    rates = invscaling(0.4, Progress(first_step=20, n_steps=10, total_steps=100, samples_seen=399))
    np.testing.assert_allclose(rates, np.full(10, 0.4 / 20))


@pytest.mark.parametrize("n_steps", [1, 2, 3, 10, 1000])
def test_one_cycle_is_finite_and_never_above_its_peak(n_steps):
    rates = one_cycle(0.4, Progress(0, n_steps, n_steps, 0))
    assert np.isfinite(rates).all()
    assert (rates > 0).all()
    assert (rates <= 0.4).all()


@pytest.mark.parametrize("schedule", [cosine, one_cycle])
def test_schedules_do_not_depend_on_how_epochs_cut_them(schedule):
    whole = schedule(0.4, Progress(0, 12, 12, 0))
    parts = [schedule(0.4, Progress(first, 4, 12, 0)) for first in (0, 4, 8)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))

"""The upper rungs: a batch's gradient, the parameters after one step, the loss curve.

The lowest rung, single operations, is in `tests/kernels`.
"""

import numpy as np
import pytest

import fastmlp
from fastmlp.optimizers import SGD, Rule
from tests.equivalence.matrix import BATCH_SIZES, N_SAMPLES, SOLVERS, cases, rule, run_epoch
from tests.tolerances import assert_close

RATES = {"sgd": 0.3, "sgd-alpha": 0.3, "momentum": 0.02, "nesterov": 0.02, "adam": 0.01}
SLOWER = {"selu": 0.1}
"""Its slope is above 1: at the others' rate single samples make its loss grow to a hundred, and
rounding errors with it."""


@pytest.mark.parametrize("n_samples", [1, 7, N_SAMPLES])
@pytest.mark.parametrize("case", cases(solvers=["sgd"], batches=["all"]), ids=str)
def test_gradient_of_one_batch_agrees_with_the_reference(case, n_samples, tiny):
    # After the first step of momentum, with a rate of 1, the velocity is minus the gradient.
    arguments = (case, tiny, Rule(SGD(momentum=0.5), 0.3), 1.0, n_samples, n_samples)
    _, actual, actual_losses = run_epoch(case.backend, *arguments)
    _, expected, expected_losses = run_epoch("reference", *arguments)
    assert np.abs(expected).max() > 1e-3
    assert_close(actual, expected, "gradient", case.dtype)
    assert_close(actual_losses, expected_losses, "gradient", case.dtype)


@pytest.mark.parametrize("n_samples", [1, 7, N_SAMPLES])
@pytest.mark.parametrize("case", cases(batches=["all"]), ids=str)
def test_parameters_after_one_step_agree_with_the_reference(case, n_samples, tiny):
    arguments = (case, tiny, rule(case.solver), RATES[case.solver], n_samples, n_samples)
    actual, _, _ = run_epoch(case.backend, *arguments)
    expected, _, _ = run_epoch("reference", *arguments)
    assert_close(actual.buffer, expected.buffer, "update", case.dtype)


@pytest.mark.parametrize("case", cases(), ids=str)
def test_loss_curve_agrees_with_the_reference(case, tiny):
    curves = {}
    for backend in (case.backend, "reference"):
        result = fastmlp.train(
            *tiny,
            **SOLVERS[case.solver],
            backend=backend,
            dtype=case.dtype,
            activation=case.activation,
            hidden_layer_sizes=case.hidden,
            batch_size=BATCH_SIZES[case.batch],
            learning_rate_init=RATES[case.solver] * SLOWER.get(case.activation, 1.0),
            epochs=4,
            random_state=11,
        )
        curves[backend] = result.history.loss
    assert_close(curves[case.backend], curves["reference"], "loss curve", case.dtype)
    assert curves["reference"][0] != curves["reference"][-1]

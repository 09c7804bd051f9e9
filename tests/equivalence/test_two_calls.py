"""A gradient and an update, one call each: the steps of the fused kernels."""

import numpy as np
import pytest

import fastmlp
from fastmlp.backends.contract import Objective
from fastmlp.backends.summed import Part
from fastmlp.engine.gradient import TwoCalls, epoch_of
from fastmlp.engine.start import Start
from tests.equivalence import test_objectives as objectives
from tests.equivalence.test_objectives import CASES, N_SAMPLES
from tests.tolerances import assert_close

BACKENDS = ["reference", "numpy", "numba"]


def train(backend, case, monkeypatch):
    """Train three epochs by a gradient and an update for each batch."""

    def begin(self):
        plan, parameters = self.plan, self.state.parameters
        start = Start(plan.backend, parameters, plan.objective, self.problem, plan.n_threads)
        return TwoCalls(start, plan.rule, plan.batch_size, 1)

    with monkeypatch.context() as patch:
        patch.setattr("fastmlp.engine.descent.Descent._begin", begin)
        return objectives.train(backend, case, "float64")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", CASES)
def test_two_calls_make_the_fused_steps(name, backend, monkeypatch):
    expected_losses, expected = objectives.train(backend, CASES[name], "float64")
    losses, actual = train(backend, CASES[name], monkeypatch)
    assert_close(losses, expected_losses, "loss curve", "float64")
    assert_close(actual, expected, "loss curve", "float64")


def test_what_comes_between_the_two_counts():
    """Two halves of a batch, summed by hand as two machines would: the step of the whole."""
    case = CASES["everything"]._replace(dropout=(), batch_size=N_SAMPLES)
    problem = objectives.problem(case, "float64")
    total, order = float(problem.weights.sum()), np.arange(N_SAMPLES)
    buffers = []
    for halves in ([order], [order[:9], order[9:]]):
        parameters = objectives.parameters(case, "float64")
        start = Start("numba", parameters, Objective(case.loss), problem, 1)
        steps = start.sum_parts(case.rule, [Part(problem, N_SAMPLES)] * len(halves))
        steps.load()
        for number, rows in enumerate(halves):
            steps.compute(number, epoch_of(rows, N_SAMPLES, total, parameters.dtype))
        for gradient in steps.gradients[1:]:
            steps.gradients[0] += gradient
        steps.update(total, 0.1, 0.01)
        steps.fetch()
        buffers.append(parameters.buffer)
    np.testing.assert_allclose(*buffers, rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "arguments", [{"dropout": 0.3}, {"solver": "adam", "alpha": 0.1, "max_grad_norm": 0.5}]
)
def test_accumulated_batches_are_one(backend, arguments, tiny):
    """Ragged ones too: 20 samples are steps of 12 and 8, the first in batches of 4, 4 and 4."""
    settings = {"hidden_layer_sizes": (5,), "epochs": 4, "random_state": 0, "dtype": "float64"}
    settings |= {"backend": backend, "class_weight": "balanced", **arguments}
    large = fastmlp.train(*tiny, **settings, batch_size=12)
    small = fastmlp.train(*tiny, **settings, batch_size=4, accumulate=3)
    assert_close(small.history.loss, large.history.loss, "loss curve", "float64")
    assert_close(
        small.model.parameters.buffer, large.model.parameters.buffer, "loss curve", "float64"
    )


def test_estimators_accumulate(tiny):
    settings = {"hidden_layer_sizes": (5,), "max_iter": 3, "random_state": 0, "backend": "numpy"}
    with pytest.warns(UserWarning, match="Maximum iterations"):
        large = fastmlp.MLPClassifier(**settings, batch_size=12).fit(*tiny)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        small = fastmlp.MLPClassifier(**settings, batch_size=4, accumulate=3).fit(*tiny)
    np.testing.assert_allclose(small.loss_curve_, large.loss_curve_, rtol=1e-6)

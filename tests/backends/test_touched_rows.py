"""Where a step touches only the weights of a batch's features, the others miss nothing."""

from contextlib import suppress
from itertools import cycle

import numpy as np
import pytest
import scipy.sparse

import fastmlp
from fastmlp.backends import get_backend
from fastmlp.backends.compiled import fit
from fastmlp.backends.compiled.packing import pack
from fastmlp.backends.compiled.touching import count_touched
from fastmlp.backends.contract import Epoch, Objective, Problem, piece_of
from fastmlp.inputs import Scale, as_features
from fastmlp.losses import Loss
from fastmlp.network import Network, Parameters
from fastmlp.optimizers import SGD, Adam, RMSprop, Rule
from tests.tolerances import assert_close


@pytest.mark.parametrize("solver", [
    {"alpha": 0.3}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True, "alpha": 0.5},
    {"solver": "adam"}, {"solver": "adam", "alpha": 0.3},
    {"solver": "adam", "learning_rate": "one_cycle"},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_that_no_batch_touches_are_caught_up(dtype, solver, monkeypatch):
    # 60 batches an epoch, of which most features appear in none or one.
    X = scipy.sparse.random_array(
        (240, 2000), density=0.004, format="csr", random_state=np.random.default_rng(3)
    )
    made, make = [], fit.make_touched_rows
    monkeypatch.setattr(fit, "make_touched_rows", lambda *a: made.append(make(*a)) or made[-1])
    arguments = {"hidden_layer_sizes": (20,), "batch_size": 4, "epochs": 3, "random_state": 0,
                 "dtype": dtype, "learning_rate_init": 0.02, **solver}  # fmt: skip
    y = np.arange(240) % 3
    actual = fastmlp.train(X, y, **arguments)
    assert made
    expected = fastmlp.train(X, y, backend="numpy", **arguments)
    assert_close(actual.history.loss, expected.history.loss, "loss curve", dtype)
    parts = (one.model.parameters.buffer for one in (actual, expected))
    assert_close(*parts, "loss curve" if dtype == "float64" else "adam parameters", dtype)


class TakingTurns:
    """A pace of 7 steps by one thread, 7 by two, and so on."""

    def __init__(self, most, unit, longest):
        self.numbers = cycle((1, most))

    def choose(self):
        self.n_threads = next(self.numbers)
        return 7

    def record(self, n_steps, seconds):
        pass


class CutShort(BaseException):
    """Comes between two pieces, as `KeyboardInterrupt` does."""


N_BATCHES = 60
NETWORK = Network((2000, 70, 3), ("relu",))  # of two panels


def run(backend, rule, epoch, n_batches):
    """Train until so many batches are done."""
    matrix = scipy.sparse.random_array(
        (240, 2000), density=0.004, format="csr", random_state=np.random.default_rng(3)
    )
    problem = Problem(as_features(matrix, Scale(1.0, 0.0), np.dtype("float64")), np.arange(240) % 3)
    buffer = np.random.default_rng(4).normal(size=NETWORK.n_parameters)
    trainer = get_backend(backend).trainer(
        Parameters(NETWORK, buffer), rule, Objective(Loss("softmax")), problem, 4, 2
    )

    def report(n_done):
        if n_done >= n_batches:
            raise CutShort

    losses = None
    with suppress(CutShort):
        losses = trainer.run_epoch(epoch, report)
    return buffer, trainer.state, losses


@pytest.mark.parametrize("solver", [Adam(), SGD(momentum=0.9), RMSprop()], ids=str)
@pytest.mark.parametrize("n_batches", [14, N_BATCHES + 1])
def test_rows_are_caught_up_whoever_works_and_wherever_it_ends(n_batches, solver, monkeypatch):
    monkeypatch.setattr(fit, "MOST_STEPS", 25)
    monkeypatch.setattr(fit, "Pace", TakingTurns)
    rule = Rule(solver, alpha=0.3)
    epoch = Epoch(
        np.random.default_rng(5).permutation(240), np.linspace(0.02, 0.01, N_BATCHES),
        np.zeros(N_BATCHES), np.full(N_BATCHES, 4.0),
    )  # fmt: skip
    actual = run("numba", rule, epoch, n_batches)
    expected = run("numpy", rule, piece_of(epoch, 0, min(n_batches, N_BATCHES), 4), N_BATCHES + 1)
    for one, other in zip(actual[:2], expected[:2], strict=True):
        assert_close(one, other, "loss curve", "float64")
    if actual[2] is not None:
        assert_close(actual[2], expected[2], "loss curve", "float64")


def test_features_that_a_batch_has_are_counted_not_its_nonzeros():
    # Two words in every sample, and 98 that none has.
    matrix = scipy.sparse.csr_array(np.eye(1, 100) + np.eye(1, 100, 7) * np.ones((50, 1)))
    packed = pack(as_features(matrix, Scale(1.0, 0.0), np.dtype("float64")), 1, 1.0)
    assert count_touched(packed, 50, 30) == 2

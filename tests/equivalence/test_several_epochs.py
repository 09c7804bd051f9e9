"""Several epochs in one call: the bits of as many calls, however a batch is computed."""

from contextlib import suppress
from typing import NamedTuple

import numpy as np
import pytest
import scipy.sparse

from fastmlp.backends import get_backend
from fastmlp.backends.compiled import fit
from fastmlp.backends.contract import Epoch, Objective, Problem, n_batches
from fastmlp.inputs import Scale, as_features
from fastmlp.losses import Loss
from fastmlp.network import Network, Parameters
from fastmlp.optimizers import SGD, Adam, Rule
from fastmlp.rng import draw_numbers
from tests.equivalence.test_threads import Always
from tests.tolerances import assert_close

N_SAMPLES, N_EPOCHS, HIDDEN = 50, 3, 20


def dense():
    return np.random.default_rng(1).normal(size=(N_SAMPLES, 12))


def mostly(background):
    X = np.full((N_SAMPLES, 12), background, np.float64)
    X[::3, ::5] += 1.5
    return X


def wide():
    generator = np.random.default_rng(2)
    return scipy.sparse.random_array(
        (N_SAMPLES, 900), density=0.01, format="csr", random_state=generator
    )


class Case(NamedTuple):
    """One way to compute a batch; 50 samples do not divide into batches of 8 or 32."""

    X: object
    rule: Rule
    batch_size: int
    dropout: tuple = ()


CASES = {
    "sparse": Case(mostly(0), Rule(SGD(0.9), alpha=0.2), 8),
    "in place": Case(mostly(0), Rule(SGD()), 8),
    "dense": Case(dense(), Rule(Adam(), alpha=0.2, l1=0.1), 8),
    "all samples": Case(dense(), Rule(Adam(), alpha=0.2), N_SAMPLES),
    "dropout": Case(dense(), Rule(SGD()), 8, (0.4,)),
    "clipped": Case(dense(), Rule(SGD(), alpha=0.2, max_grad_norm=0.1), 8),
    "groups of rows": Case(dense(), Rule(SGD(0.9), alpha=0.2), 32),
    "groups of rows, dropout": Case(dense(), Rule(SGD()), 32, (0.4,)),
    "by sample": Case(mostly(-1), Rule(SGD()), 1),
    "touched rows": Case(wide(), Rule(Adam(), alpha=0.2), 4),
}


class Run:
    """A training of a case whose epochs are run some at a time."""

    def __init__(self, backend, case, n_threads=1):
        X, dtype = case.X, np.dtype("float64")
        network = Network((X.shape[1], HIDDEN, 3), ("tanh",))
        generator = np.random.default_rng(4)
        self.parameters = Parameters(network, generator.normal(size=network.n_parameters))
        problem = Problem(as_features(X, Scale(1.0, 0.0), dtype), np.arange(N_SAMPLES) % 3)
        objective = Objective(Loss("softmax"), case.dropout)
        self.trainer = get_backend(backend).trainer(
            self.parameters, case.rule, objective, problem, case.batch_size, n_threads
        )
        self.draw = draw_numbers(generator, HIDDEN) if case.dropout else None
        self.batch_size = case.batch_size

    def __call__(self, first, last, report=lambda n_done: None):
        """Run the epochs from one to another, exclusive, in one call."""
        length, generator = n_batches(N_SAMPLES, self.batch_size), np.random.default_rng(5)
        orders = [generator.permutation(N_SAMPLES) for _ in range(N_EPOCHS)]
        rates = generator.uniform(0.001, 0.02, N_EPOCHS * length)[first * length : last * length]
        sizes = np.full(length, float(self.batch_size))
        sizes[-1] = N_SAMPLES - sizes[:-1].sum()
        totals = np.tile(sizes, last - first)
        order = np.concatenate(orders[first:last])
        epoch = Epoch(order, rates, rates / 10, totals, self.draw, last - first)
        return self.trainer.run_epoch(epoch, report)


@pytest.fixture(autouse=True)
def small_room(monkeypatch):
    """Let there be more batches than there is room for penalties, and several pieces a call."""
    monkeypatch.setattr(fit, "MOST_STEPS", 10)
    monkeypatch.setattr(fit, "Pace", Always)
    monkeypatch.setattr("fastmlp.backends.compiled.grouping.FEWEST_ROWS", 16)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("backend", ["reference", "numpy", "numba"])
def test_epochs_in_one_call_are_those_of_as_many_calls(backend, name):
    at_once, singly = (Run(backend, CASES[name]) for _ in range(2))
    actual = at_once(0, N_EPOCHS)
    expected = np.concatenate([singly(epoch, epoch + 1) for epoch in range(N_EPOCHS)])
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(at_once.trainer.losses, expected)
    np.testing.assert_array_equal(at_once.parameters.buffer, singly.parameters.buffer)
    np.testing.assert_array_equal(at_once.trainer.state, singly.trainer.state)


class CutShort(BaseException):
    """Comes between two pieces, as `KeyboardInterrupt` does."""


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_the_losses_of_what_was_done_outlast_an_interruption(backend, name):
    broken_off, whole = (Run(backend, CASES[name]) for _ in range(2))
    expected = whole(0, N_EPOCHS)
    told = []

    def report(n_done):
        told.append(n_done)
        if n_done > len(expected) / 2:
            raise CutShort

    with suppress(CutShort):
        broken_off(0, N_EPOCHS, report)
    assert len(broken_off.trainer.losses) == told[-1]
    assert told == sorted(told)
    assert_close(broken_off.trainer.losses, expected[: told[-1]], "operation", "float64")


def test_the_ways_that_are_meant_are_taken():
    runs = {name: Run("numba", case) for name, case in CASES.items()}
    trainers = {name: run.trainer for name, run in runs.items()}
    assert trainers["by sample"].by_sample and trainers["by sample"].features.constant == -1
    assert trainers["touched rows"].rows is not None
    assert trainers["groups of rows"].groups is not None
    assert trainers["sparse"].groups is None and trainers["in place"].features.in_place
    assert trainers["dropout"].groups is None and trainers["dropout"].spaces[0].slopes

"""Who is timed: epochs of a backend, predictions, and SciPy's sparse products as a yardstick.

A competitor has `reset`, which brings it back to where it began, and `run`, which does the work and
returns what it computed; only `run` is timed. Each holds memory that it has used before, so that
neither checks, packing nor the system's page faults count: kernels are compared, not set-ups.
"""

import copy
import warnings
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import sklearn.neural_network
from scipy.sparse import csr_array

from fastmlp import MLPClassifier
from fastmlp.backends import batched, get_backend
from fastmlp.backends.contract import Objective, Problem
from fastmlp.configuration import default_rate
from fastmlp.engine.descent import Descent
from fastmlp.engine.plan import Plan
from fastmlp.engine.state import State
from fastmlp.inputs import as_features, input_scale_pair
from fastmlp.losses import Loss, softmax
from fastmlp.network import Network
from fastmlp.optimizers import SGD, Adam, Rule
from fastmlp.rng import initial_parameters
from fastmlp.schedules import SCHEDULES, Schedule

FLOAT = np.dtype("float32")
N_CLASSES = 10
LEAST_ROWS = 64
"""In a product of SciPy's: with fewer its call would count."""

SOLVERS = {"sgd": SGD(), "adam": Adam()}


@dataclass(frozen=True)
class Work:
    """One epoch, or the prediction of as many rows: the arguments are those of `fastmlp.train`."""

    X: Any
    input_scale: str | None = None
    batch_size: int = 64
    hidden_layer_sizes: tuple[int, ...] = (100,)
    activation: str = "logistic"
    solver: str = "sgd"
    learning_rate_init: float | None = None
    n_threads: int = 1

    @property
    def features(self):
        """What a backend reads."""
        return as_features(self.X, input_scale_pair(self.input_scale), FLOAT)

    def parameters(self):
        """Draw the initial weights, the same ones each time."""
        sizes = (self.X.shape[1], *self.hidden_layer_sizes, N_CLASSES)
        network = Network(sizes, (self.activation,) * len(self.hidden_layer_sizes))
        return initial_parameters(network, "glorot_uniform", FLOAT, np.random.default_rng(0))


class Epoch:
    """One epoch on a backend, from fresh weights; its result is the loss."""

    quantity = "loss curve"

    def __init__(self, backend, work, y):
        self.backend, self.work, self.y = backend, work, y
        self.initial = work.parameters()
        self.order = np.random.default_rng(1).permutation(work.X.shape[0])
        rate = work.learning_rate_init or default_rate(work.solver, work.batch_size)
        schedule = Schedule(SCHEDULES["constant"], rate)
        plan = Plan(
            backend, Objective(Loss("softmax")), Rule(SOLVERS[work.solver]), schedule,
            work.batch_size, 1, work.n_threads,
        )  # fmt: skip
        self.state = State(self.initial.copy(), self, schedule.rate)
        self.descent = Descent(plan, self.state, Problem(work.features, y))
        self.fresh_slots = self.descent.fetch_slots().copy()

    def draw(self):
        """Give the same order each time; see `fastmlp.rng.Orders`."""
        return self.order

    def expected(self):
        """Compute the loss by the reference, which itself is compared with NumPy."""
        other = "numpy" if self.backend == "reference" else "reference"
        return Epoch(other, self.work, self.y).run()

    def reset(self):
        self.state.parameters.buffer[...] = self.initial.buffer
        self.descent.trainer.state = self.fresh_slots.copy()
        self.state.step = self.state.samples = 0

    def run(self):
        return self.descent.run_epoch()


class Unchanged:
    """What leaves nothing behind that must be reset."""

    quantity = "product"

    def reset(self):
        """Change nothing."""


class ManyRows(Unchanged):
    """The logits of many rows on a backend."""

    def __init__(self, backend, work):
        self.backend, self.work = get_backend(backend), work
        self.parameters, self.features = work.parameters(), work.features

    def expected(self):
        return ManyRows("reference", self.work).run()

    def run(self):
        return self.backend.predict_logits(self.parameters, self.features, self.work.n_threads)


class OneRow(Unchanged):
    """The probabilities of one row, again and again, by what a backend has for it.

    NumPy's are its layers alone: to limit BLAS in each call would take far longer than they do.
    """

    n_calls = 1 if numba.config.DISABLE_JIT else 300

    def __init__(self, backend, work):
        self.work, parameters, self.row = work, work.parameters(), work.features.values
        self.predict = {
            "numba": get_backend("numba").FewRows(parameters, work.features.scale, "softmax"),
            "numpy": lambda row: softmax(batched.forward(parameters, row).logits),
        }[backend]

    def expected(self):
        return softmax(ManyRows("reference", self.work).run())

    def run(self):
        for _ in range(self.n_calls):
            probabilities = self.predict(self.row)
        return probabilities


class EstimatorRow(Unchanged):
    """The probabilities of one row, again and again, by an estimator or by scikit-learn's."""

    n_calls = 1 if numba.config.DISABLE_JIT else 30

    def __init__(self, library, work):
        self.work, y = work, np.arange(2 * N_CLASSES) % N_CLASSES
        rows = np.resize(work.X, (len(y), work.X.shape[1]))
        model = MLPClassifier(work.hidden_layer_sizes, max_iter=1, tol=1.0, random_state=0)
        with warnings.catch_warnings(action="ignore"):
            self.model = model.fit(rows, y)
        if library == "scikit-learn":
            self.model = self.model.to_sklearn()

    def expected(self):
        hidden = np.maximum(self.work.X @ self.model.coefs_[0] + self.model.intercepts_[0], 0)
        return softmax(hidden @ self.model.coefs_[1] + self.model.intercepts_[1])

    def run(self):
        for _ in range(self.n_calls):
            probabilities = self.model.predict_proba(self.work.X)
        return probabilities


class Steps:
    """Steps on 32 rows of 4 values, each a `partial_fit`; the result is the last one's loss."""

    quantity = "loss curve"
    n_calls = 2 if numba.config.DISABLE_JIT else 20

    def __init__(self, library, y):
        self.X = np.random.default_rng(0).normal(size=(32, 4)).astype(FLOAT)
        self.y, self.library = y[:32] % 3, library
        kind = {"fastmlp": MLPClassifier, "scikit-learn": sklearn.neural_network.MLPClassifier}
        self.begun = kind[library]((64, 64), random_state=0)
        self.begun.partial_fit(self.X, self.y, classes=range(3))
        self.reset()

    def expected(self):
        other = "fastmlp" if self.library == "scikit-learn" else "scikit-learn"
        return Steps(other, self.y).run()

    def reset(self):
        self.model = copy.deepcopy(self.begun)
        self.model.partial_fit(self.X, self.y)

    def run(self):
        for _ in range(self.n_calls):
            self.model.partial_fit(self.X, self.y)
        return self.model.loss_


class SparseProducts(Unchanged):
    """P W and P^T D of every batch by SciPy: a first layer's arithmetic, forward and back.

    It is no part of this library, calls no BLAS and reads a row of W for each nonzero as our
    kernels do: what changes from machine to machine changes both. Its result is P W.
    """

    def __init__(self, work):
        self.work, self.W = work, work.parameters().coefs[0]
        P = csr_array(work.X, dtype=FLOAT)
        starts = range(0, P.shape[0], max(work.batch_size, LEAST_ROWS))
        self.batches = [P[start : start + max(work.batch_size, LEAST_ROWS)] for start in starts]
        self.transposed = [batch.T for batch in self.batches]

    def expected(self):
        return csr_array(self.work.X).toarray().astype(FLOAT) @ self.W

    def run(self):
        results = []
        for batch, transposed in zip(self.batches, self.transposed, strict=True):
            results.append(batch @ self.W)
            transposed @ results[-1]
        return np.vstack(results)

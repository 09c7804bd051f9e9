"""The matrix of configurations, derived from what the backends declare."""

import itertools
from typing import NamedTuple

import numpy as np

from fastmlp.backends import BACKENDS, get_backend
from fastmlp.backends.contract import Epoch, Objective, Problem
from fastmlp.inputs import Scale, as_features
from fastmlp.losses import Loss
from fastmlp.network import Network, Parameters
from fastmlp.optimizers import SGD, Adam, Rule

N_SAMPLES = 20
BATCH_SIZES = {"one": 1, "ragged": 7, "all": N_SAMPLES}
HIDDEN = [(), (5,), (8, 3)]
SOLVERS = {
    "sgd": {"solver": "sgd"},
    "sgd-alpha": {"solver": "sgd", "alpha": 0.3},
    "momentum": {"solver": "sgd", "momentum": 0.9},
    "nesterov": {"solver": "sgd", "momentum": 0.9, "nesterov": True},
    "adam": {"solver": "adam", "alpha": 0.3},
}


class Case(NamedTuple):
    """One cell of the matrix."""

    backend: str
    dtype: str
    activation: str
    solver: str
    hidden: tuple[int, ...]
    batch: str

    def __str__(self):
        hidden = "x".join(map(str, self.hidden)) or "none"
        return "-".join([*self[:4], hidden, self.batch])


def cases(backends=("numpy", "numba"), solvers=tuple(SOLVERS), batches=tuple(BATCH_SIZES)):
    """List the cells that the backends declare to be able to do."""
    found = []
    for backend in backends:
        able = get_backend(backend).CAPABILITIES
        table = itertools.product(able.dtypes, able.activations, solvers, HIDDEN, batches)
        cells = (Case(backend, *cell) for cell in table)
        found += [cell for cell in cells if is_new(cell, able.activations)]
    return found


MET_BY_ALL = ("logistic", "gelu")
"""One activation whose slope follows from its value, and one whose slopes are kept."""


def is_new(case, activations):
    """Tell whether a cell shows what no other does.

    Without hidden layers there are no activations to tell apart. An update does not know what the
    gradient is of: two optimizers meet all activations, the others two.
    """
    if not case.hidden:
        return case.activation == activations[0]
    return case.solver in ("sgd", "adam") or case.activation in MET_BY_ALL


ALL_BACKENDS = tuple(BACKENDS)


def rule(solver):
    """Build the update rule of a row of `SOLVERS`."""
    options = dict(SOLVERS[solver])
    alpha = options.pop("alpha", 0.0)
    kind = Adam if options.pop("solver") == "adam" else SGD
    return Rule(kind(**options), alpha)


def parameters(case, n_features=6, n_classes=3, seed=5):
    """Draw parameters, the biases too, so that none is zero."""
    network = Network((n_features, *case.hidden, n_classes), (case.activation,) * len(case.hidden))
    buffer = np.random.default_rng(seed).normal(0, 0.5, network.n_parameters)
    return Parameters(network, buffer.astype(case.dtype))


def run_epoch(backend, case, problem, update, rate, n_samples=N_SAMPLES, batch_size=None):
    """Run one epoch; return the parameters, the state and the losses of the batches."""
    network = parameters(case)
    X = np.ascontiguousarray(problem.X, case.dtype)
    features = as_features(X, Scale(1.0, 0.0), np.dtype(case.dtype))
    batch_size = batch_size or BATCH_SIZES[case.batch]
    order = np.random.default_rng(3).permutation(len(X))[:n_samples]
    rates = np.full(-(-n_samples // batch_size), rate, case.dtype)
    trainer = get_backend(backend).trainer(
        network, update, Objective(Loss("softmax")), Problem(features, problem.y), batch_size, 1
    )
    sizes = np.minimum(batch_size, n_samples - batch_size * np.arange(len(rates)))
    epoch = Epoch(order, rates, 0 * rates, sizes.astype(np.float64))
    losses = trainer.run_epoch(epoch, lambda n_done: None)
    return network, trainer.state, losses

"""What a backend begins with that keeps nothing from call to call: a trainer, and single steps."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._arrays import Array
from fastmlp.backends.contract import (
    BackendTrainer,
    Epoch,
    Objective,
    Problem,
    Report,
    piece_of,
    quiet,
    slices,
)
from fastmlp.inputs import Features, Scale
from fastmlp.network import Parameters
from fastmlp.optimizers import Rule


class SimpleTrainer(BackendTrainer):
    """A trainer for a backend that keeps nothing but the solver's state.

    Parameters
    ----------
    run_batches : callable
        Trains on some samples, a batch after the other; see `reference.run_batches`.
    parameters, rule, objective, problem, batch_size
        See `Backend.trainer`.
    """

    compile_seconds = 0.0
    blas_threads = 1
    calls_blas = True
    unit = 1

    def __init__(
        self,
        run_batches: Callable[..., NDArray[np.float64]],
        parameters: Parameters,
        rule: Rule,
        objective: Objective,
        problem: Problem,
        batch_size: int,
    ) -> None:
        self.run_batches = run_batches
        self.parameters, self.rule, self.objective = parameters, rule, objective
        self.problem, self.batch_size = problem, batch_size
        shape = (rule.solver.n_slots, parameters.buffer.size)
        self.state = np.zeros(shape, parameters.dtype)
        self.losses = np.empty(0)

    def sum_gradients(self, epoch: Epoch, out: Array) -> NDArray[np.float64]:
        """Add the gradients of some batches up; see `Trainer.sum_gradients`."""
        out[...] = 0
        self.state = out[np.newaxis]
        return self.run_epoch(epoch, quiet)

    def run_epoch(self, epoch: Epoch, report: Report) -> NDArray[np.float64]:
        """Train on the samples of an epoch once; see `Trainer.run_epoch`."""
        losses = np.empty(len(epoch.rates))
        self.losses = losses[:0]
        for first, last in slices(len(losses), report, epoch.n_epochs):
            losses[first:last] = self.run_batches(
                self.parameters, self.rule, self.objective, self.problem, self.state,
                self.batch_size, piece_of(epoch, first, last, self.batch_size),
            )  # fmt: skip
            self.losses = losses[:last]
        return losses


class SimpleSteps:
    """One step at a time on data that are there for that step alone, by a `SimpleTrainer`.

    A backend that has something faster calls it `SingleSteps`.

    Parameters
    ----------
    module : module
        The backend's.
    parameters : Parameters
        Updated in place.
    rule : Rule
    objective : Objective
    targets : ndarray of shape (most_rows, ...)
        What targets are like; see `Problem`.
    scale : Scale
        What is done to the values of X.
    """

    def __init__(
        self, module: Any, parameters: Parameters, rule: Rule, objective: Objective,
        targets: Array, scale: Scale,
    ) -> None:  # fmt: skip
        self.scale, self.like, self.dtype = scale, targets, parameters.dtype
        empty = np.zeros((len(targets), parameters.network.layer_sizes[0]), self.dtype)
        problem = Problem(Features(empty, scale, self.dtype), targets)
        self.trainer = module.trainer(parameters, rule, objective, problem, len(targets), 1)

    def __call__(self, X: Array, targets: Array, rates: Any, decay: Any) -> float:
        """Take a step.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
        targets : ndarray of shape (n_rows, ...)
        rates : scalar or ndarray of shape (2,), float64
            See `Epoch.rates`.
        decay : float

        Returns
        -------
        float
            The loss before it, penalties included.
        """
        features = Features(X.astype(self.dtype), self.scale, self.dtype)
        self.trainer.problem = Problem(features, targets.astype(self.like.dtype))
        rate, decays = np.array([rates], self.dtype), np.array([decay], self.dtype)
        epoch = Epoch(np.arange(len(X)), rate, decays, np.array([float(len(X))]))
        return float(self.trainer.run_epoch(epoch, quiet)[0])

    def fetch(self) -> None:
        """Do nothing: the parameters are up to date."""

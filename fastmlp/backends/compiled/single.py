"""One step at a time, on data that are there for that step alone."""

from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp.backends.compiled.fit import CompiledTrainer
from fastmlp.backends.compiled.memory import read_only
from fastmlp.backends.compiled.packing import as_dense
from fastmlp.backends.compiled.translation import as_targets
from fastmlp.backends.contract import Epoch, Objective, Problem
from fastmlp.inputs import Features, Scale
from fastmlp.kernels import task as tasks
from fastmlp.kernels.barrier import barrier_size
from fastmlp.kernels.optimizers import StepSizes
from fastmlp.losses import LOSSES
from fastmlp.network import Parameters
from fastmlp.optimizers import Rule

FEWEST_ROWS = 64
"""From which it is told whether data are dense."""


class SingleSteps:
    """Steps of up to some samples each, which cost little more than the kernel's work.

    The arguments of the kernel are put together once; each step writes its data into them. The
    weights stay packed from step to step.

    Parameters
    ----------
    module : module
        This backend's.
    parameters : Parameters
        Brought up to date by `fetch`.
    rule : Rule
    objective : Objective
        Without dropout.
    targets : ndarray of shape (most_rows, ...)
        What targets are like; see `contract.Problem`.
    scale : Scale
        What is done to the values of X.
    """

    def __init__(
        self, module: Any, parameters: Parameters, rule: Rule, objective: Objective,
        targets: Array, scale: Scale,
    ) -> None:  # fmt: skip
        dtype, most = parameters.dtype, len(targets)
        n_features = parameters.network.layer_sizes[0]
        self.X, self.rule = np.zeros((most, n_features), dtype), rule
        self.repeats = LOSSES[objective.loss.name].outputs_per_target
        self.trainer = CompiledTrainer(
            parameters, rule, objective, dense_problem(n_features, targets, scale, dtype), most, 1
        )
        problem = Problem(Features(self.X, scale, dtype), targets)
        as_read = as_targets(problem, objective.loss, parameters)
        self.y = as_read[0].copy()
        self.compile_seconds = self.trainer.compile_seconds
        self.step_sizes = StepSizes(*(np.zeros(1, dtype) for _ in StepSizes._fields))
        self.starts, self.totals, self.losses = np.zeros(2, np.intp), np.ones(1), np.zeros(1)
        self.batches = tasks.Batches(
            as_dense(problem.features), type(as_read)(read_only(self.y), *as_read[1:]),
            read_only(np.arange(most)), read_only(self.starts),
            StepSizes(*map(read_only, self.step_sizes)), read_only(self.totals),
        )  # fmt: skip
        self.trainer.model.load()
        nothing = Epoch(np.empty(0, np.intp), *(np.empty(0, dtype),) * 2, np.empty(0))
        call = self.trainer._prepare(nothing, self.batches, (0, 1), self.losses)
        self.arguments = call(tasks.Team(0, 1, np.zeros(barrier_size(1), np.int64)))

    def __call__(self, X: Array, targets: Array, rates: Any, decay: Any) -> float:
        """Take a step.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
        targets : ndarray of shape (n_rows, ...)
        rates : scalar or ndarray of shape (2,), float64
            See `contract.Epoch.rates`.
        decay : float

        Returns
        -------
        float
            The loss before it, penalties included.
        """
        n_rows, step_sizes = len(X), self.step_sizes
        self.X[:n_rows] = X
        flat = targets.ravel() if self.repeats == 1 else np.repeat(targets, self.repeats)
        self.y[: flat.size] = flat
        if self.starts[1] != n_rows:
            self.starts[1] = self.totals[0] = n_rows
            step_sizes.l2[0], step_sizes.l1[0] = self.rule.alpha / n_rows, self.rule.l1 / n_rows
        step_sizes.rates[0], step_sizes.gradient_rates[0] = rates if rates.ndim else (rates, rates)
        step_sizes.decays[0] = decay
        self.trainer.kernel(*self.arguments)
        self.trainer._add_penalties(self.batches, (0, 1), self.losses)
        return float(self.losses[0])

    def fetch(self) -> None:
        """Bring the parameters up to date."""
        self.trainer.model.unload(False)


def dense_problem(n_features: int, targets: Array, scale: Scale, dtype: np.dtype[Any]) -> Problem:
    """Make data that are read densely: of numbers that differ, in enough rows to see that."""
    n_rows = max(FEWEST_ROWS, len(targets))
    X = np.arange(n_rows * n_features, dtype=dtype).reshape(n_rows, n_features)
    return Problem(Features(X, scale, dtype), np.resize(targets, (n_rows, *targets.shape[1:])))

"""The loss at all samples and its gradient, as functions of the parameters."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.backends.contract import Epoch, Objective, Problem, n_batches, quiet
from fastmlp.engine.descent import begin
from fastmlp.network import Parameters
from fastmlp.optimizers import Accumulate, Rule, penalise

Array = NDArray[Any]

FULL_BATCH_ROWS = 512
"""Rows at a time where the gradient at all samples is wanted."""


class FullBatch:
    """The loss at all samples and its gradient, as functions of the parameters.

    Parameters
    ----------
    backend : str
    parameters : Parameters
        Overwritten by what it is asked for.
    rule : Rule
        Its penalties count, its solver does not.
    objective : Objective
        Without dropout.
    problem : Problem
    n_threads : int or None
    """

    def __init__(
        self,
        backend: str,
        parameters: Parameters,
        rule: Rule,
        objective: Objective,
        problem: Problem,
        n_threads: int | None = None,
    ) -> None:
        self.parameters, self.rule = parameters, rule
        n_samples = problem.features.n_samples
        rows = min(FULL_BATCH_ROWS, n_samples)
        accumulate = Rule(Accumulate())
        self.trainer = begin(backend, parameters, accumulate, objective, problem, rows, n_threads)
        self.blas_threads = self.trainer.blas_threads
        weights = problem.weights
        self.total = float(n_samples if weights is None else weights.sum(dtype=np.float64))
        n_steps = n_batches(n_samples, rows)
        numbers = np.zeros(n_steps, parameters.dtype)
        totals = np.full(n_steps, self.total)
        self.epoch = Epoch(np.arange(n_samples), numbers, numbers, totals)

    def __call__(self, flat: Array) -> tuple[float, Array]:
        """Compute loss and gradient.

        Parameters
        ----------
        flat : ndarray of shape (n_parameters,)
            In the order of `Parameters.buffer`.

        Returns
        -------
        loss : float
            Penalties included.
        gradient : ndarray of shape (n_parameters,), the parameters' dtype
        """
        self.parameters.buffer[...] = flat
        self.trainer.state = np.zeros((1, flat.size), self.parameters.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            loss = float(self.trainer.run_epoch(self.epoch, quiet).sum())
        gradients = Parameters(self.parameters.network, self.trainer.state[0])
        return loss + penalise(self.parameters, gradients, self.rule, self.total), gradients.buffer

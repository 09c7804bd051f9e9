"""The loss at all samples and its gradient, as functions of the parameters."""

import numpy as np

from fastmlp._arrays import Array
from fastmlp.backends.contract import Objective, Problem
from fastmlp.engine.gradient import Gradient
from fastmlp.engine.start import Start
from fastmlp.network import Parameters
from fastmlp.optimizers import Rule, penalise

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
        n_samples, weights = problem.features.n_samples, problem.weights
        start = Start(backend, parameters, objective, problem, n_threads)
        self.gradient = Gradient(start, parameters, min(FULL_BATCH_ROWS, n_samples))
        self.blas_threads = self.gradient.trainer.blas_threads
        self.total = float(n_samples if weights is None else weights.sum(dtype=np.float64))
        self.order = np.arange(n_samples)

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
        with np.errstate(over="ignore", invalid="ignore"):
            gradients = Parameters.zeros(self.parameters.network, self.parameters.dtype)
            loss = self.gradient(self.order, self.total, gradients.buffer)
        return loss + penalise(self.parameters, gradients, self.rule, self.total), gradients.buffer

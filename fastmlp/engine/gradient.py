"""The seam between gradient and update: a call for each, and room for others' work between them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.backends.contract import (
    BackendTrainer,
    Epoch,
    Problem,
    Report,
    batch_starts,
    n_batches,
)
from fastmlp.network import Parameters
from fastmlp.optimizers import Accumulate, Rule, penalise, take_step

Array = NDArray[Any]
Begin = Callable[[Rule, int], BackendTrainer]
"""Begins a training of a network, from an update rule and a size of the batches."""


class Gradient:
    """The gradient at some samples, in batches that are added up.

    Parameters
    ----------
    begin : callable
        See `Begin`.
    parameters : Parameters
        Read.
    batch_size : int
        So many samples are worked on at a time.
    """

    def __init__(self, begin: Begin, parameters: Parameters, batch_size: int) -> None:
        self.parameters, self.batch_size = parameters, batch_size
        self.trainer = begin(Rule(Accumulate()), batch_size)

    def __call__(
        self, order: NDArray[np.intp], total: float, out: Array, draw: Any = None
    ) -> float:
        """Compute the loss and its gradient.

        Parameters
        ----------
        order : ndarray of shape (n_rows,), intp
            The samples.
        total : float
            What the sums over the samples are divided by.
        out : ndarray of shape (n_parameters,), the parameters' dtype
            Overwritten by the gradient.
        draw : callable, optional
            See `contract.Epoch`.

        Returns
        -------
        float
            The loss, without penalties.
        """
        n_steps = n_batches(len(order), self.batch_size)
        numbers = np.zeros(n_steps, self.parameters.dtype)
        epoch = Epoch(order, numbers, numbers, np.full(n_steps, total), draw)
        return float(self.trainer.sum_gradients(epoch, out).sum())


class Steps:
    """A trainer whose steps are updates from gradients that it is given.

    Parameters
    ----------
    parameters : Parameters
        Updated in place.
    rule : Rule
    step_size : int
        Number of samples a step.
    """

    calls_blas = True
    unit = 1
    compile_seconds = 0.0
    blas_threads = 1

    def __init__(self, parameters: Parameters, rule: Rule, step_size: int) -> None:
        self.parameters, self.rule, self.step_size = parameters, rule, step_size
        self.state: Array = np.zeros(
            (rule.solver.n_slots, parameters.buffer.size), parameters.dtype
        )
        self.losses = np.empty(0)

    def update(self, gradients: Parameters, total: float, rate: Any, decay: Any) -> float:
        """Take a step from a gradient.

        Parameters
        ----------
        gradients : Parameters
            Overwritten.
        total : float
            What the penalties are divided by.
        rate, decay : scalar of the parameters' dtype

        Returns
        -------
        float
            The penalties.
        """
        penalty = penalise(self.parameters, gradients, self.rule, total)
        take_step(self.parameters, gradients, self.rule, self.state, rate, decay)
        return penalty

    def release(self) -> bool:
        """Be of no more use."""
        return False

    def renew(self, problem: Problem, state: Array | None) -> bool:
        """Leave other data to a new trainer."""
        return False


class TwoCalls(Steps):
    """A trainer whose step is a gradient, then an update: what is to come in between may.

    Its steps are those of the fused trainers of the backends, to rounding.

    Parameters
    ----------
    begin : callable
        See `Begin`.
    parameters : Parameters
        Updated in place.
    rule : Rule
    batch_size : int
        So many samples are worked on at a time.
    accumulate : int
        An update is made for the gradients of so many batches.
    """

    def __init__(
        self, begin: Begin, parameters: Parameters, rule: Rule, batch_size: int, accumulate: int
    ) -> None:
        super().__init__(parameters, rule, batch_size * accumulate)
        self.gradient = Gradient(begin, parameters, batch_size)
        self.gradients = Parameters.zeros(parameters.network, parameters.dtype)
        self.compile_seconds = self.gradient.trainer.compile_seconds
        self.blas_threads = self.gradient.trainer.blas_threads

    def run_epoch(self, epoch: Epoch, report: Report) -> NDArray[np.float64]:
        """Train on the samples of an epoch once; see `contract.Trainer.run_epoch`."""
        starts, losses = batch_starts(epoch, self.step_size), np.empty(len(epoch.rates))
        for step, total in enumerate(epoch.totals):
            self.losses = losses[:step]
            order = epoch.permutation[starts[step] : starts[step + 1]]
            loss = self.gradient(order, total, self.gradients.buffer, epoch.draw)
            losses[step] = loss + self.update(
                self.gradients, total, epoch.rates[step], epoch.decays[step]
            )
            report(step + 1)
        self.losses = losses
        return losses

"""The seam between gradient and update: a call for each, and room for others' work between them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._arrays import Array, Indices
from fastmlp.backends.contract import (
    BackendTrainer,
    Epoch,
    Report,
    Trainer,
    batch_starts,
    n_batches,
)
from fastmlp.backends.summed import BackendSteps, Part
from fastmlp.engine.start import Start
from fastmlp.network import Parameters
from fastmlp.optimizers import Accumulate, Rule

Begin = Callable[[Rule, int], BackendTrainer]
"""Begins a training of a network, from an update rule and a size of the batches."""


def epoch_of(
    order: Indices, batch_size: int, total: float, dtype: np.dtype[Any], draw: Any = None
) -> Epoch:
    """Describe samples whose gradients are added up, and that move nothing.

    Parameters
    ----------
    order : ndarray of shape (n_rows,), intp
        The samples.
    batch_size : int
        So many samples are worked on at a time.
    total : float
        What the sums over the samples are divided by.
    dtype : dtype
        The parameters'.
    draw : callable, optional
        See `contract.Epoch`.

    Returns
    -------
    Epoch
    """
    n_steps = n_batches(len(order), batch_size)
    numbers = np.zeros(n_steps, dtype)
    return Epoch(order, numbers, numbers, np.full(n_steps, total), draw)


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

    def __call__(self, order: Indices, total: float, out: Array) -> float:
        """Compute the loss and its gradient.

        Parameters
        ----------
        order : ndarray of shape (n_rows,), intp
            The samples.
        total : float
            What the sums over the samples are divided by.
        out : ndarray of shape (n_parameters,), the parameters' dtype
            Overwritten by the gradient.

        Returns
        -------
        float
            The loss, without penalties.
        """
        epoch = epoch_of(order, self.batch_size, total, self.parameters.dtype)
        return float(self.trainer.sum_gradients(epoch, out).sum())


class Steps(Trainer):
    """A trainer whose steps are updates from sums of gradients.

    Parameters
    ----------
    steps : BackendSteps
    step_size : int
        Number of samples a step.
    """

    calls_blas = True
    unit = 1

    def __init__(self, steps: BackendSteps, step_size: int) -> None:
        self.steps, self.step_size = steps, step_size
        self.compile_seconds, self.blas_threads = steps.compile_seconds, steps.blas_threads
        self.losses = np.empty(0)

    @property
    def state(self) -> Array:
        """The solver's memory, of shape (n_slots, n_parameters)."""
        return self.steps.state

    @state.setter
    def state(self, state: Array) -> None:
        self.steps.state = state


class TwoCalls(Steps):
    """A trainer whose step is a gradient, then an update: what is to come in between may.

    Its steps are those of the fused trainers of the backends, to rounding.

    Parameters
    ----------
    start : Start
    rule : Rule
    batch_size : int
        So many samples are worked on at a time.
    accumulate : int
        An update is made for the gradients of so many batches.
    """

    def __init__(self, start: Start, rule: Rule, batch_size: int, accumulate: int) -> None:
        steps = start.sum_parts(rule, [Part(start.problem, batch_size)])
        super().__init__(steps, batch_size * accumulate)
        self.batch_size, self.dtype = batch_size, start.parameters.dtype

    def run_epoch(self, epoch: Epoch, report: Report) -> NDArray[np.float64]:
        """Train on the samples of an epoch once; see `contract.Trainer.run_epoch`."""
        starts, losses = batch_starts(epoch, self.step_size), np.empty(len(epoch.rates))
        self.steps.load()
        try:
            for step, total in enumerate(epoch.totals):
                self.losses = losses[:step]
                order = epoch.permutation[starts[step] : starts[step + 1]]
                batches = epoch_of(order, self.batch_size, total, self.dtype, epoch.draw)
                loss = self.steps.compute(0, batches)
                losses[step] = loss + self.steps.update(
                    total, epoch.rates[step], epoch.decays[step]
                )
                report(step + 1)
        finally:
            self.steps.fetch()
        self.losses = losses
        return losses

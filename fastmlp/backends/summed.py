"""Steps whose gradient is a sum of parts: what a backend offers, and the same in NumPy."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from fastmlp._arrays import Array
from fastmlp.backends.contract import Epoch, Objective, Problem
from fastmlp.network import Parameters
from fastmlp.optimizers import Accumulate, Rule, penalise, take_step

T = TypeVar("T")


class Part(NamedTuple):
    """Samples whose gradient is a part of a step's."""

    problem: Problem
    batch_size: int
    """So many samples are worked on at a time."""


Agree = Callable[[T | None], T]
"""Chooses one of what several ranks propose, some of which have nothing to propose."""


def propose(own: T | None) -> T:
    """Choose what is proposed where nobody else is asked."""
    assert own is not None
    return own


class BackendSteps(Protocol):
    """Steps whose gradient is a sum of parts, with room for others' work before the update."""

    compile_seconds: float
    blas_threads: int
    """See `contract.Trainer`."""
    state: Array
    """The solver's memory, of shape (n_slots, n_parameters)."""
    gradients: Array
    """(n_parts, n_numbers + 1), contiguous, the parameters' dtype: the gradient of each part in
    the backend's own order, the same for all ranks, and a column that is the caller's."""

    def load(self) -> None:
        """Take over the parameters, which may have changed."""

    def fetch(self) -> None:
        """Bring the parameters up to date."""

    def compute(self, part: int, epoch: Epoch) -> float:
        """Compute the gradient of some samples of a part.

        Parameters
        ----------
        part : int
            Its row of `gradients` is overwritten.
        epoch : Epoch
            The samples; its batches' gradients are added up.

        Returns
        -------
        float
            The loss, without penalties.
        """

    def update(self, total: float, rate: Any, decay: Any) -> float:
        """Take a step from the gradient in the first row of `gradients`, which is overwritten.

        Parameters
        ----------
        total : float
            What the penalties are divided by.
        rate : scalar of the parameters' dtype, or ndarray of shape (2,)
            See `contract.Epoch.rates`.
        decay : scalar of the parameters' dtype

        Returns
        -------
        float
            The penalties before it.
        """


class SimpleSummedSteps:
    """Steps from gradients that lie as the parameters do; see `BackendSteps`.

    A backend that has something faster calls it `SummedSteps`.

    Parameters
    ----------
    module : module
        The backend's.
    parameters : Parameters
        Updated in place.
    rule : Rule
    objective : Objective
    parts : sequence of Part or None
        None where it is another rank's, or has no samples.
    n_threads : int or None
    agree : callable
        Not called: there is nothing to agree on.
    """

    compile_seconds = 0.0

    def __init__(
        self, module: Any, parameters: Parameters, rule: Rule, objective: Objective,
        parts: Sequence[Part | None], n_threads: int | None, agree: Agree[Any],
    ) -> None:  # fmt: skip
        self.parameters, self.rule, size = parameters, rule, parameters.buffer.size
        self.trainers = {
            number: module.trainer(parameters, Rule(Accumulate()), objective, *part, n_threads)
            for number, part in enumerate(parts)
            if part is not None
        }
        self.blas_threads = max((each.blas_threads for each in self.trainers.values()), default=1)
        self.state: Array = np.zeros((rule.solver.n_slots, size), parameters.dtype)
        self.gradients = np.zeros((len(parts), size + 1), parameters.dtype)
        self.whole = Parameters(parameters.network, self.gradients[0, :-1])

    def load(self) -> None:
        """Do nothing: the parameters are where they are."""

    def fetch(self) -> None:
        """Do nothing: the parameters are up to date."""

    def compute(self, part: int, epoch: Epoch) -> float:
        """Compute the gradient of some samples; see `BackendSteps.compute`."""
        trainer, gradient = self.trainers[part], self.gradients[part, :-1]
        return float(trainer.sum_gradients(epoch, gradient).sum())

    def update(self, total: float, rate: Any, decay: Any) -> float:
        """Take a step from the first gradient; see `BackendSteps.update`."""
        penalty = penalise(self.parameters, self.whole, self.rule, total)
        take_step(self.parameters, self.whole, self.rule, self.state, rate, decay)
        return penalty

"""What is to be done, from the first epoch to the last."""

from typing import NamedTuple

import numpy as np

from fastmlp.backends.contract import Objective
from fastmlp.optimizers import Rule
from fastmlp.schedules import Schedule


class Limits(NamedTuple):
    """When L-BFGS ends."""

    max_fun: int
    """After at most so many calls of the loss."""
    tol: float
    """Where no component of the gradient is larger."""


class Stopping(NamedTuple):
    """When there is no more to be gained."""

    by_score: bool
    """Whether the validation score is watched, and its best weights kept; else the loss is."""
    tol: float
    """An epoch that gains less is one without improvement."""
    patience: float
    """Training stops after more epochs than this, one after the other, without improvement."""
    adaptive: bool = False
    """Whether the learning rate is lowered first, as long as it is above `LEAST_RATE`."""


class Plan(NamedTuple):
    """What is to be done.

    Attributes
    ----------
    backend : str
    objective : Objective
        The loss and the dropout.
    rule : Rule
        The optimizer and the penalties.
    schedule : Schedule
    batch_size : int
        Number of samples that are worked on at a time.
    epochs : int
        For so many the schedule is made.
    n_threads : int or None
        At most so many threads; None chooses.
    stopping : Stopping or None
        None trains all epochs.
    time_budget : float
        Seconds after which no other epoch is begun.
    accumulate : int
        An update is made for the gradients of so many batches.
    full_batch : Limits or None
        Those of L-BFGS, which takes the place of the rule's solver.
    """

    backend: str
    objective: Objective
    rule: Rule
    schedule: Schedule
    batch_size: int
    epochs: int
    n_threads: int | None = None
    stopping: Stopping | None = None
    time_budget: float = np.inf
    accumulate: int = 1
    full_batch: Limits | None = None

    @property
    def step_size(self) -> int:
        """Number of samples an update."""
        return self.batch_size * self.accumulate

"""Everything that changes while training: saved at any moment, it is the checkpoint."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._arrays import Array, Indices
from fastmlp.history import History
from fastmlp.network import Parameters
from fastmlp.rng import BlockOrders, Orders


@dataclass
class UnfinishedEpoch:
    """An epoch that is under way.

    Attributes
    ----------
    order : ndarray of shape (n_samples,), intp, or None
        None where it follows from the number of the epoch.
    losses : ndarray of shape (n_batches,), float64
        Those of the batches that are done.
    n_done : int
        Number of batches.
    seconds : float
        What they took.
    """

    order: Indices | None
    losses: NDArray[np.float64]
    n_done: int = 0
    seconds: float = 0.0


@dataclass
class Best:
    """How well it went at best, and for how long no better.

    Attributes
    ----------
    loss, score : float
        The lowest loss of an epoch, and the highest validation score.
    n_without : int
        Epochs since the last improvement.
    buffer : ndarray of shape (n_parameters,) or None
        The parameters of the best score; None while none has chosen any.
    """

    loss: float = np.inf
    score: float = -np.inf
    n_without: int = 0
    buffer: Array | None = None


@dataclass
class State:
    """What has been done.

    Attributes
    ----------
    parameters : Parameters
    orders : Orders or BlockOrders
        What draws the order of each epoch.
    rate : float
        The schedule's, where "adaptive" has brought it.
    dropout : numpy.random.Generator or None
        Of 64-bit numbers; needed where there is dropout.
    slots : array_like of shape (n_slots, n_parameters) or None
        The optimizer's memory when it was last asked for; None begins without.
    step, samples : int
        Number of updates and of samples.
    epoch : int
        Number of epochs that are over.
    unfinished : UnfinishedEpoch or None
        The epoch that is not over.
    diverged : bool
        Whether a loss or a parameter is no longer finite.
    over : bool
        Whether no other epoch is to be begun.
    best : Best
    history : History
    """

    parameters: Parameters
    orders: Orders | BlockOrders
    rate: float
    dropout: np.random.Generator | None = None
    slots: Any = None
    step: int = 0
    samples: int = 0
    epoch: int = 0
    unfinished: UnfinishedEpoch | None = None
    diverged: bool = False
    over: bool = False
    best: Best = field(default_factory=Best)
    history: History = field(default_factory=History)

    def take_best(self) -> bool:
        """Put the parameters of the best score in place; False where no score chose any."""
        if self.best.buffer is None:
            return False
        self.parameters.buffer[...] = self.best.buffer
        return True

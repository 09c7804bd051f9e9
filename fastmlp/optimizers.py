"""Update rules and learning-rate schedules.

A rule changes the parameter buffer in place from the gradient buffer; whatever depends on the
number of the step alone (the schedule, Adam's bias correction) is worked out beforehand as one
rate for each batch, so that a backend takes an array of rates and knows no schedule.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.network import Parameters

Array = NDArray[Any]


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with momentum, in scikit-learn's form.

    velocity <- momentum * velocity - rate * gradient; the parameters move by the velocity, or with
    Nesterov's look-ahead by momentum * velocity - rate * gradient with the new velocity.

    Parameters
    ----------
    momentum : float
        In [0, 1).
    nesterov : bool
        Look ahead (Sutskever et al. 2013, in the form of Bengio et al. 2013).
    """

    momentum: float = 0.0
    nesterov: bool = False

    @property
    def n_slots(self) -> int:
        """Number of buffers of state: the velocity, where there is momentum."""
        return int(self.momentum > 0)

    def rates(self, rates: Array, first_step: int) -> Array:
        """Return the rates as they are."""
        return rates

    def update(self, parameters: Array, gradients: Array, state: Array, rate: Any) -> None:
        """Take one step.

        Parameters
        ----------
        parameters : ndarray of shape (n_parameters,)
            Overwritten.
        gradients : ndarray of shape (n_parameters,)
        state : ndarray of shape (n_slots, n_parameters)
            Overwritten.
        rate : scalar of the parameters' dtype
        """
        if self.n_slots == 0:
            parameters -= rate * gradients
            return
        (velocity,) = state
        velocity *= self.momentum
        velocity -= rate * gradients
        parameters += self.momentum * velocity - rate * gradients if self.nesterov else velocity


@dataclass(frozen=True)
class Adam:
    """Adam in the efficient form at the end of section 2 of Kingma & Ba 2015, as in scikit-learn.

    m <- beta_1 m + (1 - beta_1) g; v <- beta_2 v + (1 - beta_2) g^2; the parameters move by
    -rate_t m / (sqrt(v) + epsilon), with rate_t = rate sqrt(1 - beta_2^t) / (1 - beta_1^t):
    epsilon is added to the uncorrected root.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    @property
    def n_slots(self) -> int:
        """Number of buffers of state: the two moments."""
        return 2

    def rates(self, rates: Array, first_step: int) -> Array:
        """Multiply the rates of consecutive steps by the bias correction.

        Parameters
        ----------
        rates : ndarray of shape (n_steps,), float64
        first_step : int
            Number of steps taken before.
        """
        step = first_step + 1 + np.arange(len(rates))
        return np.asarray(rates * np.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step))

    def update(self, parameters: Array, gradients: Array, state: Array, rate: Any) -> None:
        """Take one step; the arguments are those of `SGD.update`."""
        mean, square = state
        mean *= self.beta_1
        mean += (1 - self.beta_1) * gradients
        square *= self.beta_2
        square += (1 - self.beta_2) * gradients * gradients
        parameters -= rate * mean / (np.sqrt(square) + self.epsilon)


class Rule(NamedTuple):
    """What turns a batch's gradient into a step: a solver, and the L2 penalty's strength."""

    solver: SGD | Adam
    alpha: float


def penalise(parameters: Parameters, gradients: Parameters, alpha: float, n_samples: int) -> float:
    """Add the L2 penalty's gradient and return the penalty.

    As in scikit-learn the penalty of a batch is alpha / 2 * sum(w^2) / n_samples over the weights
    w of all layers, the biases spared, with n_samples the size of the batch.

    Parameters
    ----------
    parameters : Parameters
    gradients : Parameters
        alpha * w / n_samples is added to the weights' gradients.
    alpha : float
    n_samples : int
        Number of samples in the batch.

    Returns
    -------
    float
    """
    if alpha == 0:
        return 0.0
    weights = parameters.penalised
    gradients.penalised[...] += alpha / n_samples * weights
    return 0.5 * alpha / n_samples * float(weights @ weights)


class Progress(NamedTuple):
    """Where an epoch lies in the run: what a schedule may depend on."""

    first_step: int
    """Number of updates before this epoch."""
    n_steps: int
    """Number of updates in this epoch."""
    total_steps: int
    """Number of updates in the whole run."""
    samples_seen: int
    """Number of samples before this epoch."""

    @property
    def steps(self) -> NDArray[np.intp]:
        """Number of each of this epoch's updates, counted from 0 at the start of the run."""
        return self.first_step + np.arange(self.n_steps)


def constant(rate: float, progress: Progress) -> Array:
    """Keep the rate."""
    return np.full(progress.n_steps, rate)


def invscaling(rate: float, progress: Progress, power_t: float = 0.5) -> Array:
    """Divide by (samples seen + 1)^power_t, one rate an epoch, as scikit-learn does."""
    return np.full(progress.n_steps, rate / (progress.samples_seen + 1) ** power_t)


def cosine(rate: float, progress: Progress) -> Array:
    """Fall to zero along half a cosine (Loshchilov & Hutter 2017, eq. 5, without restarts)."""
    return np.asarray(0.5 * rate * (1 + np.cos(np.pi * progress.steps / progress.total_steps)))


WARM_UP = 0.3
"""Share of the steps in which `one_cycle` rises."""
START_DIVISOR = 25.0
"""`one_cycle` starts at the rate divided by this."""
END_DIVISOR = 1e4
"""`one_cycle` ends at its start divided by this."""


def one_cycle(rate: float, progress: Progress) -> Array:
    """Rise from rate / 25 to the rate, then fall to rate / 250,000, along half cosines.

    Smith & Topin 2018, with the defaults of PyTorch's `OneCycleLR`.
    """
    start = rate / START_DIVISOR
    peak = WARM_UP * progress.total_steps - 1
    last = progress.total_steps - 1
    rising = np.clip(progress.steps / max(peak, 1e-12), 0, 1)
    falling = np.clip((progress.steps - peak) / (last - peak), 0, 1)
    up = start + (rate - start) * (1 - np.cos(np.pi * rising)) / 2
    down = rate + (start / END_DIVISOR - rate) * (1 - np.cos(np.pi * falling)) / 2
    return np.where(progress.steps <= peak, up, down)


SCHEDULES: dict[str, Callable[[float, Progress], Array]] = {
    "constant": constant,
    "invscaling": invscaling,
    "cosine": cosine,
    "one_cycle": one_cycle,
}


class Schedule(NamedTuple):
    """The course of the learning rate."""

    function: Callable[[float, Progress], Array]
    rate: float
    """The initial or, for `one_cycle`, the highest rate."""

    def rates(self, progress: Progress) -> Array:
        """Work out the rate of each batch of an epoch.

        Returns
        -------
        ndarray of shape (progress.n_steps,), float64
        """
        return self.function(self.rate, progress)

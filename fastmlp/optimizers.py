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


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2).

    The weights, not the biases, are also multiplied by 1 - rate * weight_decay, with the rate of
    the schedule.
    """

    weight_decay: float = 0.01


@dataclass(frozen=True)
class RMSprop:
    """RMSprop in PyTorch's form: v <- decay v + (1 - decay) g^2; w <- w - rate g / (sqrt(v) + eps).

    Tieleman & Hinton 2012, lecture 6.5, with epsilon added to the root.
    """

    decay: float = 0.99
    epsilon: float = 1e-8

    @property
    def n_slots(self) -> int:
        """Number of buffers of state: the mean of the squares."""
        return 1

    def rates(self, rates: Array, first_step: int) -> Array:
        """Return the rates as they are."""
        return rates

    def update(self, parameters: Array, gradients: Array, state: Array, rate: Any) -> None:
        """Take one step; the arguments are those of `SGD.update`."""
        (square,) = state
        square *= self.decay
        square += (1 - self.decay) * gradients * gradients
        parameters -= rate * gradients / (np.sqrt(square) + self.epsilon)


@dataclass(frozen=True)
class Accumulate:
    """Add the gradients of all batches up and leave the parameters alone."""

    @property
    def n_slots(self) -> int:
        """Number of buffers of state: the sum."""
        return 1

    def rates(self, rates: Array, first_step: int) -> Array:
        """Return the rates as they are."""
        return rates

    def update(self, parameters: Array, gradients: Array, state: Array, rate: Any) -> None:
        """Add a gradient; the arguments are those of `SGD.update`."""
        state[0] += gradients


Solver = SGD | Adam | RMSprop | Accumulate


class Rule(NamedTuple):
    """What turns a batch's gradient into a step."""

    solver: Solver
    alpha: float = 0.0
    """Strength of the L2 penalty."""
    l1: float = 0.0
    """Strength of the L1 penalty."""
    max_grad_norm: float = np.inf
    """A gradient whose Euclidean norm is larger is shortened to it (Pascanu et al. 2013)."""

    def decays(self, rates: Array) -> Array:
        """Compute the share of the weights that each step takes away, from the schedule's rates."""
        decay = self.solver.weight_decay if isinstance(self.solver, AdamW) else 0.0
        return np.asarray(rates * decay)


def penalise(parameters: Parameters, gradients: Parameters, rule: Rule, total: float) -> float:
    """Add the penalties' gradients and return the penalties.

    As in scikit-learn the penalty of a batch is (alpha / 2 * sum(w^2) + l1 * sum(|w|)) / total
    over the weights w of all layers, the biases spared.

    Parameters
    ----------
    parameters : Parameters
    gradients : Parameters
        (alpha * w + l1 * sign(w)) / total is added to the weights' gradients.
    rule : Rule
    total : float
        What the batch's sum of losses is divided by: its size, or the sum of its weights.

    Returns
    -------
    float
    """
    weights, penalty = parameters.penalised, 0.0
    if rule.alpha > 0:
        gradients.penalised[...] += rule.alpha / total * weights
        penalty += 0.5 * rule.alpha / total * float(weights @ weights)
    if rule.l1 > 0:
        gradients.penalised[...] += rule.l1 / total * np.sign(weights)
        penalty += rule.l1 / total * float(np.abs(weights).sum())
    return penalty


def take_step(
    parameters: Parameters, gradients: Parameters, rule: Rule, state: Array, rate: Any, decay: Any
) -> None:
    """Take one step from a batch's gradient, the penalties' included.

    Parameters
    ----------
    parameters : Parameters
        Updated in place.
    gradients : Parameters
        Shortened in place where its norm is above the rule's.
    rule : Rule
    state : ndarray of shape (n_slots, n_parameters)
        Updated in place.
    rate, decay : scalar of the parameters' dtype
    """
    if rule.max_grad_norm < np.inf:
        norm = np.sqrt(np.square(gradients.buffer, dtype=np.float64).sum())
        if norm > rule.max_grad_norm:
            gradients.buffer *= rule.max_grad_norm / norm
    if decay > 0:
        parameters.penalised[...] *= 1 - decay
    rule.solver.update(parameters.buffer, gradients.buffer, state, rate)


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


class Schedule(NamedTuple):
    """The course of the learning rate."""

    function: Callable[["Schedule", Progress], Array]
    rate: float
    """The initial or, for `one_cycle`, the highest rate."""
    power_t: float = 0.5
    """Exponent of `invscaling`."""
    step_every: int = 1
    """Updates between two falls of `step`."""
    step_factor: float = 0.1
    """By which `step` multiplies the rate."""
    warm_up: int = 0
    """Number of first updates in which the rate rises in a straight line to the schedule's."""

    def rates(self, progress: Progress) -> Array:
        """Work out the rate of each batch of an epoch.

        Parameters
        ----------
        progress : Progress

        Returns
        -------
        ndarray of shape (progress.n_steps,), float64
        """
        rates = self.function(self, progress)
        if self.warm_up > 0:
            rates = rates * np.minimum(1, (progress.steps + 1) / self.warm_up)
        return rates


def constant(schedule: Schedule, progress: Progress) -> Array:
    """Keep the rate."""
    return np.full(progress.n_steps, schedule.rate)


def invscaling(schedule: Schedule, progress: Progress) -> Array:
    """Divide by (samples seen + 1)^power_t, one rate an epoch, as scikit-learn does."""
    divisor = (progress.samples_seen + 1) ** schedule.power_t
    return np.full(progress.n_steps, schedule.rate / divisor)


def step(schedule: Schedule, progress: Progress) -> Array:
    """Multiply by `step_factor` after every `step_every` updates."""
    falls = progress.steps // schedule.step_every
    return np.asarray(schedule.rate * schedule.step_factor**falls)


def cosine(schedule: Schedule, progress: Progress) -> Array:
    """Fall to zero along half a cosine (Loshchilov & Hutter 2017, eq. 5, without restarts)."""
    done = np.minimum(1, progress.steps / progress.total_steps)
    return np.asarray(0.5 * schedule.rate * (1 + np.cos(np.pi * done)))


RISE = 0.3
"""Share of the steps in which `one_cycle` rises."""
START_DIVISOR = 25.0
"""`one_cycle` starts at the rate divided by this."""
END_DIVISOR = 1e4
"""`one_cycle` ends at its start divided by this."""


def one_cycle(schedule: Schedule, progress: Progress) -> Array:
    """Rise from rate / 25 to the rate, then fall to rate / 250,000, along half cosines.

    Smith & Topin 2018, with the defaults of PyTorch's `OneCycleLR`.
    """
    rate, start = schedule.rate, schedule.rate / START_DIVISOR
    peak = RISE * progress.total_steps - 1
    last = progress.total_steps - 1
    rising = np.clip(progress.steps / max(peak, 1e-12), 0, 1)
    falling = np.clip((progress.steps - peak) / (last - peak), 0, 1)
    up = start + (rate - start) * (1 - np.cos(np.pi * rising)) / 2
    down = rate + (start / END_DIVISOR - rate) * (1 - np.cos(np.pi * falling)) / 2
    return np.where(progress.steps <= peak, up, down)


SCHEDULES: dict[str, Callable[[Schedule, Progress], Array]] = {
    "constant": constant,
    "invscaling": invscaling,
    "step": step,
    "cosine": cosine,
    "one_cycle": one_cycle,
}

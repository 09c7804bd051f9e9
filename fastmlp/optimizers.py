"""Update rules in NumPy: one class each, with the arguments that it takes.

A rule changes the parameter buffer in place from the gradient buffer; whatever depends on the
number of the step alone (the schedule, Adam's bias correction) is worked out beforehand as one
rate for each batch, so that a backend takes an array of rates and knows no schedule. The compiled
twin of this file is `fastmlp.kernels.optimizers`: an optimizer that is added is a class here, and
there a code with its step.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from fastmlp._arrays import Array, Indices
from fastmlp.network import Parameters


class Optimizer(ABC):
    """What all update rules have; their own numbers bear the names of the estimators' arguments."""

    @property
    @abstractmethod
    def kernel(self) -> str:
        """Which update of the kernels it is: a key of `fastmlp.kernels.optimizers.CODES`."""

    @property
    @abstractmethod
    def n_slots(self) -> int:
        """Number of buffers of state, each as long as the parameters."""

    @property
    def weight_decay(self) -> float:
        """Share of the weights, not of the biases, that a step takes away, divided by its rate."""
        return 0.0

    def rates(self, rates: Array, first_step: int) -> Array:
        """Turn the schedule's rates of consecutive steps into what the steps are made with.

        Parameters
        ----------
        rates : ndarray of shape (n_steps,), float64
        first_step : int
            Number of steps taken before.

        Returns
        -------
        ndarray of shape (n_steps,) or (n_steps, 2), float64
            Two where a step goes along the gradients' mean, and along the gradient itself.
        """
        return rates

    @abstractmethod
    def update(self, parameters: Array, gradients: Array, state: Array, rate: Any) -> None:
        """Take one step.

        Parameters
        ----------
        parameters : ndarray of shape (n_parameters,)
            Overwritten.
        gradients : ndarray of shape (n_parameters,)
        state : ndarray of shape (n_slots, n_parameters)
            Overwritten.
        rate : scalar of the parameters' dtype, or ndarray of shape (2,)
            See `rates`.
        """


@dataclass(frozen=True)
class SGD(Optimizer):
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
    def kernel(self) -> str:
        """Which update of the kernels it is."""
        return "momentum" if self.momentum > 0 else "sgd"

    @property
    def n_slots(self) -> int:
        """Number of buffers of state: the velocity, where there is momentum."""
        return int(self.momentum > 0)

    def update(self, parameters: Array, gradients: Array, state: Array, rate: Any) -> None:
        """Take one step; see `Optimizer.update`."""
        if self.n_slots == 0:
            parameters -= rate * gradients
            return
        (velocity,) = state
        velocity *= self.momentum
        velocity -= rate * gradients
        parameters += self.momentum * velocity - rate * gradients if self.nesterov else velocity


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam in the efficient form at the end of section 2 of Kingma & Ba 2015, as in scikit-learn.

    m <- beta_1 m + (1 - beta_1) g; v <- beta_2 v + (1 - beta_2) g^2; the parameters move by
    -rate_t m / (sqrt(v) + epsilon), with rate_t = rate sqrt(1 - beta_2^t) / (1 - beta_1^t):
    epsilon is added to the uncorrected root.
    """

    kernel: ClassVar[str] = "adam"
    n_slots: ClassVar[int] = 2  # the two moments
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def rates(self, rates: Array, first_step: int) -> Array:
        """Multiply the rates by the bias correction; see `Optimizer.rates`."""
        step = first_step + 1 + np.arange(len(rates))
        return np.asarray(rates * np.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step))

    def update(self, parameters: Array, gradients: Array, state: Array, rate: Any) -> None:
        """Take one step; see `Optimizer.update`."""
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


MOMENTUM_DECAY = 0.004
"""Of `NAdam`'s schedule of momentum: PyTorch's default."""


@dataclass(frozen=True)
class NAdam(Adam):
    """Adam with Nesterov's look-ahead (Dozat 2016), with PyTorch's schedule of the momentum.

    With mu_t = beta_1 (1 - 0.96^(0.004 t) / 2) and p_t = mu_1 ... mu_t the parameters move by
    -rate sqrt(1 - beta_2^t) (mu_(t+1) m / (1 - p_(t+1)) + (1 - mu_t) g / (1 - p_t)) /
    (sqrt(v) + epsilon); as in `Adam` epsilon is added to the uncorrected root.
    """

    kernel: ClassVar[str] = "nadam"

    def rates(self, rates: Array, first_step: int) -> Array:
        """Make the rates of the mean and of the gradient; see `Optimizer.rates`."""
        step = first_step + 1 + np.arange(len(rates) + 1)
        momenta, products = self._momenta(step), self._products(step)
        of_mean = momenta[1:] / (1 - products[1:])
        of_gradient = (1 - momenta[:-1]) / (1 - products[:-1])
        corrected = rates * np.sqrt(1 - self.beta_2 ** step[:-1])
        return np.asarray(np.stack([of_mean, of_gradient], axis=1) * corrected[:, np.newaxis])

    def _momenta(self, step: Indices) -> Array:
        """Compute mu_t, which rises from beta_1 / 2 to beta_1."""
        return np.asarray(self.beta_1 * (1 - 0.5 * 0.96 ** (step * MOMENTUM_DECAY)))

    def _products(self, step: Indices) -> Array:
        """Compute p_t, which is below beta_1^t: below e^-39 it is nothing beside 1."""
        last = int(np.ceil(-39 / np.log(max(self.beta_1, 1e-300))))
        products = np.cumprod(self._momenta(np.arange(1, min(last, step[-1]) + 1)))
        return np.where(step <= last, products[np.minimum(step, len(products)) - 1], 0.0)

    def update(self, parameters: Array, gradients: Array, state: Array, rate: Any) -> None:
        """Take one step; see `Optimizer.update`."""
        mean, square = state
        of_mean, of_gradient = rate
        mean *= self.beta_1
        mean += (1 - self.beta_1) * gradients
        square *= self.beta_2
        square += (1 - self.beta_2) * gradients * gradients
        direction = of_mean * mean + of_gradient * gradients
        parameters -= direction / (np.sqrt(square) + self.epsilon)


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop in PyTorch's form (Tieleman & Hinton 2012, lecture 6.5).

    v <- beta_2 v + (1 - beta_2) g^2; w <- w - rate g / (sqrt(v) + epsilon).
    """

    kernel: ClassVar[str] = "rmsprop"
    n_slots: ClassVar[int] = 1  # the mean of the squares
    beta_2: float = 0.99
    epsilon: float = 1e-8

    def update(self, parameters: Array, gradients: Array, state: Array, rate: Any) -> None:
        """Take one step; see `Optimizer.update`."""
        (square,) = state
        square *= self.beta_2
        square += (1 - self.beta_2) * gradients * gradients
        parameters -= rate * gradients / (np.sqrt(square) + self.epsilon)


@dataclass(frozen=True)
class Lion(Optimizer):
    """Steps of one size: along the sign of a mean of the gradients (Chen et al. 2023, program 1).

    w <- w - rate sign(beta_1 m + (1 - beta_1) g); m <- beta_2 m + (1 - beta_2) g; weights decay as
    in `AdamW`. Rates are a third to a tenth of Adam's.
    """

    kernel: ClassVar[str] = "lion"
    n_slots: ClassVar[int] = 1  # the mean
    beta_1: float = 0.9
    beta_2: float = 0.99
    weight_decay: float = 0.0

    def update(self, parameters: Array, gradients: Array, state: Array, rate: Any) -> None:
        """Take one step; see `Optimizer.update`."""
        (mean,) = state
        parameters -= rate * np.sign(self.beta_1 * mean + (1 - self.beta_1) * gradients)
        mean *= self.beta_2
        mean += (1 - self.beta_2) * gradients


@dataclass(frozen=True)
class Accumulate(Optimizer):
    """Add the gradients of all batches up and leave the parameters alone."""

    kernel: ClassVar[str] = "accumulate"
    n_slots: ClassVar[int] = 1  # the sum

    def update(self, parameters: Array, gradients: Array, state: Array, rate: Any) -> None:
        """Add a gradient; see `Optimizer.update`."""
        state[0] += gradients


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": NAdam,
    "rmsprop": RMSprop,
    "lion": Lion,
}
"""What the argument `solver` may be, but for "lbfgs", which is SciPy's."""


class Rule(NamedTuple):
    """What turns a batch's gradient into a step."""

    solver: Optimizer
    alpha: float = 0.0
    """Strength of the L2 penalty."""
    l1: float = 0.0
    """Strength of the L1 penalty."""
    max_grad_norm: float = np.inf
    """A gradient whose Euclidean norm is larger is shortened to it (Pascanu et al. 2013)."""

    def decays(self, rates: Array) -> Array:
        """Compute the share of the weights that each step takes away, from the schedule's rates."""
        return np.asarray(rates * self.solver.weight_decay)


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

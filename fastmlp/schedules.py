"""Learning-rate schedules: one function each, from where an epoch lies in the run to its rates."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fastmlp._arrays import Array, Indices


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
    def steps(self) -> Indices:
        """Number of each of this epoch's updates, counted from 0 at the start of the run."""
        return self.first_step + np.arange(self.n_steps)


class Schedule(NamedTuple):
    """A learning-rate schedule."""

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

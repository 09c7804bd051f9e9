"""Update rules, each one fused pass over a stretch of parameters; see `fastmlp.optimizers`.

The gradient, the L2 penalty's gradient added on the way, is read once and each parameter and each
number of the solver's state is read and written once: bound by memory, and for Adam by the
square root and the division (18 cycles for 16 float32).
"""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.jit import kernel
from fastmlp.kernels.simd import broadcast, fma, load, n_lanes, reduce_add, sqrt, store

SGD, MOMENTUM, ADAM = range(3)


class Solver(NamedTuple):
    """An update rule as the kernels see it; the floats are of the parameters' dtype."""

    code: int
    """`SGD`, `MOMENTUM` or `ADAM`."""
    alpha: float
    momentum: float
    nesterov: bool
    beta_1: float
    beta_2: float
    epsilon: float


class Stretch(NamedTuple):
    """A stretch of the parameters, of the solver's state for them and of their gradient."""

    parameters: np.ndarray
    """(n_packed,) float."""
    slots: np.ndarray
    """(n_slots, n_packed) float."""
    start: int
    n_vectors: int
    gradients: np.ndarray
    """(n,) float."""
    gradient_start: int


@kernel
def update(lanes, solver, rate, strength, stretch):
    """Take one step on a stretch of parameters.

    Parameters
    ----------
    lanes : simd.Lanes
    solver : Solver
    rate : float
    strength : float
        Of the L2 penalty strength / 2 * sum(w^2) of this batch.
    stretch : Stretch
        Its parameters and slots are updated in place.

    Returns
    -------
    float
        The sum of the squares of the parameters before the step.
    """
    if solver.code == ADAM:
        return adam_update(lanes, solver, rate, strength, stretch)
    if solver.code == MOMENTUM:
        return momentum_update(lanes, solver, rate, strength, stretch)
    return sgd_update(lanes, rate, strength, stretch)


@kernel
def sgd_update(lanes, rate, strength, stretch):
    """Compute w <- w - rate g; see `update`."""
    parameters, size = stretch.parameters, n_lanes(lanes)
    minus_rate, decay = broadcast(lanes, -rate), broadcast(lanes, strength)
    squares = broadcast(lanes, 0.0)
    for number in range(stretch.n_vectors):
        place = stretch.start + number * size
        w = load(lanes, parameters, place)
        squares = fma(w, w, squares)
        g = load(lanes, stretch.gradients, stretch.gradient_start + number * size)
        g = fma(decay, w, g)
        store(parameters, place, fma(minus_rate, g, w))
    return reduce_add(squares)


@kernel
def momentum_update(lanes, solver, rate, strength, stretch):
    """Compute v <- momentum v - rate g, w <- w + v, or w + momentum v - rate g; see `update`."""
    parameters, velocity, size = stretch.parameters, stretch.slots[0], n_lanes(lanes)
    minus_rate, decay = broadcast(lanes, -rate), broadcast(lanes, strength)
    momentum, squares = broadcast(lanes, solver.momentum), broadcast(lanes, 0.0)
    for number in range(stretch.n_vectors):
        place = stretch.start + number * size
        w = load(lanes, parameters, place)
        squares = fma(w, w, squares)
        g = load(lanes, stretch.gradients, stretch.gradient_start + number * size)
        step = minus_rate * fma(decay, w, g)
        v = fma(momentum, load(lanes, velocity, place), step)
        store(velocity, place, v)
        store(parameters, place, w + (fma(momentum, v, step) if solver.nesterov else v))
    return reduce_add(squares)


@kernel
def adam_update(lanes, solver, rate, strength, stretch):
    """Compute one step of Adam, the bias correction being in the rate; see `update`."""
    parameters, size = stretch.parameters, n_lanes(lanes)
    mean, square = stretch.slots[0], stretch.slots[1]
    minus_rate, decay = broadcast(lanes, -rate), broadcast(lanes, strength)
    beta_1, beta_2 = broadcast(lanes, solver.beta_1), broadcast(lanes, solver.beta_2)
    rest_1, rest_2 = broadcast(lanes, 1.0) - beta_1, broadcast(lanes, 1.0) - beta_2
    epsilon, squares = broadcast(lanes, solver.epsilon), broadcast(lanes, 0.0)
    for number in range(stretch.n_vectors):
        place = stretch.start + number * size
        w = load(lanes, parameters, place)
        squares = fma(w, w, squares)
        g = load(lanes, stretch.gradients, stretch.gradient_start + number * size)
        g = fma(decay, w, g)
        m = fma(beta_1, load(lanes, mean, place), rest_1 * g)
        v = fma(beta_2, load(lanes, square, place), rest_2 * (g * g))
        store(mean, place, m)
        store(square, place, v)
        store(parameters, place, fma(minus_rate, m / (sqrt(v) + epsilon), w))
    return reduce_add(squares)

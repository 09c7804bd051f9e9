"""Update rules, each one fused pass over a stretch of parameters; see `fastmlp.optimizers`.

The gradient, those of the penalties added on the way, is read once and each parameter and each
number of the solver's state is read and written once: bound by memory, and for Adam by the
square root and the division (18 cycles for 16 float32).
"""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.simd import (
    absolute,
    broadcast,
    fma,
    like,
    load,
    n_lanes,
    reduce_add,
    sqrt,
    store,
    where_less,
)

SGD, MOMENTUM, ADAM, RMSPROP, ACCUMULATE, KEEP = range(6)
LINEAR = (SGD, MOMENTUM)
"""Those whose step is linear in the weights and their velocities where the gradient is."""
WRITERS = (ACCUMULATE, KEEP)
"""Those that move no weight and write the gradient down."""


class Solver(NamedTuple):
    """An update rule as the kernels see it; the floats are of the parameters' dtype."""

    code: int
    """`SGD`, `MOMENTUM`, `ADAM` or `RMSPROP`; `ACCUMULATE` and `KEEP` take no step: they add the
    gradient to the first slot, or write it to the last."""
    alpha: float
    l1: float
    momentum: float
    nesterov: bool
    beta_1: float
    beta_2: float
    epsilon: float


class Step(NamedTuple):
    """The numbers of one batch's update, of the parameters' dtype."""

    rate: float
    l2: float
    """Strength of the penalty l2 / 2 * sum(w^2) in this batch."""
    l1: float
    """Of l1 * sum(|w|)."""
    decay: float
    """Share of the weights that is taken away."""


class Course(NamedTuple):
    """The steps of many batches; each array is (n_steps,) float."""

    rates: np.ndarray
    l2: np.ndarray
    l1: np.ndarray
    decays: np.ndarray


@inlined
def step_of(course, number):
    """Read the numbers of one step."""
    return Step(course.rates[number], course.l2[number], course.l1[number], course.decays[number])


@inlined
def step_of_intercepts(step):
    """Leave the penalties out."""
    zero = step.rate - step.rate  # of the same type, which rate * 0 would not be
    return Step(step.rate, zero, zero, zero)


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
def update(lanes, solver, step, stretch):
    """Take one step on a stretch of parameters.

    Parameters
    ----------
    lanes : simd.Lanes
    solver : Solver
    step : Step
    stretch : Stretch
        Its parameters and slots are updated in place.

    Returns
    -------
    float
        The penalty alpha / 2 * sum(w^2) + l1 * sum(|w|) before the step.
    """
    if solver.code in WRITERS:
        return write_gradient(lanes, solver, step, stretch)
    if solver.code == ADAM:
        return adam_update(lanes, solver, step, stretch)
    if solver.code == MOMENTUM:
        return momentum_update(lanes, solver, step, stretch)
    if solver.code == RMSPROP:
        return rmsprop_update(lanes, solver, step, stretch)
    return sgd_update(lanes, solver, step, stretch)


@inlined
def penalty_of(solver, w, penalties):
    """Add (alpha / 2) w^2 + l1 |w|."""
    return fma(fma(like(w, 0.5 * solver.alpha), absolute(w), like(w, solver.l1)), absolute(w),
               penalties)  # fmt: skip


@inlined
def gradient_of(lanes, step, w, gradients, place):
    """Load a gradient and add that of the penalties."""
    g = fma(like(w, step.l2), w, load(lanes, gradients, place))
    if step.l1 > 0:
        zero, size = like(w, 0.0), like(w, step.l1)
        g = g + where_less(zero, w, size, where_less(w, zero, zero - size, zero))
    return g


@kernel
def sgd_update(lanes, solver, step, stretch):
    """Compute w <- w - rate g; see `update`."""
    parameters, size = stretch.parameters, n_lanes(lanes)
    minus_rate, penalties = broadcast(lanes, -step.rate), broadcast(lanes, 0.0)
    for number in range(stretch.n_vectors):
        place = stretch.start + number * size
        w = load(lanes, parameters, place)
        penalties = penalty_of(solver, w, penalties)
        source = stretch.gradient_start + number * size
        g = gradient_of(lanes, step, w, stretch.gradients, source)
        store(parameters, place, fma(minus_rate, g, w))
    return reduce_add(penalties)


@kernel
def momentum_update(lanes, solver, step, stretch):
    """Compute v <- momentum v - rate g, w <- w + v, or w + momentum v - rate g; see `update`."""
    parameters, velocity, size = stretch.parameters, stretch.slots[0], n_lanes(lanes)
    minus_rate, penalties = broadcast(lanes, -step.rate), broadcast(lanes, 0.0)
    momentum = broadcast(lanes, solver.momentum)
    for number in range(stretch.n_vectors):
        place = stretch.start + number * size
        w = load(lanes, parameters, place)
        penalties = penalty_of(solver, w, penalties)
        source = stretch.gradient_start + number * size
        move = minus_rate * gradient_of(lanes, step, w, stretch.gradients, source)
        v = fma(momentum, load(lanes, velocity, place), move)
        store(velocity, place, v)
        store(parameters, place, w + (fma(momentum, v, move) if solver.nesterov else v))
    return reduce_add(penalties)


@kernel
def adam_update(lanes, solver, step, stretch):
    """Compute one step of Adam, the bias correction being in the rate; see `update`."""
    parameters, size = stretch.parameters, n_lanes(lanes)
    mean, square = stretch.slots[0], stretch.slots[1]
    minus_rate, penalties = broadcast(lanes, -step.rate), broadcast(lanes, 0.0)
    beta_1, beta_2 = broadcast(lanes, solver.beta_1), broadcast(lanes, solver.beta_2)
    rest_1, rest_2 = broadcast(lanes, 1.0) - beta_1, broadcast(lanes, 1.0) - beta_2
    epsilon, shrink = broadcast(lanes, solver.epsilon), broadcast(lanes, -step.decay)
    for number in range(stretch.n_vectors):
        place = stretch.start + number * size
        w = load(lanes, parameters, place)
        penalties = penalty_of(solver, w, penalties)
        source = stretch.gradient_start + number * size
        g = gradient_of(lanes, step, w, stretch.gradients, source)
        m = fma(beta_1, load(lanes, mean, place), rest_1 * g)
        v = fma(beta_2, load(lanes, square, place), rest_2 * (g * g))
        store(mean, place, m)
        store(square, place, v)
        store(parameters, place, fma(minus_rate, m / (sqrt(v) + epsilon), fma(shrink, w, w)))
    return reduce_add(penalties)


@kernel
def rmsprop_update(lanes, solver, step, stretch):
    """Compute v <- decay v + (1 - decay) g^2, w <- w - rate g / (sqrt(v) + eps); see `update`."""
    parameters, square, size = stretch.parameters, stretch.slots[0], n_lanes(lanes)
    minus_rate, penalties = broadcast(lanes, -step.rate), broadcast(lanes, 0.0)
    beta, epsilon = broadcast(lanes, solver.beta_2), broadcast(lanes, solver.epsilon)
    rest = broadcast(lanes, 1.0) - beta
    for number in range(stretch.n_vectors):
        place = stretch.start + number * size
        w = load(lanes, parameters, place)
        penalties = penalty_of(solver, w, penalties)
        source = stretch.gradient_start + number * size
        g = gradient_of(lanes, step, w, stretch.gradients, source)
        v = fma(beta, load(lanes, square, place), rest * (g * g))
        store(square, place, v)
        store(parameters, place, fma(minus_rate, g / (sqrt(v) + epsilon), w))
    return reduce_add(penalties)


@kernel
def write_gradient(lanes, solver, step, stretch):
    """Add the gradient to the first slot, or write it to the last; see `Solver.code`."""
    size, penalties = n_lanes(lanes), broadcast(lanes, 0.0)
    adding = solver.code == ACCUMULATE
    slot = stretch.slots[0 if adding else stretch.slots.shape[0] - 1]
    for number in range(stretch.n_vectors):
        place = stretch.start + number * size
        w = load(lanes, stretch.parameters, place)
        penalties = penalty_of(solver, w, penalties)
        source = stretch.gradient_start + number * size
        g = gradient_of(lanes, step, w, stretch.gradients, source)
        store(slot, place, g + load(lanes, slot, place) if adding else g)
    return reduce_add(penalties)

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

NAMES = ("sgd", "momentum", "adam", "rmsprop", "accumulate", "keep", "lion", "nadam")
"""What `fastmlp.optimizers.Optimizer.kernel` may be; and `KEEP`, which is for clipping."""
PLAIN, MOMENTUM, ADAM, RMSPROP, ACCUMULATE, KEEP, LION, NADAM = range(len(NAMES))
CODES = {name: code for code, name in enumerate(NAMES)}
LINEAR = (PLAIN, MOMENTUM)
"""Those whose step is linear in the weights and their velocities where the gradient is."""
WRITERS = (ACCUMULATE, KEEP)
"""Those that move no weight and write the gradient down."""


class Solver(NamedTuple):
    """An update rule as the kernels see it; the floats are of the parameters' dtype."""

    code: int
    """One of `CODES`. `ACCUMULATE` and `KEEP` take no step: they add the gradient to the first
    slot, or write it to the last."""
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
    gradient_rate: float
    """That of the gradient itself, for optimizers that step along its mean and along itself."""


class StepSizes(NamedTuple):
    """The steps of many batches; each array is (n_steps,) float."""

    rates: np.ndarray
    l2: np.ndarray
    l1: np.ndarray
    decays: np.ndarray
    gradient_rates: np.ndarray


@inlined
def step_of(step_sizes, number):
    """Read the numbers of one step."""
    return Step(
        step_sizes.rates[number], step_sizes.l2[number], step_sizes.l1[number],
        step_sizes.decays[number], step_sizes.gradient_rates[number],
    )  # fmt: skip


@inlined
def step_of_intercepts(step):
    """Leave the penalties out."""
    zero = step.rate - step.rate  # of the same type, which rate * 0 would not be
    return Step(step.rate, zero, zero, zero, step.gradient_rate)


class Stretch(NamedTuple):
    """A stretch of the parameters, of the solver's state for them and of their gradient.

    Layers' biases and weights lie in whole lines of memory, so that a vector may be as wide as one
    and wider than a panel. The gradient of the padding is 0.
    """

    parameters: np.ndarray
    """(n_packed,) float."""
    slots: np.ndarray
    """(n_slots, n_packed) float."""
    start: int
    n_vectors: int
    gradients: np.ndarray
    """(n,) float."""
    gradient_start: int


@inlined
def load_gradient(lanes, stretch, number):
    """Load a vector of a stretch's gradient."""
    return load(lanes, stretch.gradients, stretch.gradient_start + number * n_lanes(lanes))


@inlined
def penalty_of(solver, w, penalties):
    """Add (alpha / 2) w^2 + l1 |w|."""
    return fma(fma(like(w, 0.5 * solver.alpha), absolute(w), like(w, solver.l1)), absolute(w),
               penalties)  # fmt: skip


@inlined
def gradient_of(step, w, g):
    """Add the gradient of the penalties to a gradient."""
    g = fma(like(w, step.l2), w, g)
    if step.l1 > 0:
        zero, size = like(w, 0.0), like(w, step.l1)
        g = g + where_less(zero, w, size, where_less(w, zero, zero - size, zero))
    return g


@inlined
def momentum_step(solver, step, w, v, g):
    """Compute v <- momentum v - rate g, w <- w + v, or w + momentum v - rate g.

    Parameters
    ----------
    solver : Solver
    step : Step
    w, v, g : vector
        Weights, velocities and gradient.

    Returns
    -------
    w, v : vector
    """
    momentum, move = like(w, solver.momentum), like(w, -step.rate) * g
    v = fma(momentum, v, move)
    return w + (fma(momentum, v, move) if solver.nesterov else v), v


@inlined
def adam_step(solver, step, w, m, v, g):
    """Compute one step of Adam, the bias correction being in the rate; see `momentum_step`."""
    one, beta_1, beta_2 = like(w, 1.0), like(w, solver.beta_1), like(w, solver.beta_2)
    m = fma(beta_1, m, (one - beta_1) * g)
    v = fma(beta_2, v, (one - beta_2) * (g * g))
    direction = m / (sqrt(v) + like(w, solver.epsilon))
    return fma(like(w, -step.rate), direction, fma(like(w, -step.decay), w, w)), m, v


@inlined
def rmsprop_step(solver, step, w, v, g):
    """Compute v <- decay v + (1 - decay) g^2, w <- w - rate g / (sqrt(v) + eps)."""
    decay = like(w, solver.beta_2)
    v = fma(decay, v, (like(w, 1.0) - decay) * (g * g))
    return fma(like(w, -step.rate), g / (sqrt(v) + like(w, solver.epsilon)), w), v


@inlined
def lion_step(solver, step, w, m, g):
    """Compute w <- w - rate sign(beta_1 m + (1 - beta_1) g), m <- beta_2 m + (1 - beta_2) g."""
    zero, one = like(w, 0.0), like(w, 1.0)
    beta_1, beta_2 = like(w, solver.beta_1), like(w, solver.beta_2)
    c = fma(beta_1, m, (one - beta_1) * g)
    sign = where_less(zero, c, one, where_less(c, zero, zero - one, c))  # that of 0 is 0
    w = fma(like(w, -step.rate), sign, fma(like(w, -step.decay), w, w))
    return w, fma(beta_2, m, (one - beta_2) * g)


@inlined
def nadam_step(solver, step, w, m, v, g):
    """Compute one step of NAdam: as Adam's, along rate m + gradient_rate g."""
    one, beta_1, beta_2 = like(w, 1.0), like(w, solver.beta_1), like(w, solver.beta_2)
    m = fma(beta_1, m, (one - beta_1) * g)
    v = fma(beta_2, v, (one - beta_2) * (g * g))
    direction = fma(like(w, step.rate), m, like(w, step.gradient_rate) * g)
    return w - direction / (sqrt(v) + like(w, solver.epsilon)), m, v


@inlined
def advance(solver, step, w, first, second, g):
    """Take one step of any solver but `KEEP`, in registers.

    Parameters
    ----------
    solver : Solver
    step : Step
    w : vector
        Weights.
    first, second : vector
        Their part of the first and the second slot; what a solver has no use for is left alone.
    g : vector
        Their gradient.

    Returns
    -------
    w, first, second : vector
    """
    if solver.code == ADAM:
        return adam_step(solver, step, w, first, second, g)
    if solver.code == NADAM:
        return nadam_step(solver, step, w, first, second, g)
    if solver.code == ACCUMULATE:
        first = first + g
    elif solver.code == MOMENTUM:
        w, first = momentum_step(solver, step, w, first, g)
    elif solver.code == RMSPROP:
        w, first = rmsprop_step(solver, step, w, first, g)
    elif solver.code == LION:
        w, first = lion_step(solver, step, w, first, g)
    else:
        w = fma(like(w, -step.rate), g, w)
    return w, first, second


@kernel
def sgd_update(lanes, solver, step, stretch):
    """Compute w <- w - rate g; see `update`."""
    parameters, size = stretch.parameters, n_lanes(lanes)
    minus_rate, penalties = broadcast(lanes, -step.rate), broadcast(lanes, 0.0)
    penalised = solver.alpha > 0 or solver.l1 > 0  # other solvers have the time for 0, too
    for number in range(stretch.n_vectors):
        place = stretch.start + number * size
        w, g = load(lanes, parameters, place), load_gradient(lanes, stretch, number)
        if penalised:
            penalties = penalty_of(solver, w, penalties)
        store(parameters, place, fma(minus_rate, gradient_of(step, w, g), w))
    return reduce_add(penalties)


def with_one_slot(take):
    """Make the update of an optimizer with one slot: `take` for each vector of a stretch."""

    @kernel
    def take_all(lanes, solver, step, stretch):
        """Take a step on a stretch; see `update`."""
        parameters, slot, size = stretch.parameters, stretch.slots[0], n_lanes(lanes)
        penalties = broadcast(lanes, 0.0)
        for number in range(stretch.n_vectors):
            place = stretch.start + number * size
            w, g = load(lanes, parameters, place), load_gradient(lanes, stretch, number)
            penalties = penalty_of(solver, w, penalties)
            g = gradient_of(step, w, g)
            w, first = take(solver, step, w, load(lanes, slot, place), g)
            store(slot, place, first)
            store(parameters, place, w)
        return reduce_add(penalties)

    return take_all


def with_two_slots(take):
    """Make the update of an optimizer with two slots; see `with_one_slot`."""

    @kernel
    def take_all(lanes, solver, step, stretch):
        """Take a step on a stretch; see `update`."""
        parameters, size = stretch.parameters, n_lanes(lanes)
        one, other = stretch.slots[0], stretch.slots[1]
        penalties = broadcast(lanes, 0.0)
        for number in range(stretch.n_vectors):
            place = stretch.start + number * size
            w, g = load(lanes, parameters, place), load_gradient(lanes, stretch, number)
            penalties = penalty_of(solver, w, penalties)
            g = gradient_of(step, w, g)
            first, second = load(lanes, one, place), load(lanes, other, place)
            w, first, second = take(solver, step, w, first, second, g)
            store(one, place, first)
            store(other, place, second)
            store(parameters, place, w)
        return reduce_add(penalties)

    return take_all


momentum_update = with_one_slot(momentum_step)
rmsprop_update = with_one_slot(rmsprop_step)
lion_update = with_one_slot(lion_step)
adam_update = with_two_slots(adam_step)
nadam_update = with_two_slots(nadam_step)


@kernel
def write_gradient(lanes, solver, step, stretch):
    """Add the gradient to the first slot, or write it to the last; see `Solver.code`."""
    size, penalties = n_lanes(lanes), broadcast(lanes, 0.0)
    adding = solver.code == ACCUMULATE
    slot = stretch.slots[0 if adding else stretch.slots.shape[0] - 1]
    for number in range(stretch.n_vectors):
        place = stretch.start + number * size
        w, g = load(lanes, stretch.parameters, place), load_gradient(lanes, stretch, number)
        penalties = penalty_of(solver, w, penalties)
        g = gradient_of(step, w, g)
        store(slot, place, g + load(lanes, slot, place) if adding else g)
    return reduce_add(penalties)


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
    if solver.code == NADAM:
        return nadam_update(lanes, solver, step, stretch)
    if solver.code == LION:
        return lion_update(lanes, solver, step, stretch)
    return sgd_update(lanes, solver, step, stretch)

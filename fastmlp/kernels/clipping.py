"""Steps whose gradient is known as a whole before any weight moves, so that it can be shortened.

The backward pass writes the gradient to the last slot of the solver's state (`optimizers.KEEP`);
then its norm is formed, panel by panel in a fixed order, and the step is taken on all panels.
"""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.backward import transpose_weights
from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.optimizers import KEEP, Solver, Step, Stretch, step_of_intercepts, update
from fastmlp.kernels.simd import broadcast, fma, load, n_lanes, reduce_add, store
from fastmlp.kernels.task import Task, share


class Clip(NamedTuple):
    """How long a gradient may be."""

    max_norm: float


@inlined
def keeping(task):
    """Make a task whose solver writes the gradient down."""
    s = task.solver
    solver = Solver(KEEP, s.alpha, s.l1, s.momentum, s.nesterov, s.beta_1, s.beta_2, s.epsilon)
    return Task(
        task.hidden, task.output, task.line, task.block, task.layout, solver, task.model,
        task.batches, task.workspace, task.team,
    )  # fmt: skip


@kernel
def sum_squares(lanes, memory, start, n_vectors):
    """Add up the squares of a stretch of memory."""
    squares, size = broadcast(lanes, 0.0), n_lanes(lanes)
    for number in range(n_vectors):
        g = load(lanes, memory, start + number * size)
        squares = fma(g, g, squares)
    return np.float64(reduce_add(squares))


@kernel
def shorten(lanes, memory, start, n_vectors, factor):
    """Multiply a stretch of memory by a number."""
    factors, size = broadcast(lanes, factor), n_lanes(lanes)
    for number in range(n_vectors):
        place = start + number * size
        store(memory, place, load(lanes, memory, place) * factors)


@inlined
def vectors_of(task, layer):
    """Count the vectors, as wide as a line of memory, of a panel's weights and of its biases."""
    layout, size = task.layout, n_lanes(task.line)
    n_biases = layout.widths[layer] // layout.n_panels[layer]
    return layout.panel_sizes[layer] // size, (n_biases + size - 1) // size


@inlined
def start_of_intercepts(layout, layer, panel):
    """Find a panel's biases."""
    return layout.intercepts[layer] + panel * (layout.widths[layer] // layout.n_panels[layer])


@inlined
def measure(task, layer):
    """Form the sums of squares of the panels of a layer that this thread owns."""
    layout, norms = task.layout, task.workspace.norms
    gradient = task.model.slots[task.model.slots.shape[0] - 1]
    n_weights, n_biases = vectors_of(task, layer)
    first, last = share(task.team, layout.n_panels[layer])
    for panel in range(first, last):
        start = layout.coefs[layer] + panel * layout.panel_sizes[layer]
        norms[0, layer, panel] = sum_squares(task.line, gradient, start, n_weights)
        start = start_of_intercepts(layout, layer, panel)
        norms[1, layer, panel] = sum_squares(task.line, gradient, start, n_biases)


@kernel
def step_on(lanes, solver, step, model, start, n_vectors, factor):
    """Shorten the gradient of a stretch of parameters, and take the step; return its penalty."""
    gradient = model.slots[model.slots.shape[0] - 1]
    if factor != 1:
        shorten(lanes, gradient, start, n_vectors, factor)
    stretch = Stretch(model.parameters, model.slots, start, n_vectors, gradient, start)
    return update(lanes, solver, step, stretch)


@inlined
def without_penalties(step):
    """Leave out the penalties, whose gradients are in the gradient already."""
    without = step_of_intercepts(step)
    return Step(step.rate, without.l2, without.l1, step.decay, step.gradient_rate)


@inlined
def step_on_layer(task, layer, step, factor):
    """Take the step on the panels of a layer that this thread owns."""
    layout, model, solver = task.layout, task.model, task.solver
    n_weights, n_biases = vectors_of(task, layer)
    shrinking, without = without_penalties(step), step_of_intercepts(step)
    first, last = share(task.team, layout.n_panels[layer])
    for panel in range(first, last):
        start = layout.coefs[layer] + panel * layout.panel_sizes[layer]
        step_on(task.line, solver, shrinking, model, start, n_weights, factor)
        start = start_of_intercepts(layout, layer, panel)
        step_on(task.line, solver, without, model, start, n_biases, factor)


@inlined
def measure_all(task):
    """Form the sums of squares of every layer's gradient."""
    for layer in range(task.layout.widths.size):
        measure(task, layer)


@inlined
def factor_of(task, max_norm):
    """Find what a gradient that has been measured is multiplied by."""
    number = task.workspace.units.dtype.type
    norm = np.sqrt(task.workspace.norms.sum())
    return number(1 if norm <= max_norm else max_norm / norm)


@inlined
def step_on_all(task, clip, step):
    """Shorten the gradient where its norm is too large, and take the step on every layer."""
    factor = factor_of(task, clip.max_norm)
    for layer in range(task.layout.widths.size):
        step_on_layer(task, layer, step, factor)


@inlined
def transpose_all(task):
    """Copy the weights that have changed to where they lie transposed."""
    n_layers = task.layout.widths.size
    for layer in range(1, n_layers):
        first, last = share(task.team, task.layout.n_panels[layer - 1])
        for own in range(first, last):
            if layer == n_layers - 1:
                transpose_weights(task, task.output, layer, own)
            else:
                transpose_weights(task, task.hidden, layer, own)

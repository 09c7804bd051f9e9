"""Steps whose gradient is known as a whole before any weight moves, so that it can be shortened.

The backward pass writes the gradient to the last slot of the solver's state (`updates.KEEP`); then
its norm is formed, panel by panel in a fixed order, and the step is taken on all panels.
"""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.backward import transpose_weights
from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.simd import broadcast, fma, load, n_lanes, reduce_add, store
from fastmlp.kernels.task import Task, share
from fastmlp.kernels.updates import KEEP, Solver, Step, Stretch, update


class Clip(NamedTuple):
    """How long a gradient may be."""

    max_norm: float


N_FIELDS = len(Clip._fields)
"""Tells it from the empty tuple of other trainings while a kernel is compiled."""


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
def measure(task, lanes, layer):
    """Form the sums of squares of the panels of a layer that this thread owns."""
    layout, norms = task.layout, task.workspace.norms
    gradient = task.model.slots[task.model.slots.shape[0] - 1]
    first, last = share(task.team, layout.n_panels[layer])
    for panel in range(first, last):
        start = layout.coefs[layer] + panel * layout.panel_sizes[layer]
        n_vectors = layout.panel_sizes[layer] // n_lanes(lanes)
        norms[0, layer, panel] = sum_squares(lanes, gradient, start, n_vectors)
        start = layout.intercepts[layer] + panel * n_lanes(lanes)
        norms[1, layer, panel] = sum_squares(lanes, gradient, start, 1)


@inlined
def step_on(task, lanes, layer, step, factor):
    """Take the step on the panels of a layer that this thread owns."""
    layout, model, solver = task.layout, task.model, task.solver
    gradient = model.slots[model.slots.shape[0] - 1]
    zero = step.rate - step.rate  # of the same type, which rate * 0 would not be
    first, last = share(task.team, layout.n_panels[layer])
    for panel in range(first, last):
        start = layout.coefs[layer] + panel * layout.panel_sizes[layer]
        n_vectors = layout.panel_sizes[layer] // n_lanes(lanes)
        shorten(lanes, gradient, start, n_vectors, factor)
        stretch = Stretch(model.parameters, model.slots, start, n_vectors, gradient, start)
        # The penalties' gradients are in the gradient already.
        update(lanes, solver, Step(step.rate, zero, zero, step.decay), stretch)
        start = layout.intercepts[layer] + panel * n_lanes(lanes)
        shorten(lanes, gradient, start, 1, factor)
        stretch = Stretch(model.parameters, model.slots, start, 1, gradient, start)
        update(lanes, solver, Step(step.rate, zero, zero, zero), stretch)


@inlined
def measure_all(task):
    """Form the sums of squares of every layer's gradient."""
    n_layers = task.layout.widths.size
    for layer in range(n_layers - 1):
        measure(task, task.hidden, layer)
    if n_layers > 1:
        measure(task, task.output, n_layers - 1)
    else:
        measure(task, task.hidden, 0)


@inlined
def step_on_all(task, clip, step):
    """Shorten the gradient where its norm is too large, and take the step on every layer."""
    n_layers, number = task.layout.widths.size, task.workspace.units.dtype.type
    norm = np.sqrt(task.workspace.norms.sum())
    factor = number(1 if norm <= clip.max_norm else clip.max_norm / norm)
    for layer in range(n_layers - 1):
        step_on(task, task.hidden, layer, step, factor)
    if n_layers > 1:
        step_on(task, task.output, n_layers - 1, step, factor)
    else:
        step_on(task, task.hidden, 0, step, factor)


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

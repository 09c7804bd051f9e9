"""A step from a gradient that is there as a whole: summed over batches, or over machines.

The gradient is the last slot of the solver's state. It is read once, and each parameter and each
number of the state read and written once, by stretches that are still cached when they are
transposed: bound by memory. Clipping reads and writes the gradient twice more.
"""

import numpy as np

from fastmlp.kernels.clipping import (
    factor_of,
    keeping,
    measure_all,
    step_on,
    without_penalties,
)
from fastmlp.kernels.groups import transpose_part
from fastmlp.kernels.jit import entry, inlined
from fastmlp.kernels.optimizers import KEEP, step_of_intercepts
from fastmlp.kernels.simd import n_lanes
from fastmlp.kernels.steps import arrive
from fastmlp.kernels.task import share


@inlined
def step_on_weights(task, step, factor):
    """Take a step on this thread's part of the weights: those of as many inputs as a panel has."""
    layout, most, line = task.layout, n_lanes(task.hidden), n_lanes(task.line)
    for layer in range(layout.widths.size):
        size = layout.widths[layer] // layout.n_panels[layer]
        n_rows = layout.panel_sizes[layer] // size
        first, last = share(task.team, (n_rows + most - 1) // most)
        for part in range(first, last):
            low, penalty = part * most, 0.0
            n_vectors = min(most, n_rows - low) * size // line
            for panel in range(layout.n_panels[layer]):
                start = layout.coefs[layer] + panel * layout.panel_sizes[layer] + low * size
                penalty += step_on(
                    task.line, task.solver, step, task.model, start, n_vectors, factor
                )
            task.workspace.penalties[layer, part, 0] = penalty
            if layer > 0 and task.solver.code != KEEP:
                transpose_part(task, layer, part)


@inlined
def step_on_intercepts(task, step, factor):
    """Take a step on the biases of all layers, a line of memory at a time."""
    layout, size, without = task.layout, n_lanes(task.line), step_of_intercepts(step)
    for layer in range(layout.widths.size):
        first, last = share(task.team, (layout.widths[layer] + size - 1) // size)
        for line in range(first, last):
            start = layout.intercepts[layer] + line * size
            step_on(task.line, task.solver, without, task.model, start, 1, factor)


@inlined
def step_on_all(task, step, factor):
    """Take a step on weights and biases."""
    step_on_weights(task, step, factor)
    step_on_intercepts(task, step, factor)


@entry
def run_update(task, max_norm, step):
    """Take a step from the gradient in the last slot, which may be overwritten.

    Parameters
    ----------
    task : task.Task
        Its model is updated in place; the penalties before, of each part, go to its workspace.
        Batches it has none.
    max_norm : float64
        A gradient whose norm is larger is shortened to it.
    step : optimizers.Step

    Returns
    -------
    bool
        False where another thread cancelled the work.
    """
    factor = task.workspace.units.dtype.type(1)
    if max_norm < np.inf:
        step_on_all(keeping(task), step, factor)
        if not arrive(task.team):
            return False
        measure_all(task)
        if not arrive(task.team):
            return False
        factor, step = factor_of(task, max_norm), without_penalties(step)
    step_on_all(task, step, factor)
    return True

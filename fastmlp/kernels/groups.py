"""Training on large batches of dense samples: rows are shared out instead of units.

A batch is cut into groups of rows. A thread takes whole groups: from their samples to their
gradient it needs nothing of the others, and goes through a group in blocks of rows that stay in a
cache. Then the groups' gradients are added up in their order and a step is taken, each thread on
its part of the weights. So threads wait for one another twice a batch, whatever the depth, and
narrow layers keep them all busy; how many groups there are follows from the shapes alone, so that
the bits do not depend on the number of threads.
"""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.backward import add_few, are_few, carry_back, transpose_weights, turn_few
from fastmlp.kernels.forward import dense_inputs, whole
from fastmlp.kernels.jit import entry, inlined, kernel
from fastmlp.kernels.optimizers import WRITERS, Stretch, step_of, step_of_intercepts, update
from fastmlp.kernels.products import Matrix, add_rows, multiply
from fastmlp.kernels.simd import load, n_lanes, store
from fastmlp.kernels.steps import arrive, forward, mean_loss, move_on
from fastmlp.kernels.task import (
    Task,
    Team,
    Workspace,
    panel_of,
    place_of_penalty,
    share,
    transposed,
)


class Groups(NamedTuple):
    """The rows of a batch that are worked on together."""

    gradients: np.ndarray
    """(n_groups, n_packed) float: each group's own."""
    block_rows: int
    """Rows that a thread takes at a time."""


@inlined
def alone(task, first, last):
    """Make a task for some rows of a batch that needs no other thread."""
    w, thread = task.workspace, task.team.thread
    workspace = Workspace(
        w.inputs, w.units, w.deltas, w.row_losses[first:last], w.penalties, w.norms,
        w.gradients[thread : thread + 1], w.cursors,
    )  # fmt: skip
    return Task(
        task.hidden, task.output, task.line, task.block, task.layout, task.solver, task.model,
        task.batches, workspace, Team(0, 1, task.team.barrier),
    )  # fmt: skip


@kernel
def add_gradient(lanes, layout, layer, inputs, all_deltas, gradient, adding):
    """Compute the gradient of a layer, or add it: A^T D, and the sum of D's rows.

    Parameters
    ----------
    lanes : simd.Lanes
        Of the layer.
    layout : layout.Layout
    layer : int
    inputs : Matrix of shape (n_rows, fan_in)
    all_deltas : (at least n_rows * sum(row_steps),) float
    gradient : (n_packed,) float
        Overwritten where the layer's parameters lie, or added to.
    adding : bool
    """
    size, left = n_lanes(lanes), transposed(inputs, 0, layout.fan_in[layer])
    for panel in range(layout.n_panels[layer]):
        deltas = panel_of(lanes, layout, layer, panel, inputs.n_rows, all_deltas)
        place = layout.intercepts[layer] + panel * size
        add_intercepts_gradient(lanes, deltas, place, gradient, adding)
        start = layout.coefs[layer] + panel * layout.panel_sizes[layer]
        multiply(lanes, left, deltas, Matrix(gradient, start, left.n_rows, size, 1), adding)


@inlined
def add_output_gradient(task, inputs, gradient, adding):
    """Compute the gradient of the output layer, or add it, that of few units transposed."""
    layout, deltas, lanes = task.layout, task.workspace.deltas, task.output
    layer = layout.widths.size - 1
    if are_few(lanes, task.line):
        few = panel_of(lanes, layout, layer, 0, inputs.n_rows, deltas)
        add_intercepts_gradient(lanes, few, layout.intercepts[layer], gradient, adding)
        size = n_lanes(lanes) * n_lanes(task.hidden)
        for own in range(layout.n_panels[layer - 1]):
            units = panel_of(
                task.hidden, layout, layer - 1, own, inputs.n_rows, task.workspace.units
            )
            start = layout.coefs[layer] + own * size
            add_few(task.hidden, lanes, units, few, gradient, start, adding)
    else:
        add_gradient(lanes, layout, layer, inputs, deltas, gradient, adding)


@inlined
def add_intercepts_gradient(lanes, deltas, place, gradient, adding):
    """Add the rows of a panel's deltas up."""
    sums = add_rows(lanes, deltas)
    store(gradient, place, sums + load(lanes, gradient, place) if adding else sums)


@inlined
def add_block(task, slopes, gradient, batch, total, adding):
    """Add the gradient of a block of rows to that of its group, or begin with it.

    The samples of all blocks lie in the same place: no other thread reads them.
    """
    layout, workspace, n_rows = task.layout, task.workspace, batch.size
    forward(task, task.batches.features, task.batches.targets, (), slopes, 0, batch, 0, total)
    n_layers = layout.widths.size
    for layer in range(n_layers - 1, 0, -1):
        inputs = whole(layout, layer - 1, n_rows, workspace.units)
        if layer == n_layers - 1:
            add_output_gradient(task, inputs, gradient, adding)
        else:
            add_gradient(task.hidden, layout, layer, inputs, workspace.deltas, gradient, adding)
        carry_back(task, layer, n_rows, slopes)
    inputs = dense_inputs(layout, workspace.inputs, 0, n_rows)
    add_gradient(task.hidden, layout, 0, inputs, workspace.deltas, gradient, adding)


@inlined
def add_group(task, slopes, groups, group, batch, total):
    """Compute the gradient of a group of rows of a batch, a block at a time."""
    n_groups = groups.gradients.shape[0]
    first, end = group * batch.size // n_groups, (group + 1) * batch.size // n_groups
    adding = False
    while first < end or not adding:  # a group without rows has a gradient of 0
        last = min(first + groups.block_rows, end)
        add_block(
            alone(task, first, last), move_on(slopes, first), groups.gradients[group],
            batch[first:last], total, adding,
        )  # fmt: skip
        first, adding = last, True


@inlined
def step_on_sum(task, groups, start, n_numbers, n_turned, step):
    """Take a step on a stretch of parameters whose gradient is the sum of the groups'.

    Parameters
    ----------
    task : task.Task
        Its model is updated in place.
    groups : Groups
    start, n_numbers : int
        The stretch, of whole lines of memory.
    n_turned : int
        Where the gradient lies transposed, how many inputs its weights belong to; else 0.
    step : optimizers.Step

    Returns
    -------
    float
        The penalty of the weights before; see `optimizers.update`.
    """
    lanes, model, gradients = task.line, task.model, task.workspace.gradients[task.team.thread]
    if n_turned > 0:
        add_gradients(lanes, groups, start, n_numbers, gradients[n_numbers:])
        turn_few(task.hidden, task.output, n_turned, gradients, n_numbers)
    else:
        add_gradients(lanes, groups, start, n_numbers, gradients)
    n_vectors = n_numbers // n_lanes(lanes)
    stretch = Stretch(model.parameters, model.slots, start, n_vectors, gradients, 0)
    return update(lanes, task.solver, step, stretch)


@kernel
def add_gradients(lanes, groups, start, n_numbers, gradients):
    """Add a stretch of the groups' gradients up, in their order; see `step_on_sum`."""
    for number in range(0, n_numbers, n_lanes(lanes)):
        total = load(lanes, groups.gradients[0], start + number)
        for group in range(1, groups.gradients.shape[0]):
            total = total + load(lanes, groups.gradients[group], start + number)
        store(gradients, number, total)


@inlined
def step_on_intercepts(task, groups, step):
    """Take a step on the biases of all layers, a line of memory at a time."""
    layout, size, without = task.layout, n_lanes(task.line), step_of_intercepts(step)
    for layer in range(layout.widths.size):
        first, last = share(task.team, (layout.widths[layer] + size - 1) // size)
        for line in range(first, last):
            step_on_sum(task, groups, layout.intercepts[layer] + line * size, size, 0, without)


@inlined
def step_on_weights(task, groups, index, step):
    """Take a step on this thread's part of the weights: those of as many inputs as a panel has."""
    layout, most = task.layout, n_lanes(task.hidden)
    for layer in range(layout.widths.size - 1, -1, -1):
        size = layout.widths[layer] // layout.n_panels[layer]
        n_rows = layout.panel_sizes[layer] // size
        first, last = share(task.team, (n_rows + most - 1) // most)
        turned = layer > 0 and layer == layout.widths.size - 1 and are_few(task.output, task.line)
        for part in range(first, last):
            low, penalty = part * most, 0.0
            n_turned = min(most, layout.fan_in[layer] - low) if turned else 0
            n_numbers = min(most, n_rows - low) * size
            for panel in range(layout.n_panels[layer]):
                start = layout.coefs[layer] + panel * layout.panel_sizes[layer] + low * size
                penalty += step_on_sum(task, groups, start, n_numbers, n_turned, step)
            task.workspace.penalties[layer, part, place_of_penalty(task, index)] = penalty
            if layer > 0 and task.solver.code not in WRITERS:
                transpose_part(task, layer, part)


@inlined
def transpose_part(task, layer, part):
    """Copy the weights of one panel of a layer's inputs to where they lie transposed."""
    if layer == task.layout.widths.size - 1:
        transpose_weights(task, task.output, layer, part)
    else:
        transpose_weights(task, task.hidden, layer, part)


@entry
def run_groups(task, slopes, groups, first_step, last_step, losses):
    """Train on the batches from one to another, exclusive; see `steps.run_steps`.

    Parameters
    ----------
    task : task.Task
        Its workspace is this thread's own, but for the losses of the rows and the penalties.
    slopes : slopes.Slopes or ()
    groups : Groups
    first_step, last_step : int
    losses : (n_batches,) float64
        Overwritten by the mean loss of each batch before its update.

    Returns
    -------
    bool
        False where another thread cancelled the work.
    """
    batches, row_losses = task.batches, task.workspace.row_losses
    first, last = share(task.team, groups.gradients.shape[0])
    for index in range(first_step, last_step):
        batch = batches.permutation[batches.starts[index] : batches.starts[index + 1]]
        kept = move_on(slopes, batches.starts[index] - batches.starts[first_step])
        for group in range(first, last):
            add_group(task, kept, groups, group, batch, batches.totals[index])
        if not arrive(task.team):
            return False
        if task.team.thread == 0:
            losses[index] = mean_loss(row_losses, batch.size, batches.totals[index])
        step = step_of(batches.step_sizes, index)
        step_on_weights(task, groups, index, step)
        step_on_intercepts(task, groups, step)
        if not arrive(task.team):
            return False
    return True

"""Updates of a wide sparse first layer that touch only the weights of a batch's nonzeros.

A feature that is 0 in a whole batch has no part in its loss, yet momentum, Adam and L2 go on moving
its weights. Nothing reads them until the feature is seen again: then the steps that were missed,
whose gradient is known to be 0, are made up for, and at the end of the epoch for all features. The
result is that of the dense rule, to rounding; it is not Adam's "lazy" variant.
"""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.simd import (
    absolute,
    broadcast,
    fma,
    item,
    load,
    n_lanes,
    reduce_add,
    reduce_max,
    sqrt,
    store,
)
from fastmlp.kernels.task import share
from fastmlp.kernels.updates import ADAM, SGD, Stretch, update

UNSEEN = -1


class TouchedRows(NamedTuple):
    """What keeps count of the missed steps; each thread has a row of its own in the first four."""

    ranks: np.ndarray
    """(n_threads, n_features) int32: a feature's place among those of the batch, or `UNSEEN`."""
    touched: np.ndarray
    """(n_threads, most_touched) int32: the features of the batch."""
    n_touched: np.ndarray
    """(n_threads, 8) int64: how many there are, in the first column."""
    steps_made: np.ndarray
    """(n_threads, n_features) int64: how many steps of this call a feature's weights have made."""
    rates: np.ndarray
    """(n_steps,) float: of this call."""
    strengths: np.ndarray
    """(n_steps,) float: of the L2 penalty, in this call."""
    zeros: np.ndarray
    """(n_lanes,) float: a gradient."""
    adam_steps: int
    """Missed steps of Adam after which the rest are lost in rounding."""


N_FIELDS = len(TouchedRows._fields)
"""Tells them from the empty tuple of other updates while a kernel is compiled."""


@kernel
def list_touched(features, batch, ranks, touched):
    """List the features that are not 0 in all of a batch, in the order in which they come.

    Parameters
    ----------
    features : sparse.SparseFeatures
    batch : (n_rows,) intp
        The samples.
    ranks : (n_features,) int32
        `UNSEEN`; overwritten by a feature's place in the list.
    touched : (most_touched,) int32
        Overwritten.

    Returns
    -------
    int
        How many there are.
    """
    n_touched = 0
    for row in range(batch.size):
        for place in range(features.indptr[batch[row]], features.indptr[batch[row] + 1]):
            feature = item(features.indices, place)
            if ranks[feature] == UNSEEN:
                ranks[feature] = n_touched
                touched[n_touched] = feature
                n_touched += 1
    return n_touched


@kernel
def add_to_ranks(lanes, features, batch, ranks, deltas, gradients):
    """Add P^T D, the row of each feature at its rank.

    Parameters
    ----------
    lanes : simd.Lanes
    features : sparse.SparseFeatures
    batch : (n_rows,) intp
        The samples.
    ranks : (n_features,) int32
    deltas : products.Matrix of shape (n_rows, n_lanes)
    gradients : (at least n_touched * n_lanes,) float
        Added to.
    """
    size = n_lanes(lanes)
    for row in range(batch.size):
        delta = load(lanes, deltas.memory, deltas.start + row * deltas.row_step)
        for place in range(features.indptr[batch[row]], features.indptr[batch[row] + 1]):
            target = item(ranks, item(features.indices, place)) * size
            p = broadcast(lanes, item(features.values, place))
            store(gradients, target, fma(p, delta, load(lanes, gradients, target)))


@kernel
def catch_up_linear(lanes, solver, rows, first, last, place, model, squares):
    """Make up for missed steps of gradient descent with or without momentum.

    Without a gradient a step is linear: v <- momentum v - d w, w <- w + v (Nesterov's: w + momentum
    v - d w), with d = rate * strength of the penalty. The steps are multiplied as 2 x 2 matrices
    and then applied to w and v at once.

    Parameters
    ----------
    lanes : simd.Lanes
    solver : updates.Solver
    rows : TouchedRows
    first, last : int
        The steps that were missed, the last exclusive.
    place : int
        Where the weights lie, and their velocities.
    model : task.Model
        Updated in place.
    squares : (n_steps,) float64
        The sum of the squared weights before each step is added.
    """
    w = load(lanes, model.parameters, place)
    v = load(lanes, model.slots[0], place) if solver.code != SGD else broadcast(lanes, 0.0)
    ww, wv = np.float64(reduce_add(w * w)), np.float64(reduce_add(w * v))
    vv, momentum = np.float64(reduce_add(v * v)), np.float64(solver.momentum)
    w_of_w, w_of_v, v_of_w, v_of_v = 1.0, 0.0, 0.0, 1.0
    for step in range(first, last):
        squares[step] += w_of_w * w_of_w * ww + 2 * w_of_w * w_of_v * wv + w_of_v * w_of_v * vv
        decay = np.float64(rows.rates[step]) * np.float64(rows.strengths[step])
        v_of_w = momentum * v_of_w - decay * w_of_w
        v_of_v = momentum * v_of_v - decay * w_of_v
        if solver.nesterov:
            w_of_w += momentum * v_of_w - decay * w_of_w
            w_of_v += momentum * v_of_v - decay * w_of_v
        else:
            w_of_w += v_of_w
            w_of_v += v_of_v
    store(model.parameters, place, fma(broadcast(lanes, w_of_w), w, broadcast(lanes, w_of_v) * v))
    if solver.code != SGD:
        store(model.slots[0], place, fma(broadcast(lanes, v_of_w), w, broadcast(lanes, v_of_v) * v))


@kernel
def catch_up_adam(lanes, solver, rows, first, last, place, model):
    """Make up for missed steps of Adam without a penalty; see `catch_up_linear`.

    m and v only shrink: m <- beta_1 m, v <- beta_2 v, w <- w - rate m / (sqrt(v) + epsilon).
    """
    mean, square = model.slots[0], model.slots[1]
    m, v = load(lanes, mean, place), load(lanes, square, place)
    beta_1, gap = np.float64(solver.beta_1), last - first
    if reduce_max(absolute(m)) > 0:
        w, root, shrunk = load(lanes, model.parameters, place), sqrt(v), m
        factor_m = broadcast(lanes, beta_1)
        factor_root = broadcast(lanes, np.sqrt(np.float64(solver.beta_2)))
        epsilon = broadcast(lanes, solver.epsilon)
        for step in range(first, first + min(gap, rows.adam_steps)):
            shrunk, root = shrunk * factor_m, root * factor_root
            w = fma(broadcast(lanes, -rows.rates[step]), shrunk / (root + epsilon), w)
        store(model.parameters, place, w)
        store(mean, place, m * broadcast(lanes, beta_1**gap))
    store(square, place, v * broadcast(lanes, np.float64(solver.beta_2) ** gap))


@kernel
def catch_up(lanes, solver, rows, first, last, place, model, squares):
    """Make up for the steps that one row of a panel's weights has missed; see `catch_up_linear`."""
    if solver.code != ADAM:
        catch_up_linear(lanes, solver, rows, first, last, place, model, squares)
    elif solver.alpha == 0:
        catch_up_adam(lanes, solver, rows, first, last, place, model)
    else:
        stretch = Stretch(model.parameters, model.slots, place, 1)
        for step in range(first, last):
            rate, strength = rows.rates[step], rows.strengths[step]
            squares[step] += update(lanes, solver, rate, strength, rows.zeros, stretch)


@inlined
def catch_up_feature(task, rows, feature, step):
    """Bring a feature's weights to what they are before a step, in the panels of this thread."""
    layout, lanes, made = task.layout, task.hidden, rows.steps_made[task.team.thread]
    if made[feature] == step:
        return
    first, last = share(task.team, layout.n_panels[0])
    for panel in range(first, last):
        start = layout.coefs[0] + panel * layout.panel_sizes[0]
        catch_up(
            lanes, task.solver, rows, made[feature], step, start + feature * n_lanes(lanes),
            task.model, task.workspace.penalties[0, panel],
        )  # fmt: skip
    made[feature] = step


@inlined
def catch_up_touched(task, rows, batch, step):
    """Bring the weights up to date that a batch reads."""
    thread = task.team.thread
    touched = rows.touched[thread]
    n_touched = list_touched(task.batches.features, batch, rows.ranks[thread], touched)
    rows.n_touched[thread, 0] = n_touched
    for rank in range(n_touched):
        catch_up_feature(task, rows, touched[rank], step)


@inlined
def catch_up_all(task, rows, step):
    """Bring all weights up to date, and begin to count anew."""
    made = rows.steps_made[task.team.thread]
    for feature in range(made.size):
        catch_up_feature(task, rows, feature, step)
        made[feature] = 0


@inlined
def update_touched(task, rows, batch, panel, deltas, gradients, step, rate):
    """Take one step on the weights of a panel of the first layer that a batch has read."""
    layout, lanes, model, thread = task.layout, task.hidden, task.model, task.team.thread
    size, squares, zero = n_lanes(lanes), 0.0, broadcast(lanes, 0.0)
    start = layout.coefs[0] + panel * layout.panel_sizes[0]
    n_touched = rows.n_touched[thread, 0]
    for rank in range(n_touched):
        store(gradients, rank * size, zero)
    add_to_ranks(lanes, task.batches.features, batch, rows.ranks[thread], deltas, gradients)
    for rank in range(n_touched):
        place = start + rows.touched[thread, rank] * size
        stretch = Stretch(model.parameters, model.slots, place, 1)
        gradient = gradients[rank * size : (rank + 1) * size]
        squares += update(lanes, task.solver, rate, rows.strengths[step], gradient, stretch)
    task.workspace.penalties[0, panel, step] += squares


@inlined
def finish_touched(task, rows, step):
    """Note that the step was made on the weights that the batch has read."""
    thread = task.team.thread
    for rank in range(rows.n_touched[thread, 0]):
        feature = rows.touched[thread, rank]
        rows.steps_made[thread, feature] = step + 1
        rows.ranks[thread, feature] = UNSEEN

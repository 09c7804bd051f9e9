"""Updates of a wide sparse first layer that touch only the weights of a batch's nonzeros.

A feature that is 0 in a whole batch has no part in its loss, yet momentum, Adam and L2 go on moving
its weights. Nothing reads them until the feature is seen again: then the steps that were missed,
whose gradient is known to be 0, are made up for, and at the end of the epoch for all features. The
result is that of the dense rule, to rounding; it is not Adam's "lazy" variant.
"""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.dense import count_dense
from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.optimizers import (
    ACCUMULATE,
    ADAM,
    LINEAR,
    PLAIN,
    RMSPROP,
    StepSizes,
    advance,
    gradient_of,
    penalty_of,
    step_of,
)
from fastmlp.kernels.products import Matrix, add_dense
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
from fastmlp.kernels.task import place_of_penalty, share

UNSEEN = -1


class TouchedRows(NamedTuple):
    """What keeps count of the missed steps; each thread has a row of its own in the first three."""

    ranks: np.ndarray
    """(n_threads, n_features) int32: a feature's place among those of the batch, or `UNSEEN`."""
    touched: np.ndarray
    """(n_threads, most_touched) int32: the features of the batch."""
    n_touched: np.ndarray
    """(n_threads, 8) int64: how many there are, in the first column."""
    steps_made: np.ndarray
    """(n_panels, n_features) int64: how many steps of this epoch a feature's weights have made."""
    all_features: np.ndarray
    """(n_features,) int32: 0, 1, 2, ..."""
    step_sizes: StepSizes
    """Of this epoch."""
    decays: np.ndarray
    """(2, n_steps + 1) float: the powers of Adam's beta_1 and beta_2."""
    adam_steps: int
    """Missed steps of Adam after which the rest are lost in rounding."""


class Missed(NamedTuple):
    """The steps that a feature's weights have missed."""

    first: int
    last: int
    """Exclusive."""
    origin: int
    """The step whose penalty lies first."""


@kernel
def list_touched(features, batch, ranks, touched):
    """List the features that are not 0 in all of a batch: the dense ones, then as they come.

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
    n_touched = count_dense(features.dense)
    for feature in range(n_touched):
        ranks[feature] = touched[feature] = feature
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


@inlined
def catch_up_linear(lanes, solver, rows, missed, place, model, penalties):
    """Make up for missed steps of gradient descent with or without momentum.

    Without a gradient a step is linear: v <- momentum v - d w, w <- w + v (Nesterov's: w + momentum
    v - d w), with d = rate * strength of the penalty. The steps are multiplied as 2 x 2 matrices
    and then applied to w and v at once.

    Parameters
    ----------
    lanes : simd.Lanes
    solver : optimizers.Solver
    rows : TouchedRows
    missed : Missed
    place : int
        Where the weights lie, and their velocities.
    model : task.PackedWeights
        Updated in place.
    penalties : (n_steps,) float64
        The penalty of the weights before each step is added.
    """
    w, v = load(lanes, model.parameters, place), broadcast(lanes, 0.0)
    if solver.code != PLAIN:
        v = load(lanes, model.slots[0], place)
    ww, wv = np.float64(reduce_add(w * w)), np.float64(reduce_add(w * v))
    vv, momentum = np.float64(reduce_add(v * v)), np.float64(solver.momentum)
    w_of_w, w_of_v, v_of_w, v_of_v = 1.0, 0.0, 0.0, 1.0
    for step in range(missed.first, missed.last):
        squares = w_of_w * w_of_w * ww + 2 * w_of_w * w_of_v * wv + w_of_v * w_of_v * vv
        penalties[step - missed.origin] += 0.5 * np.float64(solver.alpha) * squares
        decay = np.float64(rows.step_sizes.rates[step]) * np.float64(rows.step_sizes.l2[step])
        v_of_w = momentum * v_of_w - decay * w_of_w
        v_of_v = momentum * v_of_v - decay * w_of_v
        if solver.nesterov:
            w_of_w += momentum * v_of_w - decay * w_of_w
            w_of_v += momentum * v_of_v - decay * w_of_v
        else:
            w_of_w += v_of_w
            w_of_v += v_of_v
    store(model.parameters, place, fma(broadcast(lanes, w_of_w), w, broadcast(lanes, w_of_v) * v))
    if solver.code != PLAIN:
        store(model.slots[0], place, fma(broadcast(lanes, v_of_w), w, broadcast(lanes, v_of_v) * v))


@inlined
def catch_up_adam(lanes, solver, rows, missed, place, model):
    """Make up for missed steps of Adam without a penalty; see `catch_up_linear`.

    m and v only shrink: m <- beta_1 m, v <- beta_2 v, w <- w - rate m / (sqrt(v) + epsilon).
    """
    mean, square, n_steps = model.slots[0], model.slots[1], missed.last - missed.first
    m, v = load(lanes, mean, place), load(lanes, square, place)
    if reduce_max(absolute(m)) > 0:
        w, root, shrunk = load(lanes, model.parameters, place), sqrt(v), m
        factor_m = broadcast(lanes, solver.beta_1)
        factor_root = broadcast(lanes, np.sqrt(np.float64(solver.beta_2)))
        epsilon = broadcast(lanes, solver.epsilon)
        rates = rows.step_sizes.rates
        for step in range(missed.first, missed.first + min(n_steps, rows.adam_steps)):
            shrunk, root = shrunk * factor_m, root * factor_root
            w = fma(broadcast(lanes, -item(rates, step)), shrunk / (root + epsilon), w)
        store(model.parameters, place, w)
    store(mean, place, m * broadcast(lanes, rows.decays[0, n_steps]))
    store(square, place, v * broadcast(lanes, rows.decays[1, n_steps]))


@inlined
def catch_up_rmsprop(lanes, rows, missed, place, model):
    """Make up for missed steps of RMSprop without a penalty: v only shrinks, and nothing moves."""
    square, n_steps = model.slots[0], missed.last - missed.first
    store(square, place, load(lanes, square, place) * broadcast(lanes, rows.decays[1, n_steps]))


@inlined
def load_slots(lanes, slots, place):
    """Load what a solver keeps of some weights; zeros in the place of slots that it has not."""
    zero, n_slots = broadcast(lanes, 0.0), slots.shape[0]
    first = load(lanes, slots[0], place) if n_slots > 0 else zero
    return first, load(lanes, slots[1], place) if n_slots > 1 else zero


@inlined
def store_slots(slots, place, first, second):
    """Store what `load_slots` loads."""
    if slots.shape[0] > 0:
        store(slots[0], place, first)
    if slots.shape[0] > 1:
        store(slots[1], place, second)


@inlined
def catch_up_stepwise(lanes, solver, rows, missed, place, model, penalties):
    """Make up for missed steps one by one, in registers; see `catch_up_linear`."""
    w, zero = load(lanes, model.parameters, place), broadcast(lanes, 0.0)
    first, second = load_slots(lanes, model.slots, place)
    for index in range(missed.first, missed.last):
        step = step_of(rows.step_sizes, index)
        penalties[index - missed.origin] += reduce_add(penalty_of(solver, w, zero))
        w, first, second = advance(solver, step, w, first, second, gradient_of(step, w, zero))
    store(model.parameters, place, w)
    store_slots(model.slots, place, first, second)


@kernel
def catch_up_panel(lanes, solver, rows, chosen, n_chosen, made, last, start, model, penalties):
    """Bring the weights of some features in one panel up to date.

    Parameters
    ----------
    lanes : simd.Lanes
    solver : optimizers.Solver
    rows : TouchedRows
    chosen : (at least n_chosen,) int32
        The features.
    n_chosen : int
    made : (n_features,) int64
        How many steps each feature's weights have made; overwritten.
    last : int
        How many they shall have made.
    start : int
        Where the panel's weights start.
    model : task.PackedWeights
        Updated in place.
    penalties : (n_steps,) float64
        The penalty of the weights before each step is added.
    """
    size, code = n_lanes(lanes), solver.code
    decaying = rows.step_sizes.decays.size > 0 and rows.step_sizes.decays[0] > 0
    penalised = solver.alpha > 0 or solver.l1 > 0 or decaying
    origin = (last - 1) // penalties.size * penalties.size
    for index in range(n_chosen):
        feature = np.int64(chosen[index])
        missed, place = Missed(made[feature], last, origin), start + feature * size
        made[feature] = last
        if missed.first >= last or (code == ACCUMULATE and not penalised):
            continue  # what is added to the sum is 0
        if code in LINEAR and solver.l1 == 0:
            catch_up_linear(lanes, solver, rows, missed, place, model, penalties)
        elif code == ADAM and not penalised:
            catch_up_adam(lanes, solver, rows, missed, place, model)
        elif code == RMSPROP and not penalised:
            catch_up_rmsprop(lanes, rows, missed, place, model)
        else:
            catch_up_stepwise(lanes, solver, rows, missed, place, model, penalties)


@inlined
def catch_up(task, rows, chosen, n_chosen, step):
    """Bring the weights of some features, in this thread's panels, to what a step finds."""
    layout = task.layout
    first, last = share(task.team, layout.n_panels[0])
    for panel in range(first, last):
        catch_up_panel(
            task.hidden, task.solver, rows, chosen, n_chosen, rows.steps_made[panel], step,
            layout.coefs[0] + panel * layout.panel_sizes[0], task.model,
            task.workspace.penalties[0, panel],
        )  # fmt: skip


@inlined
def catch_up_touched(task, rows, batch, step):
    """Bring the weights up to date that a batch reads."""
    thread = task.team.thread
    touched = rows.touched[thread]
    n_touched = list_touched(task.batches.features, batch, rows.ranks[thread], touched)
    rows.n_touched[thread, 0] = n_touched
    catch_up(task, rows, touched, n_touched, step)


@inlined
def catch_up_all(task, rows, step):
    """Bring all weights up to date."""
    catch_up(task, rows, rows.all_features, rows.all_features.size, step)


@kernel
def update_rows(lanes, solver, step, chosen, n_chosen, start, gradients, model):
    """Take one step on the weights of some features in one panel; see `catch_up_panel`.

    Returns the penalty of the weights before.
    """
    size, zero, penalty = n_lanes(lanes), broadcast(lanes, 0.0), 0.0
    penalised = solver.alpha > 0 or solver.l1 > 0
    for rank in range(n_chosen):
        place = start + np.int64(chosen[rank]) * size
        w, g = load(lanes, model.parameters, place), load(lanes, gradients, rank * size)
        first, second = load_slots(lanes, model.slots, place)
        if penalised:
            penalty += reduce_add(penalty_of(solver, w, zero))
        w, first, second = advance(solver, step, w, first, second, gradient_of(step, w, g))
        store(model.parameters, place, w)
        store_slots(model.slots, place, first, second)
    return penalty


@inlined
def update_touched(task, rows, batch, inputs, panel, deltas, gradients, index, step):
    """Take one step on the weights of a panel of the first layer that a batch has read."""
    layout, lanes, thread = task.layout, task.hidden, task.team.thread
    size, zero, n_touched = n_lanes(lanes), broadcast(lanes, 0.0), rows.n_touched[thread, 0]
    touched, made = rows.touched[thread], rows.steps_made[panel]
    for rank in range(n_touched):
        store(gradients, rank * size, zero)
        made[touched[rank]] = index + 1
    features = task.batches.features
    dense_rows = Matrix(gradients, 0, count_dense(features.dense), size, 1)
    add_dense(lanes, features.dense, inputs, deltas, dense_rows)
    add_to_ranks(lanes, features, batch, rows.ranks[thread], deltas, gradients)
    task.workspace.penalties[0, panel, place_of_penalty(task, index)] += update_rows(
        lanes, task.solver, step, touched, n_touched,
        layout.coefs[0] + panel * layout.panel_sizes[0], gradients, task.model,
    )  # fmt: skip


@inlined
def forget_touched(task, rows):
    """Empty the list of the features that a batch has read."""
    thread = task.team.thread
    ranks, touched = rows.ranks[thread], rows.touched[thread]
    for rank in range(rows.n_touched[thread, 0]):
        ranks[touched[rank]] = UNSEEN

"""Plain SGD one sample at a time, with one hidden layer and sparse inputs: the article's algorithm.

What a sample needs stays in registers and in the first-level cache, but for the rows of the first
weight matrix that belong to its nonzeros. Threads own hidden units; all they exchange is the part
of the logits that each panel of hidden units gives, summed in the order of the panels whatever the
number of threads, with one wait a sample.

Inputs with a constant part, X = scale P + constant, would touch every weight. Their part of an
update is the same for every row k of W, so W_k = V_k + u is kept as V and the vector u, and the sum
of the rows of W, which the constant needs in the forward pass, is carried along:

    z = scale (p V + (sum of p) u) + constant (sum of the rows of W) + b,
    V_k <- V_k - scale p_k d,    u <- u - constant d,
    (sum of the rows) <- (sum of the rows) - (scale (sum of p) + constant n_features) d,

with d the rate times the deltas. Every `FOLD` samples u goes into V and the sum is formed anew, so
that rounding does not build up.
"""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.activations import apply, derivative
from fastmlp.kernels.barrier import wait_for_all
from fastmlp.kernels.jit import entry, inlined, kernel
from fastmlp.kernels.kinds import is_a
from fastmlp.kernels.losses import ClassTargets
from fastmlp.kernels.products import Matrix, add_rows
from fastmlp.kernels.simd import (
    broadcast,
    fma,
    item,
    load,
    n_lanes,
    reduce_add,
    store,
)
from fastmlp.kernels.softmax import smooth, softmax_cross_entropy
from fastmlp.kernels.sparse import AHEAD, add_to_rows, add_weight_rows, prefetch_row
from fastmlp.kernels.task import share
from fastmlp.kernels.values import value_loss

FOLD = 4096
"""Samples after which u is added to V."""


class SampleWorkspace(NamedTuple):
    """What a sample is computed in; vectors lie side by side, one for each panel."""

    units: np.ndarray
    """(width,) float."""
    masks: np.ndarray
    """(width,) float: 1, or 0 for the units that fill the last panel up."""
    shared_rows: np.ndarray
    """(width,) float: u."""
    row_sums: np.ndarray
    """(width,) float: the sum of the rows of W."""
    partial_logits: np.ndarray
    """(2, n_panels, n_output_lanes) float, flat: of two samples in turn."""
    outputs: np.ndarray
    """(n_threads, 3 * n_output_lanes) float: logits, deltas and biases, each thread's own."""


@kernel
def start_fold(task, space, n_features):
    """Form the sums of the rows of W anew for the panels that this thread owns."""
    lanes, layout = task.hidden, task.layout
    size = n_lanes(lanes)
    first, last = share(task.team, layout.n_panels[0])
    for panel in range(first, last):
        start = layout.coefs[0] + panel * layout.panel_sizes[0]
        rows = Matrix(task.model.parameters, start, n_features, size, 1)
        store(space.row_sums, panel * size, add_rows(lanes, rows))
        store(space.shared_rows, panel * size, broadcast(lanes, 0.0))


@kernel
def end_fold(task, space, n_features):
    """Add u to every row of V for the panels that this thread owns."""
    lanes, layout, parameters = task.hidden, task.layout, task.model.parameters
    size = n_lanes(lanes)
    first, last = share(task.team, layout.n_panels[0])
    for panel in range(first, last):
        start = layout.coefs[0] + panel * layout.panel_sizes[0]
        u = load(lanes, space.shared_rows, panel * size)
        for row in range(n_features):
            place = start + row * size
            store(parameters, place, load(lanes, parameters, place) + u)


@inlined
def forward(task, features, space, sample, parity):
    """Compute the hidden units that this thread owns and their parts of the logits."""
    layout, model, lanes = task.layout, task.model, task.hidden
    size, width, n_panels = n_lanes(lanes), layout.widths[1], layout.n_panels[0]
    begin, end = features.indptr[sample], features.indptr[sample + 1]
    first, last = share(task.team, n_panels)
    for panel in range(first, last):
        place, start = panel * size, layout.coefs[0] + panel * layout.panel_sizes[0]
        total, _ = add_weight_rows(
            lanes, features, begin, end, layout.fan_in[0], model.parameters, start,
            broadcast(lanes, 0.0),
        )  # fmt: skip
        z = load(lanes, model.parameters, layout.intercepts[0] + place)
        if features.constant != 0:
            u, sums = load(lanes, space.shared_rows, place), load(lanes, space.row_sums, place)
            total = fma(broadcast(lanes, features.sums[sample]), u, total)
            z = fma(broadcast(lanes, features.constant), sums, z)
        z = fma(broadcast(lanes, features.scale), total, z)
        units = apply(layout.activations[0], z) * load(lanes, space.masks, place)
        store(space.units, place, units)
        above = layout.transposed[1] + panel * width * size
        target = (parity * n_panels + panel) * width
        for unit in range(layout.fan_out[1]):
            weights = load(lanes, model.transposed, above + unit * size)
            space.partial_logits[target + unit] = reduce_add(units * weights)


@inlined
def sample_loss(lanes, targets, sample, logits, deltas, width, share):
    """Compute the loss of one sample and its gradient times a factor.

    Parameters
    ----------
    lanes : simd.Lanes
    targets : ClassTargets or ValueTargets
    sample : int
    logits, deltas, width, share
        See `softmax.softmax_cross_entropy`.

    Returns
    -------
    float64
    """
    if is_a(targets, ClassTargets):
        target, n_classes = targets.classes[sample], targets.n_classes
        loss = softmax_cross_entropy(lanes, logits, deltas, width, target, share)
        if targets.smoothing > 0:
            loss += smooth(logits, deltas, n_classes, target, share, targets.smoothing)
        return loss
    return value_loss(lanes, targets, sample, logits, deltas, width, share)


@inlined
def loss_and_deltas(task, targets, space, outputs, parity, sample, rate):
    """Compute the loss, and the rate times the output layer's deltas; every thread for itself."""
    layout, lanes = task.layout, task.output
    size, width, n_panels = n_lanes(lanes), layout.widths[1], layout.n_panels[0]
    for place in range(0, width, size):
        logits = load(lanes, outputs, 2 * width + place)
        for panel in range(n_panels):
            part = (parity * n_panels + panel) * width + place
            logits = logits + load(lanes, space.partial_logits, part)
        store(outputs, place, logits)
    logits, deltas = outputs[:width], outputs[width : 2 * width]
    loss = sample_loss(lanes, targets, sample, logits, deltas, width, rate)
    for place in range(0, width, size):
        delta = load(lanes, outputs, width + place)
        store(outputs, 2 * width + place, load(lanes, outputs, 2 * width + place) - delta)
    return loss


@inlined
def backward(task, features, space, sample, outputs):
    """Take one step on the weights of and above the hidden units that this thread owns."""
    layout, model, lanes = task.layout, task.model, task.hidden
    size, width = n_lanes(lanes), layout.widths[1]
    begin, end = features.indptr[sample], features.indptr[sample + 1]
    first, last = share(task.team, layout.n_panels[0])
    for panel in range(first, last):
        place, start = panel * size, layout.coefs[0] + panel * layout.panel_sizes[0]
        above = layout.transposed[1] + panel * width * size
        units = load(lanes, space.units, place)
        step = broadcast(lanes, 0.0)
        for unit in range(layout.fan_out[1]):
            delta = broadcast(lanes, item(outputs, width + unit))
            weights = load(lanes, model.transposed, above + unit * size)
            step = fma(delta, weights, step)
            store(model.transposed, above + unit * size, weights - delta * units)
        step = step * derivative(layout.activations[0], units)
        bias = layout.intercepts[0] + place
        store(model.parameters, bias, load(lanes, model.parameters, bias) - step)
        if features.constant != 0:
            carry_constant(task, features, space, sample, place, step)
        step = step * broadcast(lanes, -features.scale)
        add_to_rows(lanes, features, begin, end, layout.fan_in[0], step, model.parameters, start)


@inlined
def carry_constant(task, features, space, sample, place, step):
    """Take the constant part's step on u and on the sum of the rows of W."""
    lanes, constant = task.hidden, features.constant
    u, sums = load(lanes, space.shared_rows, place), load(lanes, space.row_sums, place)
    store(space.shared_rows, place, u - broadcast(lanes, constant) * step)
    n_features = features.sums.dtype.type(task.layout.fan_in[0])
    factor = features.scale * features.sums[sample] + constant * n_features
    store(space.row_sums, place, sums - broadcast(lanes, factor) * step)


@entry
def run_samples(task, space, first_step, last_step, losses):
    """Train on the samples from one to another, exclusive, a step each.

    Parameters
    ----------
    task : task.Task
        Its parameters and transposed weights are updated in place; of the output layer only the
        transposed weights are.
    space : SampleWorkspace
    first_step, last_step : int
        The first a multiple of `FOLD`, so that the result does not depend on it.
    losses : (n_samples,) float64
        Overwritten by the loss of each sample before its update.

    Returns
    -------
    bool
        False where another thread cancelled the work.
    """
    layout, team, batches = task.layout, task.team, task.batches
    features, permutation, n_features = batches.features, batches.permutation, layout.fan_in[0]
    outputs, width = space.outputs[team.thread], layout.widths[1]
    intercepts = layout.intercepts[1]
    for unit in range(width):
        outputs[2 * width + unit] = task.model.parameters[intercepts + unit]
    for step in range(first_step, last_step):
        if features.constant != 0 and step % FOLD == 0:
            if step > first_step:
                end_fold(task, space, n_features)
            start_fold(task, space, n_features)
        sample, parity = permutation[step], step % 2
        if step + AHEAD < permutation.size:
            prefetch_row(features, permutation[step + AHEAD])
        forward(task, features, space, sample, parity)
        if not wait_for_all(team.barrier, team.thread, team.n_threads):
            return False
        rate = batches.step_sizes.rates[step]
        loss = loss_and_deltas(task, batches.targets, space, outputs, parity, sample, rate)
        if team.thread == 0:
            losses[step] = loss
        backward(task, features, space, sample, outputs)
    if features.constant != 0 and last_step > first_step:
        end_fold(task, space, n_features)
    if team.thread == 0:
        for unit in range(width):
            task.model.parameters[intercepts + unit] = outputs[2 * width + unit]
    return True

"""Losses of one sample and their gradients, from its logits; see `fastmlp.losses`."""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.functions import exp
from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.simd import (
    broadcast,
    load,
    n_lanes,
    reduce_add,
    reduce_max,
    store,
    where_less,
)
from fastmlp.kernels.transposition import transpose


class ClassTargets(NamedTuple):
    """What softmax and cross-entropy compare with."""

    classes: np.ndarray
    """(n_samples,) intp."""
    weights: np.ndarray
    """(n_samples,) float, or empty where all samples weigh alike."""
    n_classes: int
    smoothing: float


class ValueTargets(NamedTuple):
    """What the other losses compare with."""

    values: np.ndarray
    """(n_samples * n_outputs,) float."""
    weights: np.ndarray
    """(n_samples,) float, or empty where all samples weigh alike."""
    n_outputs: int
    code: int
    """One of `VALUE_CODES`."""
    smoothing: float
    delta: float


N_CLASS_FIELDS = len(ClassTargets._fields)
"""Tells them apart while a kernel is compiled."""

LOGISTIC, SQUARED_ERROR, POISSON, ABSOLUTE_ERROR, HUBER = range(5)
VALUE_CODES = {
    "logistic": LOGISTIC, "squared_error": SQUARED_ERROR, "poisson": POISSON,
    "absolute_error": ABSOLUTE_ERROR, "huber": HUBER,
}  # fmt: skip


@inlined
def weight_of(targets, sample):
    """Read a sample's weight."""
    return targets.weights[sample] if targets.weights.size > 0 else targets.weights.dtype.type(1)


@inlined
def judge_sample(lanes, targets, sample, logits, deltas, width, share):
    """Compute the loss of one sample and its gradient times a factor.

    Parameters
    ----------
    lanes : simd.Lanes
    targets : ClassTargets or ValueTargets
    sample : int
    logits, deltas, width, share
        See `softmax_cross_entropy`.

    Returns
    -------
    float64
    """
    if len(targets) == N_CLASS_FIELDS:  # known while this is compiled, and only one is
        target, n_classes = targets.classes[sample], targets.n_classes
        loss = softmax_cross_entropy(lanes, logits, deltas, width, target, share)
        if targets.smoothing > 0:
            loss += smooth(logits, deltas, n_classes, target, share, targets.smoothing)
        return loss
    return value_loss(targets, sample, logits, deltas, width, share)


@kernel
def smooth(logits, deltas, n_classes, target, share, smoothing):
    """Spread a share s of the label evenly: add s (z_target - mean z) to the loss; and so back."""
    mean = 0.0
    for unit in range(n_classes):
        mean += np.float64(logits[unit]) / n_classes
        deltas[unit] -= share * smoothing / n_classes
    deltas[target] += share * smoothing
    return smoothing * (np.float64(logits[target]) - mean)


@kernel
def value_loss(targets, sample, logits, deltas, width, share):
    """Compute the loss of one sample and its gradient; see `judge_sample`."""
    n_outputs, number = targets.n_outputs, logits.dtype.type
    total = 0.0
    for unit in range(n_outputs):
        y = targets.values[sample * n_outputs + unit]
        loss, delta = output_loss(targets, np.float64(logits[unit]), np.float64(y))
        total += loss
        deltas[unit] = share * number(delta)
    deltas[n_outputs:width] = 0
    mean = targets.code != LOGISTIC and targets.code != POISSON
    return total / n_outputs if mean else total


@kernel
def output_loss(targets, z, y):
    """Compute the loss of one output and its derivative.

    Parameters
    ----------
    targets : ValueTargets
    z, y : float64

    Returns
    -------
    loss, derivative : float64
    """
    if targets.code == LOGISTIC:
        y = (1 - targets.smoothing) * y + 0.5 * targets.smoothing
        small = np.exp(-abs(z))
        probability = 1 / (1 + small) if z >= 0 else small / (1 + small)
        return max(z, 0.0) + np.log1p(small) - y * z, probability - y
    if targets.code == POISSON:
        mean = np.exp(z)
        return (y * (np.log(y) - z) if y > 0 else 0.0) - y + mean, mean - y
    residual = z - y
    size = abs(residual)
    if targets.code == ABSOLUTE_ERROR:
        return size, np.sign(residual)
    if targets.code == SQUARED_ERROR or size <= targets.delta:
        return 0.5 * residual * residual, residual
    return targets.delta * (size - 0.5 * targets.delta), targets.delta * np.sign(residual)


@kernel
def softmax_rows(lanes, targets, batch, row, logits, deltas, total, row_losses, space):
    """Compute the losses of a vector of rows and their gradients; see `softmax_cross_entropy`.

    The logits are transposed, so that each lane is a row and no vector is summed up.

    Parameters
    ----------
    lanes : simd.Lanes
        Rows at a time.
    targets : ClassTargets
    batch : (n_rows,) intp
        The samples.
    row : int
        The first of the rows; those beyond the last are computed and not looked at.
    logits : products.Matrix of shape (n_rows, width), of whole lines of memory
    deltas : (n,) float
        Overwritten by the gradient of the weighted mean loss where the logits lie.
    total : float64
        What the weighted losses of the batch are divided by.
    row_losses : (n_rows,) float64
        Overwritten by the weighted losses.
    space : (at least (width + 3) * n_lanes,) float
        Workspace.
    """
    size, width, n_classes = n_lanes(lanes), logits.row_step, targets.n_classes
    start, n_rows = logits.start + row * width, min(size, batch.size - row)
    for place in range(0, n_classes, size):
        transpose(lanes, logits.memory, start + place, width, space, place * size, size)
    top = load(lanes, space, 0)
    for unit in range(1, n_classes):
        z = load(lanes, space, unit * size)
        top = where_less(top, z, z, top)
    sums = broadcast(lanes, 0.0)
    for unit in range(n_classes):
        exponential = exp(load(lanes, space, unit * size) - top)
        sums = sums + exponential
        store(space, unit * size, exponential)
    tops, all_sums, shares = width * size, (width + 1) * size, (width + 2) * size
    store(space, tops, top)
    store(space, all_sums, sums)
    for lane in range(n_rows):
        space[shares + lane] = weight_of(targets, batch[row + lane]) / total
    factor = load(lanes, space, shares) / sums
    for unit in range(n_classes):
        store(space, unit * size, load(lanes, space, unit * size) * factor)
    for unit in range(n_classes, width):
        store(space, unit * size, broadcast(lanes, 0.0))
    for place in range(0, width, size):
        transpose(lanes, space, place * size, size, deltas, start + place, width)
    for lane in range(n_rows):
        sample, begin = batch[row + lane], start + lane * width
        target, share = targets.classes[sample], space[shares + lane]
        deltas[begin + target] -= share
        z = logits.memory[begin : begin + width]
        loss = np.log(np.float64(space[all_sums + lane]))
        loss += np.float64(space[tops + lane] - z[target])
        if targets.smoothing > 0:
            own = deltas[begin : begin + width]
            loss += smooth(z, own, n_classes, target, share, targets.smoothing)
        row_losses[row + lane] = weight_of(targets, sample) * loss


@kernel
def softmax_cross_entropy(lanes, logits, deltas, width, target, share):
    """Compute the loss of one sample and its gradient.

    loss = log sum_j exp(z_j - max z) + max z - z_target;
    d loss / dz = softmax(z) - y, with y the one-hot target, times the sample's share of the batch.

    Parameters
    ----------
    lanes : simd.Lanes
    logits : (at least width,) float
    deltas : (at least width,) float
        Overwritten by the gradient.
    width : int
        Number of logits, a multiple of the lanes.
    target : int
        Index of the true class.
    share : float

    Returns
    -------
    float64
        In nats.
    """
    size = n_lanes(lanes)
    top = load(lanes, logits, 0)
    for place in range(size, width, size):
        z = load(lanes, logits, place)
        top = where_less(top, z, z, top)
    largest = reduce_max(top)
    top, totals = broadcast(lanes, largest), broadcast(lanes, 0.0)
    for place in range(0, width, size):
        exponential = exp(load(lanes, logits, place) - top)
        totals = totals + exponential
        store(deltas, place, exponential)
    total = reduce_add(totals)
    factor = broadcast(lanes, share / total)
    for place in range(0, width, size):
        store(deltas, place, load(lanes, deltas, place) * factor)
    deltas[target] -= share
    return np.log(np.float64(total)) + np.float64(largest - logits[target])

"""Softmax with cross-entropy and its gradient, a sample or a vector of rows at a time."""

import numpy as np

from fastmlp.kernels.functions import exp
from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.losses import weight_of
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


@inlined
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

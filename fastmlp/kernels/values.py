"""The losses of values and their gradients, a sample or a vector of rows at a time."""

import numpy as np

from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.kinds import is_a
from fastmlp.kernels.losses import (
    PairTargets,
    least_loss,
    output_losses,
    pair_losses,
    share_of_outputs,
    weight_of,
)
from fastmlp.kernels.simd import broadcast, load, load_first, n_lanes, store
from fastmlp.kernels.transposition import transpose


@kernel
def value_loss(lanes, targets, sample, logits, deltas, width, share):
    """Compute the loss of one sample and its gradient; see `samples.sample_loss`."""
    size, n_outputs, total = n_lanes(lanes), targets.n_outputs, 0.0
    factor = broadcast(lanes, share)
    for place in range(0, n_outputs, size):
        count = n_outputs - place
        y = load_first(lanes, targets.values, sample * n_outputs + place, count)
        loss, derivative = output_losses(targets, load(lanes, logits, place), y)
        store(deltas, place, loss)
        for unit in range(place, min(place + size, n_outputs)):
            total += np.float64(deltas[unit])
        store(deltas, place, factor * derivative)
    deltas[n_outputs:width] = 0
    return total * share_of_outputs(targets) + least_loss(targets, sample)


@inlined
def differentiate(lanes, targets, n_numbers, truths, factor, losses, space):
    """Overwrite transposed logits with their derivatives times a factor, and add the losses up.

    Parameters
    ----------
    lanes : simd.Lanes
    targets : ValueTargets or PairTargets
    n_numbers, truths : int
        How many logits there are, and where their targets begin.
    factor, losses : vector
        The sum begins with `losses`.
    space : (n,) float
        Logits and targets; the logits are overwritten.

    Returns
    -------
    vector
    """
    size = n_lanes(lanes)
    if is_a(targets, PairTargets):
        for unit in range(0, n_numbers, 2 * size):
            mean, log_variance = load(lanes, space, unit), load(lanes, space, unit + size)
            loss, by_mean, by_log_variance = pair_losses(
                mean, log_variance, load(lanes, space, truths + unit)
            )
            losses = losses + loss
            store(space, unit, factor * by_mean)
            store(space, unit + size, factor * by_log_variance)
    else:
        for unit in range(0, n_numbers, size):
            z, y = load(lanes, space, unit), load(lanes, space, truths + unit)
            loss, derivative = output_losses(targets, z, y)
            losses = losses + loss
            store(space, unit, factor * derivative)
    return losses


@kernel
def value_rows(lanes, block, targets, batch, row, width, logits, deltas, total, row_losses, space):
    """Compute the losses of a vector of rows and their gradients.

    Logits and values are transposed, so that each lane is a row: few outputs fill no vector.

    Parameters
    ----------
    lanes : simd.Lanes
        Rows at a time.
    block : simd.Lanes
        Outputs at a time, no more than rows.
    targets : ValueTargets
    batch, row
        See `softmax.softmax_rows`.
    width : int
        Number of logits, a multiple of the block's lanes.
    logits, deltas, total, row_losses
        See `softmax.softmax_rows`.
    space : (at least 2 * (n_lanes of block + 1) * n_lanes,) float
        Workspace.
    """
    size, n_block, n_outputs = n_lanes(lanes), n_lanes(block), targets.n_outputs
    step, start = logits.row_step, logits.start + row * logits.row_step
    n_rows, truths = min(size, batch.size - row), n_block * size
    shares, sums = 2 * truths, 2 * truths + size
    for lane in range(n_rows):
        space[shares + lane] = weight_of(targets, batch[row + lane]) / total
    losses, factor = broadcast(lanes, 0.0), load(lanes, space, shares)
    for place in range(0, width, n_block):
        count = max(0, min(n_block, n_outputs - place))
        for lane in range(n_rows):
            source = batch[row + lane] * n_outputs + place
            y = load_first(block, targets.values, source, count)
            store(deltas, start + lane * step + place, y)
        for low in range(0, size, n_block):
            corner = start + low * step + place
            transpose(block, logits.memory, corner, step, space, low, size)
            transpose(block, deltas, corner, step, space, truths + low, size)
        losses = differentiate(lanes, targets, count * size, truths, factor, losses, space)
        for unit in range(count * size, truths, size):
            store(space, unit, broadcast(lanes, 0.0))
        for low in range(0, size, n_block):
            transpose(block, space, low, size, deltas, start + low * step + place, step)
    store(space, sums, losses)
    for lane in range(n_rows):
        sample = batch[row + lane]
        loss = np.float64(space[sums + lane]) * share_of_outputs(targets)
        row_losses[row + lane] = weight_of(targets, sample) * (loss + least_loss(targets, sample))

"""Losses of values and their gradients, from the logits; see `fastmlp.losses`."""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.functions import exp
from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.simd import (
    absolute,
    broadcast,
    fma,
    like,
    load,
    load_first,
    n_lanes,
    store,
    where_less,
)
from fastmlp.kernels.slopes import log1p
from fastmlp.kernels.transposition import transpose


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


LOGISTIC, SQUARED_ERROR, POISSON, ABSOLUTE_ERROR, HUBER = range(5)
VALUE_CODES = {
    "logistic": LOGISTIC, "squared_error": SQUARED_ERROR, "poisson": POISSON,
    "absolute_error": ABSOLUTE_ERROR, "huber": HUBER,
}  # fmt: skip


SUMMED = (LOGISTIC, POISSON)
"""Those whose sum over the outputs is taken; of the others it is the mean."""


@inlined
def weight_of(targets, sample):
    """Read a sample's weight."""
    return targets.weights[sample] if targets.weights.size > 0 else targets.weights.dtype.type(1)


@inlined
def output_losses(targets, z, y):
    """Compute the losses of a vector of outputs and their derivatives.

    What no logit changes is left out: see `least_loss`.

    Parameters
    ----------
    targets : ValueTargets
    z, y : vector

    Returns
    -------
    losses, derivatives : vector
    """
    zero, one, half = like(z, 0.0), like(z, 1.0), like(z, 0.5)
    if targets.code == LOGISTIC:
        smoothing = like(z, targets.smoothing)
        y = fma(one - smoothing, y, half * smoothing)
        small = exp(zero - absolute(z))
        probability = where_less(z, zero, small, one) / (one + small)
        return fma(zero - y, z, where_less(z, zero, zero, z)) + log1p(small), probability - y
    if targets.code == POISSON:
        mean = exp(z)
        return fma(zero - y, z, mean), mean - y
    residual = z - y
    size = absolute(residual)
    if targets.code == ABSOLUTE_ERROR:
        sign = where_less(zero, residual, one, residual)  # that of 0 is 0
        return size, where_less(residual, zero, zero - one, sign)
    if targets.code == SQUARED_ERROR:
        return half * residual * residual, residual
    delta = like(z, targets.delta)
    cut = where_less(delta, size, delta, size)
    return cut * fma(zero - half, cut, size), where_less(residual, zero, zero - cut, cut)


@kernel
def least_loss(targets, sample):
    """Compute what no logit changes: Poisson's y log y - y, added up over the outputs."""
    total = 0.0
    if targets.code == POISSON:
        for place in range(sample * targets.n_outputs, (sample + 1) * targets.n_outputs):
            y = np.float64(targets.values[place])
            total += y * (np.log(y) - 1) if y > 0 else 0.0
    return total


@inlined
def share_of_outputs(targets):
    """Compute the factor of the sum over the outputs."""
    return 1.0 if targets.code in SUMMED else 1.0 / targets.n_outputs


@kernel
def value_loss(lanes, targets, sample, logits, deltas, width, share):
    """Compute the loss of one sample and its gradient; see `losses.judge_sample`."""
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
        See `losses.softmax_rows`.
    width : int
        Number of logits, a multiple of the block's lanes.
    logits, deltas, total, row_losses
        See `losses.softmax_rows`.
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
        for unit in range(0, count * size, size):
            z, y = load(lanes, space, unit), load(lanes, space, truths + unit)
            loss, derivative = output_losses(targets, z, y)
            losses = losses + loss
            store(space, unit, factor * derivative)
        for unit in range(count * size, truths, size):
            store(space, unit, broadcast(lanes, 0.0))
        for low in range(0, size, n_block):
            transpose(block, space, low, size, deltas, start + low * step + place, step)
    store(space, sums, losses)
    for lane in range(n_rows):
        sample = batch[row + lane]
        loss = np.float64(space[sums + lane]) * share_of_outputs(targets)
        row_losses[row + lane] = weight_of(targets, sample) * (loss + least_loss(targets, sample))

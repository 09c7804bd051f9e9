"""Softmax and cross-entropy."""

import numpy as np

from fastmlp.kernels.functions import exp
from fastmlp.kernels.jit import kernel
from fastmlp.kernels.simd import (
    broadcast,
    load,
    n_lanes,
    reduce_add,
    reduce_max,
    store,
    where_less,
)


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

"""From the logits of a row to its predictions; see `fastmlp.losses`."""

from fastmlp.kernels.functions import exp, sigmoid
from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.simd import (
    broadcast,
    like,
    load,
    n_lanes,
    reduce_add,
    reduce_max,
    store,
    where_less,
)

IDENTITY_OUTPUT, SOFTMAX_OUTPUT, LOGISTIC_OUTPUT, EXP_OUTPUT = range(4)
OUTPUT_CODES = {
    "identity": IDENTITY_OUTPUT, "softmax": SOFTMAX_OUTPUT, "logistic": LOGISTIC_OUTPUT,
    "exp": EXP_OUTPUT,
}  # fmt: skip
"""The keys of `fastmlp.losses.OUTPUT_FUNCTIONS`."""


@inlined
def whole_exp(x):
    """Compute e^x as (e^(x/2))^2, which fades out where `exp` is 0: a logarithm may follow."""
    root = exp(x * like(x, 0.5))
    return root * root


@inlined
def softmax(lanes, memory, start, width):
    """Compute exp(z_i - max z) / sum_j exp(z_j - max z) of a row in place; see `put_out`."""
    size = n_lanes(lanes)
    top = load(lanes, memory, start)
    for place in range(start + size, start + width, size):
        z = load(lanes, memory, place)
        top = where_less(top, z, z, top)
    top, totals = broadcast(lanes, reduce_max(top)), broadcast(lanes, 0.0)
    for place in range(start, start + width, size):
        exponential = whole_exp(load(lanes, memory, place) - top)
        totals = totals + exponential
        store(memory, place, exponential)
    total = broadcast(lanes, reduce_add(totals))
    for place in range(start, start + width, size):
        store(memory, place, load(lanes, memory, place) / total)


@kernel
def put_out(lanes, code, memory, start, width):
    """Turn the logits of a row into predictions in place.

    Parameters
    ----------
    lanes : simd.Lanes
    code : int
        One of `OUTPUT_CODES`.
    memory : (n,) float
    start : int
        Where the row lies.
    width : int
        Number of logits, a multiple of the lanes; the padding is `layout.NEVER`.
    """
    if code == SOFTMAX_OUTPUT:
        softmax(lanes, memory, start, width)
    elif code != IDENTITY_OUTPUT:
        for place in range(start, start + width, n_lanes(lanes)):
            z = load(lanes, memory, place)
            store(memory, place, sigmoid(z) if code == LOGISTIC_OUTPUT else whole_exp(z))

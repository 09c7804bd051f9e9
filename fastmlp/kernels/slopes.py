"""Hidden units whose derivative is kept from the forward pass for the backward pass.

The derivative of GELU, say, is no function of GELU's value, and dropout multiplies value and
derivative alike: such networks keep f'(z), times what dropout multiplies a unit by, beside f(z).
"""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.functions import (
    GELU,
    LEAKY_RELU,
    SILU,
    SOFTPLUS,
    apply,
    derivative,
    exp,
    sigmoid,
)
from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.simd import (
    absolute,
    broadcast,
    fma,
    like,
    load,
    load_kept,
    n_lanes,
    store,
    where_less,
)

LEAK = 0.01


class Slopes(NamedTuple):
    """What is kept, and what dropout is decided by."""

    memory: np.ndarray
    """(n,) float, as `Workspace.units`."""
    numbers: np.ndarray
    """(n,) uint16, drawn outside: some for each row of the samples of this call."""
    row_step: int
    """How many for each row."""
    begin: int
    """Where those of the batch's first row start."""
    starts: np.ndarray
    """(n_hidden,) intp: where those of a layer start in a row."""
    thresholds: np.ndarray
    """(n_hidden,) intp: a unit whose number is below is left out; 0 where there is no dropout."""
    factors: np.ndarray
    """(n_hidden,) float: by which the others are multiplied."""


@inlined
def at_batch(slopes, first_row):
    """Point to the numbers of a batch."""
    return Slopes(
        slopes.memory, slopes.numbers, slopes.row_step,
        slopes.begin + first_row * slopes.row_step, slopes.starts, slopes.thresholds,
        slopes.factors,
    )  # fmt: skip


@inlined
def log1p(u):
    """Compute log(1 + u) of a vector of numbers in [0, 1].

    2 artanh(s) with s = u / (2 + u) <= 1/3, by its Taylor series: the next term is below 1e-18.
    """
    s = u / (u + like(u, 2.0))
    z = s * s
    p = like(u, 1 / 35)
    p = fma(p, z, like(u, 1 / 33))
    p = fma(p, z, like(u, 1 / 31))
    p = fma(p, z, like(u, 1 / 29))
    p = fma(p, z, like(u, 1 / 27))
    p = fma(p, z, like(u, 1 / 25))
    p = fma(p, z, like(u, 1 / 23))
    p = fma(p, z, like(u, 1 / 21))
    p = fma(p, z, like(u, 1 / 19))
    p = fma(p, z, like(u, 1 / 17))
    p = fma(p, z, like(u, 1 / 15))
    p = fma(p, z, like(u, 1 / 13))
    p = fma(p, z, like(u, 1 / 11))
    p = fma(p, z, like(u, 1 / 9))
    p = fma(p, z, like(u, 1 / 7))
    p = fma(p, z, like(u, 1 / 5))
    p = fma(p, z, like(u, 1 / 3))
    return like(u, 2.0) * fma(p * z, s, s)


@inlined
def softplus(z):
    """Compute max(z, 0) + log(1 + exp(-|z|)) of a vector."""
    zero = like(z, 0.0)
    return where_less(z, zero, zero, z) + log1p(exp(zero - absolute(z)))


@inlined
def normal_distribution(z):
    """Compute Phi(z) of a vector, the standard normal's distribution function.

    With x = |z| / sqrt 2: (1 +- erf x) / 2, for x < 1 by a rational function of x^2; beyond by
    erfc x = exp(-x^2) P(x) / Q(x), which is below 1e-28 from x = 8 on (Cephes, ndtr).
    """
    one, half = like(z, 1.0), like(z, 0.5)
    x = absolute(z) * like(z, 0.7071067811865476)
    square = x * x
    t = fma(like(z, 9.60497373987051638749), square, like(z, 9.00260197203842689217e1))
    t = fma(t, square, like(z, 2.23200534594684319226e3))
    t = fma(t, square, like(z, 7.00332514112805075473e3))
    t = fma(t, square, like(z, 5.55923013010394962768e4))
    u = square + like(z, 3.35617141647503099647e1)
    u = fma(u, square, like(z, 5.21357949780152679795e2))
    u = fma(u, square, like(z, 4.59432382970980127987e3))
    u = fma(u, square, like(z, 2.26290000613890934246e4))
    u = fma(u, square, like(z, 4.92673942608635921086e4))
    near = half * (one - x * t / u)
    far = where_less(x, like(z, 8.0), x, like(z, 8.0))
    p = fma(like(z, 2.46196981473530512524e-10), far, like(z, 5.64189564831068821977e-1))
    p = fma(p, far, like(z, 7.46321056442269912687))
    p = fma(p, far, like(z, 4.86371970985681366614e1))
    p = fma(p, far, like(z, 1.96520832956077098242e2))
    p = fma(p, far, like(z, 5.26445194995477358631e2))
    p = fma(p, far, like(z, 9.34528527171957607540e2))
    p = fma(p, far, like(z, 1.02755188689515710272e3))
    p = fma(p, far, like(z, 5.57535335369399327526e2))
    q = far + like(z, 1.32281951154744992508e1)
    q = fma(q, far, like(z, 8.67072140885989742329e1))
    q = fma(q, far, like(z, 3.54937778887819891062e2))
    q = fma(q, far, like(z, 9.75708501743205489753e2))
    q = fma(q, far, like(z, 1.82390916687909736289e3))
    q = fma(q, far, like(z, 2.24633760818710981792e3))
    q = fma(q, far, like(z, 1.65666309194161350182e3))
    q = fma(q, far, like(z, 5.57535340817727675546e2))
    tail = half * exp(like(z, 0.0) - square) * (p / q)
    below = where_less(x, one, near, tail)  # Phi(-|z|)
    return where_less(z, like(z, 0.0), below, one - below)


@inlined
def density(z):
    """Compute exp(-z^2 / 2) / sqrt(2 pi) of a vector."""
    return exp(z * z * like(z, -0.5)) * like(z, 0.3989422804014327)


@inlined
def value_and_slope(code, z):
    """Compute f(z) and f'(z) for the activation with this code.

    Parameters
    ----------
    code : int
    z : vector

    Returns
    -------
    value, slope : vector
    """
    zero, one = like(z, 0.0), like(z, 1.0)
    if code == LEAKY_RELU:
        slope = where_less(zero, z, one, like(z, LEAK))
        return z * slope, slope
    if code == GELU:
        phi = normal_distribution(z)
        return z * phi, fma(z, density(z), phi)
    if code == SILU:
        s = sigmoid(z)
        return z * s, s * fma(z, one - s, one)
    if code == SOFTPLUS:
        return softplus(z), sigmoid(z)
    a = apply(code, z)
    return a, derivative(code, a)


@kernel
def activate_and_keep(lanes, code, units, scale, intercepts, layer, panel, slopes):
    """Compute f(scale z + b), times what dropout says, in place, and keep the slope.

    Parameters
    ----------
    lanes : simd.Lanes
    code : int
    units : products.Matrix of shape (n_rows, n_lanes)
        z; overwritten.
    scale : float
    intercepts : vector
    layer, panel : int
    slopes : Slopes
        Its memory is overwritten where the units lie.
    """
    factor, threshold = broadcast(lanes, scale), slopes.thresholds[layer]
    first = slopes.begin + slopes.starts[layer] + panel * n_lanes(lanes)
    for row in range(units.n_rows):
        place = units.start + row * units.row_step
        z = fma(factor, load(lanes, units.memory, place), intercepts)
        a, slope = value_and_slope(code, z)
        if threshold > 0:
            number = first + row * slopes.row_step
            kept = load_kept(lanes, slopes.numbers, number, threshold, slopes.factors[layer])
            a, slope = a * kept, slope * kept
        store(units.memory, place, a)
        store(slopes.memory, place, slope)


@kernel
def multiply_by_slopes(lanes, slopes, deltas):
    """Multiply the deltas by what was kept, in place.

    Parameters
    ----------
    lanes : simd.Lanes
    slopes : Slopes
    deltas : products.Matrix of shape (n_rows, n_lanes)
    """
    for row in range(deltas.n_rows):
        place = deltas.start + row * deltas.row_step
        kept = load(lanes, slopes.memory, place)
        store(deltas.memory, place, load(lanes, deltas.memory, place) * kept)

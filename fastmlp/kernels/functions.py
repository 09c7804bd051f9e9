"""The exponential function, the activation functions and their derivatives, of whole vectors."""

import numpy as np
from numba import types
from numba.extending import overload

from fastmlp.kernels.jit import INLINED, inlined, kernel
from fastmlp.kernels.simd import (
    absolute,
    add_exponent,
    broadcast,
    copy_sign,
    fma,
    like,
    load,
    store,
    where_less,
)

IDENTITY, LOGISTIC, TANH, RELU, LEAKY_RELU, GELU, SILU, SOFTPLUS = range(8)
ACTIVATION_CODES = {
    "identity": IDENTITY, "logistic": LOGISTIC, "tanh": TANH, "relu": RELU,
    "leaky_relu": LEAKY_RELU, "gelu": GELU, "silu": SILU, "softplus": SOFTPLUS,
}  # fmt: skip
SIMPLE = (IDENTITY, LOGISTIC, TANH, RELU)
"""Those whose derivative is a function of the activation itself."""

LOG2_E = 1.4426950408889634
# ln 2 in two parts: a multiple of the first is exact in the reduction of the argument
# (Cody & Waite 1980), the second brings the rest.
LN2_HIGH_32, LN2_LOW_32 = 0.693359375, -2.12194440e-4
LN2_HIGH_64, LN2_LOW_64 = 6.93145751953125e-1, 1.42860682030941723212e-6
# Added to a small number, these leave it rounded to a whole one in the last bits of the sum.
ROUND_32, ROUND_64 = 1.5 * 2.0**23, 1.5 * 2.0**52
# Beyond these, e^x is no normal number: 0 below, infinity above.
LEAST_32, MOST_32 = -87.33654, 88.72283
LEAST_64, MOST_64 = -708.3964185322641, 709.782712893384
# tanh of it is 1 but for less than half a unit in the last place.
ALL_BUT_1 = 20.0


def exp(x):
    """Compute e^x by a polynomial.

    x = n ln 2 + r with n whole and |r| <= ln 2 / 2, so e^x = 2^n e^r: the polynomial gives e^r, and
    n goes straight into the exponent's bits. 0.1 ns a float32, where a call of the C library's
    function for each takes 2. Results that are no normal numbers are 0; NaN stays NaN.

    Parameters
    ----------
    x : vector

    Returns
    -------
    vector
        Within 2 units in the last place.
    """
    with np.errstate(over="ignore"):  # only Python comes here: compiled code has its own below
        return np.exp(x)


@overload(exp, jit_options=INLINED)
def _overload_exp(x):
    return _exp_32 if x.dtype == types.float32 else _exp_64


def _exp_32(x):
    return _scaled(x, LEAST_32, MOST_32, *_reduce_32(x))


def _exp_64(x):
    return _scaled(x, LEAST_64, MOST_64, *_reduce_64(x))


@inlined
def _scaled(x, least, most, r, p, shifted):
    """Compute e^x from its parts, and 0 or infinity where it is no normal number."""
    p = fma(p, r * r, r + like(x, 1.0))
    result = where_less(x, like(x, least), like(x, 0.0), add_exponent(p, shifted))
    return where_less(like(x, most), x, like(x, np.inf), result)


@inlined
def _reduce_32(x):
    """Compute r, p with e^r = 1 + r + r^2 p, and n as `add_exponent` takes it."""
    shifted = fma(x, like(x, LOG2_E), like(x, ROUND_32))
    n = shifted - like(x, ROUND_32)
    r = fma(n, like(x, -LN2_LOW_32), fma(n, like(x, -LN2_HIGH_32), x))
    # A minimax polynomial (Cephes, expf).
    p = fma(like(x, 1.9875691500e-4), r, like(x, 1.3981999507e-3))
    p = fma(p, r, like(x, 8.3334519073e-3))
    p = fma(p, r, like(x, 4.1665795894e-2))
    p = fma(p, r, like(x, 1.6666665459e-1))
    p = fma(p, r, like(x, 5.0000001201e-1))
    return r, p, shifted


@inlined
def _reduce_64(x):
    """Compute r, p with e^r = 1 + r + r^2 p, and n as `add_exponent` takes it."""
    shifted = fma(x, like(x, LOG2_E), like(x, ROUND_64))
    n = shifted - like(x, ROUND_64)
    r = fma(n, like(x, -LN2_LOW_64), fma(n, like(x, -LN2_HIGH_64), x))
    # Taylor to r^13: the next term is below 5e-18 of the sum for |r| <= ln 2 / 2.
    p = fma(like(x, 1 / 6227020800), r, like(x, 1 / 479001600))
    p = fma(p, r, like(x, 1 / 39916800))
    p = fma(p, r, like(x, 1 / 3628800))
    p = fma(p, r, like(x, 1 / 362880))
    p = fma(p, r, like(x, 1 / 40320))
    p = fma(p, r, like(x, 1 / 5040))
    p = fma(p, r, like(x, 1 / 720))
    p = fma(p, r, like(x, 1 / 120))
    p = fma(p, r, like(x, 1 / 24))
    p = fma(p, r, like(x, 1 / 6))
    p = fma(p, r, like(x, 1 / 2))
    return r, p, shifted


@inlined
def sigmoid(x):
    """Compute 1 / (1 + e^-x) of a vector, within 3 units in the last place."""
    one = like(x, 1.0)
    return one / (one + exp(like(x, 0.0) - x))


def tanh(x):
    """Compute the hyperbolic tangent of a vector, within 3 units in the last place.

    d / (d + 2) with d = e^2|x| - 1 = 2^n (e^r - 1) + (2^n - 1), and the sign of x: where x is small
    n is 0, and no digit is lost. One division, and one polynomial.
    """
    return np.tanh(x)


@overload(tanh, jit_options=INLINED)
def _overload_tanh(x):
    return _tanh_32 if x.dtype == types.float32 else _tanh_64


def _tanh_32(x):
    return _from_exponential(x, *_reduce_32(_twice(x)))


def _tanh_64(x):
    return _from_exponential(x, *_reduce_64(_twice(x)))


@inlined
def _twice(x):
    """Compute 2 |x|, or what comes to 1 as well; NaN stays NaN."""
    size, most = absolute(x), like(x, ALL_BUT_1)
    size = where_less(most, size, most, size)
    return size + size


@inlined
def _from_exponential(x, r, p, shifted):
    """Compute tanh x from the parts of e^2|x|."""
    one = like(x, 1.0)
    power = add_exponent(one, shifted)
    d = fma(power, fma(p, r * r, r), power - one)
    return copy_sign(d / (d + like(x, 2.0)), x)


@inlined
def relu(x):
    """Compute max(x, 0) of a vector; NaN stays NaN."""
    return where_less(x, like(x, 0.0), like(x, 0.0), x)


@inlined
def apply(code, z):
    """Compute f(z) for the activation with this code, one of `SIMPLE`."""
    if code == LOGISTIC:
        return sigmoid(z)
    if code == TANH:
        return tanh(z)
    if code == RELU:
        return relu(z)
    return z


@inlined
def derivative(code, a):
    """Compute f'(z) from a = f(z) for the activation with this code, one of `SIMPLE`."""
    one = like(a, 1.0)
    if code == LOGISTIC:
        return a * (one - a)
    if code == TANH:
        return one - a * a
    if code == RELU:
        return where_less(like(a, 0.0), a, one, like(a, 0.0))
    return one


@kernel
def activate(lanes, code, units, scale, intercepts):
    """Compute f(scale z + b), bias and activation in one pass, in place.

    Parameters
    ----------
    lanes : simd.Lanes
    code : int
        The activation: `IDENTITY`, `LOGISTIC`, `TANH` or `RELU`.
    units : products.Matrix of n_lanes columns
        z; overwritten.
    scale : float
    intercepts : vector
    """
    factor = broadcast(lanes, scale)
    for row in range(units.n_rows):
        place = units.start + row * units.row_step
        z = fma(factor, load(lanes, units.memory, place), intercepts)
        store(units.memory, place, apply(code, z))


@kernel
def multiply_by_derivative(lanes, code, units, deltas):
    """Compute delta f'(z) in place, the derivative taken from the activation a = f(z).

    Parameters
    ----------
    lanes : simd.Lanes
    code : int
        The activation.
    units : products.Matrix of n_lanes columns
        The activations a.
    deltas : products.Matrix of n_lanes columns
        d loss / d activation; overwritten by d loss / d pre-activation.
    """
    if code == IDENTITY:
        return
    for row in range(units.n_rows):
        a = load(lanes, units.memory, units.start + row * units.row_step)
        place = deltas.start + row * deltas.row_step
        store(deltas.memory, place, load(lanes, deltas.memory, place) * derivative(code, a))

"""Activation functions and their derivatives, of whole vectors; see `fastmlp.activations`."""

from fastmlp.kernels.functions import (
    ALL_BUT_1,
    density,
    exp,
    log1p,
    normal_distribution,
    sigmoid,
    tanh,
)
from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.simd import absolute, broadcast, fma, like, load, store, where_less

NAMES = (
    "identity", "logistic", "tanh", "relu", "leaky_relu", "gelu", "silu", "softplus", "elu", "selu",
    "mish",
)  # fmt: skip
"""The keys of `fastmlp.activations.ACTIVATIONS`."""
(
    IDENTITY, LOGISTIC, TANH, RELU, LEAKY_RELU, GELU, SILU, SOFTPLUS, ELU, SELU, MISH,
) = range(len(NAMES))  # fmt: skip
CODES = {name: code for code, name in enumerate(NAMES)}
FROM_VALUE = (IDENTITY, LOGISTIC, TANH, RELU)
"""Those whose derivative is computed from f(z); of the others it is kept from the forward pass."""

LEAK = 0.01
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


@inlined
def relu(x):
    """Compute max(x, 0) of a vector; NaN stays NaN."""
    return where_less(x, like(x, 0.0), like(x, 0.0), x)


@inlined
def apply(code, z):
    """Compute f(z) for the activation with this code, one of `FROM_VALUE`."""
    if code == LOGISTIC:
        return sigmoid(z)
    if code == TANH:
        return tanh(z)
    if code == RELU:
        return relu(z)
    return z


@inlined
def derivative(code, a):
    """Compute f'(z) from a = f(z) for the activation with this code, one of `FROM_VALUE`."""
    one = like(a, 1.0)
    if code == LOGISTIC:
        return a * (one - a)
    if code == TANH:
        return one - a * a
    if code == RELU:
        return where_less(like(a, 0.0), a, one, like(a, 0.0))
    return one


@inlined
def softplus(z):
    """Compute max(z, 0) + log(1 + exp(-|z|)) of a vector."""
    zero = like(z, 0.0)
    return where_less(z, zero, zero, z) + log1p(exp(zero - absolute(z)))


@inlined
def exponential_unit(z, scale, alpha):
    """Compute ELU, times a scale: s z where z is positive, s alpha (e^z - 1) elsewhere; and f'(z).

    e^z - 1 = 2 t / (1 - t) with t = tanh(z / 2) loses no digit near 0.
    """
    zero, one = like(z, 0.0), like(z, 1.0)
    t = tanh(where_less(zero, z, zero, z) * like(z, 0.5))
    below = like(z, scale * alpha) * (t + t) / (one - t)
    slope = where_less(zero, z, like(z, scale), below + like(z, scale * alpha))
    return where_less(zero, z, like(z, scale) * z, below), slope


@inlined
def mish(z):
    """Compute z t and t + 4 z e (1 + e) / (w + 2)^2, t = tanh(softplus(z)) = w / (w + 2).

    With e = e^z and w = e (e + 2); from z = 20 on, t is 1 but for rounding.
    """
    two, most = like(z, 2.0), like(z, ALL_BUT_1)
    held = where_less(most, z, most, z)
    e = exp(held)
    w = e * (e + two)
    t = w / (w + two)
    rest = held * e / (w + two) * ((e + like(z, 1.0)) / (w + two))
    return z * t, fma(like(z, 4.0), rest, t)


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
    if code == ELU:
        return exponential_unit(z, 1.0, 1.0)
    if code == SELU:
        return exponential_unit(z, SELU_SCALE, SELU_ALPHA)
    if code == MISH:
        return mish(z)
    a = apply(code, z)
    return a, derivative(code, a)


@kernel
def activate(lanes, code, units, scale, intercepts):
    """Compute f(scale z + b), bias and activation in one pass, in place.

    Parameters
    ----------
    lanes : simd.Lanes
    code : int
        The activation, one of `FROM_VALUE`.
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

"""Activation functions and their derivatives, of whole vectors; see `fastmlp.activations`."""

from fastmlp.kernels.functions import density, exp, log1p, normal_distribution, sigmoid, tanh
from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.simd import absolute, broadcast, fma, like, load, store, where_less

NAMES = ("identity", "logistic", "tanh", "relu", "leaky_relu", "gelu", "silu", "softplus")
"""The keys of `fastmlp.activations.ACTIVATIONS`."""
IDENTITY, LOGISTIC, TANH, RELU, LEAKY_RELU, GELU, SILU, SOFTPLUS = range(len(NAMES))
CODES = {name: code for code, name in enumerate(NAMES)}
FROM_VALUE = (IDENTITY, LOGISTIC, TANH, RELU)
"""Those whose derivative is computed from f(z); of the others it is kept from the forward pass."""

LEAK = 0.01


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

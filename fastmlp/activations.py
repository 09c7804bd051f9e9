"""Activation functions of hidden layers in NumPy: one row each, with all its names elsewhere.

Every function takes one sample's units or a batch's alike. The compiled twin of this file is
`fastmlp.kernels.activations`: an activation that is added is a row here, and there a code with
its value and slope.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastmlp._arrays import Array


def identity(z: Array) -> Array:
    """Return `z`."""
    return z


def identity_derivative(activation: Array, z: Array) -> Array:
    """Return ones: d identity / dz."""
    return np.ones_like(activation)


def sigmoid(z: Array) -> Array:
    """Compute 1 / (1 + exp(-z)), the logistic function.

    exp(-z) overflows to infinity for very negative `z`, and 1 / infinity is the right answer.
    """
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-z)))


def sigmoid_derivative(activation: Array, z: Array) -> Array:
    """Compute d sigmoid / dz = a (1 - a) from the activation a = sigmoid(z)."""
    return np.asarray(activation * (1 - activation))


def tanh_derivative(activation: Array, z: Array) -> Array:
    """Compute d tanh / dz = 1 - a^2 from the activation a = tanh(z)."""
    return 1 - activation * activation


def relu(z: Array) -> Array:
    """Compute max(z, 0), the rectified linear unit."""
    return np.maximum(z, 0)


def relu_derivative(activation: Array, z: Array) -> Array:
    """Return 1 where the unit is active, 0 elsewhere, at z = 0 too."""
    return (activation > 0).astype(activation.dtype)


LEAK = 0.01
"""Slope of `leaky_relu` below 0."""


def leaky_relu(z: Array) -> Array:
    """Compute z where it is positive, 0.01 z elsewhere (Maas et al. 2013)."""
    return np.asarray(np.where(z > 0, z, z.dtype.type(LEAK) * z))


def leaky_relu_derivative(activation: Array, z: Array) -> Array:
    """Return 1 where z is positive, 0.01 elsewhere, at z = 0 too."""
    one = z.dtype.type(1)
    return np.asarray(np.where(z > 0, one, z.dtype.type(LEAK)))


def normal_distribution(z: Array) -> Array:
    """Compute Phi(z) = erfc(-z / sqrt 2) / 2, the standard normal's distribution function."""
    from scipy.special import erfc  # a second of import that only `gelu` needs

    return np.asarray(0.5 * erfc(z * z.dtype.type(-np.sqrt(0.5))))


def gelu(z: Array) -> Array:
    """Compute z Phi(z), the Gaussian error linear unit, exactly (Hendrycks & Gimpel 2016)."""
    return np.asarray(z * normal_distribution(z))


def gelu_derivative(activation: Array, z: Array) -> Array:
    """Compute Phi(z) + z phi(z), with phi the standard normal's density."""
    density = np.exp(-0.5 * z * z) * z.dtype.type(1 / np.sqrt(2 * np.pi))
    return np.asarray(normal_distribution(z) + z * density)


def gelu_in_onnx(graph: Any, z: str) -> str:
    """Compute z / 2 (1 + erf(z / sqrt 2)): the graphs' operators have no GELU yet."""
    part = graph.add("Erf", graph.add("Mul", z, graph.constant(np.sqrt(0.5))))
    twice = graph.add("Add", part, graph.constant(1.0))
    return str(graph.add("Mul", graph.add("Mul", z, graph.constant(0.5)), twice))


def silu(z: Array) -> Array:
    """Compute z sigmoid(z), the sigmoid linear unit (Elfwing et al. 2018)."""
    return np.asarray(z * sigmoid(z))


def silu_derivative(activation: Array, z: Array) -> Array:
    """Compute s + a (1 - s) with s = sigmoid(z) and a = z s."""
    s = sigmoid(z)
    return np.asarray(s + activation * (1 - s))


def silu_in_onnx(graph: Any, z: str) -> str:
    """Compute z sigmoid(z)."""
    return str(graph.add("Mul", z, graph.add("Sigmoid", z)))


def softplus(z: Array) -> Array:
    """Compute log(1 + exp(z)) as max(z, 0) + log(1 + exp(-|z|)), which does not overflow."""
    return np.asarray(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))


def softplus_derivative(activation: Array, z: Array) -> Array:
    """Compute sigmoid(z)."""
    return sigmoid(z)


def elu(z: Array) -> Array:
    """Compute z where it is positive, e^z - 1 elsewhere (Clevert et al. 2016, with alpha = 1)."""
    return np.asarray(np.where(z > 0, z, np.expm1(np.minimum(z, 0))))


def elu_derivative(activation: Array, z: Array) -> Array:
    """Return 1 where z is positive, a + 1 = e^z elsewhere."""
    return np.asarray(np.where(z > 0, z.dtype.type(1), activation + 1))


SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
"""With these, mean 0 and variance 1 are a fixed point (Klambauer et al. 2017, equation 14)."""


def selu(z: Array) -> Array:
    """Compute s z where z is positive, s alpha (e^z - 1) elsewhere (Klambauer et al. 2017)."""
    scale, alpha = z.dtype.type(SELU_SCALE), z.dtype.type(SELU_ALPHA)
    return np.asarray(scale * np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))))


def selu_derivative(activation: Array, z: Array) -> Array:
    """Return s where z is positive, a + s alpha elsewhere."""
    below = activation + z.dtype.type(SELU_SCALE * SELU_ALPHA)
    return np.asarray(np.where(z > 0, z.dtype.type(SELU_SCALE), below))


def mish(z: Array) -> Array:
    """Compute z tanh(softplus(z)) (Misra 2020)."""
    return np.asarray(z * np.tanh(softplus(z)))


def mish_derivative(activation: Array, z: Array) -> Array:
    """Compute t + z (1 - t^2) sigmoid(z) with t = tanh(softplus(z))."""
    t = np.tanh(softplus(z))
    return np.asarray(t + z * (1 - t * t) * sigmoid(z))


def mish_in_onnx(graph: Any, z: str) -> str:
    """Compute z tanh(softplus(z)): the graphs' operators have no Mish yet."""
    return str(graph.add("Mul", z, graph.add("Tanh", graph.add("Softplus", z))))


class Activation(NamedTuple):
    """An activation function a = f(z), and what others call it."""

    function: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array]
    """f'(z) as a function of a and z."""
    onnx: Callable[[Any, str], str]
    """Adds it to a graph, `fastmlp.saving.onnx.Graph`: from the name of z to the name of a."""
    torch: str
    """Name of its module in `torch.nn`."""
    in_scikit_learn: bool = False


def operator(name: str, **attributes: float) -> Callable[[Any, str], str]:
    """Make what adds one of ONNX's operators to a graph."""
    return lambda graph, z: str(graph.add(name, z, **attributes))


ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(
        identity, identity_derivative, lambda graph, z: z, "Identity", in_scikit_learn=True
    ),
    "logistic": Activation(
        sigmoid, sigmoid_derivative, operator("Sigmoid"), "Sigmoid", in_scikit_learn=True
    ),
    "tanh": Activation(np.tanh, tanh_derivative, operator("Tanh"), "Tanh", in_scikit_learn=True),
    "relu": Activation(relu, relu_derivative, operator("Relu"), "ReLU", in_scikit_learn=True),
    "leaky_relu": Activation(
        leaky_relu, leaky_relu_derivative, operator("LeakyRelu", alpha=LEAK), "LeakyReLU"
    ),
    "gelu": Activation(gelu, gelu_derivative, gelu_in_onnx, "GELU"),
    "silu": Activation(silu, silu_derivative, silu_in_onnx, "SiLU"),
    "softplus": Activation(softplus, softplus_derivative, operator("Softplus"), "Softplus"),
    "elu": Activation(elu, elu_derivative, operator("Elu"), "ELU"),
    "selu": Activation(
        selu, selu_derivative, operator("Selu", alpha=SELU_ALPHA, gamma=SELU_SCALE), "SELU"
    ),
    "mish": Activation(mish, mish_derivative, mish_in_onnx, "Mish"),
}

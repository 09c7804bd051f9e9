"""Activations, softmax, cross-entropy and their derivatives in NumPy, the article's among them.

Every function acts on the last axis, so that it serves a vector (one sample, the reference) and
a matrix (one batch, a sample a row) alike.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


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


def tanh(z: Array) -> Array:
    """Compute the hyperbolic tangent."""
    return np.asarray(np.tanh(z))


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


def silu(z: Array) -> Array:
    """Compute z sigmoid(z), the sigmoid linear unit (Elfwing et al. 2018)."""
    return np.asarray(z * sigmoid(z))


def silu_derivative(activation: Array, z: Array) -> Array:
    """Compute s + a (1 - s) with s = sigmoid(z) and a = z s."""
    s = sigmoid(z)
    return np.asarray(s + activation * (1 - s))


def softplus(z: Array) -> Array:
    """Compute log(1 + exp(z)) as max(z, 0) + log(1 + exp(-|z|)), which does not overflow."""
    return np.asarray(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))


def softplus_derivative(activation: Array, z: Array) -> Array:
    """Compute sigmoid(z)."""
    return sigmoid(z)


class Activation(NamedTuple):
    """An activation function a = f(z), and its derivative as a function of a and z."""

    function: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array]


ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(identity, identity_derivative),
    "logistic": Activation(sigmoid, sigmoid_derivative),
    "tanh": Activation(tanh, tanh_derivative),
    "relu": Activation(relu, relu_derivative),
    "leaky_relu": Activation(leaky_relu, leaky_relu_derivative),
    "gelu": Activation(gelu, gelu_derivative),
    "silu": Activation(silu, silu_derivative),
    "softplus": Activation(softplus, softplus_derivative),
}


def softmax(logits: Array) -> Array:
    """Compute exp(z_i) / sum_j exp(z_j) over the last axis.

    The largest logit is subtracted first, which changes nothing in exact arithmetic and keeps
    exp from overflowing; the article's form gives NaN from a logit of 710 (float32: 89) on.

    Parameters
    ----------
    logits : ndarray of shape (..., n_classes), float32 or float64

    Returns
    -------
    ndarray of shape (..., n_classes)
        Probabilities, each row summing to 1.
    """
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def softmax_jacobian(probabilities: Array) -> Array:
    """Compute the Jacobian d y_i / d z_j = y_i (delta_ij - y_j) of the softmax y of one sample.

    Parameters
    ----------
    probabilities : ndarray of shape (n_classes,)
        The softmax y.

    Returns
    -------
    ndarray of shape (n_classes, n_classes)
    """
    return np.asarray(np.diag(probabilities) - np.outer(probabilities, probabilities))


def cross_entropy(probabilities: Array, target: int) -> float:
    """Compute -log(y_target) of one sample's probabilities, as the article does."""
    return -float(np.log(probabilities[target]))


def cross_entropy_derivative(probabilities: Array, target: int) -> Array:
    """Compute d cross-entropy / d y: -1 / y_target at the target, 0 elsewhere.

    Returns
    -------
    ndarray of shape (n_classes,)
    """
    derivative = np.zeros_like(probabilities)
    derivative[target] = -1 / probabilities[target]
    return derivative


def softmax_cross_entropy(logits: Array, targets: Any) -> Array:
    """Compute each sample's cross-entropy of the softmax from its logits.

    -log softmax(z)_target = log sum_j exp(z_j - max z) + max z - z_target: the logarithm meets no
    zero where a probability underflows.

    Parameters
    ----------
    logits : ndarray of shape (..., n_classes)
    targets : int or ndarray of shape (...), integers
        Index of the true class.

    Returns
    -------
    ndarray of shape (...)
        Losses in nats.
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    at_target = np.take_along_axis(shifted, np.asarray(targets)[..., np.newaxis], axis=-1)
    return np.asarray(np.log(np.exp(shifted).sum(axis=-1)) - at_target[..., 0])


def softmax_cross_entropy_gradient(logits: Array, targets: Any) -> Array:
    """Compute d loss / d logits as `y_hat - y`, with y the one-hot target.

    Parameters
    ----------
    logits : ndarray of shape (..., n_classes)
    targets : int or ndarray of shape (...), integers

    Returns
    -------
    ndarray of shape (..., n_classes)
    """
    gradient = softmax(logits)
    index = np.asarray(targets)[..., np.newaxis]
    at_target = np.take_along_axis(gradient, index, axis=-1)
    np.put_along_axis(gradient, index, at_target - 1, axis=-1)
    return gradient


def softmax_cross_entropy_gradient_by_jacobian(logits: Array, target: int) -> Array:
    """Compute d loss / d logits of one sample the article's long way: the Jacobian product.

    By the chain rule d loss / d z = J^T d loss / d y, with J the Jacobian of the softmax. It must
    agree with `softmax_cross_entropy_gradient`, the short way.

    Parameters
    ----------
    logits : ndarray of shape (n_classes,)
    target : int

    Returns
    -------
    ndarray of shape (n_classes,)
    """
    probabilities = softmax(logits)
    derivative = cross_entropy_derivative(probabilities, target)
    return np.asarray(softmax_jacobian(probabilities).T @ derivative)

"""The article's derivation of the gradient at the logits, the long way and the short one."""

from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp.losses import softmax


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

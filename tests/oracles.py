"""Independent judges: textbook formulas that import nothing from fastmlp."""

import numpy as np
from scipy.special import log_softmax

ACTIVATIONS = {
    "identity": lambda z: z,
    "logistic": lambda z: 0.5 * (1 + np.tanh(0.5 * z)),
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0),
}


def naive_logits(coefs, intercepts, activations, X):
    """Compute the logits of every sample."""
    for weights, biases, activation in zip(coefs, intercepts, activations, strict=False):
        X = ACTIVATIONS[activation](np.einsum("ni,ij->nj", X, weights) + biases)
    return np.einsum("ni,ij->nj", X, coefs[-1]) + intercepts[-1]


def naive_loss(coefs, intercepts, activations, X, targets, alpha=0.0):
    """Compute the mean cross-entropy and the L2 penalty alpha / 2 / n * sum(w^2)."""
    logits = naive_logits(coefs, intercepts, activations, X)
    picked = log_softmax(logits, axis=1)[np.arange(len(X)), targets]
    penalty = alpha / 2 / len(X) * sum((weights**2).sum() for weights in coefs)
    return -picked.mean() + penalty


def finite_differences(function, array, step=1e-6):
    """Approximate the gradient of `function()` with respect to `array`, changed in place."""
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + step
        above = function()
        array[index] = kept - step
        below = function()
        array[index] = kept
        gradient[index] = (above - below) / (2 * step)
    return gradient


def textbook_steps(solver, gradients, rate, momentum=0.9):
    """Yield the change of one parameter after each of a sequence of gradients.

    The rules as their papers write them, one number at a time.
    """
    velocity = mean = square = 0.0
    for step, gradient in enumerate(gradients, start=1):
        if solver == "sgd":
            yield -rate * gradient
        elif solver == "momentum":  # Sutskever et al. 2013, eq. 1 and 2
            velocity = momentum * velocity - rate * gradient
            yield velocity
        elif solver == "nesterov":  # Bengio et al. 2013, eq. 7
            before, velocity = velocity, momentum * velocity - rate * gradient
            yield -momentum * before + (1 + momentum) * velocity
        elif solver == "adam":  # Kingma & Ba 2015, end of section 2
            mean = 0.9 * mean + 0.1 * gradient
            square = 0.999 * square + 0.001 * gradient**2
            corrected = rate * (1 - 0.999**step) ** 0.5 / (1 - 0.9**step)
            yield -corrected * mean / (square**0.5 + 1e-8)

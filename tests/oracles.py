"""Oracles: textbook formulas that import nothing from fastmlp."""

import numpy as np
from scipy.special import huber, log_softmax, ndtr, xlogy
from scipy.stats import norm

ACTIVATIONS = {
    "identity": lambda z: z,
    "logistic": lambda z: 0.5 * (1 + np.tanh(0.5 * z)),
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "gelu": lambda z: z * ndtr(z),
    "silu": lambda z: z * 0.5 * (1 + np.tanh(0.5 * z)),
    "softplus": lambda z: np.logaddexp(0, z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "selu": lambda z: (
        1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(np.minimum(z, 0)))
    ),
    "mish": lambda z: z * np.tanh(np.logaddexp(0, z)),
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


SAMPLE_LOSSES = {
    "logistic": lambda z, y, loss: (np.logaddexp(0, z) - y * z).sum(axis=1),
    "squared_error": lambda z, y, loss: ((z - y) ** 2 / 2).mean(axis=1),
    "poisson": lambda z, y, loss: (xlogy(y, y) - y * z - y + np.exp(z)).sum(axis=1),
    "absolute_error": lambda z, y, loss: abs(z - y).mean(axis=1),
    "gaussian_nll": lambda z, y, loss: (
        -(norm.logpdf(y, z[:, ::2], np.exp(z[:, 1::2] / 2)) + np.log(2 * np.pi) / 2).mean(axis=1)
    ),
    "quantile": lambda z, y, loss: np.maximum(
        loss.level * (y - z), (loss.level - 1) * (y - z)
    ).mean(axis=1),
    "huber": lambda z, y, loss: huber(loss.delta, z - y).mean(axis=1),
}


def naive_objective(coefs, intercepts, activations, X, targets, weights, loss, strengths, factor=1):
    """Compute the weighted mean of a loss, times a factor, and the penalties."""
    z = naive_logits(coefs, intercepts, activations, X)
    if loss.name == "softmax":
        one_hot = np.eye(z.shape[1])[targets]
        labels = (1 - loss.label_smoothing) * one_hot + loss.label_smoothing / z.shape[1]
        losses = -(labels * log_softmax(z, axis=1)).sum(axis=1)
    else:
        smoothed = loss.label_smoothing / 2 + (1 - loss.label_smoothing) * targets
        losses = SAMPLE_LOSSES[loss.name](z, smoothed if loss.name == "logistic" else targets, loss)
    weights = np.ones(len(X)) if weights is None else weights
    sums = [((w**2).sum() / 2, abs(w).sum()) for w in coefs]
    penalty = sum(strengths[0] * l2 + strengths[1] * l1 for l2, l1 in sums)
    return (factor * (weights * losses).sum() + penalty) / weights.sum()


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
        elif solver == "nadam":  # Dozat 2016, algorithm 8, with the momenta of PyTorch's NAdam
            momenta = [0.9 * (1 - 0.5 * 0.96 ** (0.004 * t)) for t in range(1, step + 2)]
            mean = 0.9 * mean + 0.1 * gradient
            square = 0.999 * square + 0.001 * gradient**2
            ahead = momenta[-1] * mean / (1 - np.prod(momenta))
            ahead += (1 - momenta[-2]) * gradient / (1 - np.prod(momenta[:-1]))
            yield -rate * (1 - 0.999**step) ** 0.5 * ahead / (square**0.5 + 1e-8)
        elif solver == "lion":  # Chen et al. 2023, program 1
            yield -rate * np.sign(0.9 * mean + 0.1 * gradient)
            mean = 0.99 * mean + 0.01 * gradient
        elif solver == "rmsprop":  # Tieleman & Hinton 2012
            square = 0.9 * square + 0.1 * gradient**2
            yield -rate * gradient / (square**0.5 + 1e-8)

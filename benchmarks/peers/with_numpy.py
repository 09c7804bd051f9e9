"""Loops as one writes them in NumPy: a matrix a batch, or a vector a sample."""

import numpy as np

from .tasks import Fitted, initial_parameters, orders


def sigmoid(z):
    """Compute the logistic function.

    Parameters
    ----------
    z : ndarray
    """
    return 1 / (1 + np.exp(-z))


def relu(z):
    """Compute max(z, 0)."""
    return np.maximum(z, 0)


ACTIVATIONS = {
    "logistic": (sigmoid, lambda a: a * (1 - a)),
    "relu": (relu, lambda a: a > 0),
}
"""Functions, and their derivatives from the activation itself."""


def train_by_batch(X, Y, order, coefs, intercepts, rate, batch_size, activation):
    """Go through the samples once, a batch at a time.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    Y : ndarray of shape (n_samples, n_classes)
        One-hot targets of the dtype of X.
    order : ndarray of shape (n_samples,)
    coefs, intercepts : list of ndarray
        Each layer's; overwritten.
    rate : scalar of the dtype of X
    batch_size : int
    activation : str
        One of `ACTIVATIONS`.
    """
    activate, slope = ACTIVATIONS[activation]
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        layers = [X[chosen]]
        for weights, biases in zip(coefs[:-1], intercepts[:-1], strict=True):
            layers.append(activate(layers[-1] @ weights + biases))
        logits = layers[-1] @ coefs[-1] + intercepts[-1]
        logits -= logits.max(axis=1, keepdims=True)
        exponentials = np.exp(logits)
        probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
        deltas = (probabilities - Y[chosen]) * (rate / len(chosen))
        for layer in range(len(coefs) - 1, -1, -1):
            inputs = layers[layer]
            before = (deltas @ coefs[layer].T) * slope(inputs) if layer > 0 else None
            coefs[layer] -= inputs.T @ deltas
            intercepts[layer] -= deltas.sum(axis=0)
            deltas = before


def train_by_sample(X, Y, order, coefs, intercepts, rate, batch_size, activation):
    """Go through the samples once, one at a time: one hidden layer of logistic units; see above."""
    (coefs_1, coefs_2), (intercepts_1, intercepts_2) = coefs, intercepts
    for sample in order:
        x = X[sample]
        hidden = sigmoid(x @ coefs_1 + intercepts_1)
        logits = hidden @ coefs_2 + intercepts_2
        exponentials = np.exp(logits - logits.max())
        deltas_2 = rate * (exponentials / exponentials.sum() - Y[sample])
        deltas_1 = (coefs_2 @ deltas_2) * hidden * (1 - hidden)
        coefs_2 -= np.outer(hidden, deltas_2)
        intercepts_2 -= deltas_2
        coefs_1 -= np.outer(x, deltas_1)
        intercepts_1 -= deltas_1


LOOPS = {"batch loop": train_by_batch, "loop": train_by_sample}


def prepare(task, data, variant, n_threads):
    """Draw the orders and warm up with a few batches; the threads are those of the process.

    Parameters
    ----------
    task : Task
        Solver sgd; for the loop by sample one hidden layer of logistic units.
    data : Data
    variant : {"batch loop", "loop"}
    n_threads : int or None

    Returns
    -------
    Run
    """
    epochs = orders(task, data)
    one_hot = np.eye(data.n_outputs, dtype=task.dtype)[data.y]
    rate = np.dtype(task.dtype).type(task.learning_rate_init)
    initial = initial_parameters(task, data)

    def train(epochs):
        coefs, intercepts = ([array.copy() for array in arrays] for arrays in initial)
        for order in epochs:
            LOOPS[variant](
                data.X, one_hot, order, coefs, intercepts, rate, task.batch_size, task.activation
            )
        return Fitted(coefs, intercepts, len(epochs))

    train([epochs[0][: 3 * task.batch_size]])
    return lambda: train(epochs)

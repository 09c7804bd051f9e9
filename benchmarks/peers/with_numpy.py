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


def train_by_batch(X, Y, order, coefs, intercepts, rate, batch_size):
    """Go through the samples once, a batch at a time.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    Y : ndarray of shape (n_samples, n_classes)
        One-hot targets of the dtype of X.
    order : ndarray of shape (n_samples,)
    coefs, intercepts : list of ndarray
        One hidden layer's and the output layer's; overwritten.
    rate : scalar of the dtype of X
    batch_size : int
    """
    (coefs_1, coefs_2), (intercepts_1, intercepts_2) = coefs, intercepts
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        x = X[chosen]
        hidden = sigmoid(x @ coefs_1 + intercepts_1)
        logits = hidden @ coefs_2 + intercepts_2
        logits -= logits.max(axis=1, keepdims=True)
        exponentials = np.exp(logits)
        probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
        deltas_2 = (probabilities - Y[chosen]) * (rate / len(x))
        deltas_1 = (deltas_2 @ coefs_2.T) * hidden * (1 - hidden)
        coefs_2 -= hidden.T @ deltas_2
        intercepts_2 -= deltas_2.sum(axis=0)
        coefs_1 -= x.T @ deltas_1
        intercepts_1 -= deltas_1.sum(axis=0)


def train_by_sample(X, Y, order, coefs, intercepts, rate, batch_size):
    """Go through the samples once, a sample at a time; the parameters are as above."""
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
        One hidden layer, logistic, sgd.
    data : Data
    variant : {"batch loop", "loop"}
    n_threads : int or None

    Returns
    -------
    Run
    """
    epochs = orders(task, data)
    one_hot = np.eye(data.n_classes, dtype=task.dtype)[data.y]
    rate = np.dtype(task.dtype).type(task.learning_rate_init)
    initial = initial_parameters(task, data)

    def train(epochs):
        coefs, intercepts = ([array.copy() for array in arrays] for arrays in initial)
        for order in epochs:
            LOOPS[variant](data.X, one_hot, order, coefs, intercepts, rate, task.batch_size)
        return Fitted(coefs, intercepts, len(epochs))

    train([epochs[0][: 3 * task.batch_size]])
    return lambda: train(epochs)

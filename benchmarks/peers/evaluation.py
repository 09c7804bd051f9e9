"""What competitors return, evaluated by one function in float64 that is part of none of them."""

import numpy as np

N_EVALUATED = 5_000
"""The training loss is taken over the first so many samples."""

SHIFTS = {None: (1.0, 0.0), "symmetric": (1 / 127.5, -1.0)}
ACTIVATIONS = {
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
}


def logits_of(task, X, fitted, input_scale):
    """Compute the logits of samples.

    Parameters
    ----------
    task : Task
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    fitted : Fitted
    input_scale : str or None

    Returns
    -------
    ndarray of shape (n_samples, n_outputs), float64
    """
    scale, shift = SHIFTS[input_scale]
    values = X.astype(np.float64)
    if input_scale is not None:
        values = values * scale + shift
    for number, (coefs, intercepts) in enumerate(zip(fitted.coefs, fitted.intercepts, strict=True)):
        if number:
            values = ACTIVATIONS[task.activation](values)
        values = values @ np.asarray(coefs, np.float64) + intercepts
    return values


def cross_entropy(logits, y):
    """Compute the mean cross-entropy, in nats.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes) or (n_samples, 1)
        One logistic output of two classes is the logit of the second, that of the first 0.
    y : ndarray of shape (n_samples,), intp
    """
    if logits.shape[1] == 1:
        logits = np.hstack([np.zeros_like(logits), logits])
    shifted = logits - logits.max(axis=1, keepdims=True)
    return (np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y]).mean()


def squared_error(outputs, y):
    """Compute the mean squared error.

    Parameters
    ----------
    outputs : ndarray of shape (n_samples, n_outputs)
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    """
    return np.square(outputs - y.reshape(outputs.shape)).mean()


LOSSES = {"log_loss": cross_entropy, "squared_error": squared_error}


def final_loss(task, data, answer):
    """Compute the mean loss of what a competitor returned.

    Parameters
    ----------
    task : Task
    data : Data
        The row's, also where the competitor saw a part of it.
    answer : Fitted or ndarray of shape (n_rows, n_classes)
        Probabilities are compared with the labels of the test samples they are of.

    Returns
    -------
    float
    """
    if isinstance(answer, np.ndarray):
        return float(-np.log(answer[np.arange(len(answer)), data.y_test[: len(answer)]]).mean())
    logits = logits_of(task, data.X[:N_EVALUATED], answer, data.input_scale)
    return float(LOSSES[task.loss](logits, data.y[:N_EVALUATED]))


def accuracy_of(task, data, fitted):
    """Compute the share of the test samples whose class is predicted.

    Parameters
    ----------
    task : Task
    data : Data
    fitted : Fitted
    """
    logits = logits_of(task, data.X_test, fitted, data.input_scale)
    return float((logits.argmax(axis=1) == data.y_test).mean())

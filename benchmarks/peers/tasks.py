"""What competitors are asked to do, what they start from, and what they answer."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from fastmlp.rng import INITIALISATIONS, Permutations, streams

SEED = 0


@dataclass(frozen=True)
class Task:
    """One training or prediction; the names are those of `fastmlp.train`.

    Parameters
    ----------
    kind : {"fit", "reach", "predict", "partial_fit"}
        Train for all epochs; train until the test accuracy is `goal`; train and then time
        the prediction of the first `n_rows` test samples; or make a step, and then time the next
        ones, each of which sees all samples.
    loss : {"log_loss", "squared_error"}
        Of classes, or of values.
    dataset : str
        Name of a data set of fastmlp's; `form` "sparse" does not use it.
    form : str
        One of `data.FORMS`.
    shape : (int, int, int)
        Numbers of samples, features and outputs, for `form` "standard", "waves" and "exponentials".
    density : float
        Share of the inputs that are not zero, for `form` "random".
    n_samples : int, optional
        Only so many training samples are used.
    goal : float
        Test accuracy, for `kind` "reach".
    n_rows : int
        Test samples, for `kind` "predict".
    calls : int
        How often a run calls; the median counts. For `kind` "predict" and "partial_fit".
    """

    kind: str = "fit"
    loss: str = "log_loss"
    dataset: str = "mnist"
    form: str = "unit"
    shape: tuple[int, int, int] = (0, 0, 0)
    density: float = 1.0
    n_samples: int | None = None
    hidden_layer_sizes: tuple[int, ...] = (100,)
    activation: str = "logistic"
    solver: str = "sgd"
    learning_rate_init: float = 0.1
    learning_rate: str = "constant"
    batch_size: int = 64
    epochs: int = 10
    shuffle: bool = True
    init: str = "glorot_uniform"
    dtype: str = "float32"
    goal: float = 0.0
    n_rows: int = 0
    calls: int = 1


class Fitted(NamedTuple):
    """A trained network."""

    coefs: list[np.ndarray]
    """Weights of each layer, of shape (fan_in, fan_out)."""
    intercepts: list[np.ndarray]
    """Biases of each layer, of shape (fan_out,)."""
    epochs: int
    """Number of epochs trained."""


Run = Callable[[], Any]
"""Does the task once and returns a `Fitted`, or the probabilities that were predicted, or what
returns either when it is called, after the clock has stopped."""


def initial_parameters(task, data):
    """Draw the weights and biases that everybody starts from.

    Parameters
    ----------
    task : Task
    data : Data

    Returns
    -------
    coefs : list of ndarray of shape (fan_in, fan_out)
    intercepts : list of ndarray of shape (fan_out,)
        Zeros.
    """
    generator, _ = streams(SEED)
    shapes = list(pairwise((data.X.shape[1], *task.hidden_layer_sizes, data.n_outputs)))
    draw = INITIALISATIONS[task.init]
    coefs = [draw(generator, *shape).astype(task.dtype) for shape in shapes]
    return coefs, [np.zeros(fan_out, task.dtype) for _, fan_out in shapes]


def orders(task, data):
    """Draw the order of the samples in each epoch: those of `fastmlp.train` with the same seed.

    Parameters
    ----------
    task : Task
    data : Data

    Returns
    -------
    list of ndarray of shape (n_samples,), intp
    """
    _, generator = streams(SEED)
    orders = Permutations(data.X.shape[0], task.shuffle, generator)
    return [orders.draw() for _ in range(task.epochs)]


def n_coefs(fitted):
    """Count the weights of a network.

    Parameters
    ----------
    fitted : Fitted
    """
    return sum(coefs.size for coefs in fitted.coefs)


def in_one_batch(task, n_samples):
    """Tell whether a batch is all samples: then nobody needs to gather it.

    Parameters
    ----------
    task : Task
    n_samples : int
    """
    return task.batch_size >= n_samples

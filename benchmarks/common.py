"""The data and the trainings that the benchmarks time."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

import fastmlp

N_CLASSES = 10

N_FEATURES = {False: 784, True: 10_000}
"""Of the images, and of the wide data."""

FEW = 64
"""Samples that hold every class, and are trained on in no time."""

N_TRAIN, N_TEST = 8_192, 2_048

NOISE = 0.1
"""Share of the labels that are drawn anew, so that nobody can be right about all of them."""

FORMS = {
    # Every row at another height: there is neither a zero nor a value that most pixels have.
    "dense": lambda X, dtype: (
        (X.astype(dtype) + 1) / 256 + np.linspace(0, 0.1, len(X), dtype=dtype)[:, None]
    ),
    "uint8": lambda X, dtype: X,
    "CSR": lambda X, dtype: csr_array(X.astype(dtype) / 255),
    "wide": lambda X, dtype: X.astype(dtype),
}
"""What the images are brought into; "wide" is drawn sparse already."""


def make_images(n_samples):
    """Draw images like MNIST's: 784 pixels of which 19 % are not zero, 10 classes that overlap.

    Parameters
    ----------
    n_samples : int

    Returns
    -------
    X : ndarray of shape (n_samples, 784), uint8
    y : ndarray of shape (n_samples,), intp
    """
    generator = np.random.default_rng(0)
    strokes = 0.07 + 0.24 * generator.random((N_CLASSES, N_FEATURES[False]), dtype=np.float32)
    y = generator.integers(0, N_CLASSES, n_samples)
    ink = generator.random((n_samples, N_FEATURES[False]), dtype=np.float32) < strokes[y]
    return ink * generator.integers(1, 256, ink.shape, dtype=np.uint8), _with_noise(y, generator)


def make_wide(n_samples, n_nonzeros=40):
    """Draw sparse rows in which half of the features tell the class, as in texts.

    Parameters
    ----------
    n_samples, n_nonzeros : int

    Returns
    -------
    X : csr_array of shape (n_samples, 10_000), float64
    y : ndarray of shape (n_samples,), intp
    """
    generator = np.random.default_rng(0)
    n_features = N_FEATURES[True]
    y = generator.integers(0, N_CLASSES, n_samples)
    any_feature = generator.integers(0, n_features, (n_samples, n_nonzeros))
    n_own = n_features // N_CLASSES
    own = y[:, None] * n_own + any_feature % n_own
    columns = np.where(generator.random(own.shape) < 0.5, own, any_feature)
    rows = np.repeat(np.arange(n_samples), n_nonzeros)
    X = csr_array((np.ones(rows.size), (rows, columns.ravel())), (n_samples, n_features))
    return X, _with_noise(y, generator)


def _with_noise(y, generator):
    """Draw some labels anew."""
    drawn = generator.integers(0, N_CLASSES, len(y))
    return np.where(generator.random(len(y)) < NOISE, drawn, y)


def make_data():
    """Draw what every cell of the grid is trained and tested on.

    Returns
    -------
    dict of bool to (X, y)
        Whether it is the wide data; the last `N_TEST` rows are for the test.
    """
    return {False: make_images(N_TRAIN + N_TEST), True: make_wide(N_TRAIN + N_TEST)}


def training_set(data, shape, n_samples):
    """Bring the first samples into a shape's form.

    Parameters
    ----------
    data : dict
        As `make_data` returns it.
    shape : grid.Shape
    n_samples : int

    Returns
    -------
    X : ndarray or csr_array of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,), intp
    """
    X, y = data[shape.form == "wide"]
    return FORMS[shape.form](X[:n_samples], shape.dtype), y[:n_samples]


def test_set(data, shape):
    """Bring the last samples, which are never trained on, into a shape's form.

    Parameters
    ----------
    data, shape
        As for `training_set`.

    Returns
    -------
    X : ndarray or csr_array of shape (N_TEST, n_features)
    y : ndarray of shape (N_TEST,), intp
    """
    X, y = data[shape.form == "wide"]
    return FORMS[shape.form](X[-N_TEST:], shape.dtype), y[-N_TEST:]


RATES = {"sgd": 0.4, "momentum": 0.04, "adam": 0.003}
"""Learning rates from batch size 64 on; at batch size 1, a tenth."""


def train_arguments(cell):
    """Say in the words of `fastmlp.train` what a cell is.

    Parameters
    ----------
    cell : grid.Cell

    Returns
    -------
    dict
    """
    shape = cell.shape
    return {
        "backend": cell.backend,
        "batch_size": shape.batch_size,
        "hidden_layer_sizes": (shape.width,) * shape.depth,
        "activation": "logistic" if _is_article(shape) else "relu",
        "solver": "adam" if shape.solver == "adam" else "sgd",
        "momentum": 0.9 if shape.solver == "momentum" else 0.0,
        "learning_rate_init": RATES[shape.solver] / (10 if shape.batch_size == 1 else 1),
        "dtype": shape.dtype,
        "input_scale": "unit" if shape.form == "uint8" else None,
        "n_threads": None if shape.n_threads == "best" else shape.n_threads,
        "random_state": 0,
    }


def _is_article(shape):
    """Tell the article's net; others would learn little so fast if their units were logistic."""
    return (shape.width, shape.depth, shape.solver) == (100, 1, "sgd") and shape.form != "wide"


class Amount(NamedTuple):
    """How much to train."""

    work: int
    """At most so many weights times samples of an epoch."""
    most_samples: int
    epochs: int


TIMED = {
    # Several epochs, because helping threads are not started where all is over in milliseconds.
    "numba": Amount(1 << 29, N_TRAIN, 5),
    "numpy": Amount(1 << 28, 2_048, 1),
    "reference": Amount(1 << 25, 512, 1),
}
"""A fit of some 50 ms, and of a second where the network is large and the batch small."""

COMPARED = Amount(1 << 28, 2_048, 4)
"""What every backend of a shape repeats."""


def count_samples(shape, amount, fewest_batches=1):
    """Say how many samples to train on: whole batches, and the fewer the larger the net.

    Parameters
    ----------
    shape : grid.Shape
    amount : Amount
    fewest_batches : int
        As many there are at least, whatever the amount.

    Returns
    -------
    int
    """
    n_features = N_FEATURES[shape.form == "wide"]
    n_coefs = shape.width * (n_features + (shape.depth - 1) * shape.width + N_CLASSES)
    n_batches = min(amount.work // n_coefs, amount.most_samples) // shape.batch_size
    return shape.batch_size * max(n_batches, fewest_batches)


def warm_up(cell, data):
    """Import what a cell needs, and compile its kernels or load them.

    Parameters
    ----------
    cell : grid.Cell
    data : dict
        As `make_data` returns it.

    Raises
    ------
    NotImplementedError
        If this version of the library cannot do the cell; asv then shows n/a.
    """
    few = {"batch_size": min(cell.shape.batch_size, FEW), "epochs": 1}
    X, y = training_set(data, cell.shape, FEW)
    try:
        fastmlp.train(X, y, **(train_arguments(cell) | few))
    except (TypeError, ValueError) as error:
        raise NotImplementedError(f"{cell.label}: {error}") from error

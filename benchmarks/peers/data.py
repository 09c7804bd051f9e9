"""The data of the rows."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

import fastmlp

from .tasks import Task

NOISE = 0.001, 0.01
"""Bounds of the noise that leaves no input zero."""

DRAWN_BY = ("dataset", "form", "shape", "density", "dtype")
"""The fields of a task that its data depend on."""

N_ROWS, N_COLUMNS, N_WORDS, N_CLASSES = 20_000, 20_000, 80, 20
"""Of the sparse data; words that fall together leave 49 of 80 in a row."""


class Data(NamedTuple):
    """Samples to train on and to test with."""

    X: Any
    """Array or CSR matrix of shape (n_samples, n_features)."""
    y: np.ndarray
    """Classes of shape (n_samples,), intp; or values, of shape (n_samples,) where there is one
    output, and (n_samples, n_outputs) otherwise."""
    X_test: Any
    y_test: np.ndarray
    input_scale: str | None
    """What `fastmlp.train` is told of the values."""
    n_outputs: int
    """Number of classes, or of values."""


def load(task):
    """Load the data of a task, cut to its number of samples.

    Parameters
    ----------
    task : Task

    Returns
    -------
    Data
    """
    data = _load(Task(**{name: getattr(task, name) for name in DRAWN_BY}))
    return data._replace(X=data.X[: task.n_samples], y=data.y[: task.n_samples])


@lru_cache(maxsize=1)
def _load(task):
    """Load whole data; the last that was asked for is kept."""
    return FORMS[task.form](task)


@lru_cache(maxsize=1)
def _images(dataset):
    """Load a named data set: bytes."""
    return fastmlp.datasets.load(dataset)


def _as_data(images, input_scale=None):
    """Count the classes."""
    n_classes = int(images.y_train.max()) + 1
    parts = images.X_train, images.y_train, images.X_test, images.y_test
    return Data(*parts, input_scale, n_classes)


def _in_bytes(task):
    """Keep the bytes; they are scaled to [-1, 1] as they are read."""
    return _as_data(_images(task.dataset), "symmetric")


def _in_unit(task):
    """Scale to [0, 1]."""
    images = _images(task.dataset)
    X_train, X_test = (X.astype(task.dtype) / 255 for X in (images.X_train, images.X_test))
    return _as_data(images._replace(X_train=X_train, X_test=X_test))


def _in_noise(task):
    """Scale to [0, 1] and add noise, so that no input is zero."""
    generator = np.random.default_rng(0)
    data = _in_unit(task)
    for X in (data.X, data.X_test):
        low, high = NOISE
        X += low + (high - low) * generator.random(X.shape, dtype=np.float32)
    return data


def _in_words(task):
    """Draw counts of words as texts have them, in CSR; the data set is not used."""
    import scipy.sparse as sp

    generator = np.random.default_rng(0)
    words = (generator.pareto(1.1, (N_ROWS, N_WORDS)) * 20).astype(np.int64)
    columns = np.minimum(words, N_COLUMNS - 1).ravel()
    ends = np.arange(0, columns.size + 1, N_WORDS)
    counts = np.ones(columns.size, np.float32)
    X = sp.csr_matrix((counts, columns, ends), shape=(N_ROWS, N_COLUMNS))
    X.sum_duplicates()
    y = generator.integers(0, N_CLASSES, N_ROWS).astype(np.intp)
    return Data(X, y, X[:1000], y[:1000], None, N_CLASSES)


def _digits(task):
    """Load scikit-learn's digits, in float64; the data set is not used."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return Data(X / 16, y, X[:100] / 16, y[:100], None, 10)


def _table(task):
    """Draw numbers in the shape of the covertype data set; the data set is not used."""
    generator = np.random.default_rng(0)
    X = generator.standard_normal((580_000, 54), np.float32)
    y = (X @ generator.standard_normal((54, 7), np.float32)).argmax(axis=1)
    return Data(X, y, X[:1000], y[:1000], None, 7)


def _random(task):
    """Draw 784 inputs, each of which is not zero with the task's density, and learnable classes."""
    generator = np.random.default_rng(0)
    X = generator.random((11_000, 784), dtype=np.float32)
    X *= generator.random(X.shape, dtype=np.float32) < task.density
    y = ((X - X.mean()) @ generator.standard_normal((784, 10), np.float32)).argmax(axis=1)
    return Data(X[:10_000], y[:10_000], X[10_000:], y[10_000:], None, 10)


def _standard(task):
    """Draw a table whose columns have mean 0 and variance 1, and classes that can be learned."""
    X, scores = _draw_table(task)
    y = scores.argmax(axis=1)
    return Data(X, y, X[:10_000], y[:10_000], None, task.shape[2])


def _waves(task):
    """Draw a table, and values that bend along one direction each."""
    X, scores = _draw_table(task)
    y = np.sin(scores / np.sqrt(X.shape[1])).squeeze()
    return Data(X, y, X[:1000], y[:1000], None, task.shape[2])


def _draw_table(task):
    """Draw a table of a task's shape, and what so many linear functions make of it."""
    n_samples, n_features, n_outputs = task.shape
    generator = np.random.default_rng(0)
    X = generator.standard_normal((n_samples, n_features), task.dtype)
    return X, X @ generator.standard_normal((n_features, n_outputs), task.dtype)


def _exponentials(task):
    """Draw 2 x 2 matrices; the values are their exponentials, as SimpleChains.jl shows itself."""
    from scipy.linalg import expm

    X = np.random.default_rng(0).standard_normal((task.shape[0], 4), task.dtype)
    y = expm(X.reshape(-1, 2, 2)).reshape(-1, 4)
    return Data(X, y, X[:1000], y[:1000], None, 4)


FORMS = {
    "unit": _in_unit, "noisy": _in_noise, "bytes": _in_bytes, "sparse": _in_words,
    "digits": _digits, "table": _table, "random": _random, "standard": _standard,
    "waves": _waves, "exponentials": _exponentials,
}  # fmt: skip
"""Numbers in [0, 1]; the same without zeros; bytes, scaled to [-1, 1]; words counted, in CSR;
1,797 x 64 numbers; 580,000 x 54 numbers; 10,000 x 784 numbers of some density; standardised tables
of any shape, with classes, or with values; 2 x 2 matrices and their exponentials."""

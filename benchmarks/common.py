"""The data and the trainings that the benchmarks time."""

import numpy as np
from scipy.sparse import csr_array

import fastmlp

BACKENDS = ("reference", "numpy", "numba")
DTYPES = ("float32", "float64")
BATCH_SIZES = (1, 16, 64, 256, 1024)

FORMS = {
    "dense": lambda X, dtype: (
        (X.astype(dtype) + 1) / 256 + np.linspace(0, 1, len(X), dtype=dtype)[:, None]
    ),
    "mostly zeros": lambda X, dtype: X.astype(dtype) / 255,
    "bytes": lambda X, dtype: X,
    "CSR": lambda X, dtype: csr_array(X.astype(dtype) / 255),
}
"""What the images are brought into."""

N_SAMPLES = {"reference": 2_048, "numpy": 8_192, "numba": 8_192}
"""The reference is some twenty times slower; seconds a sample compare."""


def make_data(n_samples=60_000):
    """Draw images like MNIST's: uint8, 784 pixels of which 19 % are not zero, 10 classes.

    Parameters
    ----------
    n_samples : int

    Returns
    -------
    X : ndarray of shape (n_samples, 784), uint8
    y : ndarray of shape (n_samples,), intp
    """
    generator = np.random.default_rng(0)
    strokes = generator.random((10, 784), dtype=np.float32) < 0.3
    y = generator.integers(0, 10, n_samples)
    ink = strokes[y] & (generator.random((n_samples, 784), dtype=np.float32) < 0.63)
    return ink * generator.integers(1, 256, ink.shape, dtype=np.uint8), y


def train(X, y, backend, **arguments):
    """Train the network of the article on one thread and return the history.

    Parameters
    ----------
    X, y : as `make_data` returns them
        Cut to `N_SAMPLES` of the backend.
    backend : str
    **arguments
        Of `fastmlp.train`.
    """
    n_samples = N_SAMPLES[backend]
    settings = {
        "input_scale": "unit", "learning_rate_init": 0.05, "epochs": 1, "random_state": 0,
        "n_threads": 1, **arguments,
    }  # fmt: skip
    return fastmlp.train(X[:n_samples], y[:n_samples], backend=backend, **settings).history

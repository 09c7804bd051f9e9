"""Data drawn from fixed seeds."""

from typing import NamedTuple

import numba
import numpy as np
import pytest


class Problem(NamedTuple):
    """A small classification problem."""

    X: np.ndarray
    y: np.ndarray


@pytest.fixture(scope="session")
def tiny():
    """20 samples of 6 features, a third of them exactly zero, in 3 classes."""
    generator = np.random.default_rng(20240611)
    X = generator.normal(size=(20, 6)) * (generator.random((20, 6)) > 1 / 3)
    return Problem(X, generator.permutation(np.arange(20) % 3))


@pytest.fixture
def problem():
    """200 samples of 30 features, a fifth of them not zero, in 4 classes."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(200, 30)) * (generator.random((200, 30)) < 0.2)
    return Problem(X.astype(np.float32), np.arange(200) % 4)


@pytest.fixture(scope="session")
def mnist_shaped():
    """2,000 samples shaped like MNIST: uint8, 784 features, 19 % not zero, 10 classes.

    Where the kernels run as plain Python, a thousand times slower, 50 samples.
    """
    n_samples = 50 if numba.config.DISABLE_JIT else 2000
    generator = np.random.default_rng(20240612)
    strokes = generator.random((10, 784)) < 0.3
    y = generator.permutation(np.arange(n_samples) % 10)
    ink = strokes[y] & (generator.random((n_samples, 784)) < 0.63)
    return Problem((ink * generator.integers(1, 256, ink.shape)).astype(np.uint8), y)

"""The real files, where the environment says they are."""

import os

import numpy as np
import pytest

from fastmlp.datasets import load_mnist

pytestmark = pytest.mark.skipif(
    "FASTMLP_DATA_DIR" not in os.environ, reason="FASTMLP_DATA_DIR is not set"
)


def test_real_mnist_is_loaded():
    data = load_mnist(download=False)
    assert data.X_train.shape == (60_000, 784)
    assert data.X_test.shape == (10_000, 784)
    assert data.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.y_test[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.mean(data.X_train != 0) == pytest.approx(0.191, abs=0.0005)

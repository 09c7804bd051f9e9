"""Dense samples are read by whole vectors, and not beyond the end of the data."""

import numpy as np
import pytest

from fastmlp.kernels.dense import DenseFeatures, gather
from fastmlp.kernels.products import Matrix
from fastmlp.kernels.simd import Lanes
from tests.kernels.calling import compiled

N_ROWS = 9


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("n_features", [1, 4, 16, 19])
def test_samples_are_read_in_the_order_of_the_batch(n_features, order, dtype):
    generator, lanes = np.random.default_rng(n_features), Lanes(np.float32, 16)
    X = generator.integers(0, 255, (N_ROWS, n_features)).astype(dtype)
    steps = (n_features, 1) if order == "C" else (1, N_ROWS)
    beyond = 255  # no feature is that large
    memory = np.append(X.ravel(order), np.full(64, beyond, dtype))
    features = DenseFeatures(memory[: X.size], *steps, np.float32(0.5), np.float32(-1))
    batch, step = generator.permutation(N_ROWS), 32
    inputs = np.full((N_ROWS + 1) * step, np.nan, np.float32)
    rows = Matrix(inputs, 0, N_ROWS, step, 1)
    compiled(gather)(lanes, features, batch, 1, N_ROWS, n_features, rows)
    actual = inputs.reshape(-1, step)
    np.testing.assert_array_equal(actual[1:-1, :n_features], X[batch[1:]] * np.float32(0.5) - 1)
    assert np.isnan(actual[[0, -1]]).all()
    assert not (actual == beyond * 0.5 - 1).any()

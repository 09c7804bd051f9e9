"""What is packed without its background is the data, whatever their dtype, order and background."""

import numpy as np
import pytest

import fastmlp
from fastmlp.backends import get_backend
from fastmlp.backends.compiled import prediction
from fastmlp.backends.compiled.packing import pack
from fastmlp.inputs import Scale, as_features
from fastmlp.kernels.sparse import SparseFeatures
from fastmlp.network import Network, Parameters
from tests.tolerances import assert_close


def mostly(background, dtype, n_features=67, n_samples=30):
    """Draw values of 0 to 255 of which most are the background, and rows without another."""
    generator = np.random.default_rng(n_features)
    X = generator.integers(0, 256, (n_samples, n_features)).astype(dtype)
    X[generator.random(X.shape) < 0.8] = background
    X[::7] = background
    return X


def rebuilt(packed, shape):
    """Write packed rows out again."""
    X = np.full(shape, float(packed.constant))
    rows = np.repeat(np.arange(shape[0]), np.diff(packed.indptr))
    X[rows, packed.indices] += packed.values
    return X


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("background", [0, 7, 255])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_packed_rows_are_the_data(dtype, background, order):
    for n_features in (5, 16, 67):
        X = np.asarray(mostly(background, dtype, n_features), order=order)
        packed = pack(as_features(X, Scale(1.0, 0.0), np.dtype("float32")), 2, 0.5)
        assert isinstance(packed, SparseFeatures)
        np.testing.assert_array_equal(rebuilt(packed, X.shape), X)
        np.testing.assert_array_equal(np.diff(packed.indptr), (background != X).sum(axis=1))


def test_white_images_train_as_black_ones_do():
    # A byte below the background, less the background, was 2^64 too large.
    X = mostly(255, np.uint8, 64, 60)
    arguments = {"hidden_layer_sizes": (8,), "epochs": 2, "random_state": 0, "batch_size": 10,
                 "dtype": "float64", "input_scale": "unit"}  # fmt: skip
    curves = [
        fastmlp.train(X, np.arange(60) % 3, backend=name, **arguments).history.loss
        for name in ("numba", "numpy")
    ]
    assert_close(*curves, "loss curve", "float64")


@pytest.mark.parametrize("background", [0, 255])
def test_predictions_skip_the_background_some_rows_at_a_time(background, monkeypatch):
    monkeypatch.setattr(prediction, "PACKED_ROWS", 13)
    monkeypatch.setattr(prediction, "THREAD_ROWS", 10)
    features = as_features(mostly(background, np.uint8), Scale(1 / 255, 0.0), np.dtype("float64"))
    network = Network((67, 20, 3), ("relu",))
    buffer = np.random.default_rng(0).normal(size=network.n_parameters)
    parameters = Parameters(network, buffer)
    actual = prediction.predict_logits(parameters, features, 2)
    expected = get_backend("numpy").predict_logits(parameters, features, 1)
    assert_close(actual, expected, "loss curve", "float64")

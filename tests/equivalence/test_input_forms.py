"""The same numbers in another form train the same network."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

import fastmlp
from tests.tolerances import assert_close


def _read_only(X):
    X = X.copy()
    X.setflags(write=False)
    return X


def _strided(X):
    wide = np.zeros((X.shape[0], 2 * X.shape[1]), X.dtype)
    wide[:, ::2] = X
    return wide[:, ::2]


def _every_second_row(X):
    tall = np.zeros((2 * X.shape[0], X.shape[1]), X.dtype)
    tall[::2] = X
    return tall[::2]


FORMS = {
    "Fortran order": np.asfortranarray,
    "read-only": _read_only,
    "every second column": _strided,
    "every second row": _every_second_row,
    "reversed": lambda X: X[::-1].copy()[::-1],
    "pandas": pd.DataFrame,
    "polars": lambda X: pl.DataFrame(X, schema=[f"pixel{i}" for i in range(X.shape[1])]),
    "list": lambda X: X.tolist(),
    "big-endian": lambda X: X.astype(X.dtype.newbyteorder(">")),
    "csr_array": scipy.sparse.csr_array,
    "csr_matrix": scipy.sparse.csr_matrix,
    "csc_array": scipy.sparse.csc_array,
    "coo_array": scipy.sparse.coo_array,
}


@pytest.fixture(scope="module")
def images(mnist_shaped):
    """80 images cut to 60 pixels."""
    return mnist_shaped.X[:80, :60], mnist_shaped.y[:80]


def curve(X, y, backend, **arguments):
    """Train a small network and return its loss curve and its predictions."""
    arguments = {
        "hidden_layer_sizes": (12,), "batch_size": 9, "epochs": 3, "random_state": 0, **arguments
    }  # fmt: skip
    result = fastmlp.train(X, y, backend=backend, **arguments)
    return np.append(result.history.loss, result.model.predict_proba(X)[0])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_input_form_does_not_matter(backend, form, images):
    X, y = images
    X = X.astype(np.float32) / 255
    assert_close(curve(FORMS[form](X), y, backend), curve(X, y, backend), "loss curve", "float32")


@pytest.mark.parametrize("form", ["Fortran order", "every second row", "pandas", "csr_array"])
@pytest.mark.parametrize("backend", ["reference", "numpy", "numba"])
def test_bytes_are_scaled_as_they_are_read(backend, form, images):
    X, y = images
    expected = curve(X / np.float32(127.5) - 1, y, "reference")
    actual = curve(FORMS[form](X), y, backend, input_scale="symmetric")
    assert_close(actual, expected, "loss curve", "float32")


def test_a_memory_map_is_trained_from_where_it_lies(images, tmp_path):
    X, y = images
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    for backend in ("numpy", "numba"):
        actual = curve(mapped, y, backend, input_scale="unit")
        assert_close(actual, curve(X, y, backend, input_scale="unit"), "loss curve", "float32")


@pytest.mark.parametrize("kind", [bool, np.int8, np.int64, np.uint16, np.float16])
def test_other_numbers_are_converted(kind, images):
    X, y = images
    X = (X > 100).astype(kind)
    expected = curve(X.astype(np.float32), y, "numpy")
    assert_close(curve(X, y, "numpy"), expected, "loss curve", "float32")


def test_integer_types_beyond_bytes_keep_their_sign():
    X = np.array([[-3, 2], [4, -1], [0, 1], [2, 2]], np.int64)
    actual = curve(X, [0, 1, 0, 1], "numba", batch_size=2)
    expected = curve(X.astype(np.float32), [0, 1, 0, 1], "reference", batch_size=2)
    assert_close(actual, expected, "loss curve", "float32")

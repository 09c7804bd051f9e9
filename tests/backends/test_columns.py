"""Columns that are mostly nonzero are read densely beside sparse ones, and nothing else changes."""

import numpy as np
import pytest
import scipy.sparse

import fastmlp
from fastmlp.backends.compiled import columns, fit
from fastmlp.backends.compiled.columns import choose_columns, take_apart
from fastmlp.backends.compiled.packing import costs_of, pack
from fastmlp.inputs import Scale, as_features
from fastmlp.kernels.dense import DenseFeatures
from fastmlp.network import Network
from tests.equivalence.test_threads import paces  # noqa: F401
from tests.tolerances import assert_close

FLOAT32 = np.dtype("float32")
N_FEATURES = 45
COSTS = costs_of(Network((N_FEATURES, 64, 3), ("relu",)), FLOAT32, 64, True)


def table(n_dense=7, n_samples=64, background=0, n_features=N_FEATURES):
    """Draw bytes: full columns here and there, a constant one, and others that are mostly empty."""
    generator = np.random.default_rng(n_dense)
    X = generator.integers(0, 256, (n_samples, n_features))
    empty = generator.random(X.shape) < 0.97
    empty[:, generator.permutation(n_features)[:n_dense]] = False
    X[empty] = background
    X[:, np.flatnonzero(~empty.any(axis=0))[:1]] = 9
    X[3, empty.any(axis=0)] = background  # a row without a nonzero
    return X.astype(np.uint8)


@pytest.fixture
def small(monkeypatch):
    """Take small data apart, too, and keep what trainers make of them."""
    made = []

    def keep(*arguments):
        made.append(take_apart(*arguments))
        return made[-1]

    monkeypatch.setattr(columns, "LEAST_SAMPLES", 2)
    monkeypatch.setattr(fit, "take_apart", keep)
    return made


def chosen(X, costs=COSTS):
    """Pack data, and choose their dense columns."""
    packed = pack(as_features(X, Scale(1.0, 0.0), FLOAT32), 1, 9.0)
    return choose_columns(packed, X.shape[1], costs)


@pytest.mark.parametrize("n_dense", [1, 7, 44])
def test_full_columns_are_chosen(n_dense):
    X = table(n_dense, 2000)
    actual = chosen(X)
    assert actual.n_dense == n_dense
    full = (X != 0).mean(axis=0) > 0.5
    np.testing.assert_array_equal(actual.order, [*np.flatnonzero(full), *np.flatnonzero(~full)])


@pytest.mark.parametrize("n_dense", [0, N_FEATURES])
def test_columns_that_are_alike_stay_together(n_dense):
    assert chosen(table(n_dense, 2000)) is None


@pytest.mark.parametrize("share", [0.2, 0.3, 0.35, 0.5])
def test_columns_that_differ_by_chance_stay_together(share):
    for seed in range(5):
        assert chosen(np.random.default_rng(seed).random((2000, N_FEATURES)) < share) is None


def test_single_samples_and_few_are_not_taken_apart():
    network = Network((N_FEATURES, 8, 3), ("relu",))
    assert chosen(table(), costs_of(network, FLOAT32, 1, True)) is None
    for n_samples, apart in ((columns.LEAST_SAMPLES - 1, False), (columns.LEAST_SAMPLES, True)):
        features = as_features(table(n_samples=n_samples), Scale(1.0, 0.0), FLOAT32)
        packed, found = take_apart(features, pack(features, 1, 0.5), COSTS, 1)
        assert (found is not None) == apart == isinstance(packed.dense, DenseFeatures)


def _csr(X):
    return scipy.sparse.csr_array(X.astype(np.float32))


def _unsorted(X):
    matrix = _csr(X)
    for first, last in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        for part in (matrix.indices, matrix.data):
            part[first:last] = part[first:last][::-1].copy()
    matrix.has_sorted_indices = False
    return matrix


KINDS = {
    "bytes": np.asarray, "float32": np.float32, "float64": np.float64, "CSR": _csr,
    "unsorted CSR": _unsorted, "Fortran order": np.asfortranarray,
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "background"), [*((kind, 0) for kind in KINDS), ("bytes", 200), ("float64", 200)]
)
def test_what_is_taken_apart_is_the_data(kind, background, small):
    X = table(background=background)
    features = as_features(KINDS[kind](X), Scale(1.0, 0.0), FLOAT32)
    packed, (order, n_dense) = take_apart(features, pack(features, 2, 0.5), COSTS, 2)
    rebuilt = np.full(X.shape, float(packed.constant))
    rebuilt[:, order[:n_dense]] += packed.dense.values.reshape(len(X), n_dense)
    rows = np.repeat(np.arange(len(X)), np.diff(packed.indptr))
    rebuilt[rows, order[packed.indices]] += packed.values
    np.testing.assert_array_equal(rebuilt, X)
    assert (packed.indices >= n_dense).all()
    assert packed.values.dtype == packed.dense.values.dtype
    if background == 0:
        assert packed.values.dtype == features.values.dtype


SETTINGS = {
    "ragged": {"batch_size": 7, "learning_rate_init": 0.1},
    "whole": {"batch_size": 64, "learning_rate_init": 0.1},
    "momentum, L2": {"batch_size": 9, "momentum": 0.9, "alpha": 0.2, "learning_rate_init": 0.02},
    "deep": {"hidden_layer_sizes": (20, 70), "batch_size": 9, "learning_rate_init": 0.02},
}  # fmt: skip


def train(X, **arguments):
    """Train a network of three panels, or of five."""
    arguments = {"hidden_layer_sizes": (150,), "activation": "tanh", "epochs": 2,
                 "random_state": 0, **arguments}  # fmt: skip
    return fastmlp.train(X, np.arange(X.shape[0]) % 5, **arguments)


def assert_same_training(X, small, **arguments):
    """Compare with the reference, and other numbers of threads with one."""
    dtype = arguments["dtype"]
    expected = train(X, backend="reference", **arguments)
    results = [train(X, n_threads=n, **arguments) for n in (1, 2, 3, 8)]
    assert [bool(packed.dense) for packed, _ in small] == [True] * 4
    assert_close(results[0].history.loss, expected.history.loss, "loss curve", dtype)
    buffers = [one.model.parameters.buffer for one in (expected, *results)]
    assert_close(buffers[1], buffers[0], "loss curve", dtype)
    for result, buffer in zip(results[1:], buffers[2:], strict=True):
        assert result.history.loss == results[0].history.loss
        np.testing.assert_array_equal(buffer, buffers[1])


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(
    ("form", "dtype"),
    [("zeros", "float32"), ("background", "float32"), ("CSR", "float32"), ("zeros", "float64"),
     ("one dense column", "float64")],
)  # fmt: skip
def test_training_is_that_of_the_reference(form, dtype, setting, small, paces):  # noqa: F811
    X = table(1 if form == "one dense column" else 7) / np.dtype(dtype).type(255)
    X = X - 1 if form == "background" else X
    X = scipy.sparse.csr_array(X) if form == "CSR" else X
    assert_same_training(X, small, dtype=dtype, **SETTINGS[setting])


@pytest.mark.parametrize("scale", ["unit", "symmetric"])
def test_bytes_are_read_as_they_lie(scale, small, paces):  # noqa: F811
    assert_same_training(table(), small, dtype="float32", batch_size=7, input_scale=scale)
    assert all(packed.dense.values.dtype == np.uint8 for packed, _ in small)


def test_dense_columns_beside_words_are_touched_by_every_batch(small, monkeypatch):
    made, make = [], fit.make_touched_rows
    monkeypatch.setattr(fit, "make_touched_rows", lambda *a: made.append(make(*a)) or made[-1])
    wide = scipy.sparse.random_array(
        (64, 900), density=0.01, format="csr", random_state=np.random.default_rng(9)
    )
    X = scipy.sparse.hstack([wide, np.random.default_rng(2).normal(size=(64, 5))], format="csr")
    assert_same_training(
        X, small, dtype="float64", batch_size=4, solver="adam", learning_rate_init=0.003
    )
    assert made


def test_each_call_of_partial_fit_may_order_the_columns_anew(small):
    # The weights and the momentum are handed from one call to the next in the user's order.
    X, y = table(7, 120) / 255, np.arange(120) % 5
    curves = []
    for backend in ("numba", "numpy"):
        model = fastmlp.MLPClassifier(
            (150,), solver="sgd", batch_size=16, learning_rate_init=0.05, random_state=0,
            backend=backend, dtype="float64",
        )  # fmt: skip
        for part in (X[:40], X[40:80, ::-1], X[80:], X[:40]):
            model.partial_fit(part, y[: len(part)], classes=range(5))
        curves.append(np.concatenate([model.loss_curve_, model.coefs_[0].ravel()]))
    orders = [tuple(found.order) for _, found in small]
    assert len(set(orders)) > 1
    assert_close(*curves, "loss curve", "float64")

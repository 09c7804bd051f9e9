"""A few rows are predicted without scikit-learn's checks; nothing else may be different."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.estimators import few

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(40, 4))
Y = np.arange(40) % 3
NAMES = ["a", "b", "c", "d"]
SMALL = {"hidden_layer_sizes": (5,), "random_state": 0, "max_iter": 2}


def fitted(dtype="float64", kind=MLPClassifier, frame=False, **arguments):
    """Fit on data of a dtype, and predict a row, so that what predicts a few rows is kept."""
    data = X.astype(dtype)
    data = pd.DataFrame(data, columns=NAMES) if frame else data
    model = kind(**{**SMALL, **arguments}).fit(data, Y)
    model.predict(data[:1])
    return model


def outcome(model, rows):
    """Predict, and give what comes of it: values, or the error, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            predictions = getattr(model, "predict_proba", model.predict)(rows)
            found = predictions.dtype, predictions.shape, predictions.tobytes()
        except Exception as error:
            found = type(error), str(error)
    return found, [(warning.category, str(warning.message)) for warning in caught]


def with_value(value, dtype="float64"):
    rows = X[:2].astype(dtype)
    rows[1, 2] = value
    return rows


ROWS = {
    "float32": X[:1].astype("f4"),
    "float64": X[:1],
    "uint8": np.arange(8, dtype="u1").reshape(2, 4),
    "int64": np.arange(8).reshape(2, 4) + 2**53,
    "float16": X[:2].astype("f2"),
    "bool": X[:2] > 0,
    "big-endian": X[:2].astype(">f8"),
    "16 rows": X[:16],
    "17 rows": X[:17],
    "columns first": np.asfortranarray(X[:3].astype("f4")),
    "strided": np.repeat(X[:3], 2, axis=1)[:, ::2],
    "list": X[:1].tolist(),
    "list of whole numbers": [[1, 2, 3, 2**60 + 1]],
    "list of vectors": [X[0], X[1]],
    "tuple": tuple(map(tuple, X[:2])),
    "list of text": [["1", "2", "3", "4"]],
    "ragged list": [[1.0, 2.0], [3.0]],
    "list of None": [[None, 1.0, 2.0, 3.0]],
    "empty list": [],
    "objects": X[:1].astype(object),
    "complex": X[:1] + 1j,
    "vector": X[0],
    "three dimensions": X[:2].reshape(2, 2, 2),
    "no rows": X[:0],
    "other width": X[:1, :3],
    "NaN": with_value(np.nan),
    "infinity": with_value(np.inf, "f4"),
    "too large for float32": with_value(1e300),
    "text": "text",
    "number": 1.0,
    "mapping": {"a": [1.0]},
    "masked": np.ma.masked_greater(X[:1], 0),
    "sparse": csr_array(X[:2]),
    "frame": pd.DataFrame(X[:1], columns=NAMES),
    "float32 frame": pd.DataFrame(X[:1].astype("f4"), columns=NAMES),
    "mixed frame": pd.DataFrame({"a": [1], "b": [2.5], "c": [np.float32(0.1)], "d": [3]}),
    "frame with bools": pd.DataFrame({"a": [True], "b": [2.5], "c": [0.1], "d": [3]}),
    "frame of objects": pd.DataFrame(X[:1].astype(object), columns=NAMES),
    "nullable frame": pd.DataFrame(X[:1], columns=NAMES).convert_dtypes(),
    "other order": pd.DataFrame(X[:1], columns=NAMES[::-1]),
    "other names": pd.DataFrame(X[:1], columns=["a", "b", "x", "d"]),
    "no names": pd.DataFrame(X[:1]),
    "frame with NaN": pd.DataFrame(with_value(np.nan), columns=NAMES),
    "polars": pl.DataFrame(X[:2], schema=NAMES),
    "mixed polars": pl.DataFrame({"a": [1], "b": [2.5], "c": [0.1], "d": [3]}),
    "lazy": pl.DataFrame(X[:2], schema=NAMES).lazy(),
}


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("frame", [False, True], ids=["array", "frame"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_errors_and_warnings_are_those_of_an_estimator_that_kept_nothing(
    dtype, frame, rows, models
):
    model = models[dtype, frame]
    fresh = pickle.loads(pickle.dumps(model))
    assert outcome(model, ROWS[rows]) == outcome(fresh, ROWS[rows])


@pytest.fixture(scope="module")
def models():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            (dtype, frame): fitted(dtype, frame=frame)
            for dtype in ("float32", "float64")
            for frame in (False, True)
        }


@pytest.mark.parametrize("rows", ["float64", "list", "frame", "polars", "uint8"])
def test_the_checks_are_left_out(rows, models, monkeypatch):
    """Without this the test above compares one way with itself."""
    monkeypatch.setattr("fastmlp.estimators.base.read", lambda *_, **__: pytest.fail("checked"))
    models["float32", rows in ("frame", "polars")].predict(ROWS[rows])


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_a_row_is_predicted_alike_alone_and_among_many(kind):
    model = fitted("float32", kind)
    for rows in (X[:1], X[:1].astype("f4"), X[:1].tolist()):
        actual = getattr(model, "predict_proba", model.predict)(rows)
        expected = getattr(model, "predict_proba", model.predict)(X)[:1]
        np.testing.assert_allclose(actual, expected, rtol=1e-5)


def changed_weights():
    """Give the ways in which a user changes what an estimator predicts."""

    def write(model):
        model.coefs_[0][...] *= 2

    def replace(model):
        model.coefs_[0] = model.coefs_[0] * 2

    def replace_all(model):
        model.coefs_ = [coefs * 2 for coefs in model.coefs_]

    def prune(model):
        model.coefs_[:] = model.coefs_[0][:, 1:], model.coefs_[1][1:]
        model.intercepts_[0] = model.intercepts_[0][1:]

    return {
        "written into": write,
        "replaced": replace,
        "all replaced": replace_all,
        "pruned": prune,
        "fitted again": lambda model: model.fit(X, Y[::-1]),
        "fitted further": lambda model: model.partial_fit(X, Y),
        "another backend": lambda model: model.set_params(backend="numpy"),
        "another output": lambda model: setattr(model, "out_activation_", "identity"),
        "wrong shape": lambda model: model.coefs_.__setitem__(0, np.ones((2, 2))),
        "unknown output": lambda model: setattr(model, "out_activation_", "none"),
    }


@pytest.mark.parametrize("change", changed_weights())
def test_changes_after_a_prediction_are_heeded(change):
    model = fitted()
    before = outcome(model, X[:1])
    changed_weights()[change](model)
    fresh = pickle.loads(pickle.dumps(model)) if change != "wrong shape" else None
    after = outcome(model, X[:1])
    assert fresh is None or after == outcome(fresh, X[:1])
    assert after != before or change == "another backend"


def test_another_loss_is_heeded():
    """Its output is an exponential, which the fitted network's is not."""
    model = fitted(kind=MLPRegressor).set_params(loss="poisson")
    fresh = pickle.loads(pickle.dumps(model))
    assert outcome(model, X[:1]) == outcome(fresh, X[:1])


def test_copies_have_nothing_of_it():
    model = fitted()
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert "_predictor" in vars(model)
        assert "_predictor" not in vars(twin)


def test_what_is_not_fitted_says_so():
    with pytest.raises(NotFittedError):
        MLPClassifier().predict(X[:1])


def test_another_backend_compiles_nothing(monkeypatch):
    monkeypatch.setattr("fastmlp.kernels.jit.specialise", lambda *_: pytest.fail("compiled"))
    model = fitted(backend="numpy")
    model.predict(X[:1].tolist())
    assert few.predict_at_once(model, X[:1]) is None

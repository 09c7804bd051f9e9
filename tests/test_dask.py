"""Predictions for Dask's collections are those for the same rows in memory."""

import numpy as np
import pandas as pd
import pytest

import fastmlp
from tests.tolerances import assert_close

dask = pytest.importorskip("dask")
da, dd = pytest.importorskip("dask.array"), pytest.importorskip("dask.dataframe")

N_ROWS, N_FEATURES = 100, 6
COLUMNS = list("uvwxyz")


@pytest.fixture(scope="module", name="X")
def rows():
    return np.random.default_rng(0).normal(size=(N_ROWS, N_FEATURES)).astype(np.float32)


@pytest.fixture(scope="module")
def y(X):
    return np.array(["b", "a", "c"])[(X[:, 0] > 0).astype(int) + (X[:, 1] > 0)]


@pytest.fixture(scope="module")
def frame(X):
    return pd.DataFrame(X, columns=COLUMNS, index=3 * np.arange(N_ROWS))


HOW = {"epochs": 1, "backend": "numpy", "random_state": 0}


@pytest.fixture(params=["train", "estimator", "numbers"])
def model(request, frame, y):
    if request.param == "train":
        return fastmlp.train(frame, y, **HOW).model
    if request.param == "numbers":
        return fastmlp.train(frame, frame[["u", "v"]], loss="squared_error", **HOW).model
    return fastmlp.MLPClassifier((4,), backend="numpy", random_state=0).partial_fit(
        frame, y, classes=["a", "b", "c"]
    )


def assert_same(actual, expected):
    """Compare predictions: BLAS rounds in another order where there are other rows."""
    if expected.dtype.kind == "f":
        assert_close(actual, expected, "product", "float32")
    else:
        np.testing.assert_array_equal(actual, expected)


def methods_of(model):
    return [name for name in fastmlp.dask.METHODS if hasattr(model, name)]


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_arrays_keep_their_blocks(model, X):
    for chunks in ((30, N_FEATURES), (30, 4)):
        given = da.from_array(X, chunks=chunks)
        for method in methods_of(model):
            actual = fastmlp.dask.predict(model, given, method)
            expected = getattr(model, method)(X)
            assert actual.chunks[0] == (30, 30, 30, 10)
            assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype)
            assert_same(actual.compute(), expected)


def test_frames_keep_their_index(model, frame):
    given = dd.from_pandas(frame, npartitions=3)
    for method in methods_of(model):
        lazy = fastmlp.dask.predict(model, given, method)
        actual, expected = lazy.compute(), getattr(model, method)(frame)
        assert lazy.npartitions == given.npartitions
        assert_same(actual.to_numpy(), expected)
        pd.testing.assert_index_equal(actual.index, frame.index)
        if method != "predict":
            assert list(actual.columns) == list(lazy.columns) == ["a", "b", "c"]
        elif expected.ndim == 2:
            assert list(actual.columns) == ["prediction_0", "prediction_1"]
        else:
            assert actual.name == lazy.name == "prediction"


def test_parts_without_rows(model, frame):
    given = dd.from_pandas(frame, npartitions=4)
    some = given[given["u"] > frame["u"].quantile(0.99)]  # one row, in one of the parts
    none = given[given["u"] > 100]
    for method in methods_of(model):
        found = fastmlp.dask.predict(model, some, method)
        assert len(found.compute()) == 1
        nothing = fastmlp.dask.predict(model, none, method).compute()
        assert len(nothing) == 0
        assert nothing.ndim == found.ndim


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_the_number_of_rows_may_be_unknown(model, frame):
    given = dd.from_pandas(frame, npartitions=3).to_dask_array()
    actual = fastmlp.dask.predict(model, given).compute()
    assert_same(actual, model.predict(frame.to_numpy()))


def test_blocks_are_predicted_by_one_thread_unless_told(frame, y):
    model = fastmlp.train(frame, y, **HOW).model
    assert fastmlp.dask._on_one_thread(model).n_threads == 1
    assert model.n_threads is None
    told = fastmlp.train(frame, y, n_threads=2, **HOW).model
    assert fastmlp.dask._on_one_thread(told) is told


def test_what_cannot_be_predicted_is_told_at_once(frame, X, y):
    model = fastmlp.train(frame, y, **HOW).model
    numbers = fastmlp.train(frame, frame["u"], loss="squared_error", **HOW).model
    given = dd.from_pandas(frame, npartitions=3)
    rule = "X must be a Dask array or data frame of shape .* got "
    for wrong, kind in ((X, "ndarray"), (given["u"], "Series"), (None, "NoneType")):
        with pytest.raises(ValueError, match=rule + kind):
            fastmlp.dask.predict(model, wrong)
    with pytest.raises(ValueError, match=r"X must be of shape \(n_samples, 6\); got shape \(3, 5"):
        fastmlp.dask.predict(model, da.zeros((3, 5)))
    with pytest.raises(ValueError, match=r"unseen at fit time:\n- q"):
        fastmlp.dask.predict(model, given.rename(columns={"u": "q"}))
    with pytest.raises(ValueError, match=r"method must be one of .* got 'transform'"):
        fastmlp.dask.predict(model, given, "transform")
    with pytest.raises(ValueError, match="method must be one that the model has"):
        fastmlp.dask.predict(numbers, given, "predict_proba")


def test_a_cluster_predicts_and_searches(X, y):
    distributed = pytest.importorskip("distributed")
    import joblib
    from sklearn.model_selection import GridSearchCV

    model = fastmlp.train(X, y, **HOW).model
    # Its worker is another process: the model goes there.
    where = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**where) as cluster, distributed.Client(cluster):
        lazy = fastmlp.dask.predict(model, da.from_array(X, chunks=(40, N_FEATURES)))
        np.testing.assert_array_equal(lazy.compute(), model.predict(X))
        estimator = fastmlp.MLPClassifier((4,), backend="numpy", max_iter=40, tol=1.0)
        search = GridSearchCV(estimator, {"alpha": [1e-4, 1e-2]}, cv=2)
        with joblib.parallel_config("dask"):
            search.fit(X, y)
    assert search.best_params_["alpha"] in (1e-4, 1e-2)

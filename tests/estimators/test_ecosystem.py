"""The estimators among scikit-learn's tools, and the forms in which data come."""

import io
import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils import estimator_html_repr

from fastmlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)


def model(**arguments):
    """Make a small classifier that fits well in a moment."""
    settings = {"max_iter": 60, "random_state": 0, "learning_rate_init": 0.02}
    return MLPClassifier((10,), **settings, **arguments)


@pytest.mark.parametrize("parallel", ["loky", "threading"])
def test_grid_search_in_processes_and_in_threads(parallel):
    with joblib.parallel_backend(parallel, n_jobs=2):
        search = GridSearchCV(model(), {"alpha": [1e-4, 1.0]}, cv=3).fit(X, Y)
    alone = GridSearchCV(model(), {"alpha": [1e-4, 1.0]}, cv=3).fit(X, Y)
    assert search.best_score_ > 0.9
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )


def test_tools_take_the_estimator():
    columns = ColumnTransformer([("scale", StandardScaler(), [0, 1, 2, 3])])
    assert cross_val_score(make_pipeline(columns, model()), X, Y).mean() > 0.9
    assert CalibratedClassifierCV(model(), cv=3).fit(X, Y).score(X, Y) > 0.9
    voting = VotingClassifier([("a", model()), ("b", model(activation="tanh"))], voting="soft")
    assert voting.fit(X, Y).score(X, Y) > 0.9
    bagging = BaggingClassifier(model(), n_estimators=3, random_state=0)
    assert bagging.fit(X, Y, np.ones(len(Y))).score(X, Y) > 0.9
    fitted = model().fit(X, Y)
    importances = permutation_importance(fitted, X, Y, random_state=0).importances_mean
    assert importances.shape == (4,)
    assert "MLPClassifier" in estimator_html_repr(fitted)


def test_sample_weights_are_routed():
    with sklearn.config_context(enable_metadata_routing=True):
        routed = model().set_fit_request(sample_weight=True)
        pipeline = make_pipeline(MinMaxScaler(), routed)
        weights = np.where(Y == 2, 0.0, 1.0)
        fitted = pipeline.fit(X, Y, sample_weight=weights)
        assert not (fitted.predict(X) == 2).any()


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_copies_predict_the_same(backend):
    fitted = model(backend=backend).fit(X, Y)
    fitted.predict(X[:1])  # makes what predicts a few rows, which is not copied
    kept = io.BytesIO()
    joblib.dump(fitted, kept)
    kept.seek(0)
    for copy in (pickle.loads(pickle.dumps(fitted)), joblib.load(kept)):
        np.testing.assert_array_equal(copy.predict_proba(X), fitted.predict_proba(X))
        copy.partial_fit(X, Y)
        assert np.shares_memory(copy.coefs_[0], copy._fitted.buffer)
    assert not hasattr(clone(fitted), "coefs_")


def test_weights_put_in_place_are_used():
    fitted = model().fit(X, Y)
    other = MLPClassifier((10,), random_state=1, max_iter=5).fit(X, Y)
    fitted.coefs_, fitted.intercepts_ = other.coefs_, other.intercepts_
    for rows in (X, X[:2]):
        np.testing.assert_allclose(fitted.predict_proba(rows), other.predict_proba(rows))


FORMS = {
    "pandas": lambda X: pd.DataFrame(X, columns=list("abcd")),
    "polars": lambda X: pl.DataFrame(X, schema=list("abcd")),
    "Arrow": lambda X: pa.table(dict(zip("abcd", X.T, strict=True))),
    "CSR": scipy.sparse.csr_array,
    "CSC": scipy.sparse.csc_matrix,
    "Fortran order": np.asfortranarray,
    "list": lambda X: X.tolist(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_forms_of_data_give_the_same_model(backend, form):
    expected = model(backend=backend).fit(X, Y)
    given = FORMS[form](X)
    fitted = model(backend=backend).fit(given, Y)
    np.testing.assert_allclose(fitted.loss_curve_, expected.loss_curve_, rtol=1e-9)
    np.testing.assert_allclose(fitted.predict_proba(given), expected.predict_proba(X), atol=1e-7)
    if form in ("pandas", "polars"):
        assert fitted.feature_names_in_.tolist() == list("abcd")


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_single_precision_stays(backend):
    fitted = model(backend=backend).fit(X.astype(np.float32), Y)
    assert {array.dtype for array in fitted.coefs_} == {np.dtype("float32")}
    assert fitted.predict_proba(X.astype(np.float32)).dtype == np.float32
    assert model(backend=backend, dtype="float32").fit(X, Y).coefs_[0].dtype == np.float32


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_bytes_and_memory_maps_are_not_copied(backend, tmp_path):
    import tracemalloc

    images = np.random.default_rng(0).integers(0, 256, (20_000, 300)).astype(np.uint8)
    np.save(tmp_path / "X.npy", images)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    y = images[:, 0] > 127
    settings = {"max_iter": 1, "random_state": 0, "backend": backend, "hidden_layer_sizes": (8,)}
    expected = MLPClassifier(**settings).fit(images, y)
    tracemalloc.start()
    fitted = MLPClassifier(**settings).fit(mapped, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(fitted.coefs_[0], expected.coefs_[0])
    assert peak < images.nbytes  # 6 MB; in float64 they would be 48


def test_regressor_shapes():
    generator = np.random.default_rng(0)
    for shape in ((50,), (50, 1), (50, 3)):
        y = generator.normal(size=shape)
        regressor = MLPRegressor(max_iter=2, backend="numpy")
        if shape == (50, 1):
            with pytest.warns(sklearn.exceptions.DataConversionWarning):
                regressor.fit(X[:50], y)
        else:
            regressor.fit(X[:50], y)
        assert regressor.predict(X[:50]).shape == ((50,) if shape == (50, 1) else shape)

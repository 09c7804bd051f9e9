"""The same curves, weights and predictions as scikit-learn's estimators of the same name."""

import warnings

import numpy as np
import pytest
import scipy.sparse
import sklearn.neural_network
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.preprocessing import StandardScaler

import fastmlp


def text_like():
    """Draw sparse counts of words."""
    generator = np.random.default_rng(0)
    X = scipy.sparse.random_array((300, 400), density=0.03, random_state=generator, format="csr")
    return X, np.asarray(X[:, :3].sum(axis=1) > X[:, 3:6].sum(axis=1)).astype(int)


DATA = {
    "digits": lambda: (load_digits().data[:500] / 16, load_digits().target[:500]),
    "breast cancer": lambda: (
        StandardScaler().fit_transform(load_breast_cancer().data), load_breast_cancer().target
    ),
    "diabetes": lambda: (
        StandardScaler().fit_transform(load_diabetes().data), load_diabetes().target / 100
    ),
    "text": text_like,
}  # fmt: skip
SETTINGS = {
    "defaults": {},
    "plain sgd": {"solver": "sgd", "momentum": 0, "learning_rate_init": 0.1},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.01},
    "nesterov": {"solver": "sgd", "learning_rate_init": 0.01},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1,
                   "power_t": 0.3},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.01,
                 "tol": 0.1, "n_iter_no_change": 1},
    "adam": {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-6, "alpha": 0.1},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 2},
    "lbfgs": {"solver": "lbfgs", "alpha": 1.0},
    "ragged batches": {"batch_size": 37, "shuffle": False, "hidden_layer_sizes": (20, 11)},
    "logistic": {"activation": "logistic", "alpha": 0.5},
    "tanh": {"activation": "tanh", "hidden_layer_sizes": 13},
    "identity": {"activation": "identity", "hidden_layer_sizes": ()},
}  # fmt: skip


def pair(data, backend, weighted=False, **settings):
    """Fit both libraries' estimators; return them and X."""
    X, y = DATA[data]()
    kind = "MLPRegressor" if data == "diabetes" else "MLPClassifier"
    arguments = {"max_iter": 20, "random_state": 3, **settings}
    weight = np.random.default_rng(1).integers(1, 4, len(y)) / 2 if weighted else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = getattr(sklearn.neural_network, kind)(**arguments).fit(X, y, weight)
        actual = getattr(fastmlp, kind)(backend=backend, **arguments).fit(X, y, weight)
    return actual, expected, X


def assert_same(actual, expected, X, tolerance=1e-6):
    """Compare what was learned."""
    assert actual.n_iter_ == expected.n_iter_
    for name in ("t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(actual, name) == getattr(expected, name)
    np.testing.assert_allclose(actual.loss_, expected.loss_, rtol=tolerance)
    for name in ("loss_curve_", "validation_scores_", "best_loss_", "best_validation_score_"):
        theirs = getattr(expected, name, None)
        if theirs is not None:
            np.testing.assert_allclose(getattr(actual, name), theirs, rtol=tolerance)
    for name in ("coefs_", "intercepts_"):
        for ours, theirs in zip(getattr(actual, name), getattr(expected, name), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)
    kind = "predict_proba" if hasattr(expected, "predict_proba") else "predict"
    np.testing.assert_allclose(
        getattr(actual, kind)(X), getattr(expected, kind)(X), rtol=0, atol=tolerance
    )


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_fit_agrees_with_scikit_learn(backend, data, setting):
    assert_same(*pair(data, backend, **SETTINGS[setting]))


@pytest.mark.parametrize("setting", ["defaults", "nesterov", "early stopping", "lbfgs"])
@pytest.mark.parametrize("data", DATA)
def test_weighted_fit_agrees_with_scikit_learn(data, setting):
    assert_same(*pair(data, "numba", weighted=True, **SETTINGS[setting]))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_poisson_and_several_outputs_agree_with_scikit_learn(backend, solver):
    X, y = DATA["diabetes"]()
    Y = np.column_stack([y, y[::-1], y**2])
    for loss in ("squared_error", "poisson"):
        arguments = {"loss": loss, "max_iter": 20, "random_state": 0, "solver": solver}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = sklearn.neural_network.MLPRegressor(**arguments).fit(X, Y)
            actual = fastmlp.MLPRegressor(**arguments, backend=backend).fit(X, Y)
        assert_same(actual, expected, X)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_multilabel_agrees_with_scikit_learn(backend):
    X, y = DATA["digits"]()
    Y = (y[:, None] % [2, 3, 5, 7] == 0).astype(int)
    arguments = {"max_iter": 20, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = sklearn.neural_network.MLPClassifier(**arguments).fit(X, Y)
        actual = fastmlp.MLPClassifier(**arguments, backend=backend).fit(X, Y)
    assert_same(actual, expected, X)
    np.testing.assert_array_equal(actual.predict(X), expected.predict(X))


@pytest.mark.parametrize("setting", ["adam", "nesterov", "invscaling"])
@pytest.mark.parametrize("data", ["digits", "diabetes"])
def test_partial_fit_and_warm_start_agree_with_scikit_learn(data, setting):
    X, y = DATA[data]()
    kind = "MLPRegressor" if data == "diabetes" else "MLPClassifier"
    estimators = []
    for library, extra in ((fastmlp, {"backend": "numba"}), (sklearn.neural_network, {})):
        one = getattr(library, kind)(random_state=0, max_iter=3, **SETTINGS[setting], **extra)
        first = {"classes": np.unique(y)} if kind == "MLPClassifier" else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for start in range(0, 400, 100):
                one.partial_fit(X[start : start + 100], y[start : start + 100], **first)
                first = {}
            one.set_params(warm_start=True).fit(X, y)
        estimators.append(one)
    assert_same(*estimators, X)

"""Bad arguments and bad data get an error that says which and why."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from fastmlp import MLPClassifier, MLPRegressor

X = np.random.default_rng(0).normal(size=(30, 4))
Y = np.arange(30) % 3
BAD_ARGUMENTS = {
    "dropout": [1.0, -0.1, (0.1, 0.2), "much", (None,), np.nan],
    "activation": ["gelo", ["relu", "relu"], [3]],
    "solver": ["adamx"],
    "learning_rate": ["linear"],
    "label_smoothing": [1.0, -0.1],
    "class_weight": ["balance", 3],
    "l1": [-1, "x"],
    "max_grad_norm": [0, -1.0],
    "step_size": [0, 1.5],
    "step_factor": [0.0, 1.5],
    "warm_up": [-1],
    "time_budget": [0, "1 h"],
    "scoring": [3],
    "init": ["zeros"],
    "backend": ["cuda"],
    "n_threads": [0, 2.5, 10**9],
    "dtype": ["float16", "int64"],
    "alpha": [-1],
    "hidden_layer_sizes": [0, (5, -1)],
    "batch_size": [0],
    "momentum": [1.5],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in BAD_ARGUMENTS for value in BAD_ARGUMENTS[name]]
)
def test_bad_argument_is_named(name, value):
    with pytest.raises(ValueError, match=name):
        MLPClassifier(backend="numpy").set_params(**{name: value}).fit(X, Y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X_val": X}, "X_val and y_val must be given together"),
        ({"X_val": X[:, :2], "y_val": Y}, "4 features"),
        ({"X_val": X, "y_val": Y + 1}, "has classes not in"),
        ({"X_val": X, "y_val": Y[:4]}, "inconsistent numbers of samples"),
        ({"sample_weight": np.full(30, -1.0)}, "sample_weight"),
        ({"sample_weight": np.zeros(30)}, "at least one non-zero|above 0 for some"),
        ({"sample_weight": np.ones(7)}, "sample_weight"),
        ({"sample_weight": np.full(30, np.nan)}, "NaN"),
    ],
)
def test_bad_data_of_fit_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(backend="numpy").fit(X, Y, **arguments)


@pytest.mark.parametrize(
    ("refused", "value"), [("dropout", 0.5), ("max_grad_norm", 0.5), ("accumulate", 2)]
)
def test_lbfgs_refuses_what_it_cannot_do(refused, value):
    model = MLPClassifier(solver="lbfgs", backend="numpy", **{refused: value})
    with pytest.raises(ValueError, match=f"{refused} must be left out with solver='lbfgs'"):
        model.fit(X, Y)
    with pytest.raises(AttributeError, match="partial_fit"):
        _ = model.partial_fit


def test_balanced_weights_need_all_labels():
    with pytest.raises(ValueError, match="'balanced' is not supported by partial_fit"):
        MLPClassifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])


def test_poisson_refuses_negative_values():
    with pytest.raises(ValueError, match="y must be at least 0 with loss='poisson'"):
        MLPRegressor("poisson").fit(X, X[:, 0])


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_divergence_is_told_as_scikit_learn_tells_it(backend):
    model = MLPRegressor(solver="sgd", learning_rate_init=1e9, backend=backend, momentum=0)
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        model.fit(X * 1e6, X[:, 0])


def test_weights_of_another_shape_are_refused_in_a_warm_start():
    model = MLPClassifier((5,), warm_start=True, max_iter=2, tol=1e9, n_iter_no_change=1)
    model.set_params(backend="numpy")
    with pytest.warns(ConvergenceWarning):
        model.fit(X, Y)
    with pytest.raises(ValueError, match="coefs_ must be weights for layers of"):
        model.set_params(hidden_layer_sizes=(6,)).fit(X, Y)

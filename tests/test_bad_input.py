"""What is wrong is said: the parameter, the rule, what came, what to do."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import fastmlp

X = np.random.default_rng(0).normal(size=(12, 4))
Y = np.arange(12) % 3


def spoiled(value, row=7, column=2):
    """Copy X with one value replaced."""
    bad = X.copy()
    bad[row, column] = value
    return bad


DATA = {
    "empty": ((np.empty((0, 4)), []), r"X must be not empty; got shape \(0, 4\)"),
    "no columns": ((np.empty((12, 0)), Y), r"X must be not empty; got shape \(12, 0\)"),
    "one sample": ((X[:1], [0]), "y must be of at least 2 classes; got 1 class"),
    "one class": ((X, np.zeros(12)), "y must be of at least 2 classes; got 1 class"),
    "NaN": ((spoiled(np.nan), Y), "X must be finite; got nan at row 7, column 2"),
    "infinity": ((spoiled(-np.inf), Y), "X must be finite; got -inf at row 7, column 2"),
    "both infinities": (
        (spoiled(np.inf) + spoiled(-np.inf, row=9), Y),
        "X must be finite; got inf at row 7, column 2",
    ),
    "sparse NaN": (
        (scipy.sparse.csr_array(spoiled(np.nan)), Y),
        "X must be finite; got nan at row 7, column 2",
    ),
    "too large for float32": (
        (spoiled(1e300), Y),
        "X must be finite in float32; got 1e[+]300 at row 7, column 2",
    ),
    "1-D": ((X[0], Y), r"X must be 2-D .* got shape \(4,\)"),
    "images": ((np.zeros((12, 28, 28)), Y), r"shape \(12, 28, 28\).*X.reshape\(len\(X\), -1\)"),
    "scalar": ((3.0, Y), r"X must be 2-D .* got shape \(\)"),
    "ragged": (([[1, 2], [3]], [0, 1]), "X must be a rectangular array of numbers; got list"),
    "objects": (
        ([[1.0, object()]] * 12, Y),
        "X must be numeric; got <object .* at row 0, column 1",
    ),
    "strings": ((X.astype(str), Y), "X must be numeric; got dtype <U"),
    "complex": ((X + 1j, Y), "X must be numeric; got dtype complex128"),
    "text column": ((pd.DataFrame({"a": ["u"] * 12}), Y), "got 'u' at row 0, column 'a'"),
    "masked": ((np.ma.masked_less(X, 0), Y), "X must be without masked values; got .* masked"),
    "more rows than labels": ((X, Y[:11]), "y must be as long as X, 12 rows; got 11 labels"),
    "2-D labels": ((X, Y[None, :]), r"y must be 1-D .*got shape \(1, 12\).*y.ravel\(\)"),
    "continuous labels": ((X, Y + 0.5), "y must be class labels: .*got 0.5 at row 0"),
    "NaN label": ((X, np.where(Y == 1, np.nan, Y)), "y must be class labels.*got nan at row 1"),
    "missing label": ((X, np.array([None, *"ab" * 5, "a"])), "none missing; got None at row 0"),
    "mixed labels": ((X, np.array([0, "a"] * 6, object)), "y must be of one type that sorts"),
    "no y": ((X,), "X and y must be given together"),
}


@pytest.mark.parametrize("name", DATA)
def test_unusable_data_is_refused(name):
    data, message = DATA[name]
    with pytest.raises(ValueError, match=message):
        fastmlp.train(*data, backend="numpy", batch_size=2, epochs=1)


BAD_NUMBERS = [0, -1, np.nan, np.inf, "0.1", True]
ARGUMENTS = [
    ({"batch_size": 0}, "batch_size must be a whole number of at least 1; got 0"),
    ({"batch_size": 2.0}, "batch_size must be a whole number of at least 1; got 2.0"),
    ({"epochs": 0}, "epochs must be a whole number of at least 1; got 0"),
    ({"epochs": True}, "epochs must be a whole number"),
    *[({"learning_rate_init": bad}, "learning_rate_init must be a number above 0")
      for bad in BAD_NUMBERS],
    *[({"momentum": bad}, "momentum must be a number of at least 0 and below 1")
      for bad in (-0.1, 1, 1.5, np.nan)],
    ({"alpha": -1}, "alpha must be a number of at least 0 and finite; got -1"),
    ({"alpha": np.nan}, "alpha must be .* got nan"),
    ({"nesterov": True}, "nesterov must be False where momentum is 0.*momentum=0.9"),
    ({"nesterov": 1}, "nesterov must be True or False; got 1"),
    ({"solver": "adam", "momentum": 0.9}, "momentum must be 0 with solver='adam'"),
    *[({"solver": "lbfgs", name: value}, f"{name} must be left out with solver='lbfgs'; got {name}")
      for name, value in {"dropout": 0.1, "max_grad_norm": 1, "accumulate": 2,
                          "learning_rate": "cosine", "checkpoint": "run"}.items()],
    ({"max_fun": 0}, "max_fun must be a whole number of at least 1; got 0"),
    ({"activation": "logisitc"}, "activation must be one of .*Did you mean 'logistic'"),
    ({"activation": ("tanh", "relu")}, "activation must be one name, or one for each of the 1"),
    ({"learning_rate": "cosin"}, "learning_rate must be .*Did you mean 'cosine'"),
    ({"init": "he_normla"}, "init must be .*Did you mean 'he_normal'"),
    ({"backend": "Numpy"}, "backend must be .*Did you mean 'numpy'"),
    ({"backend": None}, "backend must be one of"),
    ({"dtype": "float16"}, "dtype must be 'float32' or 'float64'; got 'float16'"),
    ({"dtype": None}, "dtype must be 'float32' or 'float64'; got None"),
    ({"dtype": "flaot32"}, "dtype must be 'float32' or 'float64'; got 'flaot32'"),
    ({"hidden_layer_sizes": (5, 0)}, "hidden_layer_sizes must be a whole number .* got 0"),
    ({"hidden_layer_sizes": -3}, "hidden_layer_sizes must be .* got -3"),
    ({"hidden_layer_sizes": "100"}, "hidden_layer_sizes must be .* got '100'"),
    ({"hidden_layer_sizes": (2.5,)}, "hidden_layer_sizes must be .* got 2.5"),
    ({"n_threads": 0}, "n_threads must be a whole number of at least 1"),
    ({"n_threads": 10**6}, "n_threads must be .* at most 1024; got 1000000"),
    ({"random_state": -1}, "random_state must be None, a whole number"),
    ({"random_state": 0.5}, "random_state must be"),
    ({"shuffle": "no"}, "shuffle must be True or False"),
    ({"progress": 2}, "progress must be True or False"),
    ({"input_scale": "unti"}, "input_scale must be .*Did you mean 'unit'"),
    ({"input_scale": (0, 1)}, r"input_scale must be .*; got \(0, 1\)"),
    ({"input_scale": (1, np.nan)}, "input_scale must be"),
    ({"input_scale": 3}, "input_scale must be"),
    ({"callbacks": [3]}, r"callbacks must be a sequence of callables; got \[3\]"),
    ({"callbacks": 3}, "callbacks must be a sequence of callables; got 3"),
    ({"coefs_init": [np.zeros((4, 3))]}, "coefs_init must be one array for each of 2 layers"),
    ({"coefs_init": [np.zeros((4, 3))] * 2}, r"numbers of shape \(4, 100\) for layer 0"),
    ({"intercepts_init": [np.zeros(100), [0, 0, np.nan]]}, "intercepts_init must be finite"),
    ({"dataset": "digits"}, "dataset must be left out where X and y are given"),
    ({"dataset": "digits28"}, "dataset must be left out where X and y are given"),
    ({"X_val": X}, "X_val and y_val must be given together"),
    ({"X_val": X[:, :3], "y_val": Y}, r"X_val must be of 4 columns.*got shape \(12, 3\)"),
    ({"X_val": X, "y_val": Y + 1}, "y_val must be of the classes seen in training .* got 3"),
    ({"X_val": X[:0], "y_val": Y[:0]}, "X_val must be not empty"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), ARGUMENTS, ids=lambda value: str(value)[:40])
def test_unusable_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        fastmlp.train(X, Y, **{"backend": "numpy", "batch_size": 4, "epochs": 1, **arguments})


def test_unknown_dataset_is_refused():
    with pytest.raises(ValueError, match=r"dataset must be one of .*Did you mean 'mnist'"):
        fastmlp.train(dataset="minst")


@pytest.fixture(scope="module")
def model():
    return fastmlp.train(X, Y, backend="numpy", batch_size=4, epochs=1, random_state=0).model


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (X[:, :3], r"X must be of 4 columns, as in training; got shape \(12, 3\)"),
        (X[0], "X must be 2-D"),
        (spoiled(np.nan), "X must be finite; got nan at row 7, column 2"),
        (X[:0], "X must be not empty"),
    ],
)
def test_prediction_from_unusable_data_is_refused(data, message, model):
    for method in (model.predict, model.predict_proba):
        with pytest.raises(ValueError, match=message):
            method(data)


def test_score_refuses_labels_unseen_in_training(model):
    with pytest.raises(ValueError, match=r"y must be of the classes seen in training \(0, 1, 2\)"):
        model.score(X, Y + 5)


@pytest.mark.parametrize("backend", ["reference", "numpy", "numba"])
@pytest.mark.parametrize("activation", ["relu", "identity", "logistic"])
def test_divergence_is_an_error_that_keeps_the_history(backend, activation):
    with pytest.raises(fastmlp.DivergenceError, match=r"epoch \d+: .*learning_rate_init") as caught:
        fastmlp.train(
            X * 1e4, Y, backend=backend, activation=activation, learning_rate_init=1e30,
            batch_size=4, epochs=50, random_state=0, learning_rate="constant",
        )  # fmt: skip
    history = caught.value.history
    assert np.isfinite(history.loss).all()
    assert len(history.loss) == len(history.seconds)
    assert f"epoch {len(history.loss) + 1}" in str(caught.value)

"""Arguments and weights that were silently taken for other numbers."""

import numpy as np
import pytest

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.estimators.options import CONSTRAINTS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X = np.random.default_rng(0).normal(size=(60, 4))
Y = np.arange(60) % 3
SMALL = {"hidden_layer_sizes": (5,), "backend": "numpy", "random_state": 0, "max_iter": 3}
SIZES = [(5.7,), (0.5,), (5.0,), (True,), True, [np.True_], np.array([5.5]), ["5"], "55", b"5",
         {5, 3}, {5: 1}, [[5]], (np.nan,)]  # fmt: skip


@pytest.mark.parametrize("sizes", SIZES, ids=repr)
def test_layers_of_no_whole_number_are_refused(sizes):
    """Tuners hand over floats (auto-sklearn #1032): 5.7 units became 5, 0.5 none, True 1."""
    with pytest.raises(ValueError, match=r"hidden_layer_sizes.* must be"):
        MLPClassifier(**{**SMALL, "hidden_layer_sizes": sizes}).fit(X, Y)
    with pytest.raises(ValueError, match="hidden_layer_sizes must be a whole number"):
        fastmlp.train(X, Y, hidden_layer_sizes=sizes, backend="numpy", batch_size=10)


@pytest.mark.parametrize(
    "sizes", [5, np.int8(5), [5], np.array([5]), np.array(5), range(5, 6)], ids=repr
)
def test_layers_of_whole_numbers_of_any_form_are_taken(sizes):
    """Sequences, arrays and single integers say the same."""
    model = MLPClassifier(**{**SMALL, "hidden_layer_sizes": sizes}).fit(X, Y)
    assert [array.shape for array in model.coefs_] == [(4, 5), (5, 3)]
    result = fastmlp.train(X, Y, hidden_layer_sizes=sizes, backend="numpy", batch_size=10, epochs=1)
    assert [array.shape for array in result.model.coefs_] == [(4, 5), (5, 3)]


@pytest.mark.parametrize("scale", [{3, 5}, ("2", "1"), (True, False), {1: 2, 3: 4}, (1,), b"ab"])
def test_a_scale_is_a_pair_of_numbers(scale):
    """A set has no order, and text and True are no numbers: all were taken for a scale."""
    with pytest.raises(ValueError, match="input_scale must be"):
        fastmlp.train(X, Y, input_scale=scale, backend="numpy", batch_size=10)
    for pair in ((2, 1.0), [2.0, 1], np.array([2.0, 1.0])):
        result = fastmlp.train(X, Y, input_scale=pair, backend="numpy", batch_size=10, epochs=1)
        assert result.model.input_scale == (2.0, 1.0)


NUMBERS = [
    name for name, rules in CONSTRAINTS.items() if not {"boolean", "verbose"} & set(map(str, rules))
]


@pytest.mark.parametrize("name", [*NUMBERS, "loss", "huber_delta", "quantile"])
def test_true_is_no_number(name):
    """`alpha=True`, `max_iter=True`, `random_state=True` were 1."""
    with pytest.raises(ValueError, match=f"'?{name}'?.* must be"):
        MLPRegressor(**{**SMALL, name: True}).fit(X, X[:, 0])


@pytest.mark.parametrize("dropout", [1e-6, 1 - 1e-6, (1e-6,)])
def test_a_dropout_that_would_be_none_or_all_is_refused(dropout):
    """Rates are drawn in steps of 2^-16: 1e-6 dropped no unit, 0.999999 all of them."""
    with pytest.raises(ValueError, match=r"Rates are drawn in steps of 1[.]5e-05"):
        MLPClassifier(dropout=dropout, **SMALL).fit(X, Y)


@pytest.mark.parametrize(
    ("name", "value", "rounded"),
    [
        ("learning_rate_init", 1e-46, 0),
        ("epsilon", 1e-46, 0),
        ("momentum", 1 - 1e-9, 1),
        ("beta_2", 1 - 1e-9, 1),
    ],
)
def test_numbers_that_single_precision_rounds_away_are_refused(name, value, rounded):
    """A rate of 0 learns nothing, a decay of 1 forgets nothing: neither was asked for."""
    arguments = {**SMALL, name: value}
    with pytest.raises(ValueError, match=f"{name} must be a number that is not {rounded} in float"):
        MLPClassifier(**arguments).fit(X.astype(np.float32), Y)
    MLPClassifier(**arguments).fit(X, Y)


@pytest.mark.parametrize(("name", "value"), [("learning_rate_init", 1e-46), ("momentum", 1 - 1e-9)])
def test_train_refuses_numbers_that_single_precision_rounds_away(name, value):
    """The same in `train`, which computes in single precision unless told otherwise."""
    arguments = {"backend": "numpy", "batch_size": 10, "epochs": 1, name: value}
    with pytest.raises(ValueError, match=f"{name} must be a number that is not . in float32"):
        fastmlp.train(X, Y, **arguments)
    fastmlp.train(X, Y, dtype="float64", **arguments)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_too_small_to_be_computed_with_are_refused(dtype):
    """All weights 1e-46 are 0 in single precision: nothing was learned, at a loss of 0.0."""
    weights = np.full(60, {np.float32: 1e-46, np.float64: 1e-310}[dtype])
    for model in (MLPClassifier(**SMALL), MLPClassifier(solver="lbfgs", **SMALL)):
        with pytest.raises(ValueError, match=r"sample_weight must be from 1e-(31|292) to"):
            model.fit(X.astype(dtype), Y, weights)
    with pytest.raises(ValueError, match="class_weight times sample_weight must be from"):
        MLPClassifier(class_weight=dict.fromkeys(range(3), weights[0]), **SMALL).fit(
            X.astype(dtype), Y
        )


def test_weights_too_large_to_be_computed_with_are_refused():
    """They overflow to infinity: advice about large values in X."""
    with pytest.raises(ValueError, match=r"sample_weight must be from .* got 1e\+39"):
        MLPClassifier(**SMALL).fit(X.astype(np.float32), Y, np.full(60, 1e39))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_weights_of_any_other_size_weigh_alike(dtype, scale):
    """Without penalties only the weights' ratios matter."""
    weights = np.where(Y > 0, 1.0, 2.0)
    weights[0] = 0.0
    expected = MLPClassifier(alpha=0.0, **SMALL).fit(X.astype(dtype), Y, weights)
    actual = MLPClassifier(alpha=0.0, **SMALL).fit(X.astype(dtype), Y, scale * weights)
    rtol = 1e-5 if dtype is np.float32 else 1e-12
    np.testing.assert_allclose(actual.loss_curve_, expected.loss_curve_, rtol=rtol)


@pytest.mark.parametrize(
    ("weight", "message"), [(0, "above 0 for some"), (-1, "at least 0"), (np.inf, "finite")]
)
def test_classes_of_no_weight_are_refused(weight, message):
    """`class_weight` of 0 for all learned nothing, of -1 the contrary, without a word."""
    model = MLPClassifier(class_weight=dict.fromkeys(range(3), weight), **SMALL)
    with pytest.raises(ValueError, match=f"class_weight times sample_weight must be .*{message}"):
        model.fit(X, Y)


def test_a_batch_of_no_weight_moves_nothing():
    """In `partial_fit` a batch may hold only a class that does not count."""
    model = MLPClassifier(class_weight={0: 0.0}, solver="sgd", alpha=0.0, **SMALL)
    before = model.partial_fit(X, Y, classes=[0, 1, 2]).coefs_[0].copy()
    model.set_params(momentum=0.0).partial_fit(X[Y == 0], Y[Y == 0])
    np.testing.assert_array_equal(model.coefs_[0], before)

"""What scikit-learn's estimators have not, each by what it must do to the mathematics."""

import time
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
IRIS = load_iris(return_X_y=True)
FULL = {"batch_size": 150, "max_iter": 30, "random_state": 0, "hidden_layer_sizes": (12,)}


@pytest.fixture(params=["numpy", "numba"])
def backend(request):
    return request.param


def test_class_weights_are_sample_weights(backend):
    X, y = IRIS
    weights = {0: 2.0, 1: 0.5, 2: 1.0}
    one = MLPClassifier(class_weight=weights, backend=backend, **FULL).fit(X, y)
    two = MLPClassifier(backend=backend, **FULL).fit(X, y, [weights[label] for label in y])
    np.testing.assert_array_equal(one.coefs_[0], two.coefs_[0])
    assert one.loss_curve_ != MLPClassifier(backend=backend, **FULL).fit(X, y).loss_curve_


def test_balanced_weights_and_sample_weights_multiply(backend):
    X, y = IRIS[0][:130], IRIS[1][:130]
    sample_weight = np.linspace(0.5, 2, 130)
    one = MLPClassifier(class_weight="balanced", backend=backend, **{**FULL, "batch_size": 130})
    two = MLPClassifier(backend=backend, **{**FULL, "batch_size": 130})
    balanced = 130 / 3 / np.bincount(y)[y]
    one.fit(X, y, sample_weight)
    two.fit(X, y, sample_weight * balanced)
    np.testing.assert_allclose(one.coefs_[0], two.coefs_[0], rtol=1e-12)


def test_own_validation_set_is_scored_and_its_best_weights_are_kept(backend):
    X, y = load_digits(return_X_y=True)
    X = X / 16
    model = MLPClassifier(
        (30,), early_stopping=True, n_iter_no_change=3, random_state=0, backend=backend
    ).fit(X[:1000], y[:1000], X_val=X[1000:], y_val=y[1000:])
    assert len(model.validation_scores_) == len(model.validation_loss_curve_) == model.n_iter_
    assert model.score(X[1000:], y[1000:]) == model.best_validation_score_
    assert model.best_validation_score_ == max(model.validation_scores_)
    # All of the first 1,000 samples were trained on.
    assert model.t_ == 1000 * model.n_iter_


def test_validation_loss_is_the_mean_cross_entropy(backend):
    X, y = IRIS
    model = MLPClassifier(backend=backend, **FULL).fit(X, y, X_val=X, y_val=y)
    expected = -model.predict_log_proba(X)[np.arange(150), y].mean()
    assert model.validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-12)
    assert model.validation_scores_[-1] == model.score(X, y)


@pytest.mark.parametrize("scoring", ["neg_log_loss", lambda model, X, y: -model.score(X, y)])
def test_scoring_of_choice_is_followed(scoring):
    X, y = IRIS
    model = MLPClassifier(scoring=scoring, backend="numpy", early_stopping=True, **FULL)
    model.fit(X, y, X_val=X, y_val=y)
    assert max(model.validation_scores_) <= 0


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_without_a_validation_set_the_training_data_are_scored(solver, tmp_path):
    (X, y), seen = IRIS, []

    def scoring(model, part, labels, sample_weight):
        assert part.shape == X.shape
        np.testing.assert_array_equal(sample_weight, weights)
        seen.append(model.score(part, labels, sample_weight))
        return seen[-1]

    weights = np.linspace(0.5, 1.5, 150)
    settings = FULL | {"solver": solver, "backend": "numpy", "max_iter": 4}
    model = MLPClassifier(scoring=scoring, **settings).fit(X, y, weights)
    plain = MLPClassifier(**settings).fit(X, y, weights)
    assert model.history_.score == seen == seen[: model.n_iter_]
    assert model.score(X, y, weights) == seen[-1]
    assert (model.validation_scores_, model.validation_loss_curve_) == (None, [])
    assert plain.history_.score == []
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])
    model.set_params(scoring="accuracy").save(tmp_path / "model")
    assert fastmlp.load(tmp_path / "model").history_.score == seen
    if solver == "adam":  # a step at a time scores nothing
        assert model.partial_fit(X, y).history_.score == seen


def test_dropout_gives_other_weights_and_the_same_ones_again(backend):
    plain, *dropped = (
        MLPClassifier(dropout=rate, backend=backend, **FULL).fit(*IRIS) for rate in (0, 0.5, 0.5)
    )
    np.testing.assert_array_equal(dropped[0].coefs_[0], dropped[1].coefs_[0])
    assert not np.allclose(plain.coefs_[0], dropped[0].coefs_[0])
    assert dropped[0].loss_curve_[0] != plain.loss_curve_[0]


@pytest.mark.parametrize(
    "arguments",
    [
        {"dropout": (0.4, 0.2)},
        {"activation": ["gelu", "silu"]},
        {"activation": "softplus"},
        {"activation": "leaky_relu"},
        {"label_smoothing": 0.2},
        {"solver": "adamw", "alpha": 0.1},
        {"solver": "rmsprop", "beta_2": 0.9},
        {"solver": "nadam"},
        {"solver": "lion", "alpha": 0.1, "beta_2": 0.99},
        {"learning_rate": "cosine", "warm_up": 3},
        {"learning_rate": "one_cycle"},
        {"learning_rate": "step", "step_size": 4, "step_factor": 0.5},
        {"max_grad_norm": 0.05},
        {"l1": 0.1},
        {"init": "he_normal"},
        {"dtype": "float32"},
    ],
    ids=str,
)
def test_each_argument_changes_the_fit_alike_in_all_backends(arguments):
    settings = {"random_state": 1, "max_iter": 6, "hidden_layer_sizes": (9, 7), "batch_size": 40}
    curves = [
        MLPClassifier(backend=name, **settings, **arguments).fit(*IRIS).loss_curve_
        for name in ("reference", "numpy", "numba")
    ]
    single = "dtype" in arguments
    for curve in curves[1:]:
        np.testing.assert_allclose(curve, curves[0], rtol=1e-5 if single else 1e-10)
    plain = MLPClassifier(backend="numpy", **settings).fit(*IRIS).loss_curve_
    assert not np.allclose(curves[0], plain, rtol=1e-9)


@pytest.mark.parametrize("level", [0.1, 0.9])
def test_so_many_targets_lie_below_a_quantile(level, backend):
    generator = np.random.default_rng(0)
    X = generator.uniform(-1, 1, (600, 2))
    y = X[:, 0] + (1 + X[:, 1]) * generator.normal(size=600)
    arguments = {"hidden_layer_sizes": (16,), "max_iter": 80, "learning_rate_init": 0.01}
    model = MLPRegressor("quantile", quantile=level, random_state=0, backend=backend, **arguments)
    share = (y < model.fit(X, y).predict(X)).mean()
    assert share == pytest.approx(level, abs=0.03)


def test_a_variance_is_learned_where_it_varies(backend):
    generator = np.random.default_rng(0)
    X = generator.uniform(-1, 1, (800, 1))
    spread = np.exp(1.5 * X[:, 0] - 1)
    y = np.stack([2 * X[:, 0], X[:, 0]], axis=1) + spread[:, None] * generator.normal(size=(800, 2))
    arguments = {"hidden_layer_sizes": (16,), "max_iter": 100, "learning_rate_init": 0.01}
    model = MLPRegressor("gaussian_nll", random_state=0, backend=backend, **arguments).fit(X, y)
    mean, std = model.predict(X, return_std=True)
    np.testing.assert_array_equal(model.predict(X), mean)
    assert mean.shape == std.shape == (800, 2)
    assert np.abs(np.log(std / spread[:, None])).mean() < 0.1
    np.testing.assert_allclose(model.predict(X[:3]), mean[:3], rtol=1e-10)
    one = clone(model).set_params(max_iter=2).fit(X, y[:, 0])
    assert [part.shape for part in one.predict(X, return_std=True)] == [(800,), (800,)]
    assert one.out_activation_ == "mean"
    with pytest.raises(ValueError, match="loss must be one with an output for each target"):
        one.to_sklearn()
    with pytest.raises(ValueError, match="return_std must be False with loss='squared_error'"):
        MLPRegressor(max_iter=2, backend="numpy").fit(X, y).predict(X, return_std=True)


@pytest.mark.parametrize("loss", ["absolute_error", "huber"])
def test_robust_losses_are_less_moved_by_outliers(loss, backend):
    X, y = load_diabetes(return_X_y=True)
    X, y = X * 20, (y - y.mean()) / y.std()
    spoiled = np.where(np.arange(len(y)) % 20 == 0, y + 50, y)
    arguments = {"random_state": 0, "max_iter": 60, "backend": backend}
    robust = MLPRegressor(loss, **arguments).fit(X, spoiled)
    squared = MLPRegressor(**arguments).fit(X, spoiled)
    errors = [np.abs(model.predict(X) - y).mean() for model in (robust, squared)]
    assert errors[0] < errors[1] / 2


def test_huber_with_a_large_delta_is_the_squared_error(backend):
    X, y = load_diabetes(return_X_y=True)
    arguments = {"random_state": 0, "max_iter": 5, "backend": backend}
    one = MLPRegressor("huber", huber_delta=1e9, **arguments).fit(X, y / 100)
    two = MLPRegressor(**arguments).fit(X, y / 100)
    np.testing.assert_array_equal(one.loss_curve_, two.loss_curve_)


def test_time_budget_ends_the_fit():
    X, y = load_digits(return_X_y=True)
    model = MLPClassifier(time_budget=0.2, max_iter=10**6, tol=0, n_iter_no_change=10**6)
    model.set_params(backend="numpy")
    start = time.perf_counter()
    model.fit(X, y)
    assert model.n_iter_ >= 1
    assert time.perf_counter() - start < 60


def test_multilabel_is_learned_bit_by_bit(backend):
    X, y = load_digits(return_X_y=True)
    Y = (y[:, None] % [2, 3, 5] == 0).astype(int)
    model = MLPClassifier(random_state=0, backend=backend, learning_rate_init=0.01)
    for _ in range(30):
        model.partial_fit(X / 16, Y)
    assert model.score(X / 16, Y) > 0.9
    with pytest.raises(ValueError, match="indicator matrix of 3 labels"):
        model.partial_fit(X, Y[:, :2])


def test_a_model_goes_to_scikit_learn_and_back(backend):
    X, y = load_digits(return_X_y=True)
    Y = (y[:, None] % [2, 3, 5] == 0).astype(int)
    for target in (y, y > 4, Y, np.array(list("abcdefghij"))[y]):
        ours = MLPClassifier(random_state=0, max_iter=3, backend=backend).fit(X, target)
        theirs = ours.to_sklearn()
        again = fastmlp.from_sklearn(theirs)
        for model in (theirs, again):
            np.testing.assert_array_equal(model.predict(X), ours.predict(X))
            np.testing.assert_allclose(
                model.predict_proba(X), ours.predict_proba(X), rtol=0, atol=1e-12
            )
        again.set_params(warm_start=True).fit(X, target)
    regressor = MLPRegressor("huber", random_state=0, max_iter=3, backend=backend).fit(X, Y)
    np.testing.assert_allclose(regressor.to_sklearn().predict(X), regressor.predict(X), atol=1e-10)
    with pytest.raises(ValueError, match="activation must be the same for all layers"):
        MLPClassifier(activation="gelu", max_iter=2).fit(X, y).to_sklearn()
    with pytest.raises(ValueError, match="fitted must be a fitted sklearn"):
        fastmlp.from_sklearn(ours)


def test_warning_where_the_epochs_end_before_the_fit_has():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConvergenceWarning, match=r"Maximum iterations \(2\) reached"):
            MLPClassifier(max_iter=2, backend="numpy").fit(*IRIS)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("scale", ["symmetric", (0.01, -0.5)])
def test_bytes_are_scaled_as_they_are_read(backend, scale, tmp_path):
    """As if X had been scaled before; what goes elsewhere takes X as it is, too."""
    generator = np.random.default_rng(0)
    X = generator.integers(0, 256, (80, 6)).astype(np.uint8)
    y = X[:, 0] > X[:, 1]
    pair = (1 / 127.5, -1.0) if scale == "symmetric" else scale
    settings = {"hidden_layer_sizes": (5,), "max_iter": 5, "random_state": 0, "backend": backend,
                "early_stopping": True}  # fmt: skip
    with pytest.warns(UserWarning, match="Maximum iterations"):
        before = MLPClassifier(**settings).fit(X * pair[0] + pair[1], y)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        model = MLPClassifier(**settings, input_scale=scale).fit(X, y)
    expected = before.predict_proba(X * pair[0] + pair[1])
    np.testing.assert_allclose(model.loss_curve_, before.loss_curve_, rtol=1e-9)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-9)
    np.testing.assert_allclose(model.predict_proba(X[:3]), expected[:3], rtol=1e-9)
    np.testing.assert_allclose(model.to_sklearn().predict_proba(X), expected, rtol=1e-9)
    model.save(tmp_path / "model")
    loaded = fastmlp.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    with pytest.raises(ValueError, match=r"input_scale must be .* as in the fit before; got None"):
        model.set_params(input_scale=None, early_stopping=False).partial_fit(X, y)


def test_a_history_has_the_times_of_the_epochs(tmp_path):
    X, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 3
    model = MLPClassifier(max_iter=3, backend="numpy", random_state=0, early_stopping=True)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        model.fit(X, y)
    history = model.history_
    assert history.loss is model.loss_curve_ and history.val_score is model.validation_scores_
    assert len(history.seconds) == len(history.iterations_per_second) == 3
    history.to_csv(tmp_path / "history.csv")
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 4
    model.save(tmp_path / "model")
    loaded = fastmlp.load(tmp_path / "model")
    assert loaded.history_ == history
    model.set_params(early_stopping=False)
    for one in (model, loaded.set_params(early_stopping=False)):
        one.partial_fit(X, y)
        assert one.history_.loss == one.loss_curve_
        assert len(one.history_.seconds) == 4


class Looks:
    """A callback that does nothing but be there, so that no two epochs run in one call."""

    def setup(self, estimator, context): ...

    def teardown(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(self, estimator, context): ...


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize(
    "arguments",
    [{"tol": 1e-2}, {"tol": 1e-2, "n_iter_no_change": 3, "dropout": 0.2, "batch_size": 17},
     {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.05, "n_iter_no_change": 2},
     {"solver": "sgd", "learning_rate": "invscaling", "max_iter": 9}],
)  # fmt: skip
def test_epochs_that_run_in_one_call_end_as_those_that_do_not(arguments, backend):
    """A fit stops after the same epoch, with the same curve and weights."""
    X, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 3
    settings = {"hidden_layer_sizes": (5,), "random_state": 0, "backend": backend, **arguments}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        together = MLPClassifier(**settings).fit(X, y)
        apart = MLPClassifier(**settings, callbacks=[Looks()]).fit(X, y)
    assert together.n_iter_ == apart.n_iter_ > 3
    assert together.loss_curve_ == apart.loss_curve_
    assert together.best_loss_ == apart.best_loss_ and together.t_ == apart.t_
    assert len(together.history_.seconds) == together.n_iter_
    for ours, theirs in zip(together.coefs_, apart.coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("backend", ["reference", "numpy", "numba"])
def test_initial_weights_are_given_to_both_doors(backend):
    """With them, and in order, `train` and the estimators learn the same."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(60, 4))
    Y = np.arange(60) % 3
    start = {"coefs_init": [generator.normal(0, 0.5, shape) for shape in ((4, 5), (5, 3))],
             "intercepts_init": [generator.normal(size=5), generator.normal(size=3)]}  # fmt: skip
    alike = {"hidden_layer_sizes": (5,), "activation": "logistic", "solver": "adam",
             "learning_rate_init": 0.01, "alpha": 0.1, "batch_size": 16, "shuffle": False,
             "backend": backend, "dtype": "float64", "tol": 0.0}  # fmt: skip
    model = fastmlp.MLPClassifier(**alike, max_iter=3, n_iter_no_change=9)
    model.fit(X, Y, **start)
    result = fastmlp.train(X, Y, **alike, epochs=3, **start)
    np.testing.assert_array_equal(result.history.loss, model.loss_curve_)
    np.testing.assert_array_equal(result.model.coefs_[0], model.coefs_[0])
    with pytest.raises(ValueError, match="coefs_init must be numbers of shape"):
        model.fit(X, Y, coefs_init=start["coefs_init"][::-1])
    with pytest.raises(ValueError, match="intercepts_init must be left out where a fit goes on"):
        model.fit(X, Y, **start).set_params(warm_start=True).fit(
            X, Y, intercepts_init=start["intercepts_init"]
        )

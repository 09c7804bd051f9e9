"""Estimators that are fitted on sources."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, get_scorer, r2_score

import fastmlp
from tests.estimators.test_resuming import assert_same as assert_all_same
from tests.estimators.test_resuming import break_off

SETTINGS = {
    "hidden_layer_sizes": (5,), "batch_size": 8, "max_iter": 3, "random_state": 0,
    "backend": "numpy", "tol": 0.0, "dtype": "float32",
}  # fmt: skip


@pytest.fixture(autouse=True)
def few_epochs():
    """The number of epochs is meant."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Stochastic Optimizer: Maximum iterations")
        yield


def named(files, columns="abcdef", **arguments):
    """Make a source with names of its columns."""
    source = files.source(**arguments)
    source.feature_names = tuple(columns)
    return source


def assert_same(ours, theirs):
    """Compare what two estimators have learned."""
    assert ours.loss_curve_ == theirs.loss_curve_
    np.testing.assert_array_equal(ours._fitted.buffer, theirs._fitted.buffer)


@pytest.mark.parametrize("buffer", [1700, "1GB"])
def test_a_classifier_is_fitted_and_predicts(buffer, files):
    source = named(files, buffer=buffer)
    model = fastmlp.MLPClassifier(**SETTINGS, shuffle=False, class_weight="balanced").fit(source)
    whole = fastmlp.MLPClassifier(**SETTINGS, shuffle=False, class_weight="balanced")
    assert_same(model, whole.fit(files.X, files.y))
    assert model.classes_.tolist() == [0, 1, 2] and model.n_features_in_ == 6
    assert model.feature_names_in_.tolist() == list("abcdef")
    np.testing.assert_array_equal(model.predict(source), whole.predict(files.X))
    probabilities = model.predict_proba(source)
    np.testing.assert_allclose(probabilities, whole.predict_proba(files.X), rtol=1e-5)
    assert model.score(source) == accuracy_score(files.y, whole.predict(files.X))
    with pytest.raises(ValueError, match="The feature names should match"):
        model.predict(named(files, "fedcba"))
    with pytest.raises(ValueError, match="must be of 6 columns, as in training; got a source"):
        model.score(fastmlp.data.memmap(files.X[:, :2], files.y))


def test_two_classes_and_several_labels_are_fitted(files, tmp_path):
    for y in (np.array(["no", "yes"])[(files.y > 0).astype(int)], (files.X[:, :2] > 0).astype(int)):
        source = fastmlp.data.memmap(files.X, y, block_rows=10, buffer=2000)
        model = fastmlp.MLPClassifier(**SETTINGS, shuffle=False).fit(source)
        assert_same(model, fastmlp.MLPClassifier(**SETTINGS, shuffle=False).fit(files.X, y))
        np.testing.assert_array_equal(model.predict(source), model.predict(files.X))
        assert model.score(source) == model.score(files.X, y)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_regressor_is_fitted_and_predicts(n_outputs, files):
    y = files.X[:, 0] if n_outputs == 1 else files.X[:, :2]
    source = fastmlp.data.memmap(files.X, y, block_rows=10, buffer=2000)
    settings = {**SETTINGS, "loss": "gaussian_nll", "shuffle": False}
    model = fastmlp.MLPRegressor(**settings).fit(source, X_val=source)
    whole = fastmlp.MLPRegressor(**settings).fit(files.X, y, X_val=files.X, y_val=y)
    assert_same(model, whole)
    np.testing.assert_allclose(model.validation_scores_, whole.validation_scores_, rtol=1e-5)
    for ours, theirs in zip(
        model.predict(source, return_std=True), whole.predict(files.X, return_std=True), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert model.score(source) == pytest.approx(r2_score(y, whole.predict(files.X)))


def test_blocks_are_held_out_and_rows_are_mixed(files):
    model = fastmlp.MLPClassifier(**SETTINGS, early_stopping=True, validation_fraction=0.3)
    first, second = (model.fit(files.source()).loss_curve_ for _ in range(2))
    assert first == second
    assert len(model.validation_scores_) == 3 and model.best_validation_score_ > 0
    assert first != fastmlp.MLPClassifier(**SETTINGS).fit(files.source()).loss_curve_
    again = fastmlp.MLPClassifier(**SETTINGS, warm_start=True).fit(files.source())
    assert again.fit(files.source()).loss_curve_[3:] != again.loss_curve_[:3]


RESUMED = {
    "adam, dropout": {"dropout": 0.3},
    "early stopping, weights": {"early_stopping": True, "class_weight": "balanced"},
}


@pytest.mark.parametrize("name", RESUMED)
def test_a_fit_on_blocks_is_resumed_to_the_bit(name, files, small_pieces, tmp_path, monkeypatch):
    def make():
        return fastmlp.MLPClassifier(**SETTINGS, **RESUMED[name])

    whole = make().fit(files.source())
    for n_pauses in (1, 5, 14):  # within the first epoch, and further on
        path = tmp_path / f"{n_pauses}"
        break_off(path, monkeypatch, n_pauses, make(), (files.source(),))
        model = make().fit(files.source(), checkpoint=path, resume=True)
        assert_all_same(model, whole)
    assert_all_same(model.fit(files.source(buffer="1GB"), checkpoint=path, resume=True), whole)
    np.save(tmp_path / "X.npy", files.X + 1)
    other = fastmlp.data.npy(tmp_path / "X.npy", files.paths[1], block_rows=10, buffer=1700)
    for given in ((other,), (files.source(block_rows=9),), (files.X, files.y)):
        with pytest.raises(ValueError, match=r"X and y must be the data of .*; got 97 rows of 6"):
            make().fit(*given, checkpoint=path, resume=True)


def test_a_fit_on_arrays_is_resumed_from_a_source(files, tmp_path, monkeypatch):
    def make():
        return fastmlp.MLPClassifier(**SETTINGS)

    path, whole = tmp_path / "run", make().fit(files.X, files.y)
    break_off(path, monkeypatch, 2, make(), (files.X, files.y))
    assert_all_same(make().fit(files.source(), checkpoint=path, resume=True), whole)


@pytest.mark.parametrize("scoring", ["balanced_accuracy", "neg_log_loss"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_classifier_is_scored_by_choice(scoring, n_classes, files, tmp_path):
    y = np.array(["a", "b", "c"])[files.y % n_classes]
    np.save(tmp_path / "y.npy", y)
    source = fastmlp.data.npy(files.paths[0], tmp_path / "y.npy", block_rows=10, buffer=1700)
    model = fastmlp.MLPClassifier(**SETTINGS, early_stopping=True, scoring=scoring)
    model.fit(source, X_val=source)
    expected = get_scorer(scoring)(model, files.X, y)
    assert max(model.validation_scores_) == pytest.approx(expected, rel=1e-5)


def test_other_estimators_are_scored_by_choice(files, tmp_path):
    labels = (files.X[:, :3] > 0).astype(np.int64)
    for y, kind, scoring in [
        (labels, fastmlp.MLPClassifier, "f1_macro"),
        (files.X[:, 0], fastmlp.MLPRegressor, "neg_mean_absolute_error"),
        (files.X[:, :2], fastmlp.MLPRegressor, "neg_mean_squared_error"),
    ]:
        np.save(tmp_path / "y.npy", y)
        source = fastmlp.data.npy(files.paths[0], tmp_path / "y.npy", block_rows=10, buffer=2200)
        model = kind(**SETTINGS, early_stopping=True, scoring=scoring).fit(source, X_val=source)
        expected = get_scorer(scoring)(model, files.X, y)
        assert max(model.validation_scores_) == pytest.approx(expected, rel=1e-5)


def test_what_does_not_go_with_a_source_is_told(files, tmp_path):
    source, model = files.source(), fastmlp.MLPClassifier(**SETTINGS)
    for rule, arguments in {
        "y must be left out where X is a source": {"y": files.y},
        "sample_weight must be left out where X is a source": {"sample_weight": np.ones(97)},
        "X_val must be a source where X is one": {"X_val": files.X, "y_val": files.y},
    }.items():
        with pytest.raises(ValueError, match=rule):
            model.fit(source, **arguments)
    with pytest.raises(ValueError, match="solver must be another than 'lbfgs' where X is larger"):
        fastmlp.MLPClassifier(solver="lbfgs").fit(source)
    with pytest.raises(ValueError, match="X_val must be of a size that fits where X does"):
        model.fit(files.X, files.y, X_val=source)
    with pytest.raises(ValueError, match=r"scoring must be None where X .* no validation set"):
        fastmlp.MLPClassifier(**SETTINGS, scoring="accuracy").fit(source)
    with pytest.raises(ValueError, match="scoring must be the name of a score, or one of sklearn"):
        fastmlp.MLPClassifier(**SETTINGS, scoring=lambda *_: 1.0).fit(source, X_val=source)
    batches = fastmlp.data.iterator(lambda: iter([(files.X, files.y)]), buffer=9000)
    with pytest.raises(ValueError, match="checkpoint must be left out with an iterator"):
        model.fit(batches, checkpoint=tmp_path / "run")
    with pytest.raises(ValueError, match="y must be left out where X is a source"):
        model.fit(source).score(source, files.y)


def test_a_small_source_validates_arrays(files):
    settings = {**SETTINGS, "early_stopping": True}
    ours = fastmlp.MLPClassifier(**settings).fit(files.X, files.y, X_val=files.source(buffer="1GB"))
    whole = fastmlp.MLPClassifier(**settings).fit(files.X, files.y, X_val=files.X, y_val=files.y)
    assert_same(ours, whole)


def test_a_source_that_fits_validates_one_that_does_not(files):
    scores = [
        fastmlp.MLPClassifier(**SETTINGS).fit(files.source(), X_val=held).validation_scores_
        for held in (files.source(), files.source(buffer="1GB"))
    ]
    assert scores[0] == scores[1]
    with pytest.raises(ValueError, match="y_val must be left out where X_val is a source"):
        fastmlp.MLPClassifier().fit(files.source(), X_val=files.source(), y_val=files.y)


def test_a_new_fit_computes_in_what_its_own_source_is(files):
    model = fastmlp.MLPClassifier(**SETTINGS | {"dtype": None})
    assert model.fit(files.source(buffer="1GB")).coefs_[0].dtype == np.float32
    wide = fastmlp.data.memmap(files.X.astype(np.float64), files.y)
    assert model.fit(wide).coefs_[0].dtype == np.float64

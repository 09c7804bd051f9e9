"""Validation in the estimators: scores that are no numbers, scorers of all kinds, divergence."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import make_scorer, max_error, mean_absolute_error

from fastmlp import MLPClassifier, MLPRegressor

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(60, 4))
Y = X @ [1.0, -2.0, 0.5, 0.0]
LABELS = np.where(Y > 0, "spam", "ham")
WEIGHTS = np.linspace(0.5, 2, 60)
SMALL = {"hidden_layer_sizes": (5,), "backend": "numpy", "random_state": 0, "max_iter": 8}
unfinished = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def regressor(**arguments):
    """Make a small regressor that stops early."""
    return MLPRegressor(**{**SMALL, "early_stopping": True, **arguments})


def classifier(**arguments):
    """Make a small classifier that stops early."""
    return MLPClassifier(**{**SMALL, "early_stopping": True, **arguments})


def test_r2_of_one_row_is_refused_before_training():
    """Two samples in all gave a score of NaN in each epoch, then none to keep: scikit-learn #24713.

    Here all epochs ran and the initial weights came back.
    """
    with pytest.raises(ValueError, match="the validation set must be one on which the score is"):
        regressor().fit(X, Y, X_val=X[:1], y_val=Y[:1])
    with pytest.raises(ValueError, match=r"got nan: R\^2 score is not well-defined"):
        regressor(scoring="r2").fit(X, Y, X_val=X[:1], y_val=Y[:1])


@unfinished
def test_one_row_will_do_where_the_score_is_defined():
    """The error of one row is a number, whatever R^2 of it is."""
    model = regressor(scoring="neg_mean_absolute_error").fit(X, Y, X_val=X[:1], y_val=Y[:1])
    expected = -abs(model.predict(X[:1])[0] - Y[0])
    assert model.best_validation_score_ == pytest.approx(expected, rel=1e-12)


def test_an_area_under_the_curve_of_one_class_is_refused_before_training():
    """`scoring="roc_auc"` where the validation set has one class; of that kind too."""
    spam = LABELS == "spam"
    with pytest.raises(ValueError, match="Validate on more samples, of all classes"):
        classifier(scoring="roc_auc").fit(X, LABELS, X_val=X[spam], y_val=LABELS[spam])


@pytest.mark.parametrize("score", [np.nan, -np.inf])
def test_weights_that_no_score_chose_are_not_restored(score):
    """A scorer of one's own that only gives NaN: the initial weights came back, without a word."""
    model = regressor(scoring=lambda model, X, y: score, n_iter_no_change=3)
    with pytest.warns(ConvergenceWarning, match="none of the 4 validation scores was a number"):
        model.fit(X, Y, X_val=X, y_val=Y)
    # Four epochs, of which none improved: those that were learned are kept.
    learned = MLPRegressor(**{**SMALL, "max_iter": 4})
    with pytest.warns(ConvergenceWarning):
        learned.fit(X, Y)
    np.testing.assert_array_equal(model.coefs_[0], learned.coefs_[0])


@unfinished
def test_scores_that_are_numbers_choose_among_those_that_are_not():
    """NaN now and then: the best of the others is kept, and NaN improves nothing."""
    scores = iter([np.nan, 3.0, np.nan, 5.0, 4.0, np.nan, np.nan, np.nan])
    model = regressor(scoring=lambda model, X, y: next(scores), n_iter_no_change=3)
    model.fit(X, Y, X_val=X, y_val=Y)
    assert model.n_iter_ == 8
    assert model.best_validation_score_ == 5.0
    chosen = MLPRegressor(**{**SMALL, "max_iter": 4}).fit(X, Y)
    np.testing.assert_array_equal(model.coefs_[0], chosen.coefs_[0])


def test_a_scorer_that_is_none_is_told_before_training():
    """A misspelt `scoring` was only found where there was something to validate on."""
    with pytest.raises(ValueError, match="scoring"):
        MLPRegressor(scoring="acuracy", **SMALL).fit(X, Y)


@pytest.mark.parametrize("found", [None, {"loss": 1.0}, "good"])
def test_a_scorer_that_returns_no_number_is_told(found):
    """Scorers of several metrics, and functions that forget to return: a TypeError of float's."""
    with pytest.raises(ValueError, match="scoring must be a scorer that returns one number; got"):
        regressor(scoring=lambda model, X, y: found).fit(X, Y)


def lowest(model, X, y):
    """Score as a user's function does, which knows of no weights."""
    return -np.abs(model.predict(X) - y).max()


@unfinished
@pytest.mark.parametrize("scoring", [lowest, "neg_max_error", make_scorer(max_error)])
def test_scorers_that_take_no_weights_are_given_none(scoring):
    """`sample_weight` with such a `scoring`: `unexpected keyword argument 'sample_weight'`."""
    model = regressor(scoring=scoring).fit(X, Y, WEIGHTS)
    assert len(model.validation_scores_) == model.n_iter_
    assert np.isfinite(model.validation_scores_).all()


@unfinished
def test_scorers_that_take_weights_are_given_those_of_the_part_held_out():
    """The weights as the user wrote them, in double precision where single is computed in."""
    seen = []

    def scoring(model, X, y, sample_weight=None):
        seen.append(sample_weight)
        return -mean_absolute_error(y, model.predict(X), sample_weight=sample_weight)

    model = regressor(scoring=scoring).fit(X.astype(np.float32), Y, WEIGHTS)
    named = regressor(scoring="neg_mean_absolute_error").fit(X.astype(np.float32), Y, WEIGHTS)
    assert set(seen[0]) < set(WEIGHTS)
    assert model.validation_scores_ == named.validation_scores_


@unfinished
@pytest.mark.parametrize("given", [{}, {"X_val": "X", "y_val": Y}])
def test_scorers_see_the_frame_and_its_names(given):
    """A scorer that reads `feature_names_in_`, or a column of X: AttributeError, IndexError."""
    frame = pd.DataFrame(X, columns=list("abcd"))
    given = {name: frame if value is given.get("X_val") else value for name, value in given.items()}
    seen = []

    def scoring(model, part, y):
        seen.append((model.feature_names_in_.tolist(), part["a"].to_numpy()))
        return -np.abs(model.predict(part) - y)[part["a"] > 0].mean()

    model = regressor(scoring=scoring).fit(frame, Y, **given)
    assert len(seen) == model.n_iter_
    names, column = seen[0]
    assert names == list("abcd")
    assert set(column) <= set(X[:, 0])
    assert len(column) == (60 if given else 6)


def test_a_held_out_part_of_no_weight_is_told():
    """Weights that are all 0 in the part held out: ZeroDivisionError, or a score of nothing."""
    weights = np.zeros(60)
    with pytest.raises(ValueError, match="samples that are held out; got 0 for all 6 of them"):
        regressor().fit(X, Y, np.where(np.arange(60) == 0, 1.0, weights))
    with pytest.raises(ValueError, match="samples that are trained on; got 0 for all 6 of them"):
        regressor(validation_fraction=0.9).fit(X, Y, np.where(np.arange(60) == 2, 1.0, weights))


@unfinished
@pytest.mark.parametrize("first", [True, False])
def test_early_stopping_may_be_switched_between_fits(first):
    """`early_stopping` switched off, then `partial_fit`: a TypeError about None.

    scikit-learn #25693 advises just that. On, for a fit with `warm_start`, was the same.
    """
    model = regressor(early_stopping=first, warm_start=True).fit(X, Y)
    before = model.coefs_[0].copy()
    model.set_params(early_stopping=not first)
    if first:
        model.partial_fit(X, Y)
        assert model.best_loss_ == model.loss_ == model.loss_curve_[-1]
        assert model.best_validation_score_ is None
        assert len(model.loss_curve_) == 9
    else:
        model.fit(X, Y)
        assert model.best_validation_score_ == max(model.validation_scores_)
        assert model.best_loss_ is None
    assert not np.array_equal(model.coefs_[0], before)


@pytest.mark.parametrize("backend", ["numpy", "reference"])
def test_divergence_under_early_stopping_keeps_the_best_weights(backend):
    """Weights that overflow after some epochs: an error, and all lost; scikit-learn #29504."""
    model = regressor(
        solver="sgd", learning_rate_init=0.3, momentum=0, batch_size=20, max_iter=30,
        backend=backend,
    )  # fmt: skip
    with pytest.warns(ConvergenceWarning, match="Training diverged in epoch"):
        model.fit(3 * X, 10 * Y)
    assert np.isfinite(model.predict(X)).all()
    assert np.isnan(model.validation_scores_[-1])
    assert np.isnan(model.loss_curve_[-1])
    lengths = {len(model.loss_curve_), len(model.validation_loss_curve_)}
    assert lengths | {len(model.validation_scores_)} == {model.n_iter_}
    assert model.best_validation_score_ == np.nanmax(model.validation_scores_)
    # Nothing of the divergence is left in what partial_fit goes on from.
    model.set_params(early_stopping=False, learning_rate_init=1e-30).partial_fit(3 * X, 10 * Y)
    assert np.isfinite(model.predict(X)).all()


def test_divergence_in_the_first_epoch_is_an_error():
    """Where no score has chosen weights there are none to keep."""
    model = regressor(solver="sgd", learning_rate_init=1e9, momentum=0, batch_size=5)
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        model.fit(1e6 * X, Y)


@pytest.mark.parametrize(("rare", "shown"), [("ä", "'ä'"), (7, "7"), (True, "True")])
def test_a_class_of_one_member_is_named(rare, shown):
    """`The least populated class in y has only 1 member`, which one? (AIX360 #46); then '1.0'."""
    labels = np.array([{"ä": "b", 7: 3, True: False}[rare]] * 59 + [rare])
    with pytest.raises(ValueError, match=f"y must be of at least 2 .*got 1 of class {shown}"):
        classifier().fit(X, labels)


def test_nothing_is_said_where_all_is_well():
    """A fit whose scores are numbers and that converges warns of nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = regressor(n_iter_no_change=1, tol=10.0).fit(X, Y)
    assert model.n_iter_ < 8

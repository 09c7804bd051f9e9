"""Estimators that several ranks fit are those of one machine that has all rows."""

import warnings

import numpy as np
import pytest

import fastmlp
from fastmlp.distributed import RankError, in_threads, share
from tests.distributed.ranks import X, Y, parts, results
from tests.tolerances import assert_close

LABELS = np.array(["a", "b", "c"])[Y]
SETTINGS = {
    "hidden_layer_sizes": (5,), "max_iter": 4, "random_state": 0, "backend": "numpy",
    "batch_size": 16,
}  # fmt: skip
CASES = {
    "classes": (fastmlp.MLPClassifier, LABELS, {"dropout": 0.2}),
    "two classes": (fastmlp.MLPClassifier, Y > 0, {"early_stopping": True}),
    "several labels": (fastmlp.MLPClassifier, np.stack([Y > 0, Y < 2], axis=1) + 0, {}),
    "balanced": (fastmlp.MLPClassifier, LABELS, {"class_weight": "balanced", "solver": "sgd"}),
    "early stopping": (fastmlp.MLPClassifier, LABELS, {"early_stopping": True, "tol": 0.5}),
    "numbers": (fastmlp.MLPRegressor, X[:, :2] ** 2, {"early_stopping": True}),
}


def fit(divided, kind, arguments, each=None):
    """Fit with a rank for each part of the data."""

    def work(communicator):
        own = {} if each is None else each(communicator.rank)
        model = kind(**(SETTINGS | arguments))
        return model.fit(*divided[communicator.rank], **own, comm=communicator)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # four epochs are meant
        return in_threads(len(divided), work, 60.0)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("size", [1, 3])
def test_ranks_fit_what_one_machine_does(name, size):
    kind, y, arguments = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = kind(**(SETTINGS | arguments)).fit(X, y)
    for model in results(fit(parts(size, X, y), kind, arguments)):
        assert_close(model.loss_curve_, whole.loss_curve_, "loss curve", "float64")
        assert_close(model._fitted.buffer, whole._fitted.buffer, "loss curve", "float64")
        if arguments.get("early_stopping"):
            scores = whole.validation_scores_
            assert_close(model.validation_scores_, scores, "loss curve", "float64")
        np.testing.assert_array_equal(model.predict(X[:5]), whole.predict(X[:5]))
        assert "_ranks" not in vars(model)


def test_weights_and_a_validation_set_are_divided():
    weights = np.linspace(0.5, 2, len(X))
    divided = parts(2, X, LABELS, weights, X[::-1], LABELS[::-1])

    def each(rank):
        return {"X_val": divided[rank][3], "y_val": divided[rank][4]}

    outcomes = fit([part[:3] for part in divided], fastmlp.MLPClassifier, {}, each)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        whole = fastmlp.MLPClassifier(**SETTINGS).fit(
            X, LABELS, weights, X_val=X[::-1], y_val=LABELS[::-1]
        )
    for model in results(outcomes):
        assert_close(model.loss_curve_, whole.loss_curve_, "loss curve", "float64")
        ours, theirs = model.validation_loss_curve_, whole.validation_loss_curve_
        assert_close(ours, theirs, "loss curve", "float64")


@pytest.mark.parametrize("held_out", [True, False])
def test_a_score_of_choice_is_of_all_ranks_and_weighs_their_samples(held_out):
    weights = np.linspace(0.5, 2, len(X))
    arguments = {"scoring": "balanced_accuracy", "early_stopping": held_out}
    outcomes = fit(parts(2, X, LABELS, weights), fastmlp.MLPClassifier, arguments)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        whole = fastmlp.MLPClassifier(**SETTINGS, **arguments).fit(X, LABELS, weights)
    expected = whole.validation_scores_ if held_out else whole.history_.score
    for model in results(outcomes):
        actual = model.validation_scores_ if held_out else model.history_.score
        assert len(actual) == 4
        assert_close(actual, expected, "loss curve", "float64")


def test_a_class_that_one_rank_has_is_everybodys():
    order = np.argsort(LABELS)
    divided = [(X[order][own], LABELS[order][own]) for own in (share(103, r, 2) for r in (0, 1))]
    for model in results(fit(divided, fastmlp.MLPClassifier, {})):
        assert model.classes_.tolist() == ["a", "b", "c"]


REFUSED = {
    "lbfgs": ({"solver": "lbfgs"}, "solver must be another beside comm"),
    "a function": ({"scoring": lambda *_: 1.0}, "scoring must be the name of a score, or one of"),
    "a file": ({"tol": 0.1}, r"tol must be 0.0001, as in .*run; got 0.1. Set it back"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_ranks_cannot_do_is_refused(name, tmp_path):
    (arguments, message), file = REFUSED[name], {}
    if name == "a file":
        file = {"checkpoint": tmp_path / "run"}
        results(fit(parts(2, X, LABELS), fastmlp.MLPClassifier, {}, lambda rank: file))
        file["resume"] = True
    first, second = fit(parts(2, X, LABELS), fastmlp.MLPClassifier, arguments, lambda rank: file)
    assert isinstance(second, ValueError | RankError)
    with pytest.raises(ValueError, match=message):
        raise first


def test_what_is_wrong_on_one_rank_is_told_by_all():
    divided = [(X[:50], LABELS[:50]), (X[50:, :5], LABELS[50:])]
    for outcome in fit(divided, fastmlp.MLPClassifier, {}):
        assert "number of columns must be the same on all ranks; got 6 on rank 0" in str(outcome)
    divided = [(X[:50], LABELS[:50]), (X[50:] * np.nan, LABELS[50:])]
    first, second = fit(divided, fastmlp.MLPClassifier, {})
    assert isinstance(first, RankError) and "contains NaN" in str(first) and "NaN" in str(second)

"""A score of the user's choice in `train`."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, make_scorer, roc_auc_score

import fastmlp

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(120, 4)).astype(np.float32)
Y = np.array(["no", "yes", "perhaps"])[(X[:, 0] > 0.5) + (X[:, 1] > 0).astype(int)]
SMALL = {"hidden_layer_sizes": (5,), "solver": "adam", "learning_rate_init": 0.02, "epochs": 5,
         "backend": "numpy", "random_state": 0}  # fmt: skip
HELD = {"X_val": X[80:], "y_val": Y[80:]}


def expected(score, y=Y, **arguments):
    """Train, and score the predictions after each epoch."""
    found = []
    callbacks = [lambda report: found.append(score(report.model))]
    held = {"X_val": X[80:], "y_val": y[80:]}
    fastmlp.train(X[:80], y[:80], **held, **SMALL | arguments, callbacks=callbacks)
    return found


@pytest.mark.parametrize("backend", ["reference", "numpy", "numba"])
def test_the_history_has_the_score_that_was_chosen(backend):
    settings = SMALL | {"backend": backend}
    result = fastmlp.train(X[:80], Y[:80], **HELD, **settings, scoring="balanced_accuracy")
    scores = expected(
        lambda model: balanced_accuracy_score(Y[80:], model.predict(X[80:])), backend=backend
    )
    np.testing.assert_allclose(result.history.val_score, scores)


def test_probabilities_are_scored():
    for labels in (np.unique(Y, return_inverse=True)[1], (X[:, :2] > 0).astype(int), X[:, 0] > 0):
        kind = {"multi_class": "ovr"} if labels.dtype == np.intp and labels.ndim == 1 else {}
        result = fastmlp.train(
            X[:80], labels[:80], X_val=X[80:], y_val=labels[80:], **SMALL,
            scoring="roc_auc_ovr" if kind else "roc_auc",
        )  # fmt: skip

        def area(model, labels=labels, kind=kind):
            probabilities = model.predict_proba(X[80:])
            if labels.dtype == np.bool_:
                probabilities = probabilities[:, 1]
            return roc_auc_score(labels[80:], probabilities, **kind)

        np.testing.assert_allclose(result.history.val_score, expected(area, labels), rtol=1e-6)


def test_early_stopping_keeps_the_best_weights_by_it(tmp_path):
    worst = make_scorer(lambda truth, labels: -(truth == labels).mean())
    settings = SMALL | {"epochs": 30}
    result = fastmlp.train(X, Y, **settings, early_stopping=True, scoring=worst)
    plain = fastmlp.train(X, Y, **settings, early_stopping=True)
    right = (result.model.predict(X) == Y).mean()
    assert right < (plain.model.predict(X) == Y).mean()
    named = {"early_stopping": True, "scoring": "neg_log_loss"}
    whole = fastmlp.train(X, Y, **settings, **named, checkpoint=tmp_path / "run")
    resumed = fastmlp.resume(tmp_path / "run", X, Y)
    assert resumed.history.val_score == whole.history.val_score


def test_numbers_are_scored():
    values = X[:, 0] ** 2
    result = fastmlp.train(
        X, values, X_val=X, y_val=values, **SMALL, loss="squared_error",
        scoring="neg_mean_absolute_error",
    )  # fmt: skip
    error = np.abs(result.model.predict(X) - values).mean()
    assert result.history.val_score[-1] == pytest.approx(-error, rel=1e-6)


def test_a_function_is_given_the_model_and_the_data():
    frame, seen = pd.DataFrame(X, columns=list("abcd")), []

    def score(model, data, labels):
        seen.append((type(model).__name__, data.shape, labels[0]))
        return model.score(data, labels)

    result = fastmlp.train(frame, Y, X_val=frame, y_val=Y, **SMALL, scoring=score)
    assert seen == [("Model", (120, 4), Y[0])] * 5
    assert result.history.val_score[-1] == result.model.score(frame, Y)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_without_a_validation_set_the_training_data_are_scored(solver, tmp_path):
    expected, reported = [], []

    def watch(report):
        expected.append(balanced_accuracy_score(Y, report.model.predict(X)))
        reported.append(report.score)

    settings = SMALL | {"solver": solver, "callbacks": [watch]}
    history = fastmlp.train(X, Y, **settings, scoring="balanced_accuracy").history
    assert history.score == reported == pytest.approx(expected)
    assert history.val_loss == history.val_score == []
    history.to_csv(tmp_path / "run.csv")
    header = (tmp_path / "run.csv").read_text().splitlines()[0]
    assert header == "epoch,loss,seconds,iterations_per_second,score"


def test_nothing_else_is_scored_on_the_training_data(tmp_path):
    plain = fastmlp.train(X, Y, **SMALL)
    held = fastmlp.train(X, Y, **HELD, **SMALL, scoring="accuracy")
    assert plain.history.score == held.history.score == []
    scored = fastmlp.train(X, Y, **SMALL, scoring="accuracy", checkpoint=tmp_path / "run")
    np.testing.assert_array_equal(scored.model.coefs_[0], plain.model.coefs_[0])
    assert fastmlp.resume(tmp_path / "run", X, Y).history.score == scored.history.score


@pytest.mark.parametrize(
    ("scoring", "message"),
    [("balanced_acuracy", "scoring must be .*Did you mean 'balanced_accuracy'"),
     (3, "scoring must be one of"),
     (lambda model, X, y: "good", "scoring must be a scorer that returns one number; got 'good'")],
)  # fmt: skip
def test_what_is_no_score_is_refused(scoring, message):
    with pytest.raises(ValueError, match=message):
        fastmlp.train(X, Y, X_val=X, y_val=Y, **SMALL, scoring=scoring)


def test_what_cannot_be_written_or_is_undefined_is_refused(tmp_path):
    with pytest.raises(ValueError, match="scoring must be the name of a score where there is a ch"):
        fastmlp.train(X, Y, **SMALL, scoring=lambda *_: 0, checkpoint=tmp_path / "run")
    alike = {"X_val": X[:4], "y_val": np.zeros(4, bool), "early_stopping": True}
    with pytest.raises(ValueError, match="the validation set must be one on which the score is d"):
        fastmlp.train(X, X[:, 0] > 0, **alike, **SMALL, scoring="roc_auc")

"""L-BFGS in both doors."""

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

import fastmlp
from tests.tolerances import assert_close

pytestmark = pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(80, 4))
Y = (X[:, 0] * X[:, 1] > 0) + (X[:, 2] > 0.5).astype(int)
START = {"coefs_init": [GENERATOR.normal(0, 0.5, shape) for shape in ((4, 5), (5, 3))],
         "intercepts_init": [np.zeros(5), np.zeros(3)]}  # fmt: skip
SMALL = {"hidden_layer_sizes": (5,), "solver": "lbfgs", "epochs": 12, "alpha": 0.1,
         "dtype": "float64", "backend": "numpy", **START}  # fmt: skip


def theirs():
    """Fit scikit-learn's network from the same weights."""
    model = MLPClassifier((5,), "logistic", solver="lbfgs", alpha=0.1, max_iter=1, warm_start=True)
    model.fit(X, Y)
    model.coefs_ = [array.copy() for array in START["coefs_init"]]
    model.intercepts_ = [array.copy() for array in START["intercepts_init"]]
    return model.set_params(max_iter=12).fit(X, Y)


@pytest.mark.parametrize("backend", ["reference", "numpy", "numba"])
def test_train_ends_where_scikit_learn_does(backend):
    expected, seen = theirs(), []
    result = fastmlp.train(
        X, Y, **SMALL | {"backend": backend}, X_val=X[:30], y_val=Y[:30],
        callbacks=[lambda report: seen.append((report.epoch, report.loss))],
    )  # fmt: skip
    assert_close(result.history.loss[-1], expected.loss_, "loss curve", "float64")
    np.testing.assert_allclose(result.model.coefs_[0], expected.coefs_[0], rtol=1e-6)
    assert seen == list(enumerate(result.history.loss, start=1))
    assert len(result.history.val_score) == len(result.history.seconds) == expected.n_iter_
    losses = result.history.loss
    assert losses == sorted(losses, reverse=True)


def test_it_may_be_ended_in_many_ways():
    whole = fastmlp.train(X, Y, **SMALL).history.loss
    stopped = fastmlp.train(X, Y, **SMALL, callbacks=[lambda report: report.epoch == 3])
    assert stopped.history.loss == whole[:3]
    assert len(fastmlp.train(X, Y, **SMALL, time_budget=1e-9).history.loss) == 1
    assert len(fastmlp.train(X, Y, **SMALL, max_fun=5).history.loss) < len(whole)
    assert len(fastmlp.train(X, Y, **SMALL, tol=0.1).history.loss) < len(whole)


def test_the_best_weights_are_kept():
    settings = SMALL | {"epochs": 60, "alpha": 0.0, "random_state": 0}
    result = fastmlp.train(X, Y, **settings, early_stopping=True, n_iter_no_change=2)
    best = fastmlp.train(
        X, Y, **settings, early_stopping=True,
        callbacks=[lambda report: report.val_score == max(result.history.val_score)],
    )  # fmt: skip
    np.testing.assert_array_equal(result.model.coefs_[0], best.model.coefs_[0])


def test_an_interrupt_keeps_the_last_iteration():
    kept = []

    def interrupt(report):
        kept.append(report.model.coefs_[0].copy())
        if report.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(fastmlp.TrainingInterrupted) as interrupted:
        fastmlp.train(X, Y, **SMALL, callbacks=[interrupt])
    np.testing.assert_array_equal(interrupted.value.result.model.coefs_[0], kept[2])


def test_other_losses_and_labels():
    """Numbers, and several labels a sample."""
    settings = {name: value for name, value in SMALL.items() if "init" not in name}
    settings["epochs"] = 100
    numbers = fastmlp.train(X, X[:, :2] ** 2, **settings, loss="huber", random_state=0)
    labels = fastmlp.train(X, (X[:, :2] > 0).astype(int), **settings, random_state=0)
    assert numbers.model.score(X, X[:, :2] ** 2) > 0.5
    assert labels.model.score(X, (X[:, :2] > 0).astype(int)) > 0.9


def test_the_estimators_have_curves_and_a_budget_of_time():
    model = fastmlp.MLPClassifier((5,), solver="lbfgs", backend="numpy", max_iter=9, random_state=0)
    model.fit(X, Y, X_val=X[:30], y_val=Y[:30])
    assert len(model.loss_curve_) == len(model.validation_scores_) == model.n_iter_ == 9
    assert len(model.history_.seconds) == 9
    assert model.validation_scores_[-1] == model.score(X[:30], Y[:30])
    assert model.set_params(time_budget=1e-9).fit(X, Y).n_iter_ == 1


def test_single_steps_are_refused():
    with pytest.raises(ValueError, match="solver must be one that takes a step for each batch"):
        fastmlp.OnlineTrainer(4, [0, 1], solver="lbfgs")

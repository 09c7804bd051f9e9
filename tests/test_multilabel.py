"""`train` on samples that have several labels each."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.utils.class_weight import compute_sample_weight

import fastmlp

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(60, 4)).astype(np.float32)
Y = (X[:, :3] + 0.1 * GENERATOR.normal(size=(60, 3)) > 0).astype(int)
SMALL = {"hidden_layer_sizes": (5,), "solver": "adam", "learning_rate_init": 0.05, "epochs": 40,
         "batch_size": 16, "random_state": 0}  # fmt: skip


@pytest.mark.parametrize("backend", ["reference", "numpy", "numba"])
def test_it_learns_what_the_estimator_learns(backend):
    begin = fastmlp.MLPClassifier((5,), "logistic", backend="numpy", random_state=0, max_iter=1)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        begin.set_params(learning_rate_init=1e-30).fit(X, Y)
    start = {"coefs_init": begin.coefs_, "intercepts_init": begin.intercepts_}
    settings = SMALL | {"shuffle": False, "epochs": 4, "backend": backend}
    result = fastmlp.train(X, Y, **settings, **start)
    begin.set_params(
        warm_start=True, max_iter=4, learning_rate_init=0.05, batch_size=16, shuffle=False, alpha=0
    )
    with pytest.warns(UserWarning, match="Maximum iterations"):
        begin.fit(X, Y)
    np.testing.assert_allclose(result.history.loss, begin.loss_curve_[1:], rtol=1e-5)
    expected = begin.predict_proba(X)
    np.testing.assert_allclose(result.model.predict_proba(X), expected, rtol=1e-4)
    assert result.model.score(X, Y) == begin.score(X, Y)


FORMS = {
    "booleans": lambda Y: Y.astype(bool),
    "lists": lambda Y: Y.tolist(),
    "a frame": lambda Y: pd.DataFrame(Y, columns=["sun", "rain", "wind"]),
    "sparse": scipy.sparse.csr_array,
}


@pytest.mark.parametrize("form", FORMS)
def test_labels_come_in_many_forms(form):
    expected = fastmlp.train(X, Y, **SMALL, backend="numpy").model
    labels = FORMS[form](Y)
    model = fastmlp.train(X, labels, **SMALL, backend="numpy").model
    np.testing.assert_array_equal(model.coefs_[0], expected.coefs_[0])
    assert model.score(X, labels) == expected.score(X, Y) > 0.7
    np.testing.assert_array_equal(model.predict(X), model.predict_proba(X) > 0.5)


def test_a_model_is_saved_and_converted(tmp_path):
    model = fastmlp.train(X, Y[:, :2], **SMALL, backend="numpy").model
    model.save(tmp_path / "model")
    for other in (fastmlp.load(tmp_path / "model"), model.to_sklearn()):
        np.testing.assert_array_equal(other.predict(X), model.predict(X))
        np.testing.assert_allclose(other.predict_proba(X), model.predict_proba(X), rtol=1e-6)
    assert repr(fastmlp.load(tmp_path / "model")) == repr(model)


def test_early_stopping_and_weights(tmp_path):
    settings = SMALL | {"backend": "numpy", "early_stopping": True, "class_weight": "balanced"}
    result = fastmlp.train(X, Y, **settings, label_smoothing=0.1, checkpoint=tmp_path / "run")
    assert len(result.history.val_score) == len(result.history.loss)
    again = fastmlp.resume(tmp_path / "run", X, Y)
    np.testing.assert_array_equal(again.model.coefs_[0], result.model.coefs_[0])


@pytest.mark.parametrize("weights", ["balanced", [{0: 1, 1: 3.0}, {1: 2}, {0: 0.5}]])
def test_weights_of_classes_are_scikit_learns(weights):
    whole = weights if weights == "balanced" else [{0: 1, 1: 1} | one for one in weights]
    expected = compute_sample_weight(whole, Y)
    weighed = fastmlp.train(X, Y, **SMALL, backend="numpy", class_weight=weights)
    again = fastmlp.train(X, Y, **SMALL, backend="numpy", sample_weight=expected)
    np.testing.assert_allclose(weighed.history.loss, again.history.loss, rtol=1e-6)
    with pytest.raises(ValueError, match="class_weight must be None, 'balanced' or a list of 3 di"):
        fastmlp.train(X, Y, **SMALL, backend="numpy", class_weight={0: 1, 1: 3})


@pytest.mark.parametrize(
    ("labels", "message"),
    [(Y * 2, "a matrix of 0 and 1 that says which labels each sample has; got 2 at row"),
     (Y[:50], "y must be as long as X, 60 rows; got 50 rows"),
     (np.full((60, 2), "a"), "y must be 1-D .*, or a matrix of 0 and 1")],
)  # fmt: skip
def test_what_are_no_labels_is_told(labels, message):
    with pytest.raises(ValueError, match=message):
        fastmlp.train(X, labels, **SMALL, backend="numpy")


def test_a_validation_set_has_the_same_labels():
    with pytest.raises(ValueError, match="y_val must be of 3 columns, as in training; got 2"):
        fastmlp.train(X, Y, X_val=X, y_val=Y[:, :2], **SMALL, backend="numpy")

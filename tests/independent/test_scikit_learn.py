"""The same curves as scikit-learn's MLPClassifier, started from equal weights."""

import itertools
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

import fastmlp

EPOCHS = 5
CONFIGURATIONS = {
    "sgd": {"solver": "sgd", "learning_rate_init": 0.1, "momentum": 0.0},
    "momentum": {"solver": "sgd", "learning_rate_init": 0.05, "momentum": 0.9},
    "nesterov": {
        "solver": "sgd", "learning_rate_init": 0.05, "momentum": 0.9, "nesterov": True
    },
    "invscaling": {
        "solver": "sgd", "learning_rate_init": 0.3, "momentum": 0.0, "learning_rate": "invscaling"
    },
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
}  # fmt: skip


def scikit_learn_run(problem, coefs, intercepts, activation, alpha, options):
    """Train `MLPClassifier` from given weights; return its loss curve and its weights."""
    options = dict(options)
    options["nesterovs_momentum"] = options.pop("nesterov", False)
    classifier = MLPClassifier(
        [array.shape[1] for array in coefs[:-1]],
        activation=activation,
        alpha=alpha,
        batch_size=6,
        shuffle=False,
        max_iter=1,
        tol=0,
        n_iter_no_change=1000,
        warm_start=True,
        **options,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(*problem)  # makes the attributes
        classifier.coefs_ = [array.copy() for array in coefs]
        classifier.intercepts_ = [array.copy() for array in intercepts]
        classifier.t_ = 0
        classifier.loss_curve_.clear()
        classifier.set_params(max_iter=EPOCHS).fit(*problem)
    return classifier


@pytest.mark.parametrize("hidden", [(5,), (8, 3)], ids=str)
@pytest.mark.parametrize("activation", ["logistic", "tanh", "relu", "identity"])
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_training_agrees_with_scikit_learn(name, activation, hidden, tiny):
    sizes = (6, *hidden, 3)
    generator = np.random.default_rng(8)
    coefs = [generator.normal(0, 0.5, shape) for shape in itertools.pairwise(sizes)]
    intercepts = [generator.normal(0, 0.5, size) for size in sizes[1:]]
    expected = scikit_learn_run(tiny, coefs, intercepts, activation, 0.3, CONFIGURATIONS[name])
    actual = fastmlp.train(
        *tiny,
        **CONFIGURATIONS[name],
        backend="reference",
        dtype="float64",
        hidden_layer_sizes=hidden,
        activation=activation,
        alpha=0.3,
        batch_size=6,
        shuffle=False,
        epochs=EPOCHS,
        coefs_init=coefs,
        intercepts_init=intercepts,
    )
    # 20 steps of the same arithmetic in another order.
    np.testing.assert_allclose(actual.history.loss, expected.loss_curve_, rtol=1e-12)
    for ours, theirs in zip(actual.model.coefs_, expected.coefs_, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-11)
    for ours, theirs in zip(actual.model.intercepts_, expected.intercepts_, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-11)
    probabilities = actual.model.predict_proba(tiny.X)
    np.testing.assert_allclose(probabilities, expected.predict_proba(tiny.X), rtol=0, atol=1e-11)
    assert actual.model.predict(tiny.X).tolist() == expected.predict(tiny.X).tolist()

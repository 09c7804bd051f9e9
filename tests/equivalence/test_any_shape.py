"""Whatever the shapes, the backends agree: hypothesis looks for those where they do not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastmlp
from fastmlp.functional import ACTIVATIONS
from tests.tolerances import assert_close


@st.composite
def problems(draw):
    """Draw a data set and the arguments to train on it."""
    n_samples, n_features = draw(st.integers(2, 40)), draw(st.integers(1, 30))
    n_classes = draw(st.integers(2, min(6, n_samples)))
    hidden = draw(st.lists(st.integers(1, 40), max_size=3))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = draw(st.sampled_from([0.0, 0.1, 0.3, 1.0]))
    X = generator.normal(size=(n_samples, n_features))
    X[generator.random(X.shape) >= share] = 0
    y = generator.permutation(np.arange(n_samples) % n_classes)
    arguments = {
        "hidden_layer_sizes": tuple(hidden),
        "activation": tuple(draw(st.sampled_from(list(ACTIVATIONS))) for _ in hidden),
        "solver": draw(st.sampled_from(["sgd", "adam"])),
        "alpha": draw(st.sampled_from([0.0, 0.1])),
        "batch_size": draw(st.integers(1, n_samples)),
        "learning_rate_init": 0.01,
        "epochs": 2,
        "random_state": 0,
        "dtype": "float64",
    }
    return X, y, arguments


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@settings(deadline=None, max_examples=60, derandomize=True)
@given(problem=problems())
def test_any_shape_agrees_with_the_reference(backend, problem):
    X, y, arguments = problem
    actual, expected = (
        fastmlp.train(X, y, backend=name, **arguments) for name in (backend, "reference")
    )
    assert_close(actual.history.loss, expected.history.loss, "loss curve", "float64")
    actual_logits, expected_logits = (
        np.log(result.model.predict_proba(X)) for result in (actual, expected)
    )
    assert_close(actual_logits, expected_logits, "loss curve", "float64")

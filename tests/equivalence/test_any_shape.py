"""Whatever the shapes, the backends agree: hypothesis looks for those where they do not."""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

import fastmlp
from fastmlp.activations import ACTIVATIONS
from fastmlp.backends import get_backend
from fastmlp.backends.contract import Epoch, Objective, Problem
from fastmlp.inputs import Scale, as_features
from fastmlp.losses import Loss
from fastmlp.network import Network, Parameters
from fastmlp.optimizers import SGD, Rule
from tests.tolerances import assert_close

# As many classes as there are shapes to try: `train` takes so many numbers for a regression's.
pytestmark = pytest.mark.filterwarnings("ignore:y has .* different numbers")

WIDTHS = [1, 7, 8, 9, 23, 24, 25, 31, 32, 33, 64, 65]
"""Around the widths of panels, of 8 and 32 float64, and around the place where they change."""


@st.composite
def problems(draw):
    """Draw a data set and the arguments to train on it."""
    n_samples, n_features = draw(st.integers(2, 40)), draw(st.integers(1, 30))
    n_classes = draw(st.sampled_from([2, 2, 5, 16, 17, 40]).filter(lambda n: n <= n_samples))
    hidden = draw(st.lists(st.sampled_from(WIDTHS), max_size=3))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = draw(st.sampled_from([0.0, 0.1, 0.3, 1.0]))
    X = generator.normal(size=(n_samples, n_features))
    X[generator.random(X.shape) >= share] = 0
    X[draw(st.integers(0, n_samples - 1))] = 0  # an empty row
    X[:, draw(st.integers(0, n_features - 1))] = draw(st.sampled_from([0.0, 2.0]))
    form = draw(st.sampled_from([np.ascontiguousarray, np.asfortranarray, scipy.sparse.csr_array]))
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
    return form(X), y, arguments


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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("width", [1, 15, 16, 17, 48, 49, 63, 64, 65, 129])
def test_any_width_agrees_with_the_reference(width, dtype):
    generator = np.random.default_rng(width)
    X, y = generator.normal(size=(30, 20)), np.arange(30) % 3
    arguments = {"hidden_layer_sizes": (width, width), "batch_size": 8, "epochs": 2,
                 "random_state": 0, "learning_rate_init": 0.05, "dtype": dtype}  # fmt: skip
    curves = [
        fastmlp.train(X, y, backend=name, **arguments).history.loss
        for name in ("numba", "reference")
    ]
    assert_close(*curves, "loss curve", dtype)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_thousand_classes_agree_with_the_reference(solver):
    X, y = np.random.default_rng(0).normal(size=(1000, 4)), np.arange(1000)
    arguments = {"hidden_layer_sizes": (5,), "batch_size": 64, "epochs": 1, "random_state": 0,
                 "learning_rate_init": 0.01, "dtype": "float64", "solver": solver}  # fmt: skip
    results = [fastmlp.train(X, y, backend=name, **arguments) for name in ("numba", "reference")]
    assert_close(*(result.history.loss for result in results), "loss curve", "float64")
    assert_close(*(result.model.predict_proba(X) for result in results), "loss curve", "float64")


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_a_batch_may_be_larger_than_the_data(backend, tiny):
    losses = []
    for name in (backend, "reference"):
        features = as_features(tiny.X, Scale(1.0, 0.0), np.dtype("float64"))
        network = Network((6, 5, 3), ("tanh",))
        buffer = np.random.default_rng(0).normal(size=network.n_parameters)
        trainer = get_backend(name).trainer(
            Parameters(network, buffer), Rule(SGD()), Objective(Loss("softmax")),
            Problem(features, tiny.y), 64, 1,
        )  # fmt: skip
        epoch = Epoch(np.arange(20), np.full(1, 0.1), np.zeros(1), np.full(1, 20.0))
        epochs = [trainer.run_epoch(epoch, lambda done: None) for _ in range(3)]
        losses.append(np.concatenate(epochs))
    assert_close(*losses, "loss curve", "float64")

"""What `train` gains by going through the engine: losses, weights, stopping, and its models."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
import sklearn.utils.class_weight

import fastmlp
from fastmlp import MLPRegressor
from fastmlp.losses import REGRESSION_LOSSES
from tests.tolerances import assert_close

BACKENDS = ["reference", "numpy", "numba"]
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(90, 6))
LABELS = np.array(["ham", "spam", "eggs"])[np.argmax(X[:, :3] + X[:, 3:], axis=1)]
NUMBERS = np.abs(X @ GENERATOR.normal(size=(6, 2)))
SMALL = {"hidden_layer_sizes": (7,), "activation": "tanh", "batch_size": 16, "epochs": 4,
         "random_state": 0, "dtype": "float64", "learning_rate_init": 0.05}  # fmt: skip
WAYS = {
    "adamw": {"solver": "adamw", "alpha": 0.1},
    "rmsprop": {"solver": "rmsprop", "beta_2": 0.95, "epsilon": 1e-6},
    "adam": {"solver": "adam", "beta_1": 0.8},
    "dropout": {"dropout": 0.4},
    "clipped": {"max_grad_norm": 0.1, "l1": 0.01},
    "smoothed": {"label_smoothing": 0.1},
    "weights": {"sample_weight": np.arange(90) % 4, "class_weight": {"spam": 3.0}},
    "balanced": {"class_weight": "balanced"},
    "step": {"learning_rate": "step", "step_size": 2, "step_factor": 0.5, "warm_up": 1},
    "invscaling": {"learning_rate": "invscaling", "power_t": 0.3},
    "adaptive": {"learning_rate": "adaptive", "tol": 9.0, "n_iter_no_change": 1},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.2, "n_iter_no_change": 1},
}
LOSSES = REGRESSION_LOSSES


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("way", WAYS)
def test_every_argument_trains_as_the_reference_does(way, backend):
    expected = fastmlp.train(X, LABELS, **SMALL | WAYS[way], backend="reference")
    actual = fastmlp.train(X, LABELS, **SMALL | WAYS[way], backend=backend)
    plain = fastmlp.train(X, LABELS, **SMALL, backend=backend)
    assert_close(actual.history.loss, expected.history.loss, "loss curve", "float64")
    assert actual.history.val_score == expected.history.val_score
    assert actual.history.loss != plain.history.loss


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_trains_as_the_reference_does(loss, backend):
    arguments = {**SMALL, "loss": loss, "huber_delta": 0.5, "X_val": X[:9], "y_val": NUMBERS[:9]}
    expected = fastmlp.train(X, NUMBERS, **arguments, backend="reference")
    actual = fastmlp.train(X, NUMBERS, **arguments, backend=backend)
    assert_close(actual.history.loss, expected.history.loss, "loss curve", "float64")
    assert_close(actual.history.val_loss, expected.history.val_loss, "loss curve", "float64")


@pytest.mark.parametrize("loss", LOSSES)
def test_both_doors_learn_the_same(loss):
    """From the same weights, in order, over a few epochs."""
    door = MLPRegressor(
        loss, hidden_layer_sizes=(7,), activation="tanh", solver="sgd", momentum=0.0, alpha=0.1,
        learning_rate_init=0.05, batch_size=16, shuffle=False, max_iter=3, random_state=0,
        n_iter_no_change=9, tol=0, backend="numpy",
    )  # fmt: skip
    begin = door.__class__(**door.get_params()).set_params(max_iter=1, learning_rate_init=1e-300)
    for estimator in (begin, door):
        with pytest.warns(UserWarning, match="Maximum iterations"):
            estimator.fit(X, NUMBERS)
    result = fastmlp.train(
        X, NUMBERS, **{**SMALL, "epochs": 3}, loss=loss, alpha=0.1, shuffle=False, backend="numpy",
        coefs_init=begin.coefs_, intercepts_init=begin.intercepts_,
    )  # fmt: skip
    np.testing.assert_array_equal(result.history.loss, door.loss_curve_)
    np.testing.assert_array_equal(result.model.predict(X), door.predict(X))


@pytest.mark.parametrize("backend", BACKENDS)
def test_numbers_are_predicted_as_they_were_given(backend):
    arguments = {**SMALL, "backend": backend, "loss": "squared_error", "epochs": 60}
    model = fastmlp.train(X, NUMBERS[:, 0], **arguments).model
    assert model.predict(X).shape == (90,) and model.predict(X[0:1]).shape == (1,)
    assert model.score(X, NUMBERS[:, 0]) > 0.5
    both = fastmlp.train(X, NUMBERS, **arguments).model
    assert both.predict(X).shape == (90, 2)
    expected = sklearn.metrics.r2_score(NUMBERS, both.predict(X))
    assert both.score(X, NUMBERS) == pytest.approx(expected, rel=1e-12)
    constant = np.ones_like(NUMBERS)
    expected = sklearn.metrics.r2_score(constant, both.predict(X))
    assert both.score(X, constant) == pytest.approx(expected)
    assert not hasattr(both, "predict_proba")


def test_early_stopping_keeps_the_best_weights():
    """At a rate so large that the score goes up and down."""
    arguments = {**SMALL, "epochs": 200, "n_iter_no_change": 3, "backend": "numpy"}
    arguments |= {"learning_rate_init": 3.0, "X_val": X[60:], "y_val": LABELS[60:]}
    result = fastmlp.train(X[:60], LABELS[:60], **arguments, early_stopping=True)
    scores = result.history.val_score
    assert len(scores) < 200
    assert result.model.score(X[60:], LABELS[60:]) == max(scores) > scores[-1]


def test_balanced_weights_are_scikit_learns():
    """A factor common to all would only show beside a penalty."""
    y = LABELS[:50]
    expected = sklearn.utils.class_weight.compute_sample_weight("balanced", y)
    arguments = {**SMALL, "backend": "numpy", "alpha": 0.5}
    ours, theirs = (
        fastmlp.train(X[:50], y, **arguments, **weights).history.loss
        for weights in ({"class_weight": "balanced"}, {"sample_weight": expected})
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_nothing_is_selected_on_the_test_samples_of_a_data_set(tmp_path):
    """They are scored after the training: weights chosen by them would be too good there."""
    run = {"dataset": "digits", "backend": "numpy", "epochs": 3, "random_state": 0}
    data = fastmlp.datasets.load("digits")
    plain = fastmlp.train(**run)
    assert plain.history.val_score[-1] == plain.model.score(data.X_test, data.y_test)
    stopping = fastmlp.train(**run, early_stopping=True, checkpoint=tmp_path / "run")
    given = fastmlp.train(
        data.X_train, data.y_train, input_scale=data.input_scale, early_stopping=True,
        **{name: value for name, value in run.items() if name != "dataset"},
    )  # fmt: skip
    assert stopping.history.val_score == given.history.val_score
    assert fastmlp.resume(tmp_path / "run").history.val_score == given.history.val_score


def test_held_out_samples_are_of_each_class_and_not_trained_on():
    from fastmlp.training_data import Targets, split

    codes = np.repeat([0, 1, 2], [60, 30, 10])
    rows = split(Targets(codes, np.arange(3), 3, False), 0.2, np.random.default_rng(0))
    assert len(rows) == len(set(rows)) == 80
    assert np.bincount(codes[rows]).tolist() == [48, 24, 8]
    numbers = split(Targets(NUMBERS, None, 2, False), 0.1, np.random.default_rng(0))
    assert len(numbers) == 81


def test_a_training_that_diverges_keeps_the_best_weights():
    """Each step of a rate that is too large multiplies the error, until it overflows."""
    arguments = {**SMALL, "hidden_layer_sizes": (), "learning_rate_init": 20.0, "epochs": 99,
                 "backend": "numpy", "loss": "squared_error"}  # fmt: skip
    with pytest.warns(UserWarning, match="training diverged in epoch .*are kept"):
        model = fastmlp.train(
            X, NUMBERS, **arguments, early_stopping=True, n_iter_no_change=99
        ).model
    assert np.isfinite(model.parameters.buffer).all()
    with pytest.raises(fastmlp.DivergenceError):
        fastmlp.train(X, NUMBERS, **arguments)


def test_a_time_budget_ends_training():
    result = fastmlp.train(X, LABELS, **{**SMALL, "epochs": 10**6}, time_budget=0.05)
    assert len(result.history.loss) < 10**6


@pytest.mark.parametrize("scale", [None, (2.0, -1.0)])
@pytest.mark.parametrize("kind", ["several classes", "two classes", "numbers"])
def test_a_model_goes_elsewhere_with_the_same_predictions(kind, scale, tmp_path):
    y = {"several classes": LABELS, "two classes": LABELS == "spam", "numbers": NUMBERS}[kind]
    loss = "squared_error" if kind == "numbers" else "cross_entropy"
    arguments = {**SMALL, "input_scale": scale, "loss": loss, "backend": "numpy"}
    model = fastmlp.train(X, y, **arguments).model
    model.save(tmp_path / "model.safetensors")
    for copy in (fastmlp.load(tmp_path / "model.safetensors"), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(copy.predict(X), model.predict(X))
        assert repr(copy) == repr(model)
        assert copy.score(X, y) == model.score(X, y)
    theirs = model.to_sklearn()
    if kind == "numbers":
        np.testing.assert_allclose(theirs.predict(X), model.predict(X), rtol=1e-9)
    else:
        assert theirs.predict(X).tolist() == model.predict(X).tolist()
        expected = model.predict_proba(X)
        np.testing.assert_allclose(theirs.predict_proba(X), expected, rtol=1e-9)


def test_a_model_goes_to_onnx_and_pytorch():
    onnxruntime, torch = pytest.importorskip("onnxruntime"), pytest.importorskip("torch")
    single = X.astype(np.float32)
    arguments = {**SMALL, "dtype": "float32", "input_scale": (2.0, -1.0)}
    model = fastmlp.train(single, LABELS, **arguments).model
    session = onnxruntime.InferenceSession(model.to_onnx().SerializeToString())
    labels, probabilities = session.run(None, {"X": single})
    assert labels.tolist() == model.predict(single).tolist()
    np.testing.assert_allclose(probabilities, model.predict_proba(single), atol=1e-6)
    logits = model.to_torch()(torch.from_numpy(single)).softmax(1).detach().numpy()
    np.testing.assert_allclose(logits, model.predict_proba(single), atol=1e-6)


BAD = [
    ({"loss": "squared_eror"}, "loss must be one of .*Did you mean 'squared_error'"),
    ({"loss": "squared_error"}, "y must be numbers, none missing; got dtype <U"),
    ({"label_smoothing": 1}, "label_smoothing must be a number of at least 0 and below 1"),
    ({"dropout": 1.0}, r"dropout must be one rate in \[0, 1\)"),
    ({"dropout": (0.1, 0.2)}, "one for each of the 1 hidden layers"),
    ({"class_weight": {"bacon": 1}}, "class_weight must be a dict of classes of y; got 'bacon'"),
    ({"class_weight": "balance"}, "class_weight must be None, 'balanced' or a dict"),
    ({"class_weight": {"ham": -1}}, "class_weight must be a number of at least 0"),
    ({"sample_weight": np.ones(3)}, "sample_weight must be 90 numbers, one a row of X"),
    ({"sample_weight": -np.ones(90)}, "sample_weight must be finite and at least 0"),
    ({"sample_weight": np.zeros(90)}, "sample_weight must be above 0 for some"),
    ({"step_factor": 0}, "step_factor must be a number above 0 and at most 1; got 0"),
    ({"step_size": 0}, "step_size must be a whole number of at least 1"),
    ({"beta_2": 1}, "beta_2 must be a number of at least 0 and below 1"),
    ({"max_grad_norm": 0}, "max_grad_norm must be a number above 0"),
    ({"time_budget": -1}, "time_budget must be a number above 0"),
    ({"early_stopping": 1}, "early_stopping must be True or False"),
    ({"early_stopping": True, "validation_fraction": 0.0}, "validation_fraction must be a share"),
    ({"warm_up": -1}, "warm_up must be a whole number of at least 0"),
    ({"solver": "adamw", "momentum": 0.5}, "momentum must be 0 with solver='adamw'"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=lambda value: str(value)[:40])
def test_unusable_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        fastmlp.train(X, LABELS, **{**SMALL, "backend": "numpy", **arguments})


BAD_NUMBERS = [
    (NUMBERS[:9], "y must be as long as X, 90 rows; got 9 rows"),
    (np.where(NUMBERS > 3, np.nan, NUMBERS), "y must be finite in float64; got nan"),
    (-NUMBERS, "y must be at least 0 with loss='poisson'"),
    (NUMBERS[:, :, None], "y must be an array"),
]


@pytest.mark.parametrize(("y", "message"), BAD_NUMBERS, ids=lambda value: str(value)[:20])
def test_unusable_numbers_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        fastmlp.train(X, y, **SMALL, backend="numpy", loss="poisson")


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
def test_models_of_a_data_set_know_its_names_and_take_its_arrays(loss, tmp_path):
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    data = fastmlp.datasets.Dataset("table", X, y, X, y, None, feature_names=("a", "b"))
    model = fastmlp.train(dataset=data, loss=loss, backend="numpy", epochs=1, batch_size=8).model
    model.save(tmp_path / "model")
    expected = model.predict(X)  # a warning would be an error
    frame = pd.DataFrame(X, columns=["a", "b"])
    for one in (model, pickle.loads(pickle.dumps(model)), fastmlp.load(tmp_path / "model")):
        assert one.feature_names_in_.tolist() == ["a", "b"]
        np.testing.assert_array_equal(one.predict(X), expected)
        np.testing.assert_array_equal(one.predict(frame), expected)
        assert one.score(X, y) == model.score(X, y)
        with pytest.raises(ValueError, match="must be in the same order"):
            one.predict(frame[["b", "a"]])

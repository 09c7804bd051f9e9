"""Going on with a fit: another solver, weights put in the place of others, pruning."""

import pickle

import numpy as np
import pytest

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(60, 4))
Y = np.arange(60) % 3
SMALL = {"hidden_layer_sizes": (5,), "backend": "numpy", "random_state": 0, "max_iter": 4}


def through_pickle(model, folder):
    return pickle.loads(pickle.dumps(model))


def through_a_file(model, folder):
    model.save(folder / "model")
    return fastmlp.load(folder / "model")


WAYS = {"": lambda model, folder: model, "pickle": through_pickle, "file": through_a_file}


def partly_fitted(n_epochs=3, **arguments):
    """Train some epochs, each by `partial_fit`."""
    model = MLPClassifier(**{**SMALL, **arguments})
    for _ in range(n_epochs):
        model.partial_fit(X, Y, classes=[0, 1, 2])
    return model


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"solver": "adam"}, {"solver": "sgd"}),
        ({"solver": "sgd"}, {"solver": "adam"}),
        ({"solver": "sgd"}, {"solver": "rmsprop"}),  # of as many slots
        ({"solver": "rmsprop"}, {"solver": "sgd"}),
        ({"solver": "adam"}, {"solver": "adamw"}),
        ({"solver": "sgd", "momentum": 0.0}, {"momentum": 0.9}),
    ],
    ids=str,
)
def test_another_solver_begins_without_the_memory_of_the_one_before(before, after, way, tmp_path):
    """`set_params` between calls of `partial_fit`: the old optimiser's state (skorch #349).

    A velocity was read as a mean of squares: `non-finite parameter weights`, or a worse loss.
    """
    model = partly_fitted(**before)
    fresh = partly_fitted(**before)
    del fresh._memory
    model.set_params(**after)
    model = WAYS[way](model, tmp_path).partial_fit(X, Y)
    fresh.set_params(**after).partial_fit(X, Y)
    np.testing.assert_array_equal(model.coefs_[0], fresh.coefs_[0])


@pytest.mark.parametrize("way", WAYS)
def test_the_same_solver_goes_on_from_its_memory(way, tmp_path):
    """What is saved is not lost: the fit goes on as if it had not been."""
    expected = partly_fitted(4).coefs_[0]
    model = WAYS[way](partly_fitted(3), tmp_path).partial_fit(X, Y)
    np.testing.assert_array_equal(model.coefs_[0], expected)


def test_a_fit_by_lbfgs_between_leaves_no_memory():
    """Adam, then L-BFGS with `warm_start`, then Adam: the memory was that of other weights."""
    model = partly_fitted().set_params(solver="lbfgs", warm_start=True).fit(X, Y)
    twin = pickle.loads(pickle.dumps(model)).set_params(solver="adam")
    twin.__dict__.pop("_memory", None)
    model.set_params(solver="adam").partial_fit(X, Y)
    np.testing.assert_array_equal(model.coefs_[0], twin.partial_fit(X, Y).coefs_[0])


def test_partial_fit_goes_on_after_lbfgs():
    """L-BFGS, then another solver: no attribute 'loss_curve_'."""
    model = MLPClassifier(solver="lbfgs", **SMALL).fit(X, Y)
    before = list(model.loss_curve_)
    model.set_params(solver="sgd").partial_fit(X, Y)
    assert model.loss_curve_ == [*before, model.loss_]


def test_a_new_rate_is_taken():
    """`set_params(learning_rate_init=...)` between calls of `partial_fit` was ignored."""
    model = partly_fitted(solver="sgd", momentum=0.0)
    before = model.coefs_[0].copy()
    one, two = (pickle.loads(pickle.dumps(model)) for _ in range(2))
    one.partial_fit(X, Y)
    two.set_params(learning_rate_init=0.01).partial_fit(X, Y)
    np.testing.assert_allclose(two.coefs_[0] - before, 10 * (one.coefs_[0] - before), rtol=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_a_rate_that_was_lowered_stays(way, tmp_path):
    """The adaptive schedule's rate is part of what is gone on from."""
    model = MLPClassifier(
        solver="sgd", learning_rate="adaptive", tol=10.0, n_iter_no_change=1, **SMALL
    ).fit(X, Y)
    lowered = model._memory.rate
    assert lowered == pytest.approx(0.001 / 5)
    assert WAYS[way](model, tmp_path).partial_fit(X, Y)._memory.rate <= lowered


def fitted(kind=MLPClassifier, **arguments):
    """Fit a network of 4, 5 and 3 units."""
    y = np.stack([Y] * 3, axis=1) if kind is MLPRegressor else Y
    return kind(**{**SMALL, **arguments}).fit(X, y)


@pytest.mark.parametrize(
    ("place", "layer", "shape", "message"),
    [
        ("coefs_", 0, (5, 4), r"coefs_\[0\] must be of shape .* = \(4, n_units\); got .*\(5, 4\)"),
        ("coefs_", 1, (3, 5), r"coefs_\[1\] must be of shape .* = \(5, 3\); got .*Transpose"),
        ("coefs_", 0, (20,), r"coefs_\[0\] must be"),
        ("coefs_", 0, (4, 7), r"intercepts_\[0\] must be of shape \(7,\)"),
        ("coefs_", 0, (4, 0), r"coefs_\[0\] must be"),
        ("coefs_", 1, (5, 4), r"coefs_\[1\] must be"),
        ("intercepts_", 0, (1, 5), r"intercepts_\[0\] must be of shape \(5,\), one bias for each"),
        ("intercepts_", 1, (5,), r"intercepts_\[1\] must be of shape \(3,\)"),
    ],
)
@pytest.mark.parametrize("use", ["predict", "partial_fit", "save", "to_sklearn"])
def test_weights_of_a_wrong_shape_are_refused(place, layer, shape, message, use, tmp_path):
    """Weights set by hand, as advised in scikit-learn #19701, but (out, in) as PyTorch has them.

    Whatever had the right number of entries was poured into the network, in the wrong order.
    """
    model = fitted()
    getattr(model, place)[layer] = np.ones(shape)
    arguments = {"predict": [X], "partial_fit": [X, Y], "save": [tmp_path / "m"], "to_sklearn": []}
    with pytest.raises(ValueError, match=message):
        getattr(model, use)(*arguments[use])


def test_layers_and_biases_that_were_swapped_are_refused():
    """Layers in another order have as many entries in all."""
    model = fitted(hidden_layer_sizes=(5, 6))
    model.coefs_[0], model.coefs_[1] = model.coefs_[1], model.coefs_[0]
    with pytest.raises(ValueError, match=r"coefs_\[0\] must be"):
        model.predict(X)
    model = fitted()
    model.intercepts_ = model.intercepts_[::-1]
    with pytest.raises(ValueError, match=r"intercepts_\[0\] must be"):
        model.predict(X)
    model = fitted()
    model.coefs_ = model.coefs_[:1]
    with pytest.raises(ValueError, match="coefs_ and intercepts_ must be 2 arrays each"):
        model.predict(X)
    model = fitted()
    model.coefs_[0] = model.coefs_[0] + 1j
    with pytest.raises(ValueError, match=r"coefs_\[0\] must be numbers; got dtype complex128"):
        model.predict(X)


def test_whole_numbers_put_in_place_are_computed_with_as_numbers():
    """Arrays of integers alone were taken as the network's dtype."""
    model = fitted()
    model.coefs_ = [np.ones((4, 5), int), np.ones((5, 3), int)]
    model.intercepts_ = [[0] * 5, [1, 2, 3]]
    hidden = np.maximum(X @ np.ones((4, 5)), 0)
    logits = hidden @ np.ones((5, 3)) + [1, 2, 3]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X), expected)


def test_weights_of_a_trained_model_are_written_into_not_replaced():
    """`model.coefs_[0] = w` on what `train` returns changed a list that nobody keeps."""
    model = fastmlp.train(X, Y, backend="numpy", batch_size=10, epochs=1).model
    with pytest.raises(TypeError, match="does not support item assignment"):
        model.coefs_[0] = np.zeros((4, 100))
    model.coefs_[0][...] = 0
    assert len({tuple(row) for row in model.predict_proba(X)}) == 1


def prune(model, kept=(0, 2, 3)):
    """Cut off all but some hidden units."""
    kept = list(kept)
    model.coefs_[0], model.coefs_[1] = model.coefs_[0][:, kept], model.coefs_[1][kept]
    model.intercepts_[0] = model.intercepts_[0][kept]
    return model


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_a_pruned_network_predicts_as_one_whose_units_are_off(kind, way, tmp_path):
    """Neurons cut off, all arrays consistent: refused with advice about `warm_start`."""
    model, off = prune(fitted(kind)), fitted(kind)
    off.coefs_[1][[1, 4]] = 0
    model = WAYS[way](model, tmp_path)
    for rows in (X, X[:2]):
        np.testing.assert_allclose(model.predict(rows), off.predict(rows), rtol=1e-12)
    assert [array.shape for array in model.coefs_] == [(4, 3), (3, 3)]
    np.testing.assert_allclose(model.to_sklearn().predict(X), off.predict(X), rtol=1e-12)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("predicted", [True, False])
def test_a_pruned_network_goes_on_learning(way, predicted, tmp_path):
    """Fine-tuning after pruning: by `partial_fit`, or by a fit with `warm_start`."""
    model = prune(partly_fitted())
    if predicted:
        model.predict(X)
    model = WAYS[way](model, tmp_path)
    before = model.coefs_[0].copy()
    model.partial_fit(X, Y)
    assert model.coefs_[0].shape == (4, 3)
    assert not np.array_equal(model.coefs_[0], before)
    assert model.set_params(warm_start=True).fit(X, Y).coefs_[0].shape == (4, 3)
    # Asked for a network of another size, it says which it has.
    with pytest.raises(ValueError, match=r"got layers of \(4, 3, 3\) units. Set hidden_layer_s"):
        model.set_params(hidden_layer_sizes=(6,)).fit(X, Y)
    model.set_params(hidden_layer_sizes=(3,)).fit(X, Y)


def test_other_targets_than_before_are_told():
    """Two outputs where the fit before had three: advice about `coefs_` and `warm_start`."""
    model = fitted(MLPRegressor)
    with pytest.raises(ValueError, match="y must be for 3 outputs, as in the fit before; got 2"):
        model.partial_fit(X, X[:, :2])
    assert model.predict(X).shape == (60, 3)


@pytest.mark.parametrize("backend", ["numba", "numpy", "reference"])
def test_an_output_function_set_by_hand_is_used(backend):
    """`out_activation_` is assigned to bound a regressor's predictions: scikit-learn #11791."""
    model = MLPRegressor(**{**SMALL, "backend": backend}).fit(X, X[:, 0])
    plain = model.predict(X)
    for name, function in {
        "logistic": lambda z: 1 / (1 + np.exp(-z)), "tanh": np.tanh, "exp": np.exp,
        "relu": lambda z: np.maximum(z, 0), "identity": lambda z: z,
    }.items():  # fmt: skip
        model.out_activation_ = name
        for rows in (X, X[:2]):
            np.testing.assert_allclose(model.predict(rows), function(plain[: len(rows)]), rtol=1e-6)
    np.testing.assert_allclose(model.to_sklearn().predict(X), model.predict(X), rtol=1e-6)
    model.out_activation_ = "sigmoid"
    with pytest.raises(ValueError, match="out_activation_ must be one of"):
        model.predict(X)


def test_an_output_function_set_by_hand_is_kept_and_not_trained_with(tmp_path):
    """Saved, it comes back; ONNX and another epoch, which do not know it, say so."""
    model = MLPRegressor(**SMALL).fit(X, X[:, 0])
    model.out_activation_ = "logistic"
    np.testing.assert_array_equal(through_a_file(model, tmp_path).predict(X), model.predict(X))
    with pytest.raises(ValueError, match="out_activation_ must be 'identity' to train with"):
        model.partial_fit(X, X[:, 0])
    with pytest.raises(ValueError, match="out_activation_ must be 'identity'"):
        model.to_onnx()

"""One way to predict: the weights as they are now, the errors of today, the same bits always."""

import copy
import pickle
import threading
import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array

import fastmlp
from fastmlp.backends import get_backend
from fastmlp.backends.compiled import prediction
from fastmlp.base_model import Serving
from fastmlp.inputs import Features, Scale, as_features
from fastmlp.losses import OUTPUT_FUNCTIONS
from fastmlp.network import Network, Parameters
from fastmlp.predictor import NATIVE, Predictor
from tests.tolerances import assert_close

N_ROWS, N_FEATURES = 60, 40
NETWORK = Network((N_FEATURES, 20, 3), ("relu",))
UNSCALED = Scale(1.0, 0.0)


def rows(form):
    """Draw rows that are read one way each: as they lie, packed, and compressed already."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(N_ROWS, N_FEATURES)).astype("f4")
    sparse = X * (generator.random(X.shape) < 0.1)
    return {"dense": X, "packed": sparse, "CSR": csr_array(sparse)}[form]


def predictor(output="softmax", backend="numba", n_threads=1, network=NETWORK):
    generator = np.random.default_rng(1)
    buffer = generator.normal(0, 0.5, network.n_parameters).astype("f4")
    return Predictor(Parameters(network, buffer), UNSCALED, output, backend, n_threads)


def predict(made, X):
    return made(as_features(X, UNSCALED, np.dtype("f4")))


def changes():
    """Give the ways in which a user changes parameters where they lie."""

    def one_bit(parameters):
        coefs = parameters.coefs[0]
        coefs[3, 4] = np.nextafter(coefs[3, 4], np.float32(9))

    return {
        "all of a layer": lambda parameters: parameters.coefs[0].fill(0),
        "a bias": lambda parameters: parameters.intercepts[1].__setitem__(0, 3),
        "NaN": lambda parameters: parameters.coefs[1].__setitem__((0, 0), np.nan),
        "one bit": one_bit,
        "the buffer": lambda parameters: parameters.buffer.__setitem__(slice(None), 0.1),
    }


@pytest.mark.parametrize("form", ["dense", "packed"])
@pytest.mark.parametrize("change", changes())
def test_parameters_that_are_written_into_count_from_then_on(change, form):
    made, X = predictor("identity"), rows(form)
    X[:, 3] = 1  # the weight of which one bit is changed has a part in every row
    before = predict(made, X)
    np.testing.assert_array_equal(predict(made, X), before)
    changes()[change](made.parameters)
    actual = predict(made, X)
    expected = predict(predictor_of(made.parameters.copy()), X)
    np.testing.assert_array_equal(actual, expected)
    assert change == "one bit" or not np.array_equal(actual, before)
    changed = made._many.kept[form == "packed"]
    assert prediction.same_bits(changed.buffer, made.parameters.buffer)


def predictor_of(parameters):
    return Predictor(parameters, UNSCALED, "identity", "numba", 1)


def test_both_kinds_of_model_predict_by_their_weights_of_now():
    X, y = rows("dense"), np.arange(N_ROWS) % 3
    model = fastmlp.train(X, y, hidden_layer_sizes=(20,), epochs=1, batch_size=30).model
    with warnings.catch_warnings(action="ignore"):
        estimator = fastmlp.MLPClassifier((20,), max_iter=1, batch_size=30).fit(X, y)
    for one in (model, estimator):
        before = one.predict_proba(X)
        for array in (*one.coefs_, *one.intercepts_):
            array[...] = 0
        np.testing.assert_allclose(one.predict_proba(X), np.full((N_ROWS, 3), 1 / 3), rtol=1e-6)
        assert not np.allclose(before, 1 / 3)


def test_panels_in_use_are_never_written_to():
    """Another thread may still predict by them."""
    made, X = predictor(), rows("dense")
    predict(made, X)
    before = made._many.kept[False]
    weights = before.weights.parameters.copy()
    made.parameters.buffer[...] = 0
    predict(made, X)
    assert made._many.kept[False] is not before
    np.testing.assert_array_equal(before.weights.parameters, weights)


def test_threads_may_predict_at_the_same_time():
    made, X = predictor(n_threads=2), rows("packed")
    expected, found = predict(predictor(), X), []

    def work():
        found.extend(predict(made, X) for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 60
    for actual in found:
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_copies_predict_alike_and_carry_nothing_along(copied):
    made, X = predictor(), rows("dense")
    expected = predict(made, X)
    made.few(X[:1])
    twin = copied(made)
    if isinstance(twin, bytes):
        assert len(twin) < 2 * made.parameters.buffer.nbytes
        twin = pickle.loads(twin)
    assert not {"few", "_many"} & set(vars(twin))
    np.testing.assert_array_equal(predict(twin, X), expected)
    assert (twin.parameters is made.parameters) == (copied is copy.copy)


@pytest.mark.parametrize("form", ["dense", "packed", "CSR"])
def test_the_number_of_threads_changes_no_bit(form, monkeypatch):
    monkeypatch.setattr(prediction, "THREAD_ROWS", 5)
    X = rows(form)
    expected = predict(predictor(), X)
    for share in (7, 24):
        monkeypatch.setattr(prediction, "SHARE_ROWS", share)
        for n_threads in (1, 2, 3):
            np.testing.assert_array_equal(predict(predictor(n_threads=n_threads), X), expected)


EXTREME = [-1e6, -120.0, -95.0, -30.0, -1.0, 0.0, 0.5, 20.0, 88.0, 200.0]
"""Logits at which functions saturate, or their values are no normal numbers."""


@pytest.mark.parametrize("output", NATIVE)
@pytest.mark.parametrize("n_outputs", [1, 2, 10, 20])
def test_the_output_function_is_that_of_numpy(output, n_outputs):
    network = Network((N_FEATURES, n_outputs), ())
    made = predictor(output, network=network)
    made.parameters.buffer[...] = 0
    made.parameters.intercepts[0][...] = np.resize(EXTREME, n_outputs)
    made.parameters.coefs[0][...] = np.random.default_rng(0).normal(size=(N_FEATURES, n_outputs))
    X, logits = rows("packed"), predictor_of(made.parameters)
    with np.errstate(over="ignore", under="ignore"):
        for actual, logit in (
            (predict(made, X), predict(logits, X)),
            (made.few(X[:16]), logits.few(X[:16])),
        ):
            expected = OUTPUT_FUNCTIONS[output].function(logit)
            np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-44)


def test_an_output_function_set_by_hand_is_numpys():
    X = rows("dense")
    expected = np.maximum(predict(predictor("identity"), X), 0)
    np.testing.assert_array_equal(predict(predictor("relu"), X), expected)
    assert predictor("relu").few(X[:1]) is None


def not_finite(form, value):
    """Put a value into a row in the middle, where its weights are 0."""
    X = rows(form)
    if form == "CSR":
        X.data[X.indptr[41]] = value
        return X, (41, X.indices[X.indptr[41]])
    X[41, 7] = value
    return X, (41, 7)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("form", ["dense", "packed", "CSR"])
def test_what_is_not_finite_is_found_as_it_is_read(form, value):
    """A unit with ReLU is 0 for NaN in some libraries, and a weight of 0 hides an infinity."""
    X, (row, column) = not_finite(form, value)
    made = predictor()
    made.parameters.coefs[0][column] = 0
    model = fastmlp.Model(made.parameters, np.arange(3), Serving(UNSCALED, "numba", 1))
    for method in (model.predict, model.predict_proba):
        with pytest.raises(ValueError, match=rf"X must be finite; got -?(nan|inf) at .*{row}"):
            method(X)


def test_a_background_that_is_not_finite_is_found():
    X = np.full((N_ROWS, N_FEATURES), np.inf, "f4")
    _, finite = get_backend("numba").ManyRows(predictor().parameters)(
        Features(X, UNSCALED, np.dtype("f4")), "softmax", 1
    )
    assert not finite


def test_numbers_too_large_for_float32_are_found():
    X = rows("dense").astype("f8")
    X[50, 2] = 1e39
    model = fastmlp.Model(predictor().parameters, np.arange(3), Serving(UNSCALED, "numba", 1))
    with pytest.raises(ValueError, match=r"X must be finite in float32; got 1e\+39 at"):
        model.predict_proba(X)


def test_finite_rows_whose_sums_overflow_raise_nothing():
    X = np.full((N_ROWS, N_FEATURES), 3e38, "f4")
    model = fastmlp.Model(
        predictor().parameters, np.arange(3), Serving(Scale(2.0, 0.0), "numba", 1)
    )
    assert not np.isfinite(model.predict_proba(X)).any()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_estimator_says_what_scikit_learn_says(value):
    X, y = rows("dense"), np.arange(N_ROWS) % 3
    with warnings.catch_warnings(action="ignore"):
        estimator = fastmlp.MLPClassifier((20,), max_iter=1, batch_size=30).fit(X, y)
    X[30, 3] = value
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        estimator.predict(X)


def test_many_rows_are_not_checked_twice(monkeypatch):
    """Without this the test above is passed by scikit-learn's checks alone."""
    X, y = rows("dense"), np.arange(N_ROWS) % 3
    with warnings.catch_warnings(action="ignore"):
        estimator = fastmlp.MLPClassifier((20,), max_iter=1, batch_size=30).fit(X, y)
    monkeypatch.setattr("fastmlp.estimators.base.read", lambda *_, **__: pytest.fail("checked"))
    assert estimator.predict(X).shape == (N_ROWS,)


@pytest.mark.parametrize("form", ["dense", "packed", "CSR"])
@pytest.mark.parametrize("activation", ["logistic", "gelu"])
def test_predictions_are_those_of_numpy(form, activation):
    network = Network((N_FEATURES, 20, 17, 3), (activation,) * 2)
    actual, expected = (
        predict(predictor(backend=name, network=network), rows(form)) for name in ("numba", "numpy")
    )
    assert_close(actual, expected, "product", "float32")

"""The article's functions against SciPy and against their own differences."""

import numpy as np
import pytest
import scipy.special

from fastmlp import functional

Z = np.linspace(-30, 30, 601)
EXPECTED = {
    "identity": Z,
    "logistic": scipy.special.expit(Z),
    "tanh": np.tanh(Z),
    "relu": np.where(Z > 0, Z, 0),
    "leaky_relu": np.where(Z > 0, Z, 0.01 * Z),
    "gelu": Z * scipy.special.ndtr(Z),
    "silu": Z * scipy.special.expit(Z),
    "softplus": np.logaddexp(0, Z),
}


@pytest.mark.parametrize("name", functional.ACTIVATIONS)
def test_activation_agrees_with_scipy(name):
    actual = functional.ACTIVATIONS[name].function(Z)
    np.testing.assert_allclose(actual, EXPECTED[name], rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", functional.ACTIVATIONS)
def test_derivative_agrees_with_central_differences(name):
    function, derivative = functional.ACTIVATIONS[name]
    z = np.linspace(-4, 4, 80)  # an even number: not at relu's corner
    expected = (function(z + 1e-6) - function(z - 1e-6)) / 2e-6
    np.testing.assert_allclose(derivative(function(z), z), expected, atol=1e-9)


def test_softmax_agrees_with_scipy():
    logits = np.random.default_rng(0).normal(0, 5, (7, 10))
    expected = scipy.special.softmax(logits, axis=1)
    np.testing.assert_allclose(functional.softmax(logits), expected, rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_does_not_overflow(dtype):
    actual = functional.softmax(np.array([1e4, 1e4, -1e4], dtype))
    np.testing.assert_array_equal(actual, [0.5, 0.5, 0.0])


def test_cross_entropy_from_logits_meets_no_logarithm_of_zero():
    logits = np.array([[0.0, 5000.0], [1.0, 1.0]])
    actual = functional.softmax_cross_entropy(logits, np.array([0, 1]))
    np.testing.assert_allclose(actual, [5000.0, np.log(2)])


def test_cross_entropy_of_probabilities_is_that_of_logits():
    logits = np.random.default_rng(1).normal(size=10)
    expected = functional.cross_entropy(functional.softmax(logits), 3)
    assert functional.softmax_cross_entropy(logits, 3) == pytest.approx(expected, rel=1e-14)


def test_sigmoid_of_the_largest_numbers_is_exact():
    np.testing.assert_array_equal(functional.sigmoid(np.array([-1e308, 0, 1e308])), [0, 0.5, 1])

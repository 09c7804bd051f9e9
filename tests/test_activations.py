"""Activation functions against SciPy and against their own differences."""

import numpy as np
import pytest
import scipy.special

from fastmlp.activations import ACTIVATIONS, sigmoid

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


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_agrees_with_scipy(name):
    actual = ACTIVATIONS[name].function(Z)
    np.testing.assert_allclose(actual, EXPECTED[name], rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative_agrees_with_central_differences(name):
    function, derivative = ACTIVATIONS[name][:2]
    z = np.linspace(-4, 4, 80)  # an even number: not at relu's corner
    expected = (function(z + 1e-6) - function(z - 1e-6)) / 2e-6
    np.testing.assert_allclose(derivative(function(z), z), expected, atol=1e-9)


def test_sigmoid_of_the_largest_numbers_is_exact():
    np.testing.assert_array_equal(sigmoid(np.array([-1e308, 0, 1e308])), [0, 0.5, 1])

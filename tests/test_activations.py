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
    "elu": np.where(Z > 0, Z, scipy.special.expm1(np.minimum(Z, 0))),
    "selu": 1.0507009873554805
    * np.where(Z > 0, Z, 1.6732632423543772 * scipy.special.expm1(np.minimum(Z, 0))),
    "mish": Z * np.tanh(np.logaddexp(0, Z)),
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


PYTORCH = {
    "elu": (
        [-0.950212931632136, -0.3934693402873666, 0.25, 2.0],
        [0.049787068367863944, 0.6065306597126334, 1.0, 1.0],
    ),
    "selu": (
        [-1.6705687287671118, -0.6917581878028713, 0.2626752468388701, 2.101401974710961],
        [0.08753061208026487, 1.0663411530445053, 1.0507009873554805, 1.0507009873554805],
    ),
    "mish": (
        [-0.1456474612756246, -0.22074377465173, 0.1695724096638176, 1.9439589595339946],
        [-0.09339311453232084, 0.28951067791351226, 0.7541726677205928, 1.0693179342794896],
    ),
}
"""Values and derivatives at -3, -1/2, 1/4 and 2 by torch 2.13's modules and autograd, float64."""


@pytest.mark.parametrize("name", PYTORCH)
def test_values_and_derivatives_are_pytorchs(name):
    z = np.array([-3.0, -0.5, 0.25, 2.0])
    values, derivatives = PYTORCH[name]
    a = ACTIVATIONS[name].function(z)
    np.testing.assert_allclose(a, values, rtol=1e-14)
    np.testing.assert_allclose(ACTIVATIONS[name].derivative(a, z), derivatives, rtol=1e-14)

"""The lowest rung: what the kernels compute between two products, against NumPy and SciPy."""

import numba
import numpy as np
import pytest
import scipy.special

from fastmlp import functional
from fastmlp.kernels import elementwise
from tests.tolerances import assert_close

DTYPES = [np.float32, np.float64]

of_compiled_code = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT), reason="where nothing is compiled, NumPy's functions are used"
)
WIDE = {np.float32: np.float64, np.float64: np.longdouble}


@numba.njit(error_model="numpy")
def each_exp(x, result):
    for index in range(x.size):
        result[index] = elementwise.exp(x[index])


@numba.njit(error_model="numpy")
def each_tanh(x, result):
    for index in range(x.size):
        result[index] = elementwise.tanh(x[index])


def units_in_the_last_place(actual, exact):
    """Measure errors in units of the last place of the exact result."""
    spacing = np.spacing(np.abs(exact).astype(actual.dtype)).astype(exact.dtype)
    return np.abs(actual.astype(exact.dtype) - exact) / spacing


@of_compiled_code
@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_is_within_two_units_in_the_last_place(dtype):
    largest = 87.0 if dtype == np.float32 else 707.0
    x = np.random.default_rng(0).uniform(-largest, largest, 20_000).astype(dtype)
    x[:5] = [0, 1, -1, 1e-30, -1e-30]
    actual = np.empty_like(x)
    each_exp(x, actual)
    assert units_in_the_last_place(actual, np.exp(x.astype(WIDE[dtype]))).max() <= 2


@of_compiled_code
@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_is_never_infinite_and_keeps_nan(dtype):
    x = np.array([np.inf, 1e30, -np.inf, -1e30, np.nan], dtype)
    actual = np.empty_like(x)
    each_exp(x, actual)
    assert (actual[:2] > 1e38).all()
    assert np.isfinite(actual[:2]).all()
    assert (actual[2:4] >= 0).all()
    assert (actual[2:4] <= np.finfo(dtype).tiny * 2).all()
    assert np.isnan(actual[4])


@of_compiled_code
@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh_is_within_three_units_in_the_last_place(dtype):
    x = np.random.default_rng(1).uniform(-20, 20, 20_000).astype(dtype)
    x[:10_000] /= 25
    actual = np.empty_like(x)
    each_tanh(x, actual)
    assert units_in_the_last_place(actual, np.tanh(x.astype(WIDE[dtype]))).max() <= 3
    ends = np.array([-np.inf, -1e30, 0, 1e30, np.inf, np.nan], dtype)
    actual = np.empty_like(ends)
    each_tanh(ends, actual)
    np.testing.assert_array_equal(actual, np.tanh(ends))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", functional.ACTIVATIONS)
def test_activation_agrees_with_numpy(name, dtype):
    generator = np.random.default_rng(2)
    z, intercepts = generator.normal(0, 3, (7, 33)).astype(dtype), generator.normal(size=33)
    intercepts = intercepts.astype(dtype)
    expected = functional.ACTIVATIONS[name].function(z + intercepts)
    elementwise.activate(elementwise.ACTIVATION_CODES[name], z, intercepts)
    assert_close(z, expected, "operation", dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", functional.ACTIVATIONS)
def test_derivative_agrees_with_numpy(name, dtype):
    generator = np.random.default_rng(3)
    z, deltas = (generator.normal(0, 2, (7, 33)).astype(dtype) for _ in range(2))
    activations = functional.ACTIVATIONS[name].function(z)
    expected = deltas * functional.ACTIVATIONS[name].derivative(activations)
    code = elementwise.ACTIVATION_CODES[name]
    elementwise.multiply_by_derivative(code, activations, deltas)
    assert_close(deltas, expected, "operation", dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [1, 50, 1e4])
def test_softmax_cross_entropy_agrees_with_scipy(scale, dtype):
    generator = np.random.default_rng(4)
    logits = (generator.normal(size=(9, 10)) * scale).astype(dtype)
    targets, batch = generator.integers(0, 10, 50), generator.permutation(50)[:9]
    deltas = np.empty_like(logits)
    loss = elementwise.softmax_cross_entropy(logits, targets, batch, deltas)
    exact = logits.astype(np.float64)
    picked = scipy.special.log_softmax(exact, axis=1)[np.arange(9), targets[batch]]
    assert_close([loss], [-picked.mean()], "operation", dtype)
    expected = scipy.special.softmax(exact, axis=1)
    expected[np.arange(9), targets[batch]] -= 1
    assert_close(deltas, expected / 9, "operation", dtype)

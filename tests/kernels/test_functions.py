"""Activation functions of vectors, in units of the last place, over the whole range."""

import numpy as np
import pytest

from fastmlp.activations import ACTIVATIONS
from fastmlp.kernels import activations, functions, slopes
from fastmlp.kernels.layout import choose_lanes
from fastmlp.kernels.products import Matrix
from fastmlp.kernels.simd import Lanes, load, n_lanes, store
from tests.kernels.calling import compiled, of_compiled_code
from tests.tolerances import assert_close

DTYPES = [np.float32, np.float64]
WIDE = {np.float32: np.float64, np.float64: np.longdouble}
FUNCTIONS = {
    "exp": (functions.exp, np.exp, 2),
    "sigmoid": (functions.sigmoid, lambda x: 1 / (1 + np.exp(-x)), 4),
    "tanh": (functions.tanh, np.tanh, 3),
}


def values_of(function, x):
    """Apply a function of vectors to every number."""
    lanes = Lanes(x.dtype.type, 16)

    def each(lanes, numbers, results):
        for place in range(0, numbers.size, n_lanes(lanes)):
            store(results, place, function(load(lanes, numbers, place)))

    padded, results = np.zeros(-(-len(x) // 16) * 16, x.dtype), np.zeros(-(-len(x) // 16) * 16)
    padded[: len(x)] = x
    results = results.astype(x.dtype)
    compiled(each)(lanes, padded, results)
    return results[: len(x)]


@of_compiled_code
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_right_to_a_few_units_in_the_last_place(name, dtype):
    function, exact, units = FUNCTIONS[name]
    largest = 87.2 if dtype == np.float32 else 708.2  # beyond, e^-x is no normal number
    generator = np.random.default_rng(0)
    x = np.concatenate(
        [generator.uniform(-largest, largest, 30_000), generator.normal(size=30_000)]
    )
    x = np.append(x, [0, 1, -1, 1e-30, -1e-30, 0.625, -0.625]).astype(dtype)
    expected = exact(x.astype(WIDE[dtype]))
    spacing = np.spacing(np.abs(expected).astype(dtype)).astype(WIDE[dtype])
    errors = np.abs(values_of(function, x).astype(WIDE[dtype]) - expected) / spacing
    assert errors.max() <= units, x[errors.argmax()]


@of_compiled_code
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_ends_of_the_range(dtype):
    x = np.array([-np.inf, -1e4, np.inf, 1e4, np.nan], dtype)
    np.testing.assert_array_equal(values_of(functions.exp, x), [0, 0, np.inf, np.inf, np.nan])
    np.testing.assert_array_equal(values_of(functions.sigmoid, x), [0, 0, 1, 1, np.nan])
    np.testing.assert_array_equal(values_of(functions.tanh, x), [-1, -1, 1, 1, np.nan])
    np.testing.assert_array_equal(
        values_of(activations.relu, x), [0, 0, np.inf, dtype(1e4), np.nan]
    )


@of_compiled_code
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["elu", "selu", "mish"])
def test_activations_keep_their_digits_near_0_and_at_the_ends(name, dtype):
    x = np.array([-1e4, -90, -20, -1e-3, -1e-7, -1e-20, 0, 1e-20, 1e-7, 19.9, 20.1, 90, 1e4], dtype)

    def value(z):
        return activations.value_and_slope(code, z)[0]

    def slope(z):
        return activations.value_and_slope(code, z)[1]

    code, wide = activations.CODES[name], x.astype(WIDE[dtype])
    with np.errstate(over="ignore", under="ignore"):
        expected = ACTIVATIONS[name].function(wide)
        slopes_expected = ACTIVATIONS[name].derivative(expected, wide)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(values_of(compiled(value), x), expected, 6 * eps, 1e-37)
    np.testing.assert_allclose(values_of(compiled(slope), x), slopes_expected, 6 * eps, eps)
    assert np.isnan(values_of(compiled(value), np.array([np.nan], dtype))).all()


@of_compiled_code
@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_reaches_the_largest_number_and_the_least_normal_one(dtype):
    info = np.finfo(dtype)
    x = np.array([np.log(WIDE[dtype](info.max)), np.log(WIDE[dtype](info.tiny))])
    x = np.nextafter(x.astype(dtype), dtype(0))
    actual = values_of(functions.exp, x)
    np.testing.assert_allclose(actual, np.exp(x.astype(WIDE[dtype])).astype(dtype), rtol=1e-5)
    assert np.isfinite(actual).all()
    assert (actual > 0).all()


def matrix_of(array):
    """View an array as the kernels do."""
    return Matrix(array.reshape(-1), 0, array.shape[0], array.shape[1], 1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["identity", "logistic", "tanh", "relu"])
def test_activation_and_derivative_agree_with_numpy(name, dtype):
    generator, lanes = np.random.default_rng(2), choose_lanes(1, dtype, sparse=False)
    z, deltas = (generator.normal(0, 3, (7, lanes.width)).astype(dtype) for _ in range(2))
    intercepts = generator.normal(size=lanes.width).astype(dtype)
    code, scale = activations.CODES[name], dtype(0.5)
    units, activation = z.copy(), ACTIVATIONS[name]

    def activate(lanes, code, matrix, scale, numbers):
        activations.activate(lanes, code, matrix, scale, load(lanes, numbers, 0))

    compiled(activate)(lanes, code, matrix_of(units), scale, intercepts)
    expected = activation.function(scale * z + intercepts)
    assert_close(units, expected, "operation", dtype)
    expected_deltas = deltas * activation.derivative(units, scale * z + intercepts)
    compiled(activations.multiply_by_derivative)(lanes, code, matrix_of(units), matrix_of(deltas))
    assert_close(deltas, expected_deltas, "operation", dtype)


@pytest.mark.parametrize("rate", [0.0, 0.4])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_and_kept_slope_agree_with_numpy(name, dtype, rate):
    generator, lanes = np.random.default_rng(2), choose_lanes(1, dtype, sparse=False)
    z, deltas = (generator.normal(0, 3, (7, lanes.width)).astype(dtype) for _ in range(2))
    z[0, :4] = 0, -9, 9, 1e-20
    numbers = generator.integers(0, 1 << 16, (7, lanes.width + 3)).astype(np.uint16)
    units, threshold = z.copy(), round(rate * (1 << 16))
    kept = slopes.Slopes(
        np.empty_like(units).ravel(), numbers.ravel(), numbers.shape[1], 2, np.array([1], np.intp),
        np.array([threshold], np.intp), np.array([1 / (1 - rate)], dtype),
    )  # fmt: skip

    def activate(lanes, code, matrix, zeros, kept):
        slopes.activate_and_keep(lanes, code, matrix, 1.0, load(lanes, zeros, 0), 0, 0, kept)

    zeros, code = np.zeros(lanes.width, dtype), activations.CODES[name]
    # The last row's numbers begin three further on: there are none for all of its units.
    compiled(activate)(lanes, code, matrix_of(units[:6]), zeros, kept)
    factors = np.where(numbers[:6, 3:] >= threshold, dtype(1 / (1 - rate)), dtype(0))
    activation = ACTIVATIONS[name]
    values = activation.function(z[:6])
    assert_close(units[:6], values * factors, "operation", dtype)
    compiled(slopes.multiply_by_slopes)(lanes, kept, matrix_of(deltas[:6]))
    expected = np.random.default_rng(2)
    expected.normal(0, 3, z.shape)
    expected = expected.normal(0, 3, z.shape).astype(dtype)[:6]
    assert_close(deltas[:6], expected * activation.derivative(values, z[:6]) * factors, "operation",
                 dtype)  # fmt: skip

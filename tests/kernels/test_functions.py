"""Activation functions of vectors, in units of the last place, over the whole range."""

import numpy as np
import pytest

from fastmlp import functional
from fastmlp.kernels import functions
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
    np.testing.assert_array_equal(values_of(functions.relu, x), [0, 0, np.inf, dtype(1e4), np.nan])


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
@pytest.mark.parametrize("name", functional.ACTIVATIONS)
def test_activation_and_derivative_agree_with_numpy(name, dtype):
    generator, lanes = np.random.default_rng(2), choose_lanes(1, dtype)
    z, deltas = (generator.normal(0, 3, (7, lanes.width)).astype(dtype) for _ in range(2))
    intercepts = generator.normal(size=lanes.width).astype(dtype)
    code, scale = functions.ACTIVATION_CODES[name], dtype(0.5)
    units, activation = z.copy(), functional.ACTIVATIONS[name]

    def activate(lanes, code, matrix, scale, numbers):
        functions.activate(lanes, code, matrix, scale, load(lanes, numbers, 0))

    compiled(activate)(lanes, code, matrix_of(units), scale, intercepts)
    expected = activation.function(scale * z + intercepts)
    assert_close(units, expected, "operation", dtype)
    expected_deltas = deltas * activation.derivative(units)
    compiled(functions.multiply_by_derivative)(lanes, code, matrix_of(units), matrix_of(deltas))
    assert_close(deltas, expected_deltas, "operation", dtype)

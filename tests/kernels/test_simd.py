"""Vectors: each operation does to every lane what NumPy does to every number."""

import numba
import numpy as np
import pytest

from fastmlp.kernels import simd, transposition
from fastmlp.kernels.simd import Lanes
from tests.kernels.calling import compiled, of_compiled_code

LANES = [Lanes(np.float32, 16), Lanes(np.float32, 64), Lanes(np.float64, 8), Lanes(np.float64, 32)]


@numba.njit(error_model="numpy")
def arithmetic(lanes, numbers, results):
    """Store what the operations give, side by side."""
    n = simd.n_lanes(lanes)
    a, b = simd.load(lanes, numbers, 1), simd.load(lanes, numbers, 1 + n)
    simd.store(results, 0, a + b)
    simd.store(results, n, a - b)
    simd.store(results, 2 * n, a * b)
    simd.store(results, 3 * n, a / b)
    simd.store(results, 4 * n, simd.fma(a, b, simd.broadcast(lanes, simd.item(numbers, 0))))
    simd.store(results, 5 * n, simd.where_less(a, b, simd.like(a, 7), b))
    simd.store(results, 6 * n, simd.sqrt(simd.absolute(a)))
    return simd.reduce_add(a), simd.reduce_max(b)


@pytest.mark.parametrize("lanes", LANES, ids=str)
def test_operations_agree_with_numpy(lanes):
    n = lanes.width
    numbers = np.random.default_rng(0).normal(size=1 + 2 * n).astype(lanes.dtype)
    results = np.empty(7 * n, lanes.dtype)
    total, largest = arithmetic(lanes, numbers, results)
    a, b = numbers[1 : n + 1], numbers[n + 1 :]
    expected = [a + b, a - b, a * b, a / b, None, np.where(a < b, 7, b), np.sqrt(np.abs(a))]
    for actual, one in zip(results.reshape(7, n), expected, strict=True):
        if one is not None:
            np.testing.assert_array_equal(actual, one)
    exact = a.astype(float) * b + numbers[0]
    eps = float(np.finfo(lanes.dtype).eps)
    np.testing.assert_allclose(results.reshape(7, n)[4], exact, rtol=0, atol=2 * eps)
    assert total == pytest.approx(a.astype(float).sum(), abs=n * eps)
    assert largest == b.max()


@pytest.mark.parametrize("lanes", [LANES[0], LANES[2]], ids=str)
def test_a_block_is_transposed(lanes):
    n = lanes.width
    source = np.arange(3 + n * (n + 5), dtype=lanes.dtype)
    target = np.full(1 + n * (n + 2), -1, lanes.dtype)
    compiled(transposition.transpose)(lanes, source, 3, n + 5, target, 1, n + 2)
    expected = np.full((n, n + 2), -1, lanes.dtype)
    expected[:, :n] = source[3:].reshape(n, n + 5)[:, :n].T
    np.testing.assert_array_equal(target[1:].reshape(n, n + 2), expected)
    assert target[0] == -1


@numba.njit(error_model="numpy")
def count_a_less_than_b(lanes, numbers, results):
    n = simd.n_lanes(lanes)
    a, b = simd.load(lanes, numbers, 0), simd.load(lanes, numbers, n)
    simd.store(results, 0, simd.where_less(a, b, simd.like(a, 1), simd.like(a, 0)))


def test_nan_is_less_than_nothing():
    lanes = LANES[0]
    numbers = np.ones(32, np.float32)
    numbers[:3], numbers[16:18] = [np.nan, 0, np.nan], [2, np.nan]
    results = np.empty(16, np.float32)
    count_a_less_than_b(lanes, numbers, results)
    assert not results.any()


@numba.njit(error_model="numpy")
def store_first(lanes, numbers, start, count, results):
    simd.store(results, 0, simd.load_first(lanes, numbers, start, count))


@pytest.mark.parametrize("lanes", LANES, ids=str)
def test_no_more_than_the_first_numbers_are_loaded(lanes):
    n = lanes.width
    numbers, results = np.arange(1, n + 3, dtype=lanes.dtype), np.empty(n, lanes.dtype)
    for count in (0, 1, n // 2 + 1, n, n + 1):
        store_first(lanes, numbers, 1, count, results)
        first = min(count, n)
        np.testing.assert_array_equal(results[:first], numbers[1 : 1 + first])
        assert not results[first:].any()


@of_compiled_code
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_start_of_a_line_of_memory_is_found(dtype):
    numbers = np.zeros(40, dtype)
    for first in range(20):
        start = compiled(simd.line_start)(numbers[first:])
        assert numbers[first + start :].ctypes.data % simd.LINE_BYTES == 0
        assert 0 <= start < simd.LINE_BYTES // numbers.itemsize

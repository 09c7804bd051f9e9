"""The products of a layer, by loops and by BLAS, and the reading of samples."""

import numpy as np
import pytest
import scipy.sparse

from fastmlp.kernels import gather, products
from tests.tolerances import assert_close

DTYPES = [np.float32, np.float64]


@pytest.fixture(params=[(1, 0.2), (1, 1.0), (5, 0.0), (5, 0.2), (40, 0.2), (7, 1.0)], ids=str)
def inputs(request):
    """Draw inputs of so many rows, of which such a share is not zero."""
    n_rows, share = request.param
    generator = np.random.default_rng(0)
    return generator.normal(size=(n_rows, 63)) * (generator.random((n_rows, 63)) < share)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fan_out", [1, 10, 50])
def test_both_ways_to_multiply_agree_with_numpy(inputs, fan_out, dtype):
    inputs = inputs.astype(dtype)
    coefs = np.random.default_rng(1).normal(size=(63, fan_out)).astype(dtype)
    positions = np.empty(64, np.intp)
    expected = inputs.astype(np.float64) @ coefs.astype(np.float64)
    for multiply in (products.multiply, products.multiply_nonzeros):
        actual = np.full_like(expected, np.nan, dtype=dtype)
        multiply(inputs, coefs, actual, positions)
        assert_close(actual, expected, "product", dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fan_out", [1, 10, 50])
def test_descent_without_the_gradient_agrees_with_the_gradient(inputs, fan_out, dtype):
    inputs = inputs.astype(dtype)
    generator = np.random.default_rng(2)
    coefs, deltas = (generator.normal(size=(n, fan_out)).astype(dtype) for n in (63, len(inputs)))
    intercepts = generator.normal(size=fan_out).astype(dtype)
    coef_grads, intercept_grads = np.empty_like(coefs), np.empty_like(intercepts)
    products.set_gradient(inputs, deltas, coef_grads, intercept_grads)
    assert_close(coef_grads, inputs.T.astype(float) @ deltas, "product", dtype)
    assert_close(intercept_grads, deltas.astype(float).sum(axis=0), "product", dtype)
    rate = dtype(0.25)
    expected = coefs - rate * coef_grads, intercepts - rate * intercept_grads
    products.descend_nonzeros(inputs, deltas, rate, coefs, intercepts, np.empty(64, np.intp))
    assert_close(coefs, expected[0], "product", dtype)
    assert_close(intercepts, expected[1], "product", dtype)


@pytest.mark.parametrize(("n_rows", "share", "expected"),
                         [(1, 1.0, True), (3, 1.0, True), (8, 1.0, False), (8, 0.2, True),
                          (64, 0.0, False)])  # fmt: skip
def test_loops_are_for_few_nonzeros(n_rows, share, expected):
    inputs = (np.random.default_rng(3).random((n_rows, 100)) < share).astype(np.float32)
    assert products.is_small(inputs) == expected


def test_a_gathered_csr_row_adds_up_entries_at_one_place():
    X = scipy.sparse.csr_array(
        (np.float32([1, 2, 4]), np.int32([3, 3, 0]), np.int32([0, 2, 2, 3])), shape=(3, 5)
    )
    inputs = np.empty((3, 5), np.float32)
    scale = np.float32(2), np.float32(-1)
    gather.gather_csr(X.data, X.indices, X.indptr, scale, np.array([2, 0, 1]), inputs)
    np.testing.assert_array_equal(inputs, 2 * X.toarray()[[2, 0, 1]] - 1)

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


def listed(inputs):
    """List the nonzeros of the inputs, however many there are."""
    positions = np.concatenate([np.flatnonzero(row) for row in inputs])
    return positions, np.cumsum([np.count_nonzero(row) for row in inputs])


@pytest.mark.parametrize("few", [True, False])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fan_out", [1, 10, 50])
def test_both_ways_to_multiply_agree_with_numpy(few, inputs, fan_out, dtype):
    inputs = inputs.astype(dtype)
    coefs = np.random.default_rng(1).normal(size=(63, fan_out)).astype(dtype)
    expected = inputs.astype(np.float64) @ coefs.astype(np.float64)
    actual = np.full_like(expected, np.nan, dtype=dtype)
    products.multiply(inputs, coefs, few, *listed(inputs), actual)
    assert_close(actual, expected, "product", dtype)


@pytest.mark.parametrize("few", [True, False])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fan_out", [1, 10, 50])
def test_both_ways_to_the_gradient_agree_with_numpy(few, inputs, fan_out, dtype):
    inputs = inputs.astype(dtype)
    deltas = np.random.default_rng(2).normal(size=(len(inputs), fan_out)).astype(dtype)
    coef_grads, intercept_grads = np.full((63, fan_out), np.nan, dtype), np.empty(fan_out, dtype)
    products.set_gradient(inputs, deltas, few, *listed(inputs), coef_grads, intercept_grads)
    assert_close(coef_grads, inputs.T.astype(float) @ deltas, "product", dtype)
    terms = np.abs(deltas).sum(axis=0).max()
    assert_close(intercept_grads, deltas.astype(float).sum(axis=0), "product", dtype, terms)


@pytest.mark.parametrize("few", [True, False])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fan_out", [1, 10, 50])
def test_both_ways_to_descend_agree_with_numpy(few, inputs, fan_out, dtype):
    inputs = inputs.astype(dtype)
    generator = np.random.default_rng(2)
    coefs, deltas = (generator.normal(size=(n, fan_out)).astype(dtype) for n in (63, len(inputs)))
    intercepts = generator.normal(size=fan_out).astype(dtype)
    expected_coefs = coefs - 0.25 * inputs.T.astype(float) @ deltas
    expected_intercepts = intercepts - 0.25 * deltas.astype(float).sum(axis=0)
    workspace = np.empty_like(coefs)
    products.descend(
        inputs, deltas, dtype(0.25), few, *listed(inputs), workspace, coefs, intercepts
    )
    assert_close(coefs, expected_coefs, "product", dtype)
    assert_close(intercepts, expected_intercepts, "product", dtype)


@pytest.mark.parametrize(("n_rows", "share", "expected"),
                         [(1, 1.0, True), (3, 1.0, True), (4, 1.0, False), (8, 0.3, True),
                          (64, 0.2, True), (64, 0.3, False), (64, 0.0, True)])  # fmt: skip
def test_nonzeros_are_listed_where_there_are_few(n_rows, share, expected):
    inputs = (np.random.default_rng(3).random((n_rows, 100)) < share).astype(np.float32)
    nonzeros = products.make_nonzeros(np.array([100, 10]), n_rows)
    positions, ends = nonzeros.positions[0], nonzeros.ends[0]
    assert products.list_nonzeros(inputs, positions, ends) == expected
    if expected:
        np.testing.assert_array_equal(ends, listed(inputs)[1])
        np.testing.assert_array_equal(positions[: ends[-1]], listed(inputs)[0])


def test_a_gathered_csr_row_adds_up_entries_at_one_place():
    X = scipy.sparse.csr_array(
        (np.float32([1, 2, 4]), np.int32([3, 3, 0]), np.int32([0, 2, 2, 3])), shape=(3, 5)
    )
    inputs = np.empty((3, 5), np.float32)
    scale = np.float32(2), np.float32(-1)
    gather.gather_csr(X.data, X.indices, X.indptr, scale, np.array([2, 0, 1]), inputs)
    np.testing.assert_array_equal(inputs, 2 * X.toarray()[[2, 0, 1]] - 1)

"""Dense products, sparse products, softmax and updates, each against NumPy or SciPy."""

import numpy as np
import pytest
import scipy.special

from fastmlp.kernels import losses, products, softmax, sparse
from fastmlp.kernels.layout import choose_lanes
from fastmlp.kernels.products import Matrix
from fastmlp.kernels.simd import Lanes
from tests.kernels.calling import compiled
from tests.tolerances import assert_close

DTYPES = [np.float32, np.float64]


def draw(dtype, *shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", ["narrow", "wide"])
@pytest.mark.parametrize("n_rows", [0, 1, 2, 3, 5, 6, 7, 8, 9, 15, 64])
@pytest.mark.parametrize("n_inner", [0, 1, 10, 63])
@pytest.mark.parametrize("adding", [False, True])
def test_products_agree_with_numpy(adding, n_inner, n_rows, width, dtype):
    lanes = choose_lanes(1000, dtype, sparse=width == "wide")
    left, right = draw(dtype, n_rows, n_inner), draw(dtype, n_inner, lanes.width, seed=1)
    multiply = compiled(products.multiply)
    for steps, memory in (((n_inner, 1), left), ((1, n_rows), np.ascontiguousarray(left.T))):
        result = np.full((n_rows, lanes.width), 2.0 if adding else np.nan, dtype)
        multiply(
            lanes,
            Matrix(memory.reshape(-1), 0, n_rows, *steps),
            Matrix(right.reshape(-1), 0, n_inner, lanes.width, 1),
            Matrix(result.reshape(-1), 0, n_rows, lanes.width, 1),
            adding,
        )
        if n_rows:
            expected = left.astype(float) @ right.astype(float) + 2.0 * adding
            assert_close(result, expected, "product", dtype)


def make_sparse(array, block):
    """Pack an array as the kernels want it."""
    matrix = scipy.sparse.csr_array(array)
    return sparse.SparseFeatures(
        matrix.indptr.astype(np.int64), matrix.indices, matrix.data, np.empty(0, array.dtype),
        array.dtype.type(1), array.dtype.type(0), block, False,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("block", [63, 20])
@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_sparse_products_agree_with_numpy(share, block, dtype):
    lanes = Lanes(dtype, 16)
    array = draw(dtype, 30, 63) * (np.random.default_rng(1).random((30, 63)) < share)
    features, batch = make_sparse(array, block), np.array([3, 29, 0, 7])
    weights, deltas = draw(dtype, 63, 16, seed=2), draw(dtype, 4, 16, seed=3)
    result, cursors = np.full((4, 16), np.nan, dtype), np.empty(4, np.int64)
    compiled(sparse.multiply_nonzeros)(
        lanes, features, batch, 63, weights.reshape(-1), 0, cursors,
        Matrix(result.reshape(-1), 0, 4, 16, 1),
    )  # fmt: skip
    expected = array[batch].astype(float) @ weights
    assert_close(result, expected, "product", dtype, scale=np.abs(array).sum(axis=1).max())
    total = np.ones((63, 16), dtype)
    cursors[:] = features.indptr[batch]
    compiled(sparse.add_nonzero_products)(
        lanes, features, batch, 63, Matrix(deltas.reshape(-1), 0, 4, 16, 1), cursors,
        total.reshape(-1), 0,
    )  # fmt: skip
    assert_close(total, 1 + array[batch].T.astype(float) @ deltas, "product", dtype)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("background", [0, 7])
def test_what_differs_from_the_background_is_packed(background, dtype, order):
    generator = np.random.default_rng(4)
    X = np.where(generator.random((9, 45)) < 0.3, generator.integers(0, 99, (9, 45)), background)
    X[4], X[5] = background, 50
    X = np.asarray(X, dtype, order=order)
    steps, lanes = (45, 1) if order == "C" else (1, 9), Lanes(np.float32, 16)
    arguments = (lanes, X.ravel(order="K"), *steps, dtype(background), 45, 0, 9)
    counts = np.zeros(9, np.int64)
    sparse.count_nonzeros(*arguments, counts)
    np.testing.assert_array_equal(counts, (background != X).sum(axis=1))
    indptr = np.append(0, np.cumsum(counts))
    indices = np.empty(indptr[-1], np.int32)
    values = np.empty(indptr[-1], np.float32 if background else dtype)
    sparse.pack_nonzeros(*arguments, indptr, indices, values)
    packed = scipy.sparse.csr_array((values, indices, indptr), shape=X.shape)
    np.testing.assert_array_equal(packed.toarray() + background, X)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [1, 50, 1e4])
@pytest.mark.parametrize("n_rows", [1, 16, 37])
@pytest.mark.parametrize("n_classes", [2, 16, 40])
def test_softmax_of_rows_agrees_with_scipy(n_classes, n_rows, scale, dtype):
    size = 64 // np.dtype(dtype).itemsize
    lanes, width = Lanes(dtype, size), -(-n_classes // size) * size
    generator = np.random.default_rng(n_rows)
    logits, deltas = np.full((2, (n_rows + size) * width), np.nan, dtype)
    own = logits[: n_rows * width].reshape(n_rows, width)
    own[:, :n_classes] = generator.normal(size=(n_rows, n_classes)) * scale
    classes, batch = generator.integers(0, n_classes, 50), generator.permutation(50)[:n_rows]
    weights = generator.integers(0, 3, 50).astype(dtype)
    targets = losses.ClassTargets(classes, weights, n_classes, dtype(0))
    row_losses, space = np.full(n_rows, np.nan), np.full((width + 3) * size, np.nan, dtype)
    for row in range(0, n_rows, size):
        compiled(softmax.softmax_rows)(
            lanes, targets, batch, row, Matrix(logits, 0, n_rows, width, 1), deltas, 4.0,
            row_losses, space,
        )  # fmt: skip
    exact, weight = own[:, :n_classes].astype(np.float64), weights[batch].astype(np.float64)
    expected = scipy.special.softmax(exact, axis=1)
    expected[np.arange(n_rows), classes[batch]] -= 1
    actual = deltas[: n_rows * width].reshape(n_rows, width)
    assert_close(actual[:, :n_classes], expected * weight[:, None] / 4, "operation", dtype, scale=1)
    assert not actual[:, n_classes:].any()
    log_softmax = scipy.special.log_softmax(exact, axis=1)[np.arange(n_rows), classes[batch]]
    assert_close(row_losses, -log_softmax * weight, "operation", dtype, scale=np.abs(exact).max())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [1, 50, 1e4])
@pytest.mark.parametrize("n_classes", [2, 16, 40])
def test_softmax_cross_entropy_agrees_with_scipy(n_classes, scale, dtype):
    lanes = Lanes(dtype, 16)
    width = -(-n_classes // 16) * 16
    logits, target = np.full(width, -1e18, dtype), n_classes // 2
    logits[:n_classes] = draw(dtype, n_classes) * dtype(scale)
    deltas = np.full(width, np.nan, dtype)
    share = dtype(0.25)
    loss = compiled(softmax.softmax_cross_entropy)(lanes, logits, deltas, width, target, share)
    exact = logits[:n_classes].astype(np.float64)
    expected = scipy.special.softmax(exact) / 4
    expected[target] -= 0.25
    assert_close(deltas[:n_classes], expected, "operation", dtype)
    assert not deltas[n_classes:].any()
    expected_loss = -scipy.special.log_softmax(exact)[target]
    assert_close([loss], [expected_loss], "operation", dtype, scale=np.abs(exact).max())

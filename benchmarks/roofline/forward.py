"""The kernels of the way forward."""

import numpy as np
import scipy.special

from fastmlp.backends.compiled.memory import zeros
from fastmlp.kernels.activations import LOGISTIC, activate
from fastmlp.kernels.jit import kernel
from fastmlp.kernels.losses import ClassTargets
from fastmlp.kernels.products import Matrix, multiply
from fastmlp.kernels.simd import load, n_lanes
from fastmlp.kernels.softmax import softmax_rows
from fastmlp.kernels.sparse import multiply_nonzeros

from . import work
from .cases import (
    BATCH_SIZE,
    HIDDEN,
    LINE,
    N_BATCHES,
    N_CLASSES,
    N_FEATURES,
    N_HIDDEN,
    OUTPUT,
    SPARSE,
    Case,
    as_matrix,
    draw,
    filling,
    in_panels,
    inputs_of,
    padded,
    units_of,
)
from .timing import compiled_loop

WIDE, WIDE_BATCH = 1024, 256


def _sparse_forward(number, lanes, features, batches, weights, cursors, units):
    batch, size = batches[number % N_BATCHES], n_lanes(lanes)
    n_features = N_FEATURES
    for panel in range(units.row_step // size):
        result = Matrix(units.memory, panel * size, batch.size, units.row_step, 1)
        start = panel * n_features * size
        multiply_nonzeros(lanes, features, batch, n_features, weights, start, cursors, result)


def sparse_forward(images):
    """Time the first layer's product on images of which most is 0.

    Parameters
    ----------
    images : cases.Images

    Returns
    -------
    Case
    """
    coefs, units = draw(N_FEATURES, N_HIDDEN), units_of(BATCH_SIZE, N_HIDDEN, SPARSE, 1)
    weights, cursors = in_panels(coefs, SPARSE), np.empty(BATCH_SIZE, np.int64)
    arguments = (SPARSE, images.sparse, images.batches, weights, cursors, as_matrix(units))
    run = compiled_loop(_sparse_forward, *arguments)

    def check():
        run(1)
        return units[:, :N_HIDDEN], images.X[images.batches[0]].astype(float) @ coefs

    nonzeros = images.nonzeros()
    return Case(
        "sparse forward", "kernels.sparse.multiply_nonzeros",
        f"{BATCH_SIZE} x {N_FEATURES} x {N_HIDDEN}, {nonzeros / BATCH_SIZE:.0f} nonzeros a row",
        work.sparse_product(nonzeros, BATCH_SIZE, N_HIDDEN, images.X.itemsize),
        weights.nbytes + units.nbytes, run, check, note=filling(N_HIDDEN, SPARSE),
    )  # fmt: skip


@kernel
def multiply_panels(lanes, left, weights, result):
    """Compute A W for all panels of W.

    Parameters
    ----------
    lanes : simd.Lanes
    left : products.Matrix of shape (n_rows, n_inner)
    weights : (n_panels * n_inner * n_lanes,) float
    result : products.Matrix of n_rows, as wide as the panels
        Overwritten.
    """
    size = n_lanes(lanes)
    n_inner = weights.size // result.row_step
    for panel in range(result.row_step // size):
        right = Matrix(weights, panel * n_inner * size, n_inner, size, 1)
        multiply(
            lanes, left, right,
            Matrix(result.memory, panel * size, result.n_rows, result.row_step, 1), False,
        )  # fmt: skip


def _dense_forward(number, lanes, left, weights, result):
    multiply_panels(lanes, left, weights, result)


def dense_forward(name, lanes, n_rows, n_inner, n_units):
    """Time the product of a dense layer.

    Parameters
    ----------
    name : str
    lanes : simd.Lanes
    n_rows, n_inner, n_units : int

    Returns
    -------
    Case
    """
    inputs, coefs = inputs_of(n_rows, n_inner, 1), draw(n_inner, n_units)
    weights, units = in_panels(coefs, lanes), units_of(n_rows, n_units, lanes, 2)
    run = compiled_loop(_dense_forward, lanes, as_matrix(inputs), weights, as_matrix(units))

    def check():
        run(1)
        return units[:, :n_units], inputs[:, :n_inner].astype(float) @ coefs

    return Case(
        name, "kernels.products.multiply", f"{n_rows} x {n_inner} x {n_units}",
        work.product(n_rows, n_inner, n_units), inputs.nbytes + weights.nbytes + units.nbytes,
        run, check, note=filling(n_units, lanes),
    )  # fmt: skip


def _activate(number, lanes, units, intercepts):
    size = n_lanes(lanes)
    for panel in range(units.row_step // size):
        part = Matrix(units.memory, panel * size, units.n_rows, units.row_step, 1)
        activate(lanes, LOGISTIC, part, np.float32(0.5), load(lanes, intercepts, panel * size))


def activation():
    """Time bias and activation of the hidden layer.

    Returns
    -------
    Case
    """
    units, intercepts = units_of(BATCH_SIZE, N_HIDDEN, HIDDEN, 3), draw(padded(N_HIDDEN, HIDDEN))
    run = compiled_loop(_activate, HIDDEN, as_matrix(units), intercepts)

    def check():
        expected = scipy.special.expit(0.5 * units.astype(float) + intercepts)
        run(1)
        return units.copy(), expected

    return Case(
        "logistic activation", "kernels.activations.activate", f"{BATCH_SIZE} x {N_HIDDEN}",
        work.logistic(BATCH_SIZE, N_HIDDEN), units.nbytes, run, check,
        note=filling(N_HIDDEN, HIDDEN),
    )  # fmt: skip


def _softmax(number, lanes, targets, batch, logits, deltas, losses, space):
    for row in range(0, batch.size, n_lanes(lanes)):
        softmax_rows(lanes, targets, batch, row, logits, deltas, batch.size, losses, space)


def softmax():
    """Time softmax and cross-entropy of a batch.

    Returns
    -------
    Case
    """
    logits = zeros((BATCH_SIZE + LINE.width, OUTPUT.width), np.float32)
    deltas, classes = np.zeros_like(logits), np.arange(BATCH_SIZE) % N_CLASSES
    logits[:BATCH_SIZE, :N_CLASSES] = draw(BATCH_SIZE, N_CLASSES, scale=3.0)
    targets = ClassTargets(classes, np.empty(0, np.float32), N_CLASSES, np.float32(0))
    losses, space = np.empty(BATCH_SIZE), zeros((OUTPUT.width + 3) * LINE.width, np.float32)
    rows = Matrix(logits.ravel(), 0, BATCH_SIZE, OUTPUT.width, 1)
    arguments = (targets, np.arange(BATCH_SIZE), rows, deltas.reshape(-1), losses, space)
    run = compiled_loop(_softmax, LINE, *arguments)

    def check():
        run(1)
        exact = logits[:BATCH_SIZE, :N_CLASSES].astype(float)
        expected = scipy.special.softmax(exact, axis=1) - np.eye(N_CLASSES)[classes]
        expected_losses = -scipy.special.log_softmax(exact, axis=1)[np.arange(BATCH_SIZE), classes]
        actual = np.append(deltas[:BATCH_SIZE, :N_CLASSES] * BATCH_SIZE, losses)
        return actual, np.append(expected, expected_losses)

    return Case(
        "softmax, cross-entropy", "kernels.softmax.softmax_rows",
        f"{BATCH_SIZE} x {N_CLASSES}", work.softmax_cross_entropy(BATCH_SIZE, N_CLASSES),
        2 * BATCH_SIZE * OUTPUT.width * 4, run, check,
        note="rows side by side, which are transposed before and after; a logarithm for each",
    )  # fmt: skip


def forward_cases(images):
    """List the kernels of the way forward.

    Parameters
    ----------
    images : cases.Images

    Returns
    -------
    list of Case
    """
    return [
        sparse_forward(images),
        dense_forward("dense forward", HIDDEN, BATCH_SIZE, N_FEATURES, N_HIDDEN),
        dense_forward("hidden forward", HIDDEN, WIDE_BATCH, WIDE, WIDE),
        dense_forward("output forward", OUTPUT, BATCH_SIZE, N_HIDDEN, N_CLASSES),
        activation(),
        softmax(),
    ]

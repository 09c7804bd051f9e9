"""The kernels of the way back."""

import numpy as np

from fastmlp.backends.compiled.memory import zeros
from fastmlp.backends.compiled.translation import as_solver
from fastmlp.kernels.activations import LOGISTIC, multiply_by_derivative
from fastmlp.kernels.backward import GRADIENT_ROWS, update_dense
from fastmlp.kernels.products import Matrix
from fastmlp.kernels.simd import n_lanes
from fastmlp.kernels.sparse import add_nonzero_products, start_rows
from fastmlp.kernels.task import PackedWeights
from fastmlp.optimizers import SGD, Rule

from . import work
from .cases import (
    BATCH_SIZE,
    FLOAT32,
    HIDDEN,
    LINE,
    N_CLASSES,
    N_FEATURES,
    N_HIDDEN,
    OUTPUT,
    RATE,
    SPARSE,
    STEP,
    Case,
    as_matrix,
    as_transposed,
    draw,
    filling,
    from_panels,
    in_panels,
    inputs_of,
    units_of,
)
from .forward import WIDE, WIDE_BATCH, multiply_panels
from .timing import compiled_loop


def _carry_back(number, lanes, deltas, weights, units, before):
    multiply_panels(lanes, deltas, weights, before)
    size = n_lanes(lanes)
    for panel in range(before.row_step // size):
        multiply_by_derivative(
            lanes, LOGISTIC,
            Matrix(units.memory, panel * size, units.n_rows, units.row_step, 1),
            Matrix(before.memory, panel * size, before.n_rows, before.row_step, 1),
        )  # fmt: skip


def carry_back():
    """Time the product that brings the output layer's deltas to the hidden layer.

    Returns
    -------
    Case
    """
    deltas, coefs = draw(BATCH_SIZE, N_CLASSES, seed=4), draw(N_HIDDEN, N_CLASSES, seed=5)
    weights, units = in_panels(coefs.T, HIDDEN), units_of(BATCH_SIZE, N_HIDDEN, HIDDEN, 6)
    before = zeros(units.shape, np.float32)
    arguments = (as_matrix(deltas), weights, as_matrix(units), as_matrix(before))
    run = compiled_loop(_carry_back, HIDDEN, *arguments)

    def check():
        run(1)
        a = units[:, :N_HIDDEN].astype(float)
        return before[:, :N_HIDDEN], deltas @ coefs.T.astype(float) * a * (1 - a)

    done = work.product(BATCH_SIZE, N_CLASSES, N_HIDDEN)
    return Case(
        "deltas of the hidden layer", "kernels.backward.carry_back",
        f"{BATCH_SIZE} x {N_CLASSES} x {N_HIDDEN}",
        done + work.logistic_slope(BATCH_SIZE, N_HIDDEN), weights.nbytes + 2 * units.nbytes,
        run, check, note=filling(N_HIDDEN, HIDDEN),
    )  # fmt: skip


def _sparse_update(number, lanes, features, batch, deltas, cursors, weights):
    size = n_lanes(lanes)
    n_features = weights.size // deltas.row_step
    for panel in range(deltas.row_step // size):
        part = Matrix(deltas.memory, panel * size, batch.size, deltas.row_step, 1)
        start_rows(features, batch, cursors)
        for limit in range(features.block, n_features + features.block, features.block):
            add_nonzero_products(
                lanes, features, batch, limit, part, cursors, weights, panel * n_features * size
            )


def sparse_update(images):
    """Time the first layer's update in place.

    Parameters
    ----------
    images : cases.Images

    Returns
    -------
    Case
    """
    deltas = units_of(BATCH_SIZE, N_HIDDEN, SPARSE, 7)
    deltas *= RATE
    weights = in_panels(draw(N_FEATURES, N_HIDDEN), SPARSE)
    cursors, batch = np.empty(BATCH_SIZE, np.int64), images.batches[0]
    arguments = (SPARSE, images.sparse, batch, as_matrix(deltas), cursors, weights)
    run = compiled_loop(_sparse_update, *arguments)

    def check():
        gradient = images.X[batch].T.astype(float) @ deltas[:, :N_HIDDEN]
        expected = from_panels(weights, N_FEATURES, N_HIDDEN, SPARSE) + gradient
        run(1)
        return from_panels(weights, N_FEATURES, N_HIDDEN, SPARSE), expected

    nonzeros = int(np.diff(images.sparse.indptr)[batch].sum())
    return Case(
        "sparse update", "kernels.sparse.add_nonzero_products",
        f"{N_FEATURES} x {BATCH_SIZE} x {N_HIDDEN}, {nonzeros / BATCH_SIZE:.0f} nonzeros a row",
        work.sparse_update(nonzeros, BATCH_SIZE, N_HIDDEN, images.X.itemsize),
        weights.nbytes + deltas.nbytes, run, check, note=filling(N_HIDDEN, SPARSE),
    )  # fmt: skip


def _update_panels(number, lanes, inputs, deltas, solver, step, gradients, model):
    size = n_lanes(lanes)
    for panel in range(model.parameters.size // (inputs.n_rows * size)):
        part = Matrix(deltas.memory, panel * size, deltas.n_rows, deltas.row_step, 1)
        start = panel * inputs.n_rows * size
        update_dense(lanes, LINE, start, inputs, part, solver, step, gradients, model)


def dense_update(name, lanes, n_rows, n_inner, n_units):
    """Time the gradient of a dense layer and a step of plain gradient descent.

    Parameters
    ----------
    name : str
    lanes : simd.Lanes
    n_rows, n_inner, n_units : int

    Returns
    -------
    Case
    """
    inputs, deltas = inputs_of(n_rows, n_inner, 8), inputs_of(n_rows, n_units, 9)
    weights = in_panels(draw(n_inner, n_units), lanes)
    model = PackedWeights(weights, zeros((0, weights.size), np.float32), zeros(0, np.float32))
    gradients = zeros(GRADIENT_ROWS * lanes.width, np.float32)
    solver = as_solver(Rule(SGD()), FLOAT32)
    arguments = (as_transposed(inputs, n_inner), as_matrix(deltas), solver, STEP, gradients, model)
    run = compiled_loop(_update_panels, lanes, *arguments)

    def check():
        gradient = inputs[:, :n_inner].T.astype(float) @ deltas[:, :n_units]
        expected = from_panels(weights, n_inner, n_units, lanes) - RATE * gradient
        run(1)
        return from_panels(weights, n_inner, n_units, lanes), expected

    done = work.product(n_inner, n_rows, n_units)._replace(written=0)  # the gradient stays near
    return Case(
        name, "kernels.backward.update_dense", f"{n_inner} x {n_rows} x {n_units}",
        done + work.sgd(n_inner * n_units), inputs.nbytes + deltas.nbytes + weights.nbytes,
        run, check, note=filling(n_units, lanes),
    )  # fmt: skip


def backward_cases(images):
    """List the kernels of the way back.

    Parameters
    ----------
    images : cases.Images

    Returns
    -------
    list of Case
    """
    return [
        carry_back(),
        sparse_update(images),
        dense_update("dense update", HIDDEN, BATCH_SIZE, N_FEATURES, N_HIDDEN),
        dense_update("hidden update", HIDDEN, WIDE_BATCH, WIDE, WIDE),
        dense_update("output update", OUTPUT, BATCH_SIZE, N_HIDDEN, N_CLASSES),
    ]

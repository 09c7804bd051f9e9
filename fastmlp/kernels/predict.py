"""Predictions for many rows: each block of them is read, and goes through all layers, at once."""

from typing import Any, NamedTuple

import numpy as np

from fastmlp.kernels.compression import can_compress, count_differing, pick_differing
from fastmlp.kernels.dense import DenseFeatures, gather
from fastmlp.kernels.forward import forward_dense, forward_sparse, multiply_panel, whole
from fastmlp.kernels.jit import entry, inlined, kernel
from fastmlp.kernels.kinds import is_a
from fastmlp.kernels.layout import Layout
from fastmlp.kernels.outputs import put_out
from fastmlp.kernels.products import Matrix, add_to_rows
from fastmlp.kernels.simd import Lanes, broadcast, fma, item, load_as, n_lanes, reduce_add
from fastmlp.kernels.sparse import SparseFeatures, write_one
from fastmlp.kernels.task import panel_of

LOOKED_AT_ONCE = Lanes(np.float32, 16)
"""So many values of any dtype are compared with the background at a time."""


class Weights(NamedTuple):
    """A network in panels."""

    hidden: Lanes
    """Of the hidden layers, and of the output layer where it is the only one."""
    output: Lanes
    line: Lanes
    """Of dense rows as they are read."""
    block: Lanes
    """Of rows of logits."""
    layout: Layout
    parameters: np.ndarray
    """(n_packed,) float."""


class MostlyBackground(NamedTuple):
    """A dense matrix of which a block of rows is packed at a time."""

    dense: DenseFeatures
    background: Any
    """What most values are, of their dtype."""
    packed: SparseFeatures
    """The rows of one block: overwritten."""


class PredictionSpace(NamedTuple):
    """What a block of rows is computed in."""

    numbers: np.ndarray
    """(most_rows,) intp: which samples they are, where those are read."""
    inputs: np.ndarray
    """(most_rows * input_step,) float: dense samples."""
    units: np.ndarray
    """(n,) float: what each layer puts out."""
    cursors: np.ndarray
    """(most_rows,) int64."""
    slopes: Any
    """slopes.Slopes, of a network with activations that come with their derivative, or ()."""


@inlined
def are_finite(lanes, values, start, end):
    """Tell whether values of an array are finite in the dtype of the lanes.

    0 times a number is 0, save for NaN and infinity.
    """
    size, zero = n_lanes(lanes), broadcast(lanes, 0.0)
    sums, last = zero, start + (end - start) // size * size
    for place in range(start, last, size):
        sums = fma(load_as(lanes, values, place), zero, sums)
    for place in range(last, end):
        sums = fma(broadcast(lanes, item(values, place)), zero, sums)
    return reduce_add(sums) == 0


@kernel
def pack_rows(dense, background, n_features, first, n_rows, packed):
    """Copy what differs from the background, less the background, into compressed rows.

    Parameters
    ----------
    dense : DenseFeatures
    background : scalar of the values' dtype
    n_features : int
    first, n_rows : int
        Which rows.
    packed : SparseFeatures
        The first `n_rows` rows are overwritten; there is room for all values, and a vector more.
    """
    values, column_step, place = dense.values, dense.column_step, 0
    matrix, size = (values, column_step, background), n_lanes(LOOKED_AT_ONCE)
    whole = n_features // size * size if column_step == 1 else 0
    for row in range(n_rows):
        start, packed.indptr[row] = (first + row) * dense.row_step, place
        for feature in range(0, whole, size):
            if can_compress(LOOKED_AT_ONCE):
                place += pick_differing(
                    LOOKED_AT_ONCE, values, start + feature, background, feature, packed.values,
                    packed.indices, place,
                )  # fmt: skip
            elif count_differing(LOOKED_AT_ONCE, values, start + feature, background) > 0:
                for lane in range(feature, feature + size):
                    place += write_one(matrix, start, lane, packed.indices, packed.values, place)
        for feature in range(whole, n_features):
            place += write_one(matrix, start, feature, packed.indices, packed.values, place)
    packed.indptr[n_rows] = place


@inlined
def number_rows(batch, first):
    """Write down which samples the rows of a block are, from the first on."""
    for row in range(batch.size):
        batch[row] = first + row


@inlined
def forward_first_sparse(weights, features, space, batch):
    """Compute the first layer of some rows of sparse features; return whether all are finite."""
    layout, n_rows = weights.layout, batch.size
    inputs = Matrix(space.inputs, 0, n_rows, layout.input_step[0], 1)  # none is dense here
    for panel in range(layout.n_panels[0]):
        units = panel_of(weights.hidden, layout, 0, panel, n_rows, space.units)
        forward_sparse(
            weights.hidden, layout, panel, features, batch, inputs, weights.parameters,
            space.cursors, space.slopes, units,
        )  # fmt: skip
    start, end = features.indptr[batch[0]], features.indptr[batch[n_rows - 1] + 1]
    return are_finite(weights.line, features.values, start, end)


@inlined
def forward_first_dense(weights, features, space, batch):
    """Compute the first layer of some rows of dense features; return whether all are finite."""
    layout, n_rows, finite = weights.layout, batch.size, True
    n_features, step = layout.fan_in[0], layout.input_step[0]
    inputs = Matrix(space.inputs, 0, n_rows, step, 1)
    gather(weights.line, features, batch, 0, n_rows, n_features, inputs)
    for row in range(n_rows):
        finite &= are_finite(weights.line, space.inputs, row * step, row * step + n_features)
    for panel in range(layout.n_panels[0]):
        units = panel_of(weights.hidden, layout, 0, panel, n_rows, space.units)
        forward_dense(
            weights.hidden, layout, 0, panel, inputs, weights.parameters, space.slopes, units
        )
    return finite


@inlined
def forward_first(weights, features, space, first, n_rows):
    """Compute the first layer; return whether all inputs are finite."""
    batch = space.numbers[:n_rows]
    if is_a(features, MostlyBackground):
        n_features, packed = weights.layout.fan_in[0], features.packed
        pack_rows(features.dense, features.background, n_features, first, n_rows, packed)
        number_rows(batch, 0)
        return forward_first_sparse(weights, packed, space, batch)
    number_rows(batch, first)
    if is_a(features, SparseFeatures):
        return forward_first_sparse(weights, features, space, batch)
    return forward_first_dense(weights, features, space, batch)


@inlined
def forward_others(weights, space, n_rows):
    """Compute the layers after the first; the last one's units are the logits."""
    layout, parameters, n_layers = weights.layout, weights.parameters, weights.layout.widths.size
    for layer in range(1, n_layers - 1):
        inputs = whole(layout, layer - 1, n_rows, space.units)
        for panel in range(layout.n_panels[layer]):
            units = panel_of(weights.hidden, layout, layer, panel, n_rows, space.units)
            forward_dense(
                weights.hidden, layout, layer, panel, inputs, parameters, space.slopes, units
            )
    if n_layers > 1:
        layer, lanes = n_layers - 1, weights.output
        inputs = whole(layout, layer - 1, n_rows, space.units)
        for panel in range(layout.n_panels[layer]):
            units = panel_of(lanes, layout, layer, panel, n_rows, space.units)
            intercepts = multiply_panel(lanes, layout, layer, panel, inputs, parameters, units)
            add_to_rows(lanes, intercepts, units)


@entry
def predict_rows(weights, features, space, output, first, last, predictions):
    """Compute the predictions for some samples, as many at a time as there is space for.

    Each row's are the same whatever rows are computed beside it.

    Parameters
    ----------
    weights : Weights
    features : SparseFeatures, DenseFeatures or MostlyBackground
    space : PredictionSpace
    output : int
        One of `outputs.OUTPUT_CODES`.
    first, last : int
        Which samples, the last exclusive.
    predictions : (n_samples, n_outputs) float
        Overwritten in these rows.

    Returns
    -------
    bool
        False where an input may not be finite; True says that all are.
    """
    layout, units, most_rows, finite = weights.layout, space.units, space.numbers.size, True
    width, step = layout.widths[-1], layout.row_steps[-1]
    for begin in range(first, last, most_rows):
        n_rows = min(most_rows, last - begin)
        finite &= forward_first(weights, features, space, begin, n_rows)
        forward_others(weights, space, n_rows)
        for row in range(n_rows):
            start = n_rows * layout.units[-1] + row * step
            put_out(weights.block, output, units, start, width)
            for unit in range(predictions.shape[1]):
                predictions[begin + row, unit] = units[start + unit]
    return finite

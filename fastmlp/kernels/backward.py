"""From the deltas of the output layer back to the first, each layer updated on the way."""

from fastmlp.kernels.activations import multiply_by_derivative
from fastmlp.kernels.dense import count_dense
from fastmlp.kernels.forward import dense_inputs, whole
from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.kinds import is_a
from fastmlp.kernels.optimizers import KEEP, Stretch, step_of_intercepts, update
from fastmlp.kernels.products import Matrix, add_dense, add_rows, multiply
from fastmlp.kernels.simd import broadcast, load, n_lanes, store
from fastmlp.kernels.slopes import Slopes, multiply_by_slopes
from fastmlp.kernels.sparse import add_nonzero_products, start_rows
from fastmlp.kernels.task import panel_of, place_of_penalty, rows_of, share, transposed
from fastmlp.kernels.touched import TouchedRows, forget_touched, update_touched
from fastmlp.kernels.transposition import transpose

GRADIENT_ROWS = 128
"""Rows of a gradient that are computed before they are used: they stay in the cache."""


@inlined
def carry_back(task, layer, n_rows, slopes):
    """Compute (D W^T) f'(z), the deltas of the layer before, for the units this thread owns."""
    layout, workspace, lanes = task.layout, task.workspace, task.hidden
    size, width = n_lanes(lanes), layout.widths[layer]
    deltas = whole(layout, layer, n_rows, workspace.deltas)
    first, last = share(task.team, layout.n_panels[layer - 1])
    for panel in range(first, last):
        start = layout.transposed[layer] + panel * width * size
        weights = Matrix(task.model.transposed, start, layout.fan_out[layer], size, 1)
        before = panel_of(lanes, layout, layer - 1, panel, n_rows, workspace.deltas)
        multiply(lanes, deltas, weights, before, False)
        if is_a(slopes, Slopes):
            multiply_by_slopes(lanes, slopes, before)
        else:
            units = panel_of(lanes, layout, layer - 1, panel, n_rows, workspace.units)
            multiply_by_derivative(lanes, layout.activations[layer - 1], units, before)


@inlined
def whole_vectors(line, size, gradients):
    """Count the vectors that a gradient of so many numbers fills, the last with zeros."""
    n_vectors = (size + n_lanes(line) - 1) // n_lanes(line)
    store(gradients, (n_vectors - 1) * n_lanes(line), broadcast(line, 0.0))
    return n_vectors


@inlined
def update_intercepts(task, lanes, layer, panel, deltas, step):
    """Take one step on the biases of a panel, whose gradient is the sum of the deltas' rows.

    Parameters
    ----------
    task : task.Task
    lanes : simd.Lanes
        Of the layer.
    layer, panel : int
    deltas : Matrix of shape (n_rows, n_lanes)
    step : optimizers.Step
    """
    model, gradients = task.model, task.workspace.gradients[task.team.thread]
    n_vectors = whole_vectors(task.line, n_lanes(lanes), gradients)
    store(gradients, 0, add_rows(lanes, deltas))
    start = task.layout.intercepts[layer] + panel * n_lanes(lanes)
    stretch = Stretch(model.parameters, model.slots, start, n_vectors, gradients, 0)
    update(task.line, task.solver, step_of_intercepts(step), stretch)


@kernel
def update_dense(lanes, line, start, inputs, deltas, solver, step, gradients, model):
    """Take one step on a stretch of a panel's weights, whose gradient is A^T D.

    Parameters
    ----------
    lanes : simd.Lanes
        Of the layer.
    line : simd.Lanes
        Of updates.
    start : int
        Where the weights start.
    inputs : Matrix of shape (fan_in, n_rows)
        A^T, or those of its rows that belong to the weights.
    deltas : Matrix of shape (n_rows, n_lanes)
    solver : optimizers.Solver
    step : optimizers.Step
    gradients : (at least GRADIENT_ROWS * n_lanes,) float
        Workspace.
    model : task.PackedWeights
        Updated in place.

    Returns
    -------
    float64
        The penalty of the weights before; see `optimizers.update`.
    """
    size, penalty = n_lanes(lanes), 0.0
    for low in range(0, inputs.n_rows, GRADIENT_ROWS):
        n_rows = min(GRADIENT_ROWS, inputs.n_rows - low)
        place = inputs.start + low * inputs.row_step
        left = Matrix(inputs.memory, place, n_rows, inputs.row_step, inputs.column_step)
        n_vectors = whole_vectors(line, n_rows * size, gradients)
        multiply(lanes, left, deltas, Matrix(gradients, 0, n_rows, size, 1), False)
        place = start + low * size
        stretch = Stretch(model.parameters, model.slots, place, n_vectors, gradients, 0)
        penalty += update(line, solver, step, stretch)
    return penalty


@inlined
def are_few(lanes, line):
    """Tell whether a layer's vectors are so narrow that others take their place: see `add_few`."""
    return 4 * n_lanes(lanes) <= n_lanes(line)


@kernel
def add_few(lanes, few, units, deltas, gradients, start, adding):
    """Compute D^T A for a panel of the units before a layer of few, or add it.

    It is A^T D transposed, to the bit: the units are the vectors, and not the few deltas, whose
    vectors hold a quarter as many numbers or less. A step of 20-100-2 takes a twelfth less time.

    Parameters
    ----------
    lanes, few : simd.Lanes
        Of the units and of the layer.
    units : Matrix of shape (n_rows, n_lanes)
    deltas : Matrix of shape (n_rows, n_few_lanes)
    gradients : (at least start + n_few_lanes * n_lanes,) float
        Overwritten from `start` on, or added to.
    start : int
    adding : bool
    """
    size = n_lanes(few)
    left = Matrix(deltas.memory, deltas.start, size, 1, deltas.row_step)
    multiply(lanes, left, units, Matrix(gradients, start, size, n_lanes(lanes), 1), adding)


@kernel
def turn_few(lanes, few, n_inputs, gradients, start):
    """Transpose what `add_few` has computed; the gradient of what fills the panel up is 0.

    Parameters
    ----------
    lanes, few : simd.Lanes
        See `add_few`.
    n_inputs : int
        Units of the panel that are none that fill it up.
    gradients : (at least start + n_few_lanes * n_lanes,) float
        Read from `start` on; overwritten before it.
    start : int
        At least n_few_lanes * n_lanes.
    """
    size = n_lanes(few)
    for column in range(0, n_lanes(lanes), size):
        transpose(few, gradients, start + column, n_lanes(lanes), gradients, column * size, size)
    for unit in range(n_inputs, n_lanes(lanes)):
        store(gradients, unit * size, broadcast(few, 0.0))


@inlined
def update_few(task, lanes, layer, own, n_rows, n_inputs, step):
    """Take one step on the weights of a layer of few units that belong to a panel of its inputs.

    Returns the penalty of the weights before; see `optimizers.update`.
    """
    layout, workspace, model = task.layout, task.workspace, task.model
    gradients, size = workspace.gradients[task.team.thread], n_lanes(task.hidden) * n_lanes(lanes)
    deltas = panel_of(lanes, layout, layer, 0, n_rows, workspace.deltas)
    units = panel_of(task.hidden, layout, layer - 1, own, n_rows, workspace.units)
    add_few(task.hidden, lanes, units, deltas, gradients, size, False)
    turn_few(task.hidden, lanes, n_inputs, gradients, size)
    start, n_vectors = layout.coefs[layer] + own * size, size // n_lanes(task.line)
    stretch = Stretch(model.parameters, model.slots, start, n_vectors, gradients, 0)
    return update(task.line, task.solver, step, stretch)


@inlined
def update_layer(task, lanes, layer, n_rows, index, step):
    """Take one step on a layer after the first, for the inputs that this thread owns.

    Parameters
    ----------
    task : task.Task
    lanes : simd.Lanes
        Of the layer.
    layer, n_rows : int
    index : int
        Which of the steps of this call it is.
    step : optimizers.Step
    """
    layout, workspace, model = task.layout, task.workspace, task.model
    gradients = workspace.gradients[task.team.thread]
    first, last = share(task.team, layout.n_panels[layer])
    for panel in range(first, last):
        deltas = panel_of(lanes, layout, layer, panel, n_rows, workspace.deltas)
        update_intercepts(task, lanes, layer, panel, deltas, step)
    before, inputs = n_lanes(task.hidden), whole(layout, layer - 1, n_rows, workspace.units)
    first, last = share(task.team, layout.n_panels[layer - 1])
    for own in range(first, last):
        low, high = own * before, min((own + 1) * before, layout.fan_in[layer])
        penalty = 0.0
        if are_few(lanes, task.line):
            penalty += update_few(task, lanes, layer, own, n_rows, high - low, step)
        for panel in range(0 if are_few(lanes, task.line) else layout.n_panels[layer]):
            start = layout.coefs[layer] + panel * layout.panel_sizes[layer] + low * n_lanes(lanes)
            penalty += update_dense(
                lanes, task.line, start, transposed(inputs, low, high),
                panel_of(lanes, layout, layer, panel, n_rows, workspace.deltas), task.solver, step,
                gradients, model,
            )  # fmt: skip
        workspace.penalties[layer, own, place_of_penalty(task, index)] = penalty
        if task.solver.code != KEEP:
            transpose_weights(task, lanes, layer, own)


@inlined
def transpose_weights(task, lanes, layer, own):
    """Copy the weights of one panel of a layer's inputs to where they lie transposed."""
    layout, model, block = task.layout, task.model, n_lanes(task.block)
    size, before, width = n_lanes(lanes), n_lanes(task.hidden), layout.widths[layer]
    for panel in range(layout.n_panels[layer]):
        source = layout.coefs[layer] + panel * layout.panel_sizes[layer] + own * before * size
        target = layout.transposed[layer] + (own * width + panel * size) * before
        for row in range(0, before, block):
            for column in range(0, size, block):
                transpose(
                    task.block, model.parameters, source + row * size + column, size,
                    model.transposed, target + column * before + row, before,
                )  # fmt: skip


@inlined
def update_first_dense(task, n_rows, index, step):
    """Take one step on the first layer, for the units that this thread owns."""
    layout, workspace, lanes = task.layout, task.workspace, task.hidden
    gradients = workspace.gradients[task.team.thread]
    samples = dense_inputs(layout, workspace.inputs, index, n_rows)
    inputs = transposed(samples, 0, layout.fan_in[0])
    first, last = share(task.team, layout.n_panels[0])
    for panel in range(first, last):
        deltas = panel_of(lanes, layout, 0, panel, n_rows, workspace.deltas)
        update_intercepts(task, lanes, 0, panel, deltas, step)
        start = layout.coefs[0] + panel * layout.panel_sizes[0]
        workspace.penalties[0, panel, place_of_penalty(task, index)] = update_dense(
            lanes, task.line, start, inputs, deltas, task.solver, step, gradients, task.model
        )


@kernel
def multiply_rows(lanes, matrix, factor):
    """Multiply a matrix of n_lanes columns by a number, in place."""
    factors = broadcast(lanes, factor)
    for row in range(matrix.n_rows):
        place = matrix.start + row * matrix.row_step
        store(matrix.memory, place, load(lanes, matrix.memory, place) * factors)


@inlined
def update_first_sparse(task, rows, batch, index, step):
    """Take one step on the first layer, for the units that this thread owns.

    The gradient is scale P^T D + constant (sum of the rows of D).
    """
    layout, workspace, lanes = task.layout, task.workspace, task.hidden
    thread, features, n_rows = task.team.thread, task.batches.features, batch.size
    gradients, cursors = workspace.gradients[thread], workspace.cursors[thread]
    samples = dense_inputs(layout, workspace.inputs, index, n_rows)
    inputs = transposed(samples, 0, count_dense(features.dense))
    first, last = share(task.team, layout.n_panels[0])
    for panel in range(first, last):
        deltas = panel_of(lanes, layout, 0, panel, n_rows, workspace.deltas)
        update_intercepts(task, lanes, 0, panel, deltas, step)
        start = layout.coefs[0] + panel * layout.panel_sizes[0]
        start_rows(features, batch, cursors)
        if is_a(rows, TouchedRows):
            multiply_rows(lanes, deltas, features.scale)
            update_touched(task, rows, batch, inputs, panel, deltas, gradients, index, step)
        elif features.in_place:
            multiply_rows(lanes, deltas, -step.rate * features.scale)
            add_in_place(task, batch, inputs, deltas, start, cursors)
        else:
            workspace.penalties[0, panel, place_of_penalty(task, index)] = update_every_row(
                task, batch, inputs, deltas, start, gradients, cursors, step
            )
    if is_a(rows, TouchedRows):
        forget_touched(task, rows)


@inlined
def add_in_place(task, batch, inputs, deltas, start, cursors):
    """Add P^T D to the weights of a panel of the first layer, a block of features at a time."""
    lanes, features, parameters = task.hidden, task.batches.features, task.model.parameters
    n_dense = count_dense(features.dense)
    weights = Matrix(parameters, start, n_dense, n_lanes(lanes), 1)
    add_dense(lanes, features.dense, inputs, deltas, weights)
    n_features, block = task.layout.fan_in[0], features.block
    for limit in range(n_dense + block, n_features + block, block):
        add_nonzero_products(lanes, features, batch, limit, deltas, cursors, parameters, start)


@inlined
def update_every_row(task, batch, inputs, deltas, start, gradients, cursors, step):
    """Take one step on all weights of a panel of the first layer, a block of features at a time.

    Returns the penalty of the weights before; see `optimizers.update`.
    """
    lanes, features, model = task.hidden, task.batches.features, task.model
    size, n_features, penalty = n_lanes(lanes), task.layout.fan_in[0], 0.0
    base = load(lanes, gradients, 0) * broadcast(lanes, features.constant)  # the sum of the rows
    multiply_rows(lanes, deltas, features.scale)
    for low in range(0, n_features, features.block):
        n_block = min(features.block, n_features - low)
        for row in range(n_block):
            store(gradients, row * size, base)
        n_rows = max(0, min(n_block, count_dense(features.dense) - low))
        add_dense(
            lanes, features.dense, rows_of(inputs, low, low + n_rows), deltas,
            Matrix(gradients, 0, n_rows, size, 1),
        )  # fmt: skip
        add_nonzero_products(
            lanes, features, batch, low + n_block, deltas, cursors, gradients, -low * size
        )
        place = start + low * size
        n_vectors = n_block * size // n_lanes(task.line)
        stretch = Stretch(model.parameters, model.slots, place, n_vectors, gradients, 0)
        penalty += update(task.line, task.solver, step, stretch)
    return penalty

"""From the samples of a batch to its losses: each layer's units, then the softmax."""

from fastmlp.kernels.activations import activate
from fastmlp.kernels.dense import count_dense, gather
from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.kinds import is_a
from fastmlp.kernels.losses import ClassTargets
from fastmlp.kernels.products import Matrix, add_dense, add_rows, add_to_rows, multiply
from fastmlp.kernels.simd import broadcast, fma, load, n_lanes
from fastmlp.kernels.slopes import Slopes, activate_and_keep
from fastmlp.kernels.softmax import softmax_rows
from fastmlp.kernels.sparse import AHEAD, multiply_nonzeros, prefetch_row
from fastmlp.kernels.task import panel_of, rows_of, share, share_rows
from fastmlp.kernels.values import value_rows


@inlined
def finish(lanes, layout, layer, panel, units, scale, intercepts, slopes):
    """Add the bias and apply the activation function, and keep the slopes where asked to."""
    code = layout.activations[layer]
    if is_a(slopes, Slopes):
        activate_and_keep(lanes, code, units, scale, intercepts, layer, panel, slopes)
    else:
        activate(lanes, code, units, scale, intercepts)


@inlined
def multiply_panel(lanes, layout, layer, panel, inputs, parameters, units):
    """Compute A W for one panel of a layer, and load its biases; see `forward_dense`."""
    size = n_lanes(lanes)
    start = layout.coefs[layer] + panel * layout.panel_sizes[layer]
    weights = Matrix(parameters, start, layout.fan_in[layer], size, 1)
    multiply(lanes, inputs, weights, units, False)
    return load(lanes, parameters, layout.intercepts[layer] + panel * size)


@kernel
def forward_dense(lanes, layout, layer, panel, inputs, parameters, slopes, units):
    """Compute f(A W + b) for one panel of a layer.

    Parameters
    ----------
    lanes : simd.Lanes
        Of the layer.
    layout : layout.Layout
    layer, panel : int
    inputs : Matrix of shape (n_rows, fan_in)
    parameters : (n_packed,) float
    slopes : slopes.Slopes or ()
    units : Matrix of shape (n_rows, n_lanes)
        Overwritten.
    """
    intercepts = multiply_panel(lanes, layout, layer, panel, inputs, parameters, units)
    finish(lanes, layout, layer, panel, units, 1.0, intercepts, slopes)


@kernel
def forward_sparse(
    lanes, layout, panel, features, batch, inputs, parameters, cursors, slopes, units
):  # fmt: skip
    """Compute f(X W + b) for one panel of the first layer, with X = scale P + constant.

    Parameters
    ----------
    lanes : simd.Lanes
        Of the first layer.
    layout : layout.Layout
    panel : int
    features : sparse.SparseFeatures
    batch : (n_rows,) intp
        The samples.
    inputs : Matrix of shape (n_rows, n_dense)
        Their dense features.
    parameters : (n_packed,) float
    cursors : (at least n_rows,) int64
        Workspace.
    slopes : slopes.Slopes or ()
    units : Matrix of shape (n_rows, n_lanes)
        Overwritten.
    """
    size, n_features = n_lanes(lanes), layout.fan_in[0]
    start = layout.coefs[0] + panel * layout.panel_sizes[0]
    multiply_nonzeros(lanes, features, batch, n_features, parameters, start, cursors, units)
    weights = Matrix(parameters, start, count_dense(features.dense), size, 1)
    add_dense(lanes, features.dense, inputs, weights, units)
    intercepts = load(lanes, parameters, layout.intercepts[0] + panel * size)
    if features.constant != 0:
        sums = add_rows(lanes, Matrix(parameters, start, n_features, size, 1))
        intercepts = fma(broadcast(lanes, features.constant), sums, intercepts)
    finish(lanes, layout, 0, panel, units, features.scale, intercepts, slopes)


@inlined
def dense_inputs(layout, inputs, index, n_rows):
    """View the samples of a batch; those of every second batch lie in the same place."""
    start = index % 2 * (inputs.size // 2)
    return Matrix(inputs, start, n_rows, layout.input_step[0], 1)


@inlined
def read_samples(task, dense, n_features, index, batch):
    """Read the rows of a batch that this thread owns from a dense matrix."""
    layout, workspace = task.layout, task.workspace
    first, last = share(task.team, batch.size)
    inputs = dense_inputs(layout, workspace.inputs, index, batch.size)
    gather(task.line, dense, batch, first, last, n_features, inputs)


@inlined
def ask_for_samples(task, begin, n_rows):
    """Ask the memory for the rows of a sparse matrix that come later."""
    permutation = task.batches.permutation
    for position in range(begin + AHEAD, min(begin + AHEAD + n_rows, permutation.size)):
        prefetch_row(task.batches.features, permutation[position])


@inlined
def forward_first_dense(task, index, batch, slopes):
    """Compute the first layer's units that this thread owns from dense samples."""
    layout, workspace = task.layout, task.workspace
    inputs = dense_inputs(layout, workspace.inputs, index, batch.size)
    first, last = share(task.team, layout.n_panels[0])
    for panel in range(first, last):
        units = panel_of(task.hidden, layout, 0, panel, batch.size, workspace.units)
        forward_dense(task.hidden, layout, 0, panel, inputs, task.model.parameters, slopes, units)


@inlined
def forward_first_sparse(task, begin, index, batch, slopes):
    """Compute the first layer's units that this thread owns from sparse samples."""
    layout, workspace = task.layout, task.workspace
    ask_for_samples(task, begin, batch.size)
    inputs = dense_inputs(layout, workspace.inputs, index, batch.size)
    first, last = share(task.team, layout.n_panels[0])
    for panel in range(first, last):
        units = panel_of(task.hidden, layout, 0, panel, batch.size, workspace.units)
        forward_sparse(
            task.hidden, layout, panel, task.batches.features, batch, inputs,
            task.model.parameters, workspace.cursors[task.team.thread], slopes, units,
        )  # fmt: skip


@inlined
def whole(layout, layer, n_rows, memory):
    """View all of a layer's units, or of their deltas, as a matrix."""
    start = n_rows * layout.units[layer]
    return Matrix(memory, start, n_rows, layout.row_steps[layer], 1)


@inlined
def forward_hidden(task, layer, n_rows, slopes):
    """Compute the units of a further hidden layer that this thread owns."""
    layout, workspace = task.layout, task.workspace
    inputs = whole(layout, layer - 1, n_rows, workspace.units)
    first, last = share(task.team, layout.n_panels[layer])
    for panel in range(first, last):
        units = panel_of(task.hidden, layout, layer, panel, n_rows, workspace.units)
        forward_dense(
            task.hidden, layout, layer, panel, inputs, task.model.parameters, slopes, units
        )


@inlined
def forward_output(task, n_rows):
    """Compute the logits of the rows that this thread owns."""
    layout, workspace, lanes = task.layout, task.workspace, task.output
    layer = layout.widths.size - 1
    first, last = share_rows(task, n_rows)
    inputs = rows_of(whole(layout, layer - 1, n_rows, workspace.units), first, last)
    for panel in range(layout.n_panels[layer]):
        units = panel_of(lanes, layout, layer, panel, n_rows, workspace.units)
        mine = rows_of(units, first, last)
        parameters = task.model.parameters
        intercepts = multiply_panel(lanes, layout, layer, panel, inputs, parameters, mine)
        add_to_rows(lanes, intercepts, mine)


@inlined
def loss_and_deltas(task, targets, batch, total):
    """Compute the losses, and the output layer's deltas, of the rows that this thread owns.

    Both are weighted; the deltas are divided by the batch's total.
    """
    layout, workspace, n_rows = task.layout, task.workspace, batch.size
    layer, space = layout.widths.size - 1, workspace.gradients[task.team.thread]
    first, last = share_rows(task, n_rows)
    logits = whole(layout, layer, n_rows, workspace.units)
    for row in range(first, last, n_lanes(task.line)):
        if is_a(targets, ClassTargets):
            softmax_rows(
                task.line, targets, batch, row, logits, workspace.deltas, total,
                workspace.row_losses, space,
            )  # fmt: skip
        else:
            value_rows(
                task.line, task.block, targets, batch, row, layout.widths[layer], logits,
                workspace.deltas, total, workspace.row_losses, space,
            )  # fmt: skip

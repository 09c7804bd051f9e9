"""Training on batches: many steps in one compiled call, by one thread or by several.

Each thread owns units: it computes their activations and deltas for all rows of a batch and the
updates of their weights, save in the output layer, of which it owns rows. Whatever the number of
threads, each number comes from the same additions in the same order. With one hidden layer they
wait for one another twice a batch, before the output layer and after the softmax; each further
layer adds two waits, a dense first layer one.
"""

from fastmlp.kernels.backward import (
    carry_back,
    update_first_dense,
    update_first_sparse,
    update_layer,
)
from fastmlp.kernels.barrier import wait_for_all
from fastmlp.kernels.clipping import Clip, keeping, measure_all, step_on_all, transpose_all
from fastmlp.kernels.dense import DenseFeatures, count_dense
from fastmlp.kernels.forward import (
    forward_first_dense,
    forward_first_sparse,
    forward_hidden,
    forward_output,
    loss_and_deltas,
    read_samples,
)
from fastmlp.kernels.jit import entry, inlined
from fastmlp.kernels.kinds import is_a
from fastmlp.kernels.optimizers import step_of
from fastmlp.kernels.slopes import Slopes, at_batch
from fastmlp.kernels.sparse import SparseFeatures
from fastmlp.kernels.task import place_of_penalty
from fastmlp.kernels.touched import TouchedRows, catch_up_all, catch_up_touched


@inlined
def arrive(team):
    """Wait for the other threads; False says that the work was cancelled."""
    return wait_for_all(team.barrier, team.thread, team.n_threads)


@inlined
def read_dense(task, dense, n_features, index, batch):
    """Read the dense features of a batch if there are any; False says that it was cancelled."""
    if is_a(dense, DenseFeatures):
        read_samples(task, dense, n_features, index, batch)
        return arrive(task.team)
    return True


@inlined
def forward(task, features, targets, rows, slopes, begin, batch, index, total):
    """Compute the units of all layers; False says that the work was cancelled."""
    if is_a(features, SparseFeatures):
        if is_a(rows, TouchedRows):
            catch_up_touched(task, rows, batch, index)
        dense = features.dense
        if not read_dense(task, dense, count_dense(dense), index, batch):
            return False
        forward_first_sparse(task, begin, index, batch, slopes)
    else:
        if not read_dense(task, features, task.layout.fan_in[0], index, batch):
            return False
        forward_first_dense(task, index, batch, slopes)
    n_layers = task.layout.widths.size
    for layer in range(1, n_layers - 1):
        if not arrive(task.team):
            return False
        forward_hidden(task, layer, batch.size, slopes)
    if not arrive(task.team):
        return False
    if n_layers > 1:
        forward_output(task, batch.size)
    loss_and_deltas(task, targets, batch, total)
    return arrive(task.team)


@inlined
def backward(task, features, rows, slopes, batch, index, step):
    """Take one step on all layers; False says that the work was cancelled."""
    n_layers = task.layout.widths.size
    for layer in range(n_layers - 1, 0, -1):
        carry_back(task, layer, batch.size, slopes)
        if layer == n_layers - 1:
            update_layer(task, task.output, layer, batch.size, index, step)
        else:
            update_layer(task, task.hidden, layer, batch.size, index, step)
        if layer > 1 and not arrive(task.team):
            return False
    if is_a(features, SparseFeatures):
        update_first_sparse(task, rows, batch, index, step)
    else:
        update_first_dense(task, batch.size, index, step)
    return True


@inlined
def backward_clipped(task, features, rows, slopes, clip, batch, index, step):
    """Take one step on all layers with a gradient that is shortened; see `backward`."""
    if not backward(keeping(task), features, rows, slopes, batch, index, step):
        return False
    if not arrive(task.team):
        return False
    measure_all(task)
    if not arrive(task.team):
        return False
    step_on_all(task, clip, step)
    if not arrive(task.team):
        return False
    transpose_all(task)
    return True


@inlined
def mean_loss(row_losses, n_rows, total):
    """Add the losses of a batch's rows up, in a fixed order, and divide by its total.

    Four sums at a time: one addition would wait for the other.
    """
    a, b, c, d, whole = 0.0, 0.0, 0.0, 0.0, n_rows // 4 * 4
    for row in range(0, whole, 4):
        a += row_losses[row]
        b += row_losses[row + 1]
        c += row_losses[row + 2]
        d += row_losses[row + 3]
    for row in range(whole, n_rows):
        a += row_losses[row]
    return (a + b + (c + d)) / total


@inlined
def move_on(slopes, first_row):
    """Point to the numbers of a batch where there are any."""
    if is_a(slopes, Slopes):
        return at_batch(slopes, first_row)
    return slopes


@entry
def run_steps(task, rows, slopes, clip, first_step, last_step, losses):
    """Train on the batches from one to another, exclusive.

    Parameters
    ----------
    task : task.Task
        Its model is updated in place.
    rows : touched.TouchedRows or ()
        For updates that touch only the rows of a batch's nonzeros.
    slopes : slopes.Slopes or ()
        For activations whose derivative must be kept, and for dropout.
    clip : clipping.Clip or ()
        For gradients that are shortened.
    first_step, last_step : int
        Where there is no room for the penalties of more steps, and after the last one, weights
        that only some steps touch are brought up to date.
    losses : (n_batches,) float64
        Overwritten by the mean loss of each batch before its update.

    Returns
    -------
    bool
        False where another thread cancelled the work.
    """
    batches, workspace = task.batches, task.workspace
    for index in range(first_step, last_step):
        begin, total = batches.starts[index], batches.totals[index]
        batch = batches.permutation[begin : batches.starts[index + 1]]
        kept = move_on(slopes, begin - batches.starts[first_step])
        if not forward(
            task, batches.features, batches.targets, rows, kept, begin, batch, index, total
        ):
            return False
        if task.team.thread == 0:
            losses[index] = mean_loss(workspace.row_losses, batch.size, total)
        step = step_of(batches.step_sizes, index)
        if is_a(clip, Clip):
            going = backward_clipped(task, batches.features, rows, kept, clip, batch, index, step)
        else:
            going = backward(task, batches.features, rows, kept, batch, index, step)
        if not going:
            return False
    if is_a(rows, TouchedRows) and (
        last_step == losses.size or place_of_penalty(task, last_step) == 0
    ):
        catch_up_all(task, rows, last_step)
    return True

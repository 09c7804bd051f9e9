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
from fastmlp.kernels.forward import (
    forward_first_dense,
    forward_first_sparse,
    forward_hidden,
    forward_output,
    judge,
    read_samples,
)
from fastmlp.kernels.jit import entry, inlined
from fastmlp.kernels.sparse import N_FIELDS
from fastmlp.kernels.touched import N_FIELDS as N_ROWS
from fastmlp.kernels.touched import catch_up_all, catch_up_touched


@inlined
def arrive(team):
    """Wait for the other threads; False says that the work was called off."""
    return wait_for_all(team.places, team.thread, team.n_threads)


@inlined
def forward(task, features, rows, begin, batch, step):
    """Compute the units of all layers; False says that the work was called off."""
    if len(features) == N_FIELDS:  # known while this is compiled, and only the one branch is
        if len(rows) == N_ROWS:
            catch_up_touched(task, rows, batch, step)
        forward_first_sparse(task, begin, batch)
    else:
        read_samples(task, begin, batch)
        if not arrive(task.team):
            return False
        forward_first_dense(task, begin, batch)
    n_layers = task.layout.widths.size
    for layer in range(1, n_layers - 1):
        if not arrive(task.team):
            return False
        forward_hidden(task, layer, batch.size)
    if not arrive(task.team):
        return False
    if n_layers > 1:
        forward_output(task, batch.size)
    judge(task, batch)
    return arrive(task.team)


@inlined
def backward(task, features, rows, begin, batch, step, rate):
    """Take one step on all layers; False says that the work was called off."""
    n_layers = task.layout.widths.size
    for layer in range(n_layers - 1, 0, -1):
        carry_back(task, layer, batch.size)
        if layer == n_layers - 1:
            update_layer(task, task.output, layer, batch.size, step, rate)
        else:
            update_layer(task, task.hidden, layer, batch.size, step, rate)
        if layer > 1 and not arrive(task.team):
            return False
    if len(features) == N_FIELDS:
        update_first_sparse(task, rows, batch, step, rate)
    else:
        update_first_dense(task, begin, batch.size, step, rate)
    return True


@entry
def run_steps(task, rows, first_step, last_step, losses):
    """Train on the batches from one to another, exclusive.

    Parameters
    ----------
    task : task.Task
        Its model is updated in place.
    rows : touched.TouchedRows or ()
        For updates that touch only the rows of a batch's nonzeros.
    first_step, last_step : int
    losses : (n_batches,) float64
        Overwritten by the mean cross-entropy of each batch before its update.

    Returns
    -------
    bool
        False where the work was called off by another thread.
    """
    batches, workspace = task.batches, task.workspace
    for step in range(first_step, last_step):
        begin = step * batches.batch_size
        batch = batches.permutation[begin : begin + batches.batch_size]
        if not forward(task, batches.features, rows, begin, batch, step - first_step):
            return False
        if task.team.thread == 0:
            total = 0.0
            for row in range(batch.size):
                total += workspace.row_losses[row]
            losses[step] = total / batch.size
        rate = batches.rates[step]
        if not backward(task, batches.features, rows, begin, batch, step - first_step, rate):
            return False
    if len(rows) == N_ROWS:
        catch_up_all(task, rows, last_step - first_step)
    return True

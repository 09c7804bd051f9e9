"""Logits of many samples, a block of rows at a time."""

from fastmlp.kernels.forward import (
    forward_first_dense,
    forward_first_sparse,
    forward_hidden,
    forward_output,
    read_samples,
)
from fastmlp.kernels.jit import entry
from fastmlp.kernels.kinds import is_a
from fastmlp.kernels.sparse import SparseFeatures


@entry
def predict_logits(task, features, slopes, first, last, logits):
    """Compute the logits of some samples.

    Parameters
    ----------
    task : task.Task
        Of one thread; its batches' starts say how many rows are computed at a time, and its
        permutation is 0, 1, 2, ...
    features : SparseFeatures or DenseFeatures
        Those of the task.
    slopes : slopes.Slopes or ()
        Of a network with activations that come with their derivative; without dropout.
    first, last : int
        Which samples, the last exclusive.
    logits : (n_samples, n_classes) float
        Overwritten in these rows.
    """
    layout, units, batch_size = task.layout, task.workspace.units, task.batches.starts[1]
    n_layers = layout.widths.size
    for begin in range(first, last, batch_size):
        batch = task.batches.permutation[begin : min(begin + batch_size, last)]
        if is_a(features, SparseFeatures):
            forward_first_sparse(task, begin, batch, slopes)
        else:
            read_samples(task, 0, batch)
            forward_first_dense(task, 0, batch, slopes)
        for layer in range(1, n_layers - 1):
            forward_hidden(task, layer, batch.size, slopes)
        if n_layers > 1:
            forward_output(task, batch.size)
        start, step = batch.size * layout.units[n_layers - 1], layout.row_steps[n_layers - 1]
        for row in range(batch.size):
            for unit in range(logits.shape[1]):
                logits[begin + row, unit] = units[start + row * step + unit]

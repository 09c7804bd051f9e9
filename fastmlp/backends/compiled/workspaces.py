"""What batches are computed in: the memory of each thread and of all together."""

from typing import Any, NamedTuple

import numpy as np

from fastmlp.backends.compiled.memory import read_only, zeros
from fastmlp.backends.compiled.packed import PackedModel
from fastmlp.backends.contract import threshold
from fastmlp.kernels import samples
from fastmlp.kernels import task as tasks
from fastmlp.kernels.activations import FROM_VALUE
from fastmlp.kernels.backward import GRADIENT_ROWS
from fastmlp.kernels.dense import DenseFeatures
from fastmlp.kernels.layout import Layout, n_of_units
from fastmlp.kernels.simd import LINE_BYTES
from fastmlp.kernels.slopes import Slopes
from fastmlp.kernels.sparse import SparseFeatures
from fastmlp.network import Network, Parameters


class Space(NamedTuple):
    """What batches are computed in."""

    workspace: tasks.Workspace
    slopes: Any
    """See `make_slopes`."""


def make_slopes(
    model: PackedModel, network: Network, dropout: tuple[float, ...], batch_size: int
) -> Any:
    """Allocate what keeps the derivatives, or () where they follow from the activations."""
    layout, dtype = model.layout, model.packed.dtype
    if not any(dropout) and all(code in FROM_VALUE for code in layout.activations):
        return ()
    sizes = np.array(network.layer_sizes[1:-1], np.intp)
    rates = np.array(dropout or [0.0] * len(sizes))
    return Slopes(
        memory=zeros(batch_size * int(layout.row_steps.sum()), dtype),
        numbers=read_only(np.empty(0, np.uint16)),
        row_step=0,
        begin=0,
        starts=np.append(0, np.cumsum(sizes)[:-1]).astype(np.intp),
        thresholds=np.array([threshold(rate) for rate in rates], np.intp),
        factors=(1 / (1 - rates)).astype(dtype),
    )


def make_workspace(
    layout: Layout, features: SparseFeatures | DenseFeatures, batch_size: int,
    sizes: tuple[int, int, int], dtype: np.dtype[Any],
) -> tasks.Workspace:  # fmt: skip
    """Allocate what a batch is computed in.

    `sizes` are the largest numbers of threads, of steps a call, and of features that a batch
    touches where only those are updated.
    """
    n_threads, n_steps, most_touched = sizes
    n_units = n_of_units(layout, batch_size)
    n_inputs, block = 0, max(GRADIENT_ROWS, most_touched)
    if isinstance(features, DenseFeatures) or features.dense:
        n_inputs = 2 * batch_size * int(layout.input_step[0])
    if isinstance(features, SparseFeatures) and not (features.in_place or most_touched):
        block = max(block, features.block)
    n_lanes = int((layout.widths // layout.n_panels).max())
    n_logits = int(layout.row_steps[-1] + 3) * LINE_BYTES // dtype.itemsize
    n_panels = int(layout.n_panels.max())
    return tasks.Workspace(
        inputs=zeros(n_inputs, dtype),
        units=zeros(n_units, dtype),
        deltas=zeros(n_units, dtype),
        row_losses=np.zeros(batch_size),
        penalties=np.zeros((len(layout.widths), n_panels, n_steps)),
        norms=np.zeros((2, len(layout.widths), n_panels)),
        gradients=zeros((n_threads, max(block * n_lanes, n_logits)), dtype),
        cursors=zeros((n_threads, -(-batch_size // 8) * 8), np.int64),
    )


def make_sample_workspace(
    layout: Layout, parameters: Parameters, n_threads: int
) -> samples.SampleWorkspace:
    """Allocate what a sample is computed in."""
    dtype, width, outputs = parameters.dtype, int(layout.widths[0]), int(layout.widths[1])
    masks = zeros(width, dtype)
    masks[: layout.fan_out[0]] = 1
    return samples.SampleWorkspace(
        units=zeros(width, dtype),
        masks=masks,
        shared_rows=zeros(width, dtype),
        row_sums=zeros(width, dtype),
        partial_logits=zeros(2 * int(layout.n_panels[0]) * outputs, dtype),
        # A line between one thread's and the next one's: they would be fetched in pairs.
        outputs=zeros((n_threads, 3 * outputs + 32), dtype),
    )

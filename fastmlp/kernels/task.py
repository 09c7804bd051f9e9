"""What the threads that train one network share, and which part of it each of them owns."""

from typing import Any, NamedTuple

import numpy as np

from fastmlp.kernels.jit import inlined
from fastmlp.kernels.layout import Layout
from fastmlp.kernels.optimizers import Solver, StepSizes
from fastmlp.kernels.products import Matrix
from fastmlp.kernels.simd import Lanes, n_lanes


class PackedWeights(NamedTuple):
    """What is learned."""

    parameters: np.ndarray
    """(n_packed,) float."""
    slots: np.ndarray
    """(n_slots, n_packed) float: the solver's state."""
    transposed: np.ndarray
    """(n_transposed,) float: the weights of all layers but the first."""


class Batches(NamedTuple):
    """What is trained on, in which order and how fast."""

    features: Any
    """SparseFeatures or DenseFeatures."""
    targets: Any
    """ClassTargets or ValueTargets."""
    permutation: np.ndarray
    """(n_samples,) intp: of one epoch, or of several one after the other."""
    starts: np.ndarray
    """(n_batches + 1,) intp: where each batch starts in the permutation, and where the last ends;
    for predictions (2,), 0 and how many rows are computed at a time."""
    step_sizes: StepSizes
    totals: np.ndarray
    """(n_batches,) float64: what each batch's sum of losses is divided by."""


class Workspace(NamedTuple):
    """What a batch is computed in."""

    inputs: np.ndarray
    """(2 * most_rows * n_features,) float: dense samples, of two batches in turn."""
    units: np.ndarray
    """(n,) float: what each layer puts out, with room for one more vector of rows of the last."""
    deltas: np.ndarray
    """(n,) float, as the units."""
    row_losses: np.ndarray
    """(most_rows,) float64."""
    penalties: np.ndarray
    """(n_layers, most_panels, n_steps) float64: alpha / 2 * sum(w^2) + l1 * sum(|w|) before each
    step; see `place_of_penalty`."""
    norms: np.ndarray
    """(2, n_layers, most_panels) float64: sums of squares of the weights' and biases' gradient."""
    gradients: np.ndarray
    """(n_threads, n) float: a block of the gradient, or of logits, each thread's own."""
    cursors: np.ndarray
    """(n_threads, most_rows) int64."""


class Team(NamedTuple):
    """Which of the threads this is."""

    thread: int
    n_threads: int
    barrier: np.ndarray
    """See `barrier.wait_for_all`."""


class Task(NamedTuple):
    """Everything that a step needs."""

    hidden: Lanes
    """Of the hidden layers, and of the output layer where it is the only one."""
    output: Lanes
    line: Lanes
    """Of rows that are computed side by side."""
    block: Lanes
    """Of the blocks that are transposed."""
    layout: Layout
    solver: Solver
    model: PackedWeights
    batches: Batches
    workspace: Workspace
    team: Team


@inlined
def place_of_penalty(task, index):
    """Find where the penalties of a step lie: there is room for some steps."""
    return index % task.workspace.penalties.shape[2]


@inlined
def share(team, n_items):
    """Compute the first and the last, exclusive, of the items that this thread owns.

    Parameters
    ----------
    team : Team
    n_items : int

    Returns
    -------
    first, last : int
    """
    first = team.thread * n_items // team.n_threads
    return first, (team.thread + 1) * n_items // team.n_threads


@inlined
def share_rows(task, n_rows):
    """Compute which rows this thread owns: whole vectors of them, save for the last.

    Parameters
    ----------
    task : Task
    n_rows : int

    Returns
    -------
    first, last : int
    """
    size = n_lanes(task.line)
    first, last = share(task.team, (n_rows + size - 1) // size)
    return first * size, min(last * size, n_rows)


@inlined
def panel_of(lanes, layout, layer, panel, n_rows, memory):
    """View a panel of a layer's units, or of their deltas, as a matrix.

    Parameters
    ----------
    lanes : simd.Lanes
        Of the layer.
    layout : layout.Layout
    layer, panel, n_rows : int
    memory : (at least most_rows * sum(row_steps),) float

    Returns
    -------
    Matrix of shape (n_rows, n_lanes)
    """
    start = n_rows * layout.units[layer] + panel * n_lanes(lanes)
    return Matrix(memory, start, n_rows, layout.row_steps[layer], 1)


@inlined
def rows_of(matrix, first, last):
    """View some rows of a matrix."""
    start = matrix.start + first * matrix.row_step
    return Matrix(matrix.memory, start, last - first, matrix.row_step, matrix.column_step)


@inlined
def transposed(matrix, first, last):
    """View some columns of a matrix as the rows of another."""
    start = matrix.start + first * matrix.column_step
    return Matrix(matrix.memory, start, last - first, matrix.column_step, matrix.row_step)

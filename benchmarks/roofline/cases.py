"""What is timed of the kernels: a call, what it must do, and whether it did that."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.common import make_images
from fastmlp.backends.compiled.memory import zeros
from fastmlp.backends.compiled.packing import pack
from fastmlp.inputs import Features, Scale
from fastmlp.kernels.layout import choose_lanes, choose_output_lanes, choose_row_step
from fastmlp.kernels.optimizers import Step
from fastmlp.kernels.products import Matrix
from fastmlp.kernels.simd import LINE_BYTES, Lanes

from .work import Work

FLOAT32 = np.dtype(np.float32)
N_FEATURES, N_HIDDEN, N_CLASSES, BATCH_SIZE = 784, 100, 10, 64
HIDDEN = choose_lanes(N_HIDDEN, FLOAT32, sparse=False)
SPARSE = choose_lanes(N_HIDDEN, FLOAT32, sparse=True)
"""Of the hidden layer of dense samples, and of sparse ones."""

LINE = Lanes(np.float32, LINE_BYTES // 4)
OUTPUT = choose_output_lanes(N_CLASSES, FLOAT32, sparse=False)
N_BATCHES = 16
"""Batches that are taken in turn, so that no processor learns one by heart."""

RATE = np.float32(1e-3)
"""A step changes weights visibly, and ten thousands of steps leave them small."""

STEP = Step(RATE, np.float32(0), np.float32(0), np.float32(0), RATE)
UNIT = Scale(1 / 255, 0.0)


class Case(NamedTuple):
    """A kernel on one shape."""

    kernel: str
    source: str
    """The function's name in `fastmlp`."""
    shape: str
    work: Work
    footprint: int
    """Bytes that the calls go through again and again: where they lie says which roof holds."""
    run: Callable[[int], object]
    """Makes so many calls."""
    check: Callable[[], tuple[Any, Any]]
    """Returns what a call gave and what NumPy says, to be called before all timing."""
    threads: int = 1
    tolerance: float = 2e-5
    """Of the largest number: some hundred roundings of float32."""
    note: str = ""


class Images(NamedTuple):
    """Images like MNIST's, and batches of them."""

    X: Any
    """(n_samples, 784) uint8."""
    y: Any
    """(n_samples,) intp."""
    sparse: Any
    """The same in compressed rows, as SparseFeatures."""
    batches: Any
    """(N_BATCHES, BATCH_SIZE) intp."""

    def nonzeros(self):
        """Count those of a batch, the mean of all batches."""
        lengths = np.diff(self.sparse.indptr)
        return int(lengths[self.batches].sum()) // N_BATCHES


def draw_images(n_samples):
    """Draw images and pack them.

    Parameters
    ----------
    n_samples : int

    Returns
    -------
    Images
    """
    X, y = make_images(n_samples)
    order = np.random.default_rng(1).permutation(n_samples)
    batches = order[: N_BATCHES * BATCH_SIZE].reshape(N_BATCHES, BATCH_SIZE)
    return Images(X, y, pack(Features(X, UNIT, FLOAT32), 1, 0.5), batches)


def draw(*shape, seed=0, scale=1.0):
    """Draw normal float32 numbers that begin at the start of a line of memory.

    Parameters
    ----------
    *shape : int
    seed : int
    scale : float

    Returns
    -------
    ndarray
    """
    numbers = zeros(shape, np.float32)
    numbers[...] = np.random.default_rng(seed).normal(0, scale, shape)
    return numbers


def padded(n_units, lanes):
    """Count the units of whole panels.

    Parameters
    ----------
    n_units : int
    lanes : simd.Lanes

    Returns
    -------
    int
    """
    return -(-n_units // lanes.width) * lanes.width


def filling(n_units, lanes):
    """Say how far units that fill the last panel up, which are not counted, lower the share.

    Parameters
    ----------
    n_units : int
    lanes : simd.Lanes

    Returns
    -------
    str
    """
    width = padded(n_units, lanes)
    if width == n_units:
        return ""
    return f"{n_units} of {width} lanes are units of the network: {n_units / width:.0%} at most"


def in_panels(matrix, lanes):
    """Copy weights into panels, padded with zeros.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_units)
    lanes : simd.Lanes

    Returns
    -------
    ndarray of shape (n_panels * n_rows * n_lanes,)
    """
    n_rows, n_units = matrix.shape
    wide = np.zeros((n_rows, padded(n_units, lanes)), np.float32)
    wide[:, :n_units] = matrix
    packed = zeros(wide.size, np.float32)
    packed[:] = wide.reshape(n_rows, -1, lanes.width).swapaxes(0, 1).ravel()
    return packed


def from_panels(packed, n_rows, n_units, lanes):
    """Copy weights out of panels; see `in_panels`."""
    panels = packed.reshape(-1, n_rows, lanes.width).swapaxes(0, 1)
    return panels.reshape(n_rows, -1)[:, :n_units].copy()


def units_of(n_rows, n_units, lanes, seed):
    """Draw units, or deltas, in rows padded with zeros.

    Parameters
    ----------
    n_rows, n_units : int
    lanes : simd.Lanes
    seed : int

    Returns
    -------
    ndarray of shape (n_rows, width)
    """
    units = zeros((n_rows, padded(n_units, lanes)), np.float32)
    units[:, :n_units] = draw(n_rows, n_units, seed=seed)
    return units


def inputs_of(n_rows, n_features, seed):
    """Draw the inputs of a layer, their rows as far apart as kernels lay them.

    Parameters
    ----------
    n_rows, n_features : int
    seed : int

    Returns
    -------
    ndarray of shape (n_rows, row step)
    """
    inputs = zeros((n_rows, choose_row_step(n_features, FLOAT32)), np.float32)
    inputs[:, :n_features] = draw(n_rows, n_features, seed=seed)
    return inputs


def as_matrix(array):
    """View a two-dimensional array as the kernels do."""
    return Matrix(array.reshape(-1), 0, array.shape[0], array.shape[1], 1)


def as_transposed(array, n_columns):
    """View the first columns of an array as the rows of a matrix."""
    return Matrix(array.reshape(-1), 0, n_columns, 1, array.shape[1])

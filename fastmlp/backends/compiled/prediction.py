"""Logits by compiled kernels: blocks of rows, so that memory is bounded, on several threads."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.backends.compiled.fit import as_solver
from fastmlp.backends.compiled.memory import read_only
from fastmlp.backends.compiled.packed import PackedModel
from fastmlp.backends.compiled.packing import (
    as_dense,
    as_sparse,
    break_even,
    estimate_background,
    without_background,
)
from fastmlp.backends.compiled.team import split
from fastmlp.backends.compiled.workspaces import make_slopes, make_workspace
from fastmlp.inputs import Features, Scale
from fastmlp.kernels import few, predict
from fastmlp.kernels import task as tasks
from fastmlp.kernels.dense import DenseFeatures
from fastmlp.kernels.functions import ACTIVATION_CODES
from fastmlp.kernels.jit import specialise
from fastmlp.kernels.layout import NARROW_BYTES
from fastmlp.kernels.losses import ClassTargets
from fastmlp.kernels.simd import Lanes
from fastmlp.kernels.sparse import SparseFeatures
from fastmlp.kernels.updates import Course
from fastmlp.network import Parameters
from fastmlp.optimizers import SGD, Rule
from fastmlp.threads import n_cores

Array = NDArray[Any]

FEW_ROWS = 16
"""Up to so many rows are predicted from the parameters where they lie."""

PACKED_ROWS = 8192
"""Rows of which a thread packs the nonzeros at a time, so that memory is bounded."""

BLOCK_ROWS = 96
"""Rows predicted at a time: 96 rows of 784 float32 stay in the second-level cache."""

THREAD_ROWS = 512
"""Rows from which another thread pays: starting it takes 0.1 ms."""


OUTPUT_CODES = {
    "softmax": few.SOFTMAX, "logistic": few.LOGISTIC, "poisson": few.EXPONENTIAL,
    "squared_error": few.IDENTITY, "absolute_error": few.IDENTITY, "huber": few.IDENTITY,
}  # fmt: skip


Reader = Callable[[int, int], tuple[SparseFeatures | DenseFeatures, int]]
"""Gives data with the samples from one to another, exclusive, and says which is the first there."""


class FewRows:
    """Predicts a few rows in some microseconds.

    Parameters
    ----------
    parameters : Parameters
        Used where they lie.
    scale : Scale
    loss : str
        Name of the loss, which says how logits become predictions.
    """

    def __init__(self, parameters: Parameters, scale: Scale, loss: str) -> None:
        network, number = parameters.network, parameters.dtype.type
        self.dtype, self.n_features = parameters.dtype, network.layer_sizes[0]
        self.n_outputs = network.layer_sizes[-1]
        codes = [ACTIVATION_CODES[name] for name in network.activations]
        self.before = (
            Lanes(number, NARROW_BYTES // parameters.dtype.itemsize),
            parameters.buffer,
            np.array(network.layer_sizes, np.intp),
            np.array(codes, np.intp),
            OUTPUT_CODES[loss],
        )
        lanes = self.before[0].width  # a line of memory
        self.n_space = 2 * -(-max(network.layer_sizes) // lanes) * lanes + lanes
        self.scale = number(scale.scale), number(scale.shift)
        some = np.empty((0, self.n_features), self.dtype)
        nothing = np.empty((0, self.n_outputs), self.dtype)
        space = np.empty(self.n_space, self.dtype)
        self.kernel = specialise(few.predict_few, *self.before, some, *self.scale, space, nothing)

    def __call__(self, X: Any) -> Array | None:
        """Predict for a few rows.

        Parameters
        ----------
        X : array_like

        Returns
        -------
        ndarray of shape (n_rows, n_outputs), or None
            None where this is not for such X: they are many, of another type or not finite.
        """
        if type(X) is not np.ndarray or X.ndim != 2 or X.dtype != self.dtype:
            return None
        if not 0 < len(X) <= FEW_ROWS or X.shape[1] != self.n_features:
            return None
        if not (X.flags.c_contiguous and X.flags.writeable):
            X = X.copy()
        predictions = np.empty((len(X), self.n_outputs), self.dtype)
        space = np.empty(self.n_space, self.dtype)
        finite = self.kernel(*self.before, X, *self.scale, space, predictions)
        return predictions if finite else None


def predict_logits(
    parameters: Parameters, features: Features, n_threads: int | None = None
) -> Array:
    """Compute the logits of every sample; see `fastmlp.backends.contract.Backend`."""
    n_samples, dtype = features.n_samples, parameters.dtype
    logits = np.empty((n_samples, parameters.network.layer_sizes[-1]), dtype)
    rows = min(BLOCK_ROWS, n_samples)
    read, at_once = choose_reading(features, break_even(parameters.network, dtype, rows, False))
    model = PackedModel(parameters, isinstance(read(0, 1)[0], SparseFeatures), 0)
    model.load()
    solver = as_solver(Rule(SGD()), dtype)
    nothing, numbers = read_only(np.empty(0, np.intp)), read_only(np.empty(0, dtype))
    course = Course(numbers, numbers, numbers, numbers)
    targets = ClassTargets(nothing, numbers, 0, 0.0)
    alone = tasks.Team(0, 1, np.zeros(1, np.int64))
    starts = read_only(np.array([0, rows]))

    def prepare(first: int, last: int) -> tuple[Any, ...]:
        """Read samples, and put together what the kernel needs to predict them."""
        data, start = read(first, last)
        some = read_only(np.arange(last - start))
        batches = tasks.Batches(data, targets, some, starts, course, read_only(np.empty(0)))
        workspace = make_workspace(model.layout, data, rows, (1, 1, 0), dtype)
        task = model.task(solver, batches, workspace, alone)
        slopes = make_slopes(model, parameters.network, (), rows)
        return task, data, slopes, first - start, last - start, logits[start:]

    kernel = specialise(predict.predict_logits, *prepare(0, 1))

    def work(first: int, last: int) -> None:
        for start in range(first, last, at_once):
            kernel(*prepare(start, min(start + at_once, last)))

    most = n_cores() if n_threads is None else n_threads
    split(max(1, min(most, n_samples // THREAD_ROWS)), n_samples, work)
    return logits


def choose_reading(features: Features, limit: float) -> tuple[Reader, int]:
    """Choose how samples are handed to the kernels, and how many at a time.

    Parameters
    ----------
    features : Features
    limit : float
        Up to this share of values that differ from the background, dense data are packed.

    Returns
    -------
    read : Reader
    at_once : int
    """
    background, share = 0, 0.0
    if not features.is_sparse:
        background, share = estimate_background(features.values, limit)
    if features.is_sparse or share > limit:
        data = as_sparse(features) if features.is_sparse else as_dense(features)
        return lambda first, last: (data, 0), features.n_samples

    def read(first: int, last: int) -> tuple[SparseFeatures, int]:
        some = replace(features, values=features.values[first:last])
        return without_background(some, background, 1), first

    return read, PACKED_ROWS

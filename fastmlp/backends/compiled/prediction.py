"""Predictions by compiled kernels: a few rows at once, or blocks of rows on several threads."""

from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from fastmlp._arrays import Array
from fastmlp.backends.compiled.columns import Frame
from fastmlp.backends.compiled.memory import read_only, zeros
from fastmlp.backends.compiled.packed import PackedModel
from fastmlp.backends.compiled.packing import (
    as_dense,
    as_sparse,
    break_even,
    choose_block,
    estimate_background,
)
from fastmlp.backends.compiled.team import run_together
from fastmlp.backends.compiled.workspaces import make_slopes
from fastmlp.inputs import Features, Scale
from fastmlp.kernels import activations, few, predict
from fastmlp.kernels.dense import DenseFeatures
from fastmlp.kernels.jit import specialise
from fastmlp.kernels.layout import NARROW_BYTES, copy_in, n_of_units
from fastmlp.kernels.outputs import OUTPUT_CODES
from fastmlp.kernels.predict import LOOKED_AT_ONCE, MostlyBackground
from fastmlp.kernels.simd import Lanes
from fastmlp.kernels.sparse import SparseFeatures
from fastmlp.kernels.task import Team
from fastmlp.network import Parameters
from fastmlp.threads import n_cores

Readable = SparseFeatures | DenseFeatures | MostlyBackground

FEW_ROWS = 16
"""Up to so many rows are predicted from the parameters where they lie."""

BLOCK_ROWS = 96
"""Rows predicted at a time: 96 rows of 784 float32 stay in the second-level cache."""

LEAST_ROWS, BLOCK_VALUES = 32, 1 << 18
"""Fewer rows where they are dense and hold more than so many values, but not too few for tiles."""

SHARE_ROWS = 4 * BLOCK_ROWS
"""Rows that a thread takes at a time: whoever is slower, for whatever reason, takes fewer."""

THREAD_ROWS = 512
"""Rows from which another thread pays: starting it takes 0.1 ms."""


class FewRows:
    """Predicts a few rows in some microseconds.

    Parameters
    ----------
    parameters : Parameters
        Used where they lie.
    scale : Scale
    output : str
        One of `OUTPUT_CODES`.
    """

    def __init__(self, parameters: Parameters, scale: Scale, output: str) -> None:
        network, number = parameters.network, parameters.dtype.type
        self.dtype, self.n_features = parameters.dtype, network.layer_sizes[0]
        self.n_outputs = network.layer_sizes[-1]
        codes = [activations.CODES[name] for name in network.activations]
        self.before = (
            Lanes(number, NARROW_BYTES // parameters.dtype.itemsize),
            parameters.buffer,
            np.array(network.layer_sizes, np.intp),
            np.array(codes, np.intp),
            OUTPUT_CODES[output],
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


class Panels(NamedTuple):
    """Weights as the kernels read them, and what they were made of."""

    buffer: Array
    """A copy of the parameters."""
    model: PackedModel
    weights: predict.Weights


class ManyRows:
    """Predicts many rows; see `fastmlp.backends.contract.BackendPredictor`.

    The panels are kept beside a copy of the parameters. Whether these, which users write into, are
    still the same takes 12 us for 784-100-10, a sixth of what panels take. What is kept is never
    written to again, so that threads may predict at the same time.

    Parameters
    ----------
    parameters : Parameters
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.kept: dict[bool, Panels] = {}
        self.kernels: dict[Any, Any] = {}

    def __call__(
        self, features: Features, output: str, n_threads: int | None
    ) -> tuple[Array, bool]:
        """Predict; see `fastmlp.backends.contract.BackendPredictor`."""
        n_samples, dtype = features.n_samples, self.parameters.dtype
        most_rows = choose_rows(features)
        limit = break_even(self.parameters.network, dtype, most_rows, False)
        read = choose_reading(features, limit, most_rows)
        data = read()
        panels = self._panels(not isinstance(data, DenseFeatures))
        predictions = np.empty((n_samples, self.parameters.network.layer_sizes[-1]), dtype)

        def prepare(data: Readable) -> tuple[Any, ...]:
            """Put a thread's arguments together, its own space among them."""
            space = make_space(panels.model, data, most_rows)
            return panels.weights, data, space, OUTPUT_CODES[output]

        mine = prepare(data)
        kernel, starts, finite = self._kernel(mine, predictions), count(0, SHARE_ROWS), []

        def work(team: Team) -> None:
            """Predict share after share until none is left."""
            before = mine if team.thread == 0 else prepare(read())
            with np.errstate(over="ignore", invalid="ignore"):  # only Python warns
                for first in starts:
                    last = min(first + SHARE_ROWS, n_samples)
                    if first >= last:
                        return
                    finite.append(kernel(*before, first, last, predictions))

        most = n_cores() if n_threads is None else n_threads
        run_together(max(1, min(most, n_samples // THREAD_ROWS)), work)
        return predictions, all(finite)

    def _panels(self, sparse: bool) -> Panels:
        """Return the weights in panels, made anew where the parameters have changed."""
        kept = self.kept.get(sparse)
        if kept is None or not same_bits(kept.buffer, self.parameters.buffer):
            copied = self.parameters.copy()  # another thread may write while they are packed
            model = PackedModel(copied, Frame(sparse, None), 0)
            copy_in(model.parts)
            lanes = model.hidden, model.output, model.line, model.block
            weights = predict.Weights(*lanes, model.layout, read_only(model.packed))
            kept = self.kept[sparse] = Panels(copied.buffer, model, weights)
        return kept

    def _kernel(self, before: tuple[Any, ...], predictions: Array) -> Any:
        """Compile the kernel for such data, or load it, once."""
        data = before[1]
        dense, *packed = data if isinstance(data, MostlyBackground) else (data,)
        values = dense.values
        key = type(data), values.dtype, values.flags.aligned, bool(packed) and packed[0] != 0
        if key not in self.kernels:
            self.kernels[key] = specialise(predict.predict_rows, *before, 0, 0, predictions)
        return self.kernels[key]


def predict_logits(
    parameters: Parameters, features: Features, n_threads: int | None = None
) -> Array:
    """Compute the logits of every sample; see `fastmlp.backends.contract.Backend`."""
    return ManyRows(parameters)(features, "identity", n_threads)[0]


def choose_rows(features: Features) -> int:
    """Choose how many rows are predicted at a time."""
    most = BLOCK_ROWS if features.is_sparse else BLOCK_VALUES // features.n_features
    return min(BLOCK_ROWS, max(LEAST_ROWS, most), features.n_samples)


def same_bits(a: Array, b: Array) -> bool:
    """Tell whether two arrays of one type are the same, NaN and the sign of 0 included."""
    bits = f"u{a.itemsize}"
    return np.array_equal(a.view(bits), b.view(bits))


def choose_reading(features: Features, limit: float, most_rows: int) -> Callable[[], Readable]:
    """Choose how samples are handed to the kernels.

    Parameters
    ----------
    features : Features
        They may hold NaN and infinity.
    limit : float
        Up to this share of values that differ from the background, dense data are packed.
    most_rows : int
        So many are packed at a time.

    Returns
    -------
    callable
        Makes what a thread reads.
    """
    if features.is_sparse:
        matrix = as_sparse(features)
        return lambda: matrix
    dense, largest = as_dense(features), float(np.finfo(features.dtype).max)
    background, share = estimate_background(features.values, limit)
    constant = features.scale.scale * float(background) + features.scale.shift
    if share > limit or not max(abs(float(background)), abs(constant)) <= largest:
        return lambda: dense
    block = choose_block(features, round(share * features.values.size))
    return lambda: MostlyBackground(
        dense, background, make_packed(features, background, most_rows, block)
    )


def make_packed(features: Features, background: Any, most_rows: int, block: int) -> SparseFeatures:
    """Make room for some rows without their background.

    Parameters
    ----------
    features : Features
    background : scalar of their dtype
    most_rows : int
    block : int
        Number of features taken at a time.

    Returns
    -------
    SparseFeatures
    """
    number, (scale, shift) = features.dtype.type, features.scale
    n_values = most_rows * features.n_features + LOOKED_AT_ONCE.width
    return SparseFeatures(
        indptr=np.empty(most_rows + 1, np.int64),
        indices=np.empty(n_values, np.int32),
        values=np.empty(n_values, features.dtype if background != 0 else features.values.dtype),
        sums=read_only(np.empty(0, features.dtype)),
        scale=number(scale),
        constant=number(scale * float(background) + shift),
        block=block,
        in_place=False,
    )


def make_space(model: PackedModel, data: Readable, most_rows: int) -> predict.PredictionSpace:
    """Allocate what a block of rows is computed in."""
    layout, dtype = model.layout, model.packed.dtype
    n_inputs = most_rows * int(layout.input_step[0]) if isinstance(data, DenseFeatures) else 0
    return predict.PredictionSpace(
        numbers=np.empty(most_rows, np.intp),
        inputs=zeros(n_inputs, dtype),
        units=zeros(n_of_units(layout, most_rows), dtype),
        cursors=np.empty(most_rows, np.int64),
        slopes=make_slopes(model, model.parameters.network, (), most_rows),
    )

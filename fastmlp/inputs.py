"""What a user hands over as X, checked once and then left where it lies.

A `Features` holds the values as they came (float32, float64 or uint8, any memory order, CSR) and
the scale and shift that turn them into the network's input. The backends apply both to a batch at
a time: there is never a float copy of the data set.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fastmlp._arrays import Array
from fastmlp._checks import check_name, is_number
from fastmlp._errors import invalid
from fastmlp.containers import IMPUTE, NUMERIC_KINDS, as_table, position

FEATURE_DTYPES = ("float32", "float64", "uint8")
"""Trained from as they lie; other real numbers are converted once."""

SCALES: dict[str, tuple[float, float]] = {
    "unit": (1 / 255, 0.0),
    "symmetric": (1 / 127.5, -1.0),
}
"""Named (scale, shift) pairs for bytes: into [0, 1] and into [-1, 1]."""

CHECKED_AT_ONCE = 1 << 18
"""Values checked for NaN at a time: 1 or 2 MB stay in the cache."""


class Scale(NamedTuple):
    """The network's input is `value * scale + shift`."""

    scale: float
    shift: float


def input_scale_pair(input_scale: Any) -> Scale:
    """Turn the `input_scale` argument into a pair.

    Parameters
    ----------
    input_scale : None, {"unit", "symmetric"} or (float, float)

    Raises
    ------
    ValueError
        If it is neither None, a known name nor a pair of finite numbers with a scale other than 0.
    """
    if input_scale is None:
        return Scale(1.0, 0.0)
    if isinstance(input_scale, str):
        return Scale(*SCALES[check_name("input_scale", input_scale, SCALES)])
    pair = input_scale.tolist() if hasattr(input_scale, "tolist") else input_scale
    numbers = isinstance(pair, list | tuple) and all(map(is_number, pair)) and len(pair) == 2
    scale, shift = map(float, pair) if numbers else (0.0, 0.0)
    if scale == 0 or not np.isfinite([scale, shift]).all():
        raise invalid(
            "input_scale",
            "None, 'unit', 'symmetric' or a pair (scale, shift) of finite numbers, scale not 0",
            input_scale,
        )
    return Scale(scale, shift)


@dataclass(frozen=True)
class Features:
    """The data matrix as it lies, and how it is read.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_features) or scipy.sparse.csr_array
        float32, float64 or uint8.
    scale : Scale
        Applied to every value that is read, the zeros of a sparse matrix included.
    dtype : dtype
        What is computed in: float32 or float64.
    """

    values: Any
    scale: Scale
    dtype: np.dtype[Any]

    @property
    def n_samples(self) -> int:
        """Number of rows."""
        return int(self.values.shape[0])

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return int(self.values.shape[1])

    @property
    def is_sparse(self) -> bool:
        """Whether the values are a CSR matrix."""
        return not isinstance(self.values, np.ndarray)

    def rows(self, samples: Any) -> Array:
        """Read some rows as the network's input.

        Parameters
        ----------
        samples : slice or ndarray of int

        Returns
        -------
        ndarray of shape (n_rows, n_features), dtype `dtype`
            Possibly a view of the data: not to be written to.
        """
        rows = self.values[samples]
        if self.is_sparse:
            rows = rows.toarray()
        rows = rows.astype(self.dtype, copy=False)
        if self.scale != Scale(1.0, 0.0):
            rows = rows * self.scale.scale + self.scale.shift
        return np.asarray(rows)


def as_features(
    X: Any,
    scale: Scale,
    dtype: np.dtype[Any],
    name: str = "X",
    n_features: int | None = None,
    fewest: int = 1,
) -> Features:
    """Check a data matrix and wrap it, without a copy where its dtype is one we train from.

    Arguments are those of `wrap_features`.

    Raises
    ------
    ValueError
        As `wrap_features`, or if a value is NaN or infinity.
    """
    features, check = wrap_features(X, scale, dtype, name, n_features, fewest)
    check()
    return features


def wrap_features(
    X: Any,
    scale: Scale,
    dtype: np.dtype[Any],
    name: str = "X",
    n_features: int | None = None,
    fewest: int = 1,
) -> tuple[Features, Callable[[], None]]:
    """Wrap a data matrix, and leave it to the caller to ask whether all its values are finite.

    Parameters
    ----------
    X : array_like or sparse matrix of shape (n_samples, n_features), or a data frame
        Numbers. Canonical CSR is used as it lies, other sparse matrices are converted to it.
    scale : Scale
    dtype : dtype
        What is computed in.
    name : str
        What the caller calls it, for the error messages.
    n_features : int, optional
        How many columns there must be.
    fewest : int
        How many rows there must be at least: 0 or 1.

    Returns
    -------
    features : Features
    check : callable
        Raises a `ValueError` that names the first value that is NaN or infinity, if there is one.

    Raises
    ------
    ValueError
        If it is not 2-D, is empty, has another number of columns, is not numeric, or holds missing
        values.
    """
    values, labels = as_table(X, name)
    if values.ndim != 2:
        flatten = f"Flatten each sample first: {name}.reshape(len({name}), -1)."
        raise invalid(name, "2-D (n_samples, n_features)", f"shape {values.shape}", flatten)
    if values.shape[0] < fewest or values.shape[1] == 0:
        raise invalid(name, "not empty", f"shape {values.shape}")
    if n_features is not None and values.shape[1] != n_features:
        raise invalid(name, f"of {n_features} columns, as in training", f"shape {values.shape}")
    if values.dtype.kind not in NUMERIC_KINDS:
        raise invalid(name, "numeric", f"dtype {values.dtype}", "Encode text as numbers first.")
    if values.dtype == bool:
        values = values.view(np.uint8) if isinstance(values, np.ndarray) else values.astype("u1")
    elif values.dtype.name not in FEATURE_DTYPES or not values.dtype.isnative:
        values = values.astype(dtype)
    return Features(values, scale, dtype), lambda: require_finite(values, labels, dtype, name)


def require_finite(
    values: Any, labels: Sequence[Any] | None, dtype: np.dtype[Any], name: str, first: int = 0
) -> None:
    """Raise a `ValueError` that says where the first NaN or infinity lies.

    Blocks of rows are summed, which is faster than asking each value: only a sum that is not
    finite is looked into. What is computed in may be narrower than the data.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features) or csr_array
    labels : sequence, or None
        The columns' names.
    dtype : dtype
        What is computed in.
    name : str
        What the caller calls the data.
    first : int
        The number of the first row.
    """
    if values.dtype.kind != "f":
        return
    with np.errstate(over="ignore", invalid="ignore"):
        if not isinstance(values, np.ndarray):
            for entry in np.flatnonzero(~np.isfinite(values.data.astype(dtype)))[:1]:
                row = np.searchsorted(values.indptr, entry, side="right") - 1
                place = (row, values.indices[entry])
                raise _not_finite(values.data[entry], position(place), dtype, name)
            return
        step = max(1, CHECKED_AT_ONCE // values.shape[1])
        for start in range(0, len(values), step):
            block = values[start : start + step].astype(dtype, copy=False)
            if np.isfinite(block.sum()) or (finite := np.isfinite(block)).all():
                continue
            row, column = np.argwhere(~finite)[0]
            where = position((first + start + row, column), labels[column] if labels else None)
            raise _not_finite(values[start + row, column], where, dtype, name)


def _not_finite(value: Any, where: str, dtype: np.dtype[Any], name: str) -> ValueError:
    got = f"{value} at {where}"
    if np.isfinite(value):
        return invalid(name, f"finite in {dtype}", got, "Pass dtype='float64', or scale X.")
    return invalid(name, "finite", got, IMPUTE)

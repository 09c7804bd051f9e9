"""Predictions for a few rows, without the checks that take thirty times as long."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.backends import get_backend
from fastmlp.containers import NUMERIC_KINDS, column_names
from fastmlp.estimators.reading import AS_THEY_LIE
from fastmlp.inputs import Scale
from fastmlp.network import Parameters

Array = NDArray[Any]

MOST_ROWS = 16


class KeptFewRows(NamedTuple):
    """What predicts a few rows at once, and what it was made for."""

    backend: str
    loss: str
    dtype: np.dtype[Any] | None
    """What it computes in; None where the backend has nothing of the kind."""
    predict: Callable[[Array], Array | None]
    """None says that values are not finite."""


def keep_few_rows(estimator: Any, parameters: Parameters, loss: str) -> KeptFewRows:
    """Make, once, what predicts a few rows at once where the backend can."""
    backend = estimator.backend
    few: KeptFewRows | None = getattr(estimator, "_few", None)
    if few is None or (few.backend, few.loss) != (backend, loss):
        kind = getattr(get_backend(backend), "FewRows", None)
        few = KeptFewRows(backend, loss, None, _cannot)
        if kind is not None:
            predict = kind(parameters, Scale(1.0, 0.0), loss)
            few = few._replace(dtype=parameters.dtype, predict=predict)
        estimator._few = few
    return few


def predict_at_once(estimator: Any, X: Any) -> Array | None:
    """Predict a few rows without scikit-learn's checks, where those would find nothing.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    X : array_like, sparse matrix or data frame

    Returns
    -------
    ndarray of shape (n_samples, n_outputs), or None
        None where the checks are needed, or no few rows were predicted before by these weights.
    """
    few: KeptFewRows | None = vars(estimator).get("_few")
    if few is None or few.dtype is None:
        return None
    rows = read_few(X, vars(estimator).get("feature_names_in_"), few.dtype)
    if rows is None:
        return None
    estimator._parameters()  # it drops what was made for others
    loss, there = estimator._loss().name, vars(estimator).get("_few") is few
    made_for_it = there and (few.backend, few.loss) == (estimator.backend, loss)
    return few.predict(rows) if made_for_it and estimator._has_own_output(loss) else None


def read_few(X: Any, names: Array | None, dtype: np.dtype[Any]) -> Array | None:
    """Read a few rows as `reading.read` does, where it would neither raise nor warn.

    Their number of columns, and whether their values are finite, is not looked at.

    Parameters
    ----------
    X : array_like, sparse matrix or data frame
    names : ndarray of shape (n_features,), object, or None
        Of the columns in training.
    dtype : dtype
        What is computed in.

    Returns
    -------
    ndarray of shape (n_samples, n_columns), dtype `dtype`, or None
        None where X is not for this: many rows, something else than numbers, or other names.
    """
    if type(X) is not np.ndarray:
        known = type(X) is list if names is None else column_names(X) == names.tolist()
        if not (known and len(X) <= MOST_ROWS):
            return None
        try:
            X = np.asarray(X)
        except (TypeError, ValueError):  # `reading.read` says what is wrong
            return None
    elif names is not None:
        return None
    some = X.ndim == 2 and 0 < len(X) <= MOST_ROWS and X.dtype.kind in NUMERIC_KINDS
    return as_computed(X, dtype) if some else None


def as_computed(X: Array, dtype: np.dtype[Any]) -> Array:
    """Turn numbers, by way of what `reading.read` makes of them, into what is computed in.

    Parameters
    ----------
    X : ndarray
    dtype : dtype

    Returns
    -------
    ndarray of `dtype`
        Infinite where a number is too large for it.
    """
    if X.dtype == dtype:
        return X
    with np.errstate(over="ignore"):
        if X.dtype not in AS_THEY_LIE:
            X = X.astype(np.float64)
        return X.astype(dtype, copy=False)


def _cannot(X: Array) -> None:
    """Predict nothing."""

"""Predictions for a few rows, without the checks that take thirty times as long."""

from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp.containers import NUMERIC_KINDS, column_names
from fastmlp.estimators.reading import AS_THEY_LIE
from fastmlp.predictor import Predictor

MOST_ROWS = 16


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
    known = vars(estimator)
    kept: Predictor | None = known.get("_predictor")
    if kept is None or "few" not in vars(kept):
        return None
    rows = read_few(X, known.get("feature_names_in_"), kept.parameters.dtype)
    if rows is None:
        return None
    predictor: Predictor = estimator._find_predictor()
    return predictor.few(rows) if predictor is kept else None


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

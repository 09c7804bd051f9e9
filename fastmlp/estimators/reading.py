"""X and y as scikit-learn checks them, but for what it would widen or misread."""

from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from fastmlp._arrays import Array
from fastmlp.containers import NUMERIC_KINDS, as_canonical_csr, is_sparse

X_DTYPES = (np.float64, np.float32, np.uint8)
"""Learned from as they lie; other numbers become float64."""

AS_THEY_LIE = frozenset(map(np.dtype, X_DTYPES))


def read(estimator: Any, X: Any, y: Any = "no_validation", *, reset: bool, **options: Any) -> Any:
    """Check X, and y if it is given, with `sklearn.utils.validation.validate_data`.

    Entries of a sparse matrix that lie in one place are added up before, so that bytes do not wrap
    around; and what is no NumPy array keeps its dtype.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    X : array_like, sparse matrix or data frame of shape (n_samples, n_features)
    y : array_like, optional
    reset : bool
        Whether the names and the number of features are set, or compared.
    options : dict
        Further arguments of `validate_data`.

    Returns
    -------
    X : ndarray or scipy.sparse.csr_array
    y : ndarray
        Only if it was given.
    """
    if not reset and needs_no_check(estimator, X, y):
        return X, y
    if is_sparse(X) and X.ndim == 2 and X.dtype.kind in NUMERIC_KINDS:
        X = as_canonical_csr(X)
    return validate_data(
        estimator, X, y, accept_sparse="csr", dtype=_kept_dtypes(X), reset=reset, **options
    )


def needs_no_check(estimator: Any, X: Any, y: Any) -> bool:
    """Tell whether scikit-learn's checks would hand both on as they are, without a word.

    They take as long as twenty steps of a small network.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted.
    X, y
        As in `read`.
    """
    if not (type(y) is np.ndarray and 0 < y.ndim <= 2 and y.size > 0):
        return False
    return (
        may_be_read(estimator, X)
        and y.dtype.kind in NUMERIC_KINDS
        and len(X) == len(y)
        and _is_finite(X)
        and _is_finite(y)
    )


def may_be_read(estimator: Any, X: Any) -> bool:
    """Tell whether scikit-learn's checks of X would find no more than NaN or infinity.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted.
    X
        As in `read`.
    """
    known = vars(estimator)
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and len(X) > 0
        and X.dtype in AS_THEY_LIE
        and X.shape[1] == known.get("n_features_in_")
        and "feature_names_in_" not in known
    )


def _is_finite(values: Array) -> bool:
    """Tell whether the sum of all values is finite."""
    if values.dtype.kind != "f":
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum()))


def _kept_dtypes(X: Any) -> Any:
    """Name the dtypes that X may keep: its own where scikit-learn does not see that it has one.

    PyTorch's tensors and polars' frames would become float64.
    """
    if hasattr(X, "__array__") and not isinstance(getattr(X, "dtype", None), np.dtype):
        own = np.asarray(X[:0] if hasattr(X, "__getitem__") else X).dtype
        if own in X_DTYPES:
            return own
    return X_DTYPES

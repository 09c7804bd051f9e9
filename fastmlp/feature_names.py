"""The names of a data frame's columns, remembered and checked as scikit-learn does."""

from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp._errors import warn
from fastmlp.containers import column_names, refuse_unread

MOST_NAMES = 5
"""So many names are listed in an error message."""


def feature_names(X: Any, name: str = "X") -> Array | None:
    """Find the names of the columns.

    Parameters
    ----------
    X : array_like, sparse matrix or data frame
    name : str
        What the caller calls it, for the error messages.

    Returns
    -------
    ndarray of shape (n_features,), object, or None
        None where they have none, or names that are no strings.

    Raises
    ------
    TypeError
        If some names are strings and others are not.
    ValueError
        If it is no data yet, such as a lazy frame.
    """
    refuse_unread(X, name)
    names = column_names(X)
    kinds = sorted({type(one).__qualname__ for one in names or ()})
    if len(kinds) > 1 and "str" in kinds:
        raise TypeError(
            "Feature names are only supported if all input features have string names, but your "
            f"input has {kinds} as feature name / column name types. If you want feature names to "
            "be stored and validated, you must convert them all to strings, by using X.columns = "
            "X.columns.astype(str) for example. Otherwise you can remove feature / column names "
            "from your input data, or convert them all to a non-string data type."
        )
    return np.array(names, dtype=object) if kinds == ["str"] else None


def check_feature_names(
    expected: Array | None, X: Any, name: str = "X", named_apart: bool = False
) -> None:
    """Compare the names of the columns with those seen in training.

    Parameters
    ----------
    expected : ndarray of shape (n_features,), object, or None
    X : array_like, sparse matrix or data frame
    name : str
        What the caller calls it.
    named_apart : bool
        Whether the names of training came apart from its array, as a data set's do: arrays without
        names are then as they should be.

    Raises
    ------
    ValueError
        If there are others, or they are in another order.

    Warns
    -----
    UserWarning
        If one of the two has names and the other has not.
    """
    if type(X) is np.ndarray and expected is None:
        return
    compare_names(expected, feature_names(X, name), name, named_apart)


def compare_names(
    expected: Array | None, actual: Array | None, name: str = "X", named_apart: bool = False
) -> None:
    """Compare names with those seen in training; see `check_feature_names`.

    Parameters
    ----------
    expected, actual : ndarray of shape (n_features,), object, or None
    name : str
    named_apart : bool
    """
    if actual is None and expected is None:
        return
    if expected is None:
        warn(f"{name} has feature names, but Model was fitted without feature names")
    elif actual is None and named_apart:
        return
    elif actual is None:
        warn(f"{name} does not have valid feature names, but Model was fitted with feature names")
    elif not np.array_equal(actual, expected):
        raise ValueError(_difference(actual.tolist(), expected.tolist()))


def _difference(actual: list[str], expected: list[str]) -> str:
    """Say in scikit-learn's words how two lists of names differ."""
    lists = {
        "Feature names unseen at fit time:": sorted(set(actual) - set(expected)),
        "Feature names seen at fit time, yet now missing:": sorted(set(expected) - set(actual)),
    }
    lines = ["The feature names should match those that were passed during fit."]
    for heading, names in lists.items():
        if names:
            lines += [heading, *(f"- {one}" for one in names[:MOST_NAMES])]
            lines += ["- ..."] * (len(names) > MOST_NAMES)
    if not any(lists.values()):
        lines.append("Feature names must be in the same order as they were in fit.")
    return "\n".join(lines) + "\n"

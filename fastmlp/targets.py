"""What a user hands over as y: labels, and the number of each one's class; or numbers."""

from typing import Any

import numpy as np

from fastmlp._arrays import Array, Flags, Indices
from fastmlp._errors import invalid, warn
from fastmlp.containers import (
    MISSING_TYPES,
    NUMERIC_KINDS,
    as_array,
    as_table,
    column_names,
    frame_columns,
    is_real,
    refuse_unread,
)

LABELS = "class labels: whole numbers, strings or booleans, none missing"

REGRESSION = (
    "Numbers to predict, as in regression, are for fastmlp.MLPRegressor, or train's "
    "loss='squared_error'."
)

NUMBERS = "numbers, none missing"

ENOUGH_SAMPLES = 20
"""From more samples than this, the share of different labels says something."""


def as_targets(
    y: Any,
    n_samples: int,
    classes: Array | None = None,
    names: tuple[str, str] = ("y", "X"),
    fewest: int = 2,
) -> tuple[Indices, Array]:
    """Check labels and number their classes.

    Parameters
    ----------
    y : array_like of shape (n_samples,), or a data frame of one column
        Labels of any type that sorts: integers, strings, booleans.
    n_samples : int
        Number of rows of the data matrix.
    classes : ndarray of shape (n_classes,), optional
        The sorted labels there may be; found in `y` when left out.
    names : (str, str)
        What the caller calls the labels and the data matrix.
    fewest : int
        Number of classes that must be found.

    Returns
    -------
    targets : ndarray of shape (n_samples,), intp
        Index of each label in the classes.
    classes : ndarray of shape (n_classes,)

    Raises
    ------
    ValueError
        If the lengths differ, a label is missing, unknown or continuous, or there is one class.

    Warns
    -----
    sklearn.exceptions.DataConversionWarning
        If `y` has shape (n_samples, 1).
    """
    name, data_name = names
    found, targets = find_classes(y, name)
    if len(targets) != n_samples:
        rule = f"as long as {data_name}, {n_samples} rows"
        raise invalid(name, rule, f"{len(targets)} labels")
    if classes is not None:
        return positions(found, len(targets), classes, name)[targets], classes
    if len(found) < fewest:
        raise invalid(name, "of at least 2 classes", f"1 class ({found[0]!r})")
    return targets, found


def find_classes(y: Any, name: str) -> tuple[Array, Indices]:
    """Check labels and find the different ones among them.

    Parameters
    ----------
    y : array_like of shape (n_samples,), or a data frame of one column
    name : str
        What the caller calls them.

    Returns
    -------
    found : ndarray of shape (n_found,)
        Sorted.
    codes : ndarray of shape (n_samples,), intp
        Index of each label among them.

    Raises
    ------
    ValueError
        If a label is missing or continuous, or they do not sort.
    """
    labels = _as_vector(y, name)
    _require_labels(labels, name)
    try:
        found, codes = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise invalid(name, "of one type that sorts", f"mixed types: {error}") from error
    return found, codes


def as_values(
    y: Any, n_samples: int, dtype: np.dtype[Any], n_outputs: int | None = None,
    names: tuple[str, str] = ("y", "X"), fewest: int = 1,
) -> tuple[Array, bool]:  # fmt: skip
    """Check numbers that are to be predicted.

    Parameters
    ----------
    y : array_like or data frame of shape (n_samples,) or (n_samples, n_outputs)
    n_samples : int
        Number of rows of the data matrix.
    dtype : dtype
        What is computed in.
    n_outputs : int, optional
        How many each row must have.
    names : (str, str)
        What the caller calls the values and the data matrix.
    fewest : int
        Number of rows that there must be.

    Returns
    -------
    values : ndarray of shape (n_samples, n_outputs), dtype
    flat : bool
        Whether `y` was a vector.

    Raises
    ------
    ValueError
        If the lengths differ, or a value is missing, infinite or no number.
    """
    name, data_name = names
    refuse_unread(y, name)
    values = as_table(y, name).values
    flat = values.ndim == 1
    if values.dtype.kind not in NUMERIC_KINDS:
        raise invalid(name, NUMBERS, f"dtype {values.dtype}", "Labels are for loss='cross_entropy'")
    empty = values.size == 0 and fewest > 0
    if values.ndim not in (1, 2) or not isinstance(values, np.ndarray) or empty:
        raise invalid(name, "an array (n_samples,) or (n_samples, n_outputs)", f"{values.shape}")
    if len(values) != n_samples:
        raise invalid(name, f"as long as {data_name}, {n_samples} rows", f"{len(values)} rows")
    values = values[:, np.newaxis] if flat else values
    if n_outputs is not None and values.shape[1] != n_outputs:
        raise invalid(name, f"of {n_outputs} columns, as in training", f"{values.shape[1]}")
    with np.errstate(over="ignore"):
        checked = np.ascontiguousarray(values, dtype)
    if not (finite := np.isfinite(checked)).all():
        row, column = np.argwhere(~finite)[0]
        raise invalid(name, f"finite in {dtype}", f"{values[row, column]} at row {row}")
    return checked, flat


def has_columns(y: Any) -> bool:
    """Tell whether y has several columns, and is no vector that lies down.

    Parameters
    ----------
    y : array_like, sparse matrix or data frame
    """
    labels = column_names(y)
    if labels is not None:
        return len(labels) > 1
    shape: tuple[int, ...] = getattr(y, "shape", ())
    if isinstance(y, list | tuple) and len(y) > 0:
        shape = (len(y), *np.shape(y[0]))
    return len(shape) == 2 and shape[0] != 1 and shape[1] > 1


def as_indicators(
    y: Any, n_samples: int, dtype: np.dtype[Any], n_labels: int | None = None,
    names: tuple[str, str] = ("y", "X"),
) -> Array:  # fmt: skip
    """Check a matrix that says which of several labels each sample has.

    Parameters
    ----------
    y : array_like, sparse matrix or data frame of shape (n_samples, n_labels)
        0 and 1, or False and True.
    n_samples : int
        Number of rows of the data matrix.
    dtype : dtype
        What is computed in.
    n_labels : int, optional
        How many columns there must be.
    names : (str, str)
        What the caller calls the labels and the data matrix.

    Returns
    -------
    ndarray of shape (n_samples, n_labels), dtype

    Raises
    ------
    ValueError
        If the lengths differ, or there is something else than 0 and 1.
    """
    name, data_name = names
    refuse_unread(y, name)
    values = as_table(y, name).values
    values = np.asarray(values.toarray() if hasattr(values, "toarray") else values)
    rule = "1-D (n_samples,), or a matrix of 0 and 1 that says which labels each sample has"
    if values.dtype.kind not in NUMERIC_KINDS:
        raise invalid(name, rule, f"dtype {values.dtype} of shape {values.shape}")
    if len(values) != n_samples:
        raise invalid(name, f"as long as {data_name}, {n_samples} rows", f"{len(values)} rows")
    if n_labels is not None and values.shape[1] != n_labels:
        raise invalid(name, f"of {n_labels} columns, as in training", f"{values.shape[1]}")
    if not (known := (values == 0) | (values == 1)).all():
        row, column = np.argwhere(~known)[0]
        got = f"{values[row, column]} at row {row}, column {column}"
        raise invalid(name, rule, got, REGRESSION)
    return np.ascontiguousarray(values, dtype)


def _as_vector(y: Any, name: str) -> Array:
    """Turn labels into a vector; one that is a column is turned with scikit-learn's warning."""
    refuse_unread(y, name)
    is_column = column_names(y) is not None and len(frame_columns(y)) == 1
    column = frame_columns(y)[0] if is_column else y
    labels = as_array(column, name)
    if is_column or (labels.ndim == 2 and labels.shape[1] == 1):
        from sklearn.exceptions import DataConversionWarning

        warn(
            f"A column-vector {name} was passed when a 1d array was expected. Please change the "
            f"shape of {name} to (n_samples, ), for example using ravel().",
            DataConversionWarning,
        )
        labels = labels.ravel()
    if labels.ndim != 1:
        raise invalid(name, "1-D (n_samples,)", f"shape {labels.shape}", f"Use {name}.ravel().")
    return _without_objects(labels, getattr(column, "dtype", None))


def _without_objects(labels: Array, dtype: Any) -> Array:
    """Turn objects into the numbers that their pandas dtype says they are, if none is missing."""
    numbers = getattr(dtype, "kind", "O") in NUMERIC_KINDS and labels.dtype == object
    if numbers and not is_missing(labels).any():
        return labels.astype(dtype.numpy_dtype)
    return labels


def is_missing(labels: Array) -> Flags:
    """Tell which objects or times stand for a missing label: None, NaN, NA, NaT.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,)
    """
    if labels.dtype.kind in "Mm":
        return np.isnat(labels)
    kinds = [type(one) for one in labels]
    missing = [
        kind.__name__ in MISSING_TYPES or (is_real(kind) and one != one)
        for kind, one in zip(kinds, labels, strict=True)
    ]
    return np.array(missing, np.bool_)


def _require_labels(labels: Array, name: str) -> None:
    """Raise a `ValueError` for missing labels and for numbers that are no labels."""
    if labels.dtype.kind == "f":
        missing, fractional = ~np.isfinite(labels), labels != np.round(labels)
    elif labels.dtype.kind in "OMm":
        missing, fractional = is_missing(labels), _is_fractional(labels)
    else:
        return
    for bad, remedy in ((missing, ""), (fractional, REGRESSION)):
        if bad.any():
            row = int(np.argmax(bad))
            raise invalid(name, LABELS, f"{labels[row]} at row {row}", remedy)


def _is_fractional(labels: Array) -> Flags:
    """Tell which objects are numbers, but not whole."""
    return np.array([is_real(type(one)) and one % 1 != 0 for one in labels], np.bool_)


def positions(found: Array, n_labels: int, classes: Array, name: str) -> Indices:
    """Look labels up among the classes.

    Parameters
    ----------
    found : ndarray of shape (n_found,)
        Different labels.
    n_labels : int
        So many there are in all.
    classes : ndarray of shape (n_classes,)
    name : str
        What the caller calls them.

    Returns
    -------
    ndarray of shape (n_found,), intp

    Raises
    ------
    ValueError
        If one is no class.
    """
    position = {label: index for index, label in enumerate(classes.tolist())}
    unknown = [label for label in found.tolist() if label not in position]
    if unknown:
        known = ", ".join(map(repr, classes[:10].tolist())) + (", ..." if len(classes) > 10 else "")
        rule = f"of the classes seen in training ({known})"
        remedy = REGRESSION if are_like_regression(found, n_labels) else ""
        raise invalid(name, rule, unknown[0], remedy)
    return np.array([position[label] for label in found.tolist()], dtype=np.intp)


def are_like_regression(classes: Array, n_labels: int) -> bool:
    """Tell whether numbers are rather to be predicted than classes: most of them differ.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
    n_labels : int
    """
    many = len(classes) > 0.5 * n_labels and n_labels > ENOUGH_SAMPLES
    return many and classes.dtype.kind in "iuf"


def kind_of(labels: Array) -> str:
    """Name the type of labels: those of two types do not sort."""
    return "numbers" if labels.dtype.kind in "biuf" else type(labels.tolist()[0]).__name__

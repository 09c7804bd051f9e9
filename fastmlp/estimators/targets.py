"""What a user hands over as y, before scikit-learn converts it: told what it is, and kept exact."""

from numbers import Integral
from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp._errors import invalid
from fastmlp.targets import LABELS, is_missing

NUMBERS = "numbers, none missing"


def plain_labels(y: Any, name: str = "y") -> Any:
    """Turn class labels into an array, whole numbers of any kind into NumPy's integers.

    NumPy or scikit-learn would make floats, which merge labels above 2^53, of pandas' nullable
    integers and of lists of numbers on both sides of 2^63.

    Parameters
    ----------
    y : array_like or sparse matrix
    name : str
        What the caller calls it, for the error messages.

    Returns
    -------
    ndarray or sparse matrix

    Raises
    ------
    ValueError
        If a label is missing, or objects are neither all text nor all whole numbers.
    """
    values = as_array(y, name, LABELS)
    if values is None:
        return y
    if values.dtype.kind in "OMm":
        require_present(values, name, LABELS)
    if values.dtype.kind == "O":
        return _of_one_kind(values, name)
    listed = isinstance(y, list | tuple) and values.dtype.kind == "f"
    if listed and all(isinstance(label, Integral) for label in y):
        return _integers(y, name)
    return values


def plain_numbers(y: Any, name: str = "y") -> Any:
    """Turn true values into an array, text and objects into the numbers that they say.

    Parameters
    ----------
    y : array_like or sparse matrix
    name : str
        What the caller calls it, for the error messages.

    Returns
    -------
    ndarray or sparse matrix

    Raises
    ------
    ValueError
        If a value is missing, or is text, a date or another object that says no number.
    """
    values = as_array(y, name, NUMBERS)
    if values is None:
        return y
    if values.dtype.kind in "Mm":
        remedy = "Turn times into a number first: of days since the first, for example."
        raise invalid(name, NUMBERS, f"dtype {values.dtype}", remedy)
    if values.dtype.kind not in "OSU":
        return values
    require_present(values, name, NUMBERS)
    for position, value in enumerate(values.ravel().tolist()):
        try:
            float(value)
        except (TypeError, ValueError) as error:
            got = f"{value!r} at row {row_of(position, values)}"
            raise invalid(name, NUMBERS, got, "Class labels are for MLPClassifier.") from error
    return values.astype(np.float64)


def as_array(y: Any, name: str, rule: str) -> Array | None:
    """Look at y as an array; None where it is left out, sparse or empty.

    Raises
    ------
    ValueError
        If values are masked.
    """
    if np.ma.is_masked(y):
        _refuse(np.ma.getmaskarray(y), y, name, rule)
    if y is None or hasattr(y, "toarray"):
        return None
    kind = getattr(getattr(y, "dtype", None), "numpy_dtype", None)  # of pandas' nullable numbers
    whole = kind is not None and np.dtype(kind).kind in "biu" and not y.isna().any()
    values = y.to_numpy(kind) if whole else np.asarray(y)
    return values if values.ndim > 0 and values.size > 0 else None


def row_of(position: int, values: Array) -> int:
    """Tell the row of an entry of the flattened array."""
    return position * len(values) // values.size


def require_present(values: Array, name: str, rule: str) -> None:
    """Raise a `ValueError` that says where the first missing value lies.

    Parameters
    ----------
    values : ndarray of shape (n_samples, ...), of objects or times
    name : str
    rule : str
    """
    missing = is_missing(values.ravel())
    if missing.any():
        _refuse(missing, values, name, rule)


def _refuse(missing: Array, values: Array, name: str, rule: str) -> None:
    """Raise a `ValueError` about the first of the missing values."""
    position = int(np.argmax(missing))
    shown = values.ravel()[position]
    got = "a masked value" if shown is np.ma.masked else f"{shown}"
    raise invalid(name, rule, f"{got} at row {row_of(position, values)}")


def _of_one_kind(values: Array, name: str) -> Array:
    """Hand text on, turn whole numbers into integers, and refuse a mixture and all else."""
    labels = values.ravel()
    kind = str if isinstance(labels[0], str) else Integral | np.bool_
    for position, label in enumerate(labels):
        if not isinstance(label, kind):
            got = f"{label!r} at row {row_of(position, values)}"
            remedy = "Turn all of them into strings, for example."
            raise invalid(name, f"{LABELS}, and of one type", got, remedy)
    return values if kind is str else _integers(labels, name).reshape(values.shape)


def _integers(labels: Any, name: str) -> Array:
    """Make an array of whole numbers, or of booleans where all are."""
    if all(isinstance(label, bool | np.bool_) for label in labels):
        return np.array(labels, bool)
    numbers = [int(label) for label in labels]
    dtype = np.uint64 if max(numbers) > np.iinfo(np.int64).max else np.int64
    try:
        return np.array(numbers, dtype)
    except OverflowError as error:
        got = f"{min(numbers)} to {max(numbers)}"
        remedy = "Turn them into strings."
        raise invalid(name, "labels that 64 bits hold", got, remedy) from error

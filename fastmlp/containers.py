"""From what X and y come in (arrays, sparse matrices, data frames, tensors) to NumPy arrays or CSR.

pandas, polars and pyarrow are known by what their objects can do, so that none is imported.
"""

import datetime
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence, Set, ValuesView
from decimal import Decimal
from numbers import Real
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from fastmlp._arrays import Array
from fastmlp._errors import invalid

NUMERIC_KINDS = "biuf"
"""NumPy's letters of booleans, integers and real numbers."""


DATA = "an array, a sparse matrix or a data frame"
"""What data must be, in error messages."""


class Table(NamedTuple):
    """A data matrix and what its columns are called."""

    values: Any
    """ndarray, or scipy.sparse.csr_array in canonical format."""
    labels: Sequence[Any] | None = None
    """The columns' names, where it was a data frame."""


def as_table(X: Any, name: str) -> Table:
    """Turn a data matrix of any kind into an array, a view where possible, or into CSR.

    Parameters
    ----------
    X : array_like, sparse matrix, data frame or tensor
    name : str
        What the caller calls it, for the error messages.

    Returns
    -------
    Table
        Its values may have any number of dimensions; an array may still be of text or complex.

    Raises
    ------
    ValueError
        If it is none of these, or holds dates, fields, or objects that are no numbers.
    """
    if is_sparse(X):
        return Table(as_canonical_csr(X) if X.ndim == 2 else X)
    refuse_unread(X, name)
    labels = column_names(X)
    if labels is not None:
        return Table(_frame_values(X, labels, name), labels)
    values = as_array(X, name)
    return Table(as_numbers(values, name) if values.dtype.kind in "OmMV" else values)


def as_array(values: Any, name: str) -> Array:
    """Turn what is not sparse into an ndarray of any dtype, a view where possible.

    Raises
    ------
    ValueError
        If it cannot be one, or has masked values.
    """
    if np.ma.is_masked(values):
        fill = f"Fill them first: {name}.filled(0)."
        raise invalid(name, "without masked values", f"{values.mask.sum()} masked", fill)
    foreign = hasattr(values, "to_numpy") and not hasattr(values, "__array__")
    try:
        array = np.asarray(values.to_numpy() if foreign else values)
    except (TypeError, ValueError, RuntimeError) as error:
        got = type(values).__name__
        if hasattr(values, "__array__"):  # a tensor says what keeps it from being an array
            got += f" ({str(error).rstrip('.')})"
        raise invalid(name, "a rectangular array of numbers", got) from error
    if array.ndim == 0 and array.dtype == object:
        raise invalid(name, DATA, f"a {type(values).__name__}")
    return array


def is_sparse(X: Any) -> bool:
    """Tell a scipy sparse matrix without importing scipy: it is imported where there is one."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(X))


def as_canonical_csr(X: Any) -> Any:
    """Convert a sparse matrix to CSR with sorted indices, each of them once in a row.

    Parameters
    ----------
    X : sparse matrix of shape (n_samples, n_features)
        Never written to.

    Returns
    -------
    scipy.sparse.csr_array
        Of the arrays of `X` where it is like this already. Whole numbers in one place are added up
        in float64, so that two bytes of 200 make 400, and become of their dtype again if it can
        hold the sums.
    """
    from scipy.sparse import csr_array

    if X.format == "csr":
        matrix = csr_array(X)
        if matrix.has_canonical_format:
            return matrix
    whole, dtype = X.dtype.kind in "iu", X.dtype
    matrix = csr_array(X.astype(np.float64) if whole else X, copy=True)
    matrix.sum_duplicates()
    if whole and matrix.nnz:
        least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
        if least <= matrix.data.min() and matrix.data.max() <= most:
            matrix = matrix.astype(dtype)
    return matrix


class _Unread(NamedTuple):
    """Something that is no data yet, how to tell it, and what to do about it."""

    is_one: Callable[[Any], bool]
    kind: str
    remedy: str


UNREAD = (
    _Unread(
        lambda X: hasattr(X, "collect_schema") and hasattr(X, "collect"),
        "a lazy frame, which holds no values yet",
        "Pass {name}.collect().",
    ),
    _Unread(
        lambda X: isinstance(X, str | bytes | PathLike),
        "{X!r}",
        "A data set is named by dataset=...; fastmlp.datasets.load_file reads a file.",
    ),
    _Unread(
        lambda X: isinstance(X, Mapping),
        "a {type}",
        "Make columns of it: pandas.DataFrame({name}).",
    ),
    _Unread(
        lambda X: isinstance(X, Iterator | Set | ValuesView),
        "a {type}, which has no order or can be read only once",
        "Pass list({name}).",
    ),
    _Unread(
        lambda X: hasattr(X, "batch_size") and hasattr(X, "dataset") and hasattr(X, "__iter__"),
        "a {type}, which yields batches",
        "Put them together first: X, y = map(numpy.concatenate, zip(*{name})). "
        "`batch_size` and `shuffle` are arguments of train. What does not fit in memory is for "
        "fastmlp.data.iterator.",
    ),
)  # fmt: skip
"""What is often passed for data."""


def refuse_unread(values: Any, name: str) -> None:
    """Raise a `ValueError` that tells how to get at the data where they are not read yet."""
    for unread in UNREAD:
        if unread.is_one(values):
            got = unread.kind.format(X=values, type=type(values).__name__)
            raise invalid(name, DATA, got, unread.remedy.format(name=name))


def column_names(X: Any) -> list[Any] | None:
    """List the names of a data frame's columns; None if it is no data frame."""
    ways = ("iter_columns", "column_names", "items")  # polars, pyarrow, pandas
    # A lazy frame, which is none of these, warns when it is asked for its columns.
    if not (any(hasattr(X, way) for way in ways) and hasattr(X, "columns")):
        return None
    names = X.column_names if hasattr(X, "column_names") else X.columns
    return names.tolist() if hasattr(names, "tolist") else list(names)  # pandas iterates slowly


def frame_columns(frame: Any) -> list[Any]:
    """List the columns of a data frame, in the order of `column_names`."""
    if hasattr(frame, "iter_columns"):
        return list(frame.iter_columns())
    if hasattr(frame, "column_names"):
        return list(frame.columns)
    return [column for _, column in frame.items()]


def _frame_values(frame: Any, labels: Sequence[Any], name: str) -> Array:
    """Put the columns of a data frame side by side, in the narrowest dtype that holds them all."""
    arrays = [
        as_numbers(as_array(column, name), name, label)
        for label, column in zip(labels, frame_columns(frame), strict=True)
    ]
    if len({array.dtype for array in arrays}) <= 1:  # they may lie side by side already
        values = as_array(frame, name)
        if not arrays or values.dtype == arrays[0].dtype:
            return values
    return np.column_stack(arrays)


REAL_TYPES = (Real, Decimal, np.bool_)
DATE_TYPES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)

REMEDIES: tuple[tuple[tuple[type, ...], str], ...] = (
    ((str, bytes), "Encode text as numbers first, with sklearn.preprocessing.OneHotEncoder."),
    (DATE_TYPES, "Turn dates into numbers first, such as the days since the first of them."),
    ((np.void,), "Make columns of fields: numpy.lib.recfunctions.structured_to_unstructured."),
)
"""What to do about values that are no numbers, by their types."""

MISSING_TYPES = ("NoneType", "NAType", "NaTType")
IMPUTE = "Impute or drop such values first, with sklearn.impute.SimpleImputer for example."


def as_numbers(values: Array, name: str, label: Any = None) -> Array:
    """Turn objects that are numbers into float64; an array of numbers is returned as it is.

    Parameters
    ----------
    values : ndarray
        A column of a data frame, or a matrix.
    name : str
        What the caller calls the data, for the error messages.
    label : object, optional
        The column's name.

    Raises
    ------
    ValueError
        If one is text, a date, missing, or no real number for another reason.
    """
    if values.dtype.kind in NUMERIC_KINDS:
        return values
    if values.size and values.dtype.kind in "mMV":
        raise _no_number(values.flat[0], (0,) * values.ndim, name, label)
    objects = values.astype(object)
    odd = {kind for kind in set(map(type, objects.flat)) if not is_real(kind)}
    if odd:
        found = (entry for entry in np.ndenumerate(objects) if type(entry[1]) in odd)
        place, value = next(found)
        raise _no_number(value, place, name, label)
    return objects.astype(np.float64)


def is_real(kind: type) -> bool:
    """Tell whether a type is one of real numbers; NumPy counts durations among the integers.

    Parameters
    ----------
    kind : type
    """
    return issubclass(kind, REAL_TYPES) and not issubclass(kind, DATE_TYPES)


def _no_number(value: Any, place: tuple[int, ...], name: str, label: Any) -> ValueError:
    got = f"{value!r} at {position(place, label)}"
    if type(value).__name__ in MISSING_TYPES:
        return invalid(name, "without missing values", got, IMPUTE)
    remedies = [remedy for types, remedy in REMEDIES if isinstance(value, types)]
    return invalid(name, "numeric", got, "".join(remedies[:1]))


def position(place: Sequence[int], label: Any = None) -> str:
    """Say where a value lies: "row 7, column 2", or "row 7, column 'age'"."""
    column = label if label is not None or len(place) < 2 else int(place[1])
    return f"row {place[0]}" + ("" if column is None else f", column {column!r}")

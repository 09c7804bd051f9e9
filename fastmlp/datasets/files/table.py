"""Which column of a table is the label, which are features, and which only number the rows."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fastmlp._arrays import Array, Flags
from fastmlp._checks import check_name
from fastmlp._errors import invalid

INDEX_NAME = re.compile(r"__index_level_\d+__|__null_dask_index__|Unnamed: 0(\.\d+)*")
"""Under such names pandas and Dask write an index, or read one back from CSV."""

ROW_NUMBER_NAMES = frozenset(
    ("id", "index", "level_0", "row", "row_nr", "row_names", "rownames", "...1")
)
"""Names, in lower case, that programs give to row numbers: left out where the values are such."""

FEWEST_ROWS = 10
"""In fewer rows the numbers 1, 2, 3 ... may be a coincidence."""


EXACT = 1 << 53
"""A float64 holds the whole numbers up to here."""


class LabelledTable(NamedTuple):
    """Features and labels that are not split yet."""

    X: Array
    y: Array
    notes: tuple[str, ...] = ()
    """What was decided while reading."""
    feature_names: tuple[str, ...] | None = None
    """Of the columns of X; None where they have none, or two the same."""


class ColumnRoles(NamedTuple):
    """What each column of a table is."""

    names: Sequence[str]
    """Of all columns."""
    label: int
    features: list[int]
    indexes: list[int]
    """Left out."""


def choose_columns(
    path: Path, names: Sequence[str], target: str | None, indexes: Collection[int] = ()
) -> ColumnRoles:
    """Find the label and the features among the columns.

    Parameters
    ----------
    path : Path
        For the error messages.
    names : sequence of str
    target : str or None
        The label's name; None takes the last column that is no index.
    indexes : collection of int
        Columns that are known to be an index; others are known by their names, or by having none
        and being the first.

    Raises
    ------
    ValueError
        If there is no such column or more than one, or no feature beside it.
    """
    indexes = [column for column in range(len(names)) if is_index(column, names, indexes)]
    others = [column for column in range(len(names)) if column not in indexes]
    label = max(others, default=-1) if target is None else _position(path, names, target)
    features = [column for column in others if column != label]
    if not features:
        raise _no_feature(path, names)
    return ColumnRoles(names, label, features, [column for column in indexes if column != label])


def is_index(column: int, names: Sequence[str], indexes: Collection[int]) -> bool:
    """Tell whether a column is an index: known to be one, called one, or first without a name.

    Parameters
    ----------
    column : int
    names : sequence of str
    indexes : collection of int
        Those that are known.
    """
    unnamed = not any(names[: column + 1]) and any(names)
    return column in indexes or unnamed or bool(INDEX_NAME.fullmatch(names[column]))


def _position(path: Path, names: Sequence[str], target: str) -> int:
    """Find the column of a name."""
    parameter = f"target, a column of {path},"
    check_name(parameter, target, names)
    if (count := list(names).count(target)) > 1:
        rule = "the name of a column that is there once"
        raise invalid(parameter, rule, f"{target!r}, {count} times", "Rename the others.")
    return names.index(target)


def _no_feature(path: Path, names: Sequence[str]) -> ValueError:
    rule = "of at least 2 columns, a feature and the label, beside those that number the rows"
    return invalid(f"the file {path}", rule, f"{len(names)} column(s): " + listed(names[:5]))


def as_labelled_table(
    path: Path, columns: ColumnRoles, target: str | None, X: Array, y: Array
) -> LabelledTable:
    """Leave out features that number the rows, and say what was decided.

    Parameters
    ----------
    path : Path
        For the error messages.
    columns : ColumnRoles
    target : str or None
        As the user gave it.
    X : ndarray of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If the label was not named and numbers the rows, or if no feature is left.
    """
    label = columns.names[columns.label]
    if target is None and y.dtype.kind in "iuf" and _numbers_rows(y[:, np.newaxis])[0]:
        got = f"none, and the last column, {label!r}, numbers the rows"
        raise invalid("target", f"given for {path}", got)
    names = [columns.names[column] for column in columns.features]
    suspects = np.flatnonzero(_numbers_rows(X))
    numbers = [feature for feature in suspects if names[feature].lower() in ROW_NUMBER_NAMES]
    if len(numbers) == len(names):
        raise _no_feature(path, columns.names)
    notes = {
        "left out, as an index: ": [columns.names[column] for column in columns.indexes],
        "left out, as the row numbers they are: ": [names[feature] for feature in numbers],
        "kept as features, though they number the rows: ": [
            names[feature] for feature in suspects if feature not in numbers
        ],
        "rounded, as numbers beyond 2^53 are: ": [names[feature] for feature in _rounded(X)],
        "the label is the last column; target names another: ": [label] if target is None else [],
    }
    said = tuple(note + listed(found) for note, found in notes.items() if found)
    kept = tuple(name for feature, name in enumerate(names) if feature not in numbers)
    feature_names = kept if len(set(kept)) == len(kept) else None
    return LabelledTable(np.delete(X, numbers, axis=1) if numbers else X, y, said, feature_names)


def _numbers_rows(X: Array) -> Flags:
    """Tell which columns hold 0 to n - 1 or 1 to n, once each, in any order."""
    n_samples = len(X)
    if n_samples < FEWEST_ROWS:
        return np.zeros(X.shape[1], np.bool_)
    first, last = _bounds(X)
    numbering = ((first == 0) & (last == n_samples - 1)) | ((first == 1) & (last == n_samples))
    for column in np.flatnonzero(numbering):
        numbers = first[column] + np.arange(n_samples)
        numbering[column] = np.array_equal(np.sort(X[:, column]), numbers)
    return np.asarray(numbering)


def _rounded(X: Array) -> Array:
    """Find the columns whose whole numbers a float64 cannot tell apart."""
    first, last = _bounds(X)
    return np.flatnonzero((first < -EXACT) | (last > EXACT))


def _bounds(X: Array) -> tuple[Array, Array]:
    """Find the least and the largest value of each column, as float64: float16 ends at 65504."""
    return X.min(axis=0).astype(np.float64), X.max(axis=0).astype(np.float64)


def listed(names: Sequence[str]) -> str:
    """List names, in quotation marks.

    Parameters
    ----------
    names : sequence of str
    """
    return ", ".join(map(repr, names))

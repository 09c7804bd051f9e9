"""Text of separated values whose first line names the columns: .csv and .tsv, compressed or not."""

import csv
import importlib
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp._errors import invalid
from fastmlp.datasets.files.selection import Wanted, names_beside, select_columns
from fastmlp.datasets.files.table import (
    ColumnRoles,
    LabelledTable,
    as_labelled_table,
    choose_columns,
    listed,
)
from fastmlp.datasets.files.values import (
    as_labels,
    as_numbers,
    is_missing,
    is_number,
    missing_label,
)

COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}
"""The module that opens a file of each ending; Python may be built without one."""

SEPARATORS = ",;\t|"
DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")

Line = tuple[int, list[str]]
"""Its number and its values."""


def read_text(path: Path, target: str | None) -> LabelledTable:
    """Read a table of text; see `load_file`.

    Parameters
    ----------
    path : Path
    target : str or None
        The column of labels; None takes the last.

    Raises
    ------
    ValueError
        If it is not such text, has no line of names, or a value is missing or no number.
    """
    names, lines = _open(path, 2)
    if target is not None and target not in names:
        _require_names(path, names)
    columns = choose_columns(path, names, target)
    X, labels = _values(path, lines, names, columns.features, columns.label)
    missing = missing_label(labels)
    if missing is not None:
        got = f"{labels[missing]!r} in sample {missing + 1}"
        raise invalid(f"column {names[columns.label]!r} of {path}", "a label in every line", got)
    notes = _note_on_names(path, columns, labels)
    table = as_labelled_table(path, columns, target, X, as_labels(labels))
    return table._replace(notes=notes + table.notes)


def read_text_features(path: Path, wanted: Wanted) -> tuple[Array, list[str]]:
    """Read the features that a model reads; see `load_features`.

    Parameters
    ----------
    path : Path
    wanted : Wanted

    Raises
    ------
    ValueError
        See `read_text`.
    """
    names, lines = _open(path, 1)
    selected = select_columns(path, names, wanted)
    found = [names[column] for column in selected]
    if wanted.names is None and _are_values(found) and not _are_positions(found):
        raise _no_names(path, found)
    X, _ = _values(path, lines, names, selected)
    return X, names_beside(names, selected, wanted)


def _open(path: Path, fewest: int) -> tuple[list[str], Iterator[Line]]:
    """Return the names of the columns, so many at least, and the lines of values, one at least."""
    lines = _lines(path)
    names = _names(path, lines, fewest)
    first = next(lines, None)
    if first is None:
        raise invalid(f"the file {path}", "of at least one line of values", "none")
    if len(first[1]) == len(names) + 1 and first[1][-1]:
        names.insert(0, "")  # R's write.table names no column of row names
    return names, chain([first], lines)


def _lines(path: Path) -> Iterator[Line]:
    """Yield the lines that hold a value."""
    compression = COMPRESSIONS.get(path.suffix.lower())
    opened = importlib.import_module(compression).open if compression else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            separator = _separator(next(filter(str.strip, file), ""))
            file.seek(0)
            reader = _reader(file, separator)
            yield from ((reader.line_num, row) for row in reader if any(row))
    except Exception as error:  # each compression has kinds of its own for a file that is damaged
        if isinstance(error, OSError) and error.errno is not None:
            raise
        rule = "comma-separated text in UTF-8"
        if compression:
            rule += f", compressed by {compression}"
        remedy = "Save it again in this form."
        raise invalid(f"the file {path}", rule, str(error), remedy) from error


def _reader(lines: Iterable[str], separator: str) -> Any:
    """Split lines into values."""
    return csv.reader(lines, delimiter=separator, skipinitialspace=True)


def _separator(line: str) -> str:
    """Choose what separates a line into the most values; of equals, the first."""
    return max(SEPARATORS, key=lambda separator: len(next(_reader([line], separator), [])))


def _names(path: Path, lines: Iterator[Line], fewest: int) -> list[str]:
    """Read the names of the columns."""
    _, names = next(lines, (0, []))
    names = [name.strip() for name in names]
    if names and not names[-1]:
        names.pop()  # lines that end in a separator
    if len(names) < fewest:
        rule = f"of at least {fewest} columns, separated by commas, semicolons, tabs or |"
        raise invalid(f"the file {path}", rule, f"{len(names)} column(s): {listed(names)}")
    return names


def _values(
    path: Path,
    lines: Iterable[Line],
    names: Sequence[str],
    features: Sequence[int],
    label: int | None = None,
) -> tuple[Array, list[str]]:
    """Read the features as float64, and the labels, if asked for, as they are written."""
    n_columns, numbers, labels = len(names), array("d"), []
    for line, row in lines:
        if len(row) == n_columns + 1 and not row[-1]:
            row.pop()  # the line ends in a separator
        if len(row) != n_columns:
            rule = f"of {n_columns} values, as its first line"
            raise invalid(f"line {line} of {path}", rule, f"{len(row)} values")
        values = as_numbers([row[column] for column in features])
        if values is None:
            raise _no_number(path, line, row, names, features)
        numbers.extend(values)
        if label is not None:
            labels.append(row[label].strip())
    return np.frombuffer(numbers).reshape(-1, len(features)), labels


def _no_number(
    path: Path, line: int, row: Sequence[str], names: Sequence[str], features: Sequence[int]
) -> ValueError:
    """Word the error of the first feature in a line that is no number."""
    column = next(column for column in features if not is_number(row[column]))
    remedy = "Impute missing values and encode text as numbers first."
    if DECIMAL_COMMA.fullmatch(row[column].strip()):
        remedy = "Write decimals with a point."
    where = f"column {names[column]!r} in line {line} of {path}"
    return invalid(where, "a number", repr(row[column]), remedy)


def _note_on_names(path: Path, columns: ColumnRoles, labels: Sequence[str]) -> tuple[str, ...]:
    """Refuse a first line that is a sample like the others; say so where it might be."""
    names = [columns.names[column] for column in columns.features]
    label = columns.names[columns.label]
    if not _are_values(names):
        return ()
    # pandas numbers an array's columns
    are_numbered = bool(columns.indexes) and _are_positions([*names, label])
    is_sample = label in labels or is_number(label) or len(set(names)) < len(names)
    if is_sample and not are_numbered:
        raise _no_names(path, names)
    return ("the first line is read as names, though those of the features are numbers",)


def _require_names(path: Path, names: Sequence[str]) -> None:
    """Raise a `ValueError` where a first line cannot hold names; the label may be text."""
    texts = [name for name in names if not _are_values([name])]
    if len(texts) < 2:
        raise _no_names(path, names)


def _are_values(names: Sequence[str]) -> bool:
    """Tell whether all names are what a line of features would hold."""
    return all(is_number(name) or is_missing(name) for name in names)


def _are_positions(names: Sequence[str]) -> bool:
    """Tell whether names are the numbers of the columns."""
    return list(names) == [str(column) for column in range(len(names))]


def _no_names(path: Path, names: Sequence[str]) -> ValueError:
    got = "numbers: " + ", ".join(names[:5])
    remedy = "Put a line of names before it, or in its place: x1,x2,label for example."
    return invalid(f"the first line of {path}", "the names of the columns", got, remedy)

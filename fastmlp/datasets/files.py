"""The user's own files: .npz, .csv and .parquet, with a target column."""

import csv
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._checks import check_real
from fastmlp._errors import invalid, unknown_name
from fastmlp.datasets.dataset import Dataset

Array = NDArray[Any]
SPLIT_NAMES = ("X_train", "y_train", "X_test", "y_test")


class Table(NamedTuple):
    """Features and labels that are not split yet."""

    X: Array
    y: Array


def load_file(
    path: str | os.PathLike[str],
    target: str | None = None,
    *,
    test_fraction: float = 0.2,
    random_state: int = 0,
) -> Dataset:
    """Load a data set from a file.

    Parameters
    ----------
    path : path-like
        `.npz` with arrays X and y, or X_train, y_train, X_test and y_test; `.csv` with a line of
        column names; or `.parquet` (needs the extra `fastmlp[parquet]`).
    target : str, optional
        The column (.npz: the array) of labels. Left out, the last column (.npz: "y").
    test_fraction : float
        In (0, 1): share of the samples that are set apart for testing, in equal proportions of
        the classes where each has enough samples. Not used where the file holds the parts.
    random_state : int
        Fixes which.

    Returns
    -------
    Dataset
        `input_scale` is "unit" for uint8 features, else None.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the ending is unknown, the file is broken, or a column is missing or not numeric.
    ImportError
        If pyarrow is needed and not installed.
    """
    path = Path(path)
    check_real("test_fraction", test_fraction, 0, 1, open_left=True)
    if path.suffix not in _READERS:
        raise invalid("the data file", "a file that ends in " + ", ".join(_READERS), str(path))
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    read = _READERS[path.suffix](path, target)
    parts = _split(read, test_fraction, random_state) if isinstance(read, Table) else read
    scale = "unit" if parts[0].dtype == np.uint8 else None
    return Dataset(path.stem, *parts, input_scale=scale)


Parts = tuple[Array, Array, Array, Array]


def _split(table: Table, test_fraction: float, random_state: int) -> Parts:
    """Set test samples apart."""
    from sklearn.model_selection import train_test_split

    if len(table.X) != len(table.y) or len(table.y) < 2:
        got = f"{len(table.X)} rows and {len(table.y)} labels"
        raise invalid("X and y", "of equal length, at least 2", got)
    counts = np.unique(table.y, return_counts=True)[1]
    fewest_places = min(test_fraction, 1 - test_fraction) * len(table.y)
    stratify = table.y if counts.min() >= 2 and fewest_places >= len(counts) else None
    X_train, X_test, y_train, y_test = train_test_split(
        table.X, table.y, test_size=test_fraction, random_state=random_state, stratify=stratify
    )
    return X_train, y_train, X_test, y_test


def _read_npz(path: Path, target: str | None) -> Table | Parts:
    """Read a NumPy archive."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file}
    except Exception as error:  # NumPy raises many kinds for a file that is damaged
        remedy = "Object arrays are refused: save numbers, or strings of a fixed length."
        raise invalid(f"the file {path}", "a whole .npz archive", str(error), remedy) from error
    if target is None and all(name in arrays for name in SPLIT_NAMES):
        X_train, y_train, X_test, y_test = (arrays[name] for name in SPLIT_NAMES)
        return X_train, y_train, X_test, y_test
    label = "y" if target is None else target
    for name in ("X", label):
        if name not in arrays:
            raise unknown_name(f"the array {name} of {path}", name, arrays)
    return Table(arrays["X"], arrays[label])


def _read_csv(path: Path, target: str | None) -> Table:
    """Read comma-separated values whose first line names the columns."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            names = next(reader, [])
            rows = [(reader.line_num, row) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise invalid(f"the file {path}", "comma-separated text in UTF-8", str(error)) from error
    if names and all(_is_number(name) for name in names):
        got = "numbers: " + ", ".join(names[:5])
        raise invalid(f"the first line of {path}", "the names of the columns", got)
    label = _target_position(path, names, target)
    if not rows:
        raise invalid(f"the file {path}", "of at least one line of values", "none")
    for line, row in rows:
        if len(row) != len(names):
            rule = f"of {len(names)} values, as its first line"
            raise invalid(f"line {line} of {path}", rule, f"{len(row)} values")
    y = _labels([row.pop(label) for _, row in rows], path, names[label])
    del names[label]
    return Table(_numbers(rows, path, names), y)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _target_position(path: Path, names: Sequence[str], target: str | None) -> int:
    """Find the column of labels."""
    if len(names) < 2:
        got = f"{len(names)} column(s)"
        raise invalid(f"the file {path}", "of at least 2 columns, separated by commas", got)
    if target is None:
        return len(names) - 1
    if target not in names:
        raise unknown_name(f"target, a column of {path},", target, names)
    return names.index(target)


def _labels(texts: list[str], path: Path, name: str) -> Array:
    """Turn the labels into numbers where all of them are numbers."""
    if "" in texts:
        got = f"an empty value in sample {texts.index('') + 1}"
        raise invalid(f"column {name!r} of {path}", "a label in every line", got)
    labels = np.array(texts)
    for kind in (np.int64, np.float64):
        try:
            return labels.astype(kind)
        except (ValueError, OverflowError):
            continue
    return labels


def _numbers(rows: list[tuple[int, list[str]]], path: Path, names: list[str]) -> Array:
    """Turn the features into float64."""
    try:
        return np.array([row for _, row in rows], dtype=np.float64)
    except ValueError:
        line, column, text = next(
            (line, column, text)
            for line, row in rows
            for column, text in zip(names, row, strict=True)
            if not _is_number(text)
        )
        remedy = "Impute missing values and encode text as numbers first."
        where = f"column {column!r} in line {line} of {path}"
        raise invalid(where, "a number", repr(text), remedy) from None


def _read_parquet(path: Path, target: str | None) -> Table:
    """Read a Parquet file."""
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as error:
        message = "reading .parquet needs pyarrow: pip install 'fastmlp[parquet]'"
        raise ImportError(message) from error
    try:
        table = parquet.read_table(path)
    except (arrow.ArrowException, OSError) as error:
        raise invalid(f"the file {path}", "a whole Parquet file", str(error)) from error
    names = list(table.column_names)
    label = names[_target_position(path, names, target)]
    for name in names:
        column = table.column(name)
        if column.null_count:
            raise invalid(f"column {name!r} of {path}", "without missing values", "some")
        numeric = (arrow.types.is_integer, arrow.types.is_floating, arrow.types.is_boolean)
        if name != label and not any(is_kind(column.type) for is_kind in numeric):
            remedy = "Encode text as numbers first."
            raise invalid(f"column {name!r} of {path}", "numeric", str(column.type), remedy)
    columns = [table.column(name).to_numpy() for name in names if name != label]
    y = table.column(label).to_numpy()
    return Table(np.column_stack(columns), y.astype(str) if y.dtype == object else y)


_READERS: dict[str, Callable[[Path, str | None], Table | Parts]] = {
    ".npz": _read_npz,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}

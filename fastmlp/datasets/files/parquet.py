"""Parquet files, as pandas, polars and others write them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp._errors import invalid
from fastmlp.datasets.files.selection import Wanted, names_beside, select_columns
from fastmlp.datasets.files.table import LabelledTable, as_labelled_table, choose_columns


def read_parquet(path: Path, target: str | None) -> LabelledTable:
    """Read a Parquet file; see `load_file`.

    Parameters
    ----------
    path : Path
    target : str or None
        The column of labels; None takes the last that is no index.

    Raises
    ------
    ValueError
        If it is no Parquet file, or a column has missing values or is not numeric.
    ImportError
        If pyarrow is not installed.
    """
    table, names = _read(path)
    columns = choose_columns(path, names, target, index_columns(table.schema))
    X = _features(table, columns.features, path, names)
    y = _values(table.column(columns.label), path, names[columns.label])
    y = y.astype(str) if y.dtype == object else y
    return as_labelled_table(path, columns, target, X, y)


def read_parquet_features(path: Path, wanted: Wanted) -> tuple[Array, list[str]]:
    """Read the features that a model reads; see `load_features`.

    Parameters
    ----------
    path : Path
    wanted : Wanted

    Raises
    ------
    ValueError, ImportError
        See `read_parquet`.
    """
    table, names = _read(path)
    selected = select_columns(path, names, wanted, index_columns(table.schema))
    return _features(table, selected, path, names), names_beside(names, selected, wanted)


def _read(path: Path) -> tuple[Any, list[str]]:
    """Read a table, and the names of its columns."""
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as error:
        message = "reading .parquet needs pyarrow: pip install 'fastmlp[parquet]'"
        raise ImportError(message) from error
    try:
        # pyarrow takes no name that is not Unicode.
        with path.open("rb") as opened, parquet.ParquetFile(opened) as file:
            table = file.read()
    except (arrow.ArrowException, OSError) as error:
        raise invalid(f"the file {path}", "a whole Parquet file", str(error)) from error
    return table, list(table.column_names)


def _features(table: Any, columns: Sequence[int], path: Path, names: Sequence[str]) -> Array:
    """Put columns of numbers side by side."""
    return np.column_stack([_numbers(table.column(n), path, names[n]) for n in columns])


def index_columns(schema: Any) -> list[int]:
    """Find the columns that were the index of a pandas frame; a range is written as none.

    Parameters
    ----------
    schema : pyarrow.Schema
    """
    names = (schema.pandas_metadata or {}).get("index_columns", ())
    return [column for column, name in enumerate(schema.names) if name in names]


def _numbers(column: Any, path: Path, name: str) -> Array:
    """Read a column of numbers."""
    from pyarrow import types

    if types.is_decimal(column.type):
        column = column.cast("float64")
    kinds = (types.is_integer, types.is_floating, types.is_boolean)
    if not any(is_kind(column.type) for is_kind in kinds):
        remedy = "Encode text as numbers first."
        raise invalid(f"column {name!r} of {path}", "numeric", str(column.type), remedy)
    return _values(column, path, name)


def _values(column: Any, path: Path, name: str) -> Array:
    """Read a column in which nothing is missing or infinite."""
    values: Array = column.to_numpy()
    if column.null_count or (values.dtype.kind == "f" and not np.isfinite(values).all()):
        rule = "without missing values and infinities"
        raise invalid(f"column {name!r} of {path}", rule, "some", "Impute or drop them first.")
    return values

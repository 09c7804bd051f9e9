"""Blocks of columns, put side by side as rows of features and labels."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastmlp._arrays import Array
from fastmlp._checks import check_name
from fastmlp._errors import invalid
from fastmlp.containers import IMPUTE, position
from fastmlp.data.source import Chunk, Source, require_rows
from fastmlp.datasets.files.parquet import index_columns
from fastmlp.datasets.files.table import is_index


class Fragment(NamedTuple):
    """A block of a columnar file."""

    place: str
    """Where it lies, for error messages."""
    n_rows: int
    batches: Callable[[list[str]], Iterator[Any]]
    """Reads some columns of it, some rows at a time."""


class ColumnarSource(Source):
    """Blocks of columnar files.

    Parameters
    ----------
    fragments : list of Fragment
    schema : pyarrow.Schema
        Of all of them.
    target : str, sequence of str or None
    columns : sequence of str or None
        The features; None takes all but the target, the weight and the index of a pandas frame.
    weight : str or None
    name : str
        What messages call it.
    buffer : str or int
    """

    def __init__(
        self, fragments: Sequence[Fragment], schema: Any, target: Any, columns: Any,
        weight: str | None, name: str, buffer: str | int,
    ) -> None:  # fmt: skip
        super().__init__(buffer)
        self.fragments = [fragment for fragment in fragments if fragment.n_rows > 0]
        self.name, names = name, list(schema.names)
        self.targets = _known(target, names, f"target, a column of {name},")
        self.weight = _known(weight, names, f"weight, a column of {name},")
        self.weighted, indexes = weight is not None, index_columns(schema)
        others = [
            one for position, one in enumerate(names)
            if one not in (*self.targets, *self.weight) and not is_index(position, names, indexes)
        ]  # fmt: skip
        chosen = others if columns is None else columns
        self.columns = _known(chosen, names, f"columns, those of {name},")
        if set(self.columns) & {*self.targets, *self.weight}:
            rule = "features, neither the target nor the weight among them"
            raise invalid("columns", rule, repr(columns))
        self.widths, dtypes = _widths(schema, self.columns, name)
        self.n_features, self.n_targets = sum(self.widths), len(self.targets)
        self.lengths = tuple(fragment.n_rows for fragment in self.fragments)
        require_rows(self, name)
        self.dtype = np.dtype(np.uint8) if set(dtypes) <= BYTES else np.result_type(*dtypes)
        self.feature_names = tuple(self.columns) if set(self.widths) == {1} else None

    def chunks(self, block: int) -> Iterator[Chunk]:
        """Read a block; see `Source.chunks`."""
        import pyarrow

        place, first = self.place(block), 0
        try:
            names = [*self.columns, *self.targets, *self.weight]
            for batch in self.fragments[block].batches(names):
                _require_present(batch, place, len(self.columns), first)
                yield self._convert(batch)
                first += batch.num_rows
        except (pyarrow.ArrowException, KeyError) as error:
            raise OSError(str(error)) from error

    def place(self, block: int) -> str:
        """Say where a block lies; see `Source.place`."""
        return f"block {block} ({self.fragments[block].place})"

    def _convert(self, batch: Any) -> Chunk:
        """Put columns side by side."""
        X, first = np.empty((batch.num_rows, self.n_features), self.dtype), 0
        for column, width in zip(batch.columns[: len(self.columns)], self.widths, strict=True):
            X[:, first : first + width] = _numbers(column).reshape(-1, width)
            first += width
        last = len(self.columns) + len(self.targets)
        targets = [_labels(column) for column in batch.columns[len(self.columns) : last]]
        y = np.column_stack(targets) if len(targets) > 1 else next(iter(targets), None)
        return Chunk(X, y, _numbers(batch.columns[last]) if self.weight else None)


BYTES = {np.dtype(np.uint8), np.dtype(np.bool_)}
"""What is kept as bytes."""


def _known(given: Any, known: Sequence[str], what: str) -> list[str]:
    """List one name, several or none; each is to be that of one column."""
    names = [given] if isinstance(given, str) else list(() if given is None else given)
    for name in names:
        check_name(what, name, known)
        if known.count(name) > 1:
            raise invalid(what, "the name of a column that is there once", repr(name))
    return names


def _widths(schema: Any, columns: Sequence[str], name: str) -> tuple[list[int], list[Any]]:
    """Count the features of each column, and find their dtypes: numbers, or some in each row."""
    from pyarrow import types

    widths, dtypes = [], []
    for column in columns:
        kind = schema.field(column).type
        if types.is_fixed_size_binary(kind):
            dtypes.append(np.dtype(np.uint8))
            widths.append(kind.byte_width)
            continue
        width = kind.list_size if types.is_fixed_size_list(kind) else 1
        kind = kind.value_type if types.is_fixed_size_list(kind) else kind
        numeric = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
        if not (numeric or types.is_decimal(kind)):
            remedy = "Encode text as numbers first, or name the features: columns=[...]."
            raise invalid(f"column {column!r} of {name}", "numeric", str(kind), remedy)
        dtypes.append(np.dtype("f8" if types.is_decimal(kind) else kind.to_pandas_dtype()))
        widths.append(width)
    return widths, dtypes


def _require_present(batch: Any, place: str, n_columns: int, first: int) -> None:
    """Raise a `ValueError` where something is missing; a batch begins at row `first`."""
    for number, column in enumerate(batch.columns):
        if column.null_count:
            row = first + column.is_null().index(True).as_py()
            where, got = "X" if number < n_columns else "y", batch.schema.names[number]
            got = f"one missing at {position((row, number), got)}"
            raise invalid(f"{where} in {place}", "without missing values", got, IMPUTE)


def _numbers(column: Any) -> Array:
    """Turn numbers into an array; those of a row come one after the other."""
    from pyarrow import types

    if types.is_fixed_size_binary(column.type):
        size, values = column.type.byte_width, column.buffers()[1]
        return np.frombuffer(values, np.uint8, len(column) * size, column.offset * size)
    if types.is_fixed_size_list(column.type):
        column = column.flatten()
    if types.is_decimal(column.type):
        column = column.cast("float64")
    return np.asarray(column.to_numpy(zero_copy_only=False))


def _labels(column: Any) -> Array:
    """Turn labels, or numbers to predict, into an array; texts become NumPy's."""
    from pyarrow import types

    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    values = _numbers(column)
    return values.astype(str) if values.dtype == object else values

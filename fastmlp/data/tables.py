"""Columnar data: Parquet and Arrow files, data sets and tables."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from fastmlp._errors import invalid
from fastmlp._extras import require
from fastmlp.data.columns import ColumnarSource, Fragment
from fastmlp.data.source import BUFFER, Source
from fastmlp.datasets.files.parquet import index_columns

Paths = str | PathLike[str] | Sequence[str | PathLike[str]]

Opened = tuple[list[Fragment], Any]
"""The blocks of a file, and its schema."""

CHUNK_ROWS = 1 << 14
"""Read at a time: with fewer, what each column costs counts; with more, they leave the cache."""


def parquet(
    files: Paths,
    target: str | Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    *,
    weight: str | None = None,
    buffer: str | int = BUFFER,
) -> Source:
    """Train on Parquet files that need not fit in memory; needs the extra `fastmlp[data]`.

    A row group is a block.

    Parameters
    ----------
    files : path-like or sequence of path-like
        A folder, with the `.parquet` files in it and in folders below, in the order of their names;
        a file; or several.
    target : str or sequence of str, optional
        The column of labels, or those of numbers to predict; left out to predict.
    columns : sequence of str, optional
        The features; left out, all other columns but the index of a pandas frame. A column of lists
        of one size is as many features, and so is one of binary values of one size, the bytes of
        images, which is read the fastest.
    weight : str, optional
        The column of what each row weighs in training.
    buffer : str or int
        How much memory the rows may take, such as "2GB".

    Returns
    -------
    Source

    Raises
    ------
    ValueError
        If a file is broken, there is none, or a column is missing or not numeric.
    FileNotFoundError
        If there is no such file or folder.
    ImportError
        If pyarrow is not installed.
    """
    opened = _open_all(files, (".parquet",), _open_parquet)
    return ColumnarSource(*opened, target, columns, weight, _name_of(files), buffer)


def is_folder(path: Path) -> bool:
    """Tell whether a path is a folder that has Parquet files.

    Parameters
    ----------
    path : Path
    """
    return path.is_dir() and any(path.rglob("*.parquet"))


def last_column(files: Paths) -> str:
    """Name the last column of Parquet files that is no index.

    Parameters
    ----------
    files : path-like or sequence of path-like
        See `parquet`.

    Returns
    -------
    str
    """
    _, schema = _open_parquet(list_files(files, (".parquet",))[0])
    index = index_columns(schema)
    names = [name for column, name in enumerate(schema.names) if column not in index]
    return str(names[-1])


def _open_parquet(path: Path) -> Opened:
    """List the row groups of a file."""
    arrow = _import()
    from pyarrow import parquet

    try:
        with path.open("rb") as opened, parquet.ParquetFile(opened) as file:
            metadata, schema = file.metadata, file.schema_arrow
    except (arrow.ArrowException, OSError) as error:
        raise invalid(f"the file {path}", "a whole Parquet file", str(error)) from error
    fragments = [
        Fragment(
            f"{path.name}, row group {group}", metadata.row_group(group).num_rows,
            partial(_read_parquet, path, group),
        )
        for group in range(metadata.num_row_groups)
    ]  # fmt: skip
    return fragments, schema


def _read_parquet(path: Path, group: int, columns: list[str]) -> Iterator[Any]:
    from pyarrow import parquet

    with path.open("rb") as opened, parquet.ParquetFile(opened) as file:
        for batch in file.iter_batches(CHUNK_ROWS, row_groups=[group], columns=columns):
            yield batch.select(columns)


def arrow(
    data: Any,
    target: str | Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    *,
    weight: str | None = None,
    buffer: str | int = BUFFER,
) -> Source:
    """Train on an Arrow table, a data set or IPC files; needs the extra `fastmlp[data]`.

    Parameters
    ----------
    data : pyarrow.Table, pyarrow.dataset.Dataset, path-like or sequence of path-like
        A table's batches are blocks; the row groups of a data set of Parquet files, the files of
        others; and the batches of IPC files (`.arrow`, `.feather`, `.ipc`), or a folder of them.
    target, columns, weight, buffer
        See `parquet`.

    Returns
    -------
    Source

    Raises
    ------
    ValueError, FileNotFoundError, ImportError
        See `parquet`.
    """
    package = _import()
    from pyarrow import dataset

    if isinstance(data, package.Table):
        fragments, schema, name = _of_table(data), data.schema, "the table"
    elif isinstance(data, dataset.Dataset):
        fragments, schema, name = _of_dataset(data), data.schema, "the data set"
    else:
        fragments, schema = _open_all(data, (".arrow", ".feather", ".ipc"), _open_ipc)
        name = _name_of(data)
    return ColumnarSource(fragments, schema, target, columns, weight, name, buffer)


def _of_table(table: Any) -> list[Fragment]:
    """List the batches of a table."""

    def cut(batch: Any, columns: list[str]) -> Iterator[Any]:
        for first in range(0, batch.num_rows, CHUNK_ROWS):
            yield batch.select(columns).slice(first, CHUNK_ROWS)

    return [
        Fragment(f"batch {number} of the table", batch.num_rows, partial(cut, batch))
        for number, batch in enumerate(table.to_batches())
    ]


def _of_dataset(data: Any) -> list[Fragment]:
    """List the row groups of a data set's files, or the files."""

    def read(fragment: Any, columns: list[str]) -> Iterator[Any]:
        batches = fragment.to_batches(data.schema, columns=columns, batch_size=CHUNK_ROWS)
        return (batch.select(columns) for batch in batches)

    found = []
    for fragment in data.get_fragments():
        name = Path(fragment.path).name
        if not hasattr(fragment, "split_by_row_group"):
            found.append(Fragment(name, fragment.count_rows(), partial(read, fragment)))
            continue
        for group in fragment.split_by_row_group():
            (info,) = group.row_groups
            place = f"{name}, row group {info.id}"
            found.append(Fragment(place, info.num_rows, partial(read, group)))
    return found


def _open_ipc(path: Path) -> Opened:
    """List the batches of an IPC file."""
    package = _import()

    def read(number: int, columns: list[str]) -> Iterator[Any]:
        with package.memory_map(str(path)) as memory, package.ipc.open_file(memory) as file:
            batch = file.get_batch(number).select(columns)
            for first in range(0, batch.num_rows, CHUNK_ROWS):
                yield batch.slice(first, CHUNK_ROWS)

    try:
        with package.memory_map(str(path)) as memory, package.ipc.open_file(memory) as file:
            lengths = [file.get_batch(n).num_rows for n in range(file.num_record_batches)]
            schema = file.schema
    except (package.ArrowException, OSError) as error:
        raise invalid(f"the file {path}", "a whole Arrow IPC file", str(error)) from error
    return [
        Fragment(f"{path.name}, batch {number}", length, partial(read, number))
        for number, length in enumerate(lengths)
    ], schema


def _open_all(files: Paths, endings: tuple[str, ...], open_one: Callable[[Path], Opened]) -> Opened:
    """List the blocks of all files, which have the same columns; see `list_files`."""
    paths = list_files(files, endings)
    fragments, schemas = zip(*map(open_one, paths), strict=True)
    for path, schema in zip(paths, schemas, strict=True):
        _require_same(schemas[0], schema, str(path), str(paths[0]))
    return list(chain.from_iterable(fragments)), schemas[0]


def list_files(files: Paths, endings: tuple[str, ...]) -> list[Path]:
    """List the files that are meant by a folder, a file or several.

    Parameters
    ----------
    files : path-like or sequence of path-like
    endings : tuple of str
        Of the files of a folder; names that begin with a dot or an underscore are left out.

    Returns
    -------
    list of Path

    Raises
    ------
    ValueError
        If there is none.
    FileNotFoundError
        If one of those that are named is not there.
    """
    if not isinstance(files, str | PathLike):
        paths = [Path(file) for file in files]
    elif Path(files).is_dir():
        found = sorted(Path(files).rglob("*"))
        paths = [
            path for path in found
            if path.suffix.lower() in endings and path.is_file()
            and not any(part.startswith((".", "_")) for part in path.relative_to(files).parts)
        ]  # fmt: skip
        if not paths:
            rule = f"a folder with files that end in {', '.join(endings)}"
            raise invalid(str(files), rule, "a folder without")
    else:
        paths = [Path(files)]
    if not paths:
        raise invalid("files", "a folder, a file or several", "none")
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {path}")
    return paths


def _require_same(expected: Any, actual: Any, path: str, first: str) -> None:
    """Raise a `ValueError` where a file has other columns than the first, or of other types."""
    if actual.equals(expected):
        return
    fields = {field.name: field.type for field in expected}
    others = {field.name: field.type for field in actual}
    differing = [name for name in fields | others if fields.get(name) != others.get(name)]
    if not differing:
        got, name = "another order", ", ".join(list(others)[:3])
    else:
        name = differing[0]
        got = f"{others.get(name, 'none')} for {fields.get(name, 'none')}"
    raise invalid(f"the file {path}", f"of the columns of {first}", f"{got} at {name!r}")


def _name_of(files: Any) -> str:
    """Name what was given, for messages."""
    return fspath(files) if isinstance(files, str | PathLike) else f"{len(files)} files"


def _import() -> Any:
    """Import pyarrow."""
    require("reading columnar data", "data", "pyarrow")
    import pyarrow

    return pyarrow

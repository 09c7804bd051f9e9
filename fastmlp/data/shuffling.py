"""A source, rewritten in random order in bounded memory."""

import shutil
import tempfile
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp._checks import check_whole
from fastmlp._errors import invalid
from fastmlp._extras import require
from fastmlp.data.columns import ColumnarSource
from fastmlp.data.memory import affordable
from fastmlp.data.reading import read_all
from fastmlp.data.source import Chunk, Source
from fastmlp.data.tables import parquet

BLOCK_BYTES = 1 << 23
"""About so many of the features are written as a row group."""

PILES = 4
"""So many times the memory that a pile takes may be taken: it is read, permuted and written."""


def shuffle(source: Source, folder: str | PathLike[str], *, random_state: int = 0) -> Source:
    """Rewrite a source in random order as Parquet files; needs the extra `fastmlp[data]`.

    Each row is put on one of several piles on disk, at random, and each pile, which fits in the
    source's buffer, is then shuffled: every order is as likely as any other.

    Parameters
    ----------
    source : Source
        With a target.
    folder : path-like
        Made, or empty. For a while it takes twice the room of the data.
    random_state : int
        Fixes the order.

    Returns
    -------
    Source
        Of the new files, in row groups of about 8 MB.

    Raises
    ------
    ValueError
        If the folder is not empty, or the source has no target or cannot be read.
    ImportError
        If pyarrow is not installed.

    Examples
    --------
    >>> import fastmlp, pathlib, sklearn.datasets, tempfile
    >>> source = fastmlp.data.memmap(*sklearn.datasets.load_digits(return_X_y=True))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     shuffled = fastmlp.data.shuffle(source, pathlib.Path(folder, "shuffled"))
    ...     shuffled.shape
    (1797, 64)
    """
    require("writing Parquet files", "data", "pyarrow")
    generator = np.random.default_rng(check_whole("random_state", random_state, 0))
    if source.n_targets == 0:
        raise invalid("source", "one with a target", "one without")
    if source.weighted:
        raise invalid("source", "one without weights, which are not written", "one with a weight")
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    if any(path.iterdir()):
        raise invalid("folder", "empty, or not there yet", str(path))
    row_bytes = source.n_features * source.dtype.itemsize
    needed = PILES * source.n_samples * row_bytes
    n_piles = -(-needed // affordable(source.buffer, needed))
    scratch = Path(tempfile.mkdtemp(prefix="_piles", dir=path))
    try:
        kinds = _scatter(source, scratch, n_piles, generator)
        for pile in range(n_piles):
            rows = _gather(scratch, pile, source, kinds)
            order = generator.permutation(len(rows.X))
            if len(order) > 0:
                rows = Chunk(rows.X[order], np.asarray(rows.y)[order])
                _write(source, path / f"part-{pile:05d}.parquet", rows)
    finally:
        shutil.rmtree(scratch)
    targets = _target_names(source)
    return parquet(path, targets[0] if len(targets) == 1 else targets, buffer=source.buffer)


def _scatter(
    source: Source, scratch: Path, n_piles: int, generator: np.random.Generator
) -> set[np.dtype[Any]]:
    """Put each row on a pile, at random; return the dtypes of the targets, texts as UTF-8."""
    kinds = set()
    for *_, chunk in read_all(source):
        y: Any = chunk.y
        kinds.add(y.dtype)
        pile_of = generator.integers(0, n_piles, len(chunk.X))
        for pile in range(n_piles):
            rows = pile_of == pile
            with (scratch / f"{pile}.X").open("ab") as file:
                np.ascontiguousarray(chunk.X[rows]).tofile(file)
            with (scratch / f"{pile}.y").open("ab") as file:
                _as_fixed(y[rows]).tofile(file)
    return kinds


TEXT_WIDTH = 64
"""Characters that a label may have."""


def _as_fixed(y: Array) -> Array:
    """Make labels of one size each."""
    if y.dtype.kind not in "OSU":
        return np.ascontiguousarray(y)
    texts = y.astype(str)
    longest = texts.dtype.itemsize // 4
    if longest > TEXT_WIDTH:
        raise invalid("labels", f"of at most {TEXT_WIDTH} characters", f"{longest}")
    return texts.astype(f"U{TEXT_WIDTH}")


def _gather(scratch: Path, pile: int, source: Source, kinds: set[np.dtype[Any]]) -> Chunk:
    """Read a pile."""
    texts = any(kind.kind in "OSU" for kind in kinds)
    if len(kinds) > 1 and not texts:
        raise invalid("y", "of one dtype in all blocks", ", ".join(sorted(map(str, kinds))))
    kind = np.dtype(f"U{TEXT_WIDTH}") if texts else next(iter(kinds))
    X = np.fromfile(scratch / f"{pile}.X", source.dtype).reshape(-1, source.n_features)
    y = np.fromfile(scratch / f"{pile}.y", kind)
    return Chunk(X, y.reshape(len(X), -1))


def _target_names(source: Source) -> list[str]:
    """Name the columns of the target."""
    if isinstance(source, ColumnarSource):
        return source.targets
    return [f"y{n}" for n in range(source.n_targets)] if source.n_targets > 1 else ["y"]


def _write(source: Source, path: Path, rows: Chunk) -> None:
    """Write a pile as a Parquet file; one without names as a column of lists."""
    import pyarrow
    from pyarrow import parquet

    names, targets = source.feature_names, _target_names(source)
    columns = {"X": as_column(rows.X)} if names is None else dict(zip(names, rows.X.T, strict=True))
    columns |= zip(targets, np.asarray(rows.y).T, strict=True)
    group_size = max(1, BLOCK_BYTES // (source.n_features * source.dtype.itemsize))
    parquet.write_table(pyarrow.table(columns), path, group_size)


def as_column(X: Array) -> Any:
    """Make one column of a matrix: of binary values where they are bytes, else of lists.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)

    Returns
    -------
    pyarrow.Array
    """
    import pyarrow

    n_rows, n_features = X.shape
    if X.dtype == np.uint8:
        kind, values = pyarrow.binary(n_features), pyarrow.py_buffer(np.ascontiguousarray(X))
        return pyarrow.FixedSizeBinaryArray.from_buffers(kind, n_rows, [None, values])
    return pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(X.ravel()), n_features)

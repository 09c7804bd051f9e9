"""Arrays that are not in memory, in blocks of consecutive rows: .npy files, memory maps, zarr."""

from collections.abc import Iterator
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp._checks import check_whole
from fastmlp._errors import invalid
from fastmlp.data.source import BUFFER, Chunk, Source, require_rows

BLOCK_BYTES = 1 << 22
"""Of the features of a block: blocks from random places are read in one go each."""

CHUNK_BYTES = 1 << 22
"""Read at a time."""


class Ranges(Source):
    """Arrays of which rows can be read from anywhere.

    Parameters
    ----------
    X : object
        With `shape`, `dtype` and slices of rows, (n_samples, n_features).
    y : object or None
        Alike, (n_samples,) or (n_samples, n_targets).
    weight : object or None
        Alike, (n_samples,).
    block_rows : int or None
        Rows of a block; None chooses.
    name : str
        What messages call it.
    buffer : str or int
    """

    def __init__(
        self, X: Any, y: Any, weight: Any, block_rows: int | None, name: str, buffer: str | int
    ) -> None:
        super().__init__(buffer)
        self.X, self.y, self.weight, self.name = X, y, weight, name
        if len(X.shape) != 2:
            raise invalid(f"X in {name}", "2-D (n_samples, n_features)", f"shape {X.shape}")
        n_rows, self.n_features = map(int, X.shape)
        if y is not None and (len(y.shape) not in (1, 2) or y.shape[0] != n_rows):
            raise invalid(f"y in {name}", f"as long as X, {n_rows} rows", f"shape {y.shape}")
        if weight is not None and tuple(weight.shape) != (n_rows,):
            rule = f"{n_rows} numbers, one a row of X"
            raise invalid(f"weight in {name}", rule, f"shape {weight.shape}")
        self.weighted = weight is not None
        self.dtype, self.n_targets = np.dtype(X.dtype), count_targets(y)
        row_bytes = max(1, self.n_features * self.dtype.itemsize)
        self.chunk_rows = max(1, CHUNK_BYTES // row_bytes)
        chosen = max(1, BLOCK_BYTES // row_bytes) if block_rows is None else block_rows
        self.block_rows = check_whole("block_rows", chosen)
        starts = range(0, n_rows, self.block_rows)
        self.lengths = tuple(min(self.block_rows, n_rows - start) for start in starts)
        require_rows(self, name)

    def chunks(self, block: int) -> Iterator[Chunk]:
        """Read a block; see `Source.chunks`."""
        first = block * self.block_rows
        end = first + self.lengths[block]
        for start in range(first, end, self.chunk_rows):
            rows = slice(start, min(end, start + self.chunk_rows))
            y, weight = (
                values if values is None else values[rows] for values in (self.y, self.weight)
            )
            yield Chunk(np.asarray(self.X[rows]), y, weight)

    def place(self, block: int) -> str:
        """Say where a block lies; see `Source.place`."""
        first = block * self.block_rows
        return f"block {block} ({self.name}, rows {first} to {first + self.lengths[block] - 1})"


def count_targets(y: Any) -> int:
    """Count the columns of a target; none where there is none."""
    return 0 if y is None else int(np.prod(y.shape[1:]))


class OnDisk:
    """A file of an array, or a part of it, that takes no memory between two slices.

    A memory map keeps what was read of it in the process as long as it is there.

    Parameters
    ----------
    path : path-like
    dtype : dtype
    shape : tuple of int
    offset : int
        Bytes before the first value.
    fortran : bool
        Whether columns lie one after the other.
    """

    def __init__(
        self, path: Any, dtype: np.dtype[Any], shape: tuple[int, ...], offset: int, fortran: bool
    ) -> None:
        self.path, self.dtype, self.shape = path, dtype, shape
        self.offset, self.fortran = offset, fortran and len(shape) > 1

    def __getitem__(self, rows: slice) -> Array:
        """Read consecutive rows."""
        if self.fortran:
            whole = np.memmap(self.path, self.dtype, "r", self.offset, self.shape, "F")
            return np.array(whole[rows])
        shape = rows.stop - rows.start, *self.shape[1:]
        row_size = int(np.prod(self.shape[1:], dtype=np.int64))
        begin = self.offset + rows.start * row_size * self.dtype.itemsize
        values = np.fromfile(self.path, self.dtype, shape[0] * row_size, offset=begin)
        if values.size != shape[0] * row_size:
            raise OSError(f"{self.path} ends before row {rows.stop}")
        return values.reshape(shape)


def npy(
    X: str | PathLike[str],
    y: str | PathLike[str] | Array | None = None,
    *,
    weight: str | PathLike[str] | Array | None = None,
    block_rows: int | None = None,
    buffer: str | int = BUFFER,
) -> Source:
    """Train on .npy files that need not fit in memory.

    Parameters
    ----------
    X : path-like
        A file that `numpy.save` has written, of shape (n_samples, n_features), numbers.
    y : path-like or ndarray, optional
        A file of the targets, of shape (n_samples,) or (n_samples, n_outputs), or an array; left
        out to predict.
    weight : path-like or ndarray of shape (n_samples,), optional
        What each row weighs in training.
    block_rows : int, optional
        Consecutive rows of a block; left out, about 4 MB.
    buffer : str or int
        How much memory the rows may take, such as "2GB".

    Returns
    -------
    Source

    Raises
    ------
    ValueError
        If a file is no .npy, or X and y differ in length.
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> import fastmlp, numpy, pathlib, sklearn.datasets, tempfile
    >>> X, y = sklearn.datasets.load_digits(return_X_y=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = pathlib.Path(folder, "X.npy"), pathlib.Path(folder, "y.npy")
    ...     numpy.save(paths[0], X.astype("uint8"))
    ...     numpy.save(paths[1], y)
    ...     source = fastmlp.data.npy(*paths, block_rows=100, buffer="40kB")
    ...     settings = {"input_scale": (1 / 16, 0), "backend": "numpy", "random_state": 0}
    ...     result = fastmlp.train(source, epochs=5, **settings)
    ...     bool(result.model.score(source) > 0.8)
    True
    """
    target, weights = (
        given if given is None or isinstance(given, np.ndarray) else open_npy(given)
        for given in (y, weight)
    )
    return Ranges(open_npy(X), target, weights, block_rows, Path(fspath(X)).name, buffer)


def open_npy(path: str | PathLike[str]) -> OnDisk:
    """Read what a .npy file holds, but for its values.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    ValueError
        If it is no such file, or holds objects.
    FileNotFoundError
        If it is not there.
    """
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except ValueError as error:
        raise invalid(str(path), "a .npy file of numbers or text", str(error)) from error
    return _of_memmap(array)


def _of_memmap(array: Any) -> OnDisk:
    fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    return OnDisk(Path(array.filename), array.dtype, array.shape, int(array.offset), fortran)


def memmap(
    X: Array,
    y: Array | None = None,
    *,
    weight: Array | None = None,
    block_rows: int | None = None,
    buffer: str | int = BUFFER,
) -> Source:
    """Train on memory maps, or other arrays, block by block.

    Parameters
    ----------
    X : numpy.memmap or ndarray of shape (n_samples, n_features)
        Numbers. A map is read through its file, so that it does not fill the memory.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs), optional
        The targets.
    weight : ndarray of shape (n_samples,), optional
        What each row weighs in training.
    block_rows, buffer
        See `npy`.

    Returns
    -------
    Source

    Raises
    ------
    ValueError
        If X and y differ in length, or X is no matrix.
    """
    arrays = through_file(X), through_file(y), through_file(weight)
    return Ranges(*arrays, block_rows, "a memory map", buffer)


def through_file(array: Any) -> Any:
    """Read a memory map through its file where it is all of it; leave other arrays as they are."""
    is_map = isinstance(array, np.memmap) and array.filename is not None
    if not is_map or isinstance(array.base, np.ndarray):  # a part of one does not say where it lies
        return array
    return _of_memmap(array)


def zarr(
    X: Any,
    y: Any = None,
    *,
    weight: Any = None,
    block_rows: int | None = None,
    buffer: str | int = BUFFER,
) -> Source:
    """Train on zarr arrays, or others that are read by slices of rows, such as those of h5py.

    Parameters
    ----------
    X : path-like, zarr.Array or alike, of shape (n_samples, n_features)
    y : path-like, zarr.Array or ndarray of shape (n_samples,) or (n_samples, n_outputs), optional
        The targets.
    weight : path-like, zarr.Array or ndarray of shape (n_samples,), optional
        What each row weighs in training.
    block_rows : int, optional
        Left out, the rows of a chunk.
    buffer
        See `npy`.

    Returns
    -------
    Source

    Raises
    ------
    ImportError
        If a path is given and zarr is not installed.
    ValueError
        If X and y differ in length.
    """
    opened = [
        _open_zarr(array) if isinstance(array, str | PathLike) else array
        for array in (X, y, weight)
    ]
    chunks = getattr(opened[0], "chunks", None)
    rows = int(chunks[0]) if block_rows is None and chunks else block_rows
    return Ranges(opened[0], opened[1], opened[2], rows, "the array", buffer)


def _open_zarr(path: Any) -> Any:
    try:
        import zarr as package
    except ImportError as error:
        raise ImportError("reading zarr arrays needs zarr: pip install zarr") from error
    return package.open_array(fspath(path), mode="r")

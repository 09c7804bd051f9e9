"""NumPy's .npz archives."""

import zipfile
from collections.abc import Collection
from pathlib import Path

import numpy as np

from fastmlp._arrays import Array
from fastmlp._checks import check_name
from fastmlp._errors import invalid
from fastmlp.datasets.dataset import PARTS, Dataset
from fastmlp.datasets.files.selection import Wanted
from fastmlp.datasets.files.table import LabelledTable

ONE_ARRAY = "A .npy file holds one array: save X and y together, with np.savez."


def read_archive(path: Path, target: str | None) -> LabelledTable | Dataset:
    """Read a NumPy archive; see `load_file`.

    Parameters
    ----------
    path : Path
    target : str or None
        The array of labels; None takes y, or the parts where they are there.

    Raises
    ------
    ValueError
        If it is no archive, or an array is missing or of objects.
    """
    arrays = _arrays(path)
    if target is None and arrays.keys() >= set(PARTS):
        X_train, y_train, X_test, y_test = (arrays[name] for name in PARTS)
        return Dataset(path.stem, _flat(X_train), y_train, _flat(X_test), y_test)
    label = "y" if target is None else target
    _require(path, arrays, "X", label)
    return LabelledTable(_flat(arrays["X"]), arrays[label])


def read_archive_features(path: Path, wanted: Wanted) -> tuple[Array, list[str]]:
    """Read the array X of a NumPy archive, whose columns have no names; see `load_features`.

    Parameters
    ----------
    path : Path
    wanted : Wanted

    Raises
    ------
    ValueError
        If it is no archive, or X or the target is missing, or X is of another shape.
    """
    arrays = _arrays(path)
    _require(path, arrays, "X", wanted.target or "X")
    X = _flat(arrays["X"])
    if X.ndim != 2 or X.shape[1] != wanted.n_features:
        rule = f"of shape (n_samples, {wanted.n_features}), the features of the model"
        raise invalid(f"the array X of {path}", rule, f"shape {X.shape}")
    return X, []


def _arrays(path: Path) -> dict[str, Array]:
    """Read all arrays."""
    if not zipfile.is_zipfile(path):
        raise _no_archive(path)
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {name: file[name] for name in file}
    except Exception as error:  # NumPy raises many kinds for a file that is damaged
        remedy = "Object arrays are refused: save numbers, or strings of a fixed length."
        raise invalid(f"the file {path}", "a whole .npz archive", str(error), remedy) from error


def _require(path: Path, arrays: Collection[str], *names: str) -> None:
    """Raise a `ValueError` where an array is missing."""
    for name in names:
        check_name(f"the array {name} of {path}", name, arrays)


def _no_archive(path: Path) -> ValueError:
    """Word the error of a file that is something else."""
    with path.open("rb") as file:
        start = file.read(80)
    first_line = start.partition(b"\n")[0].decode("ascii", "replace").strip()
    got, remedy = "no archive, or part of one", ""
    if not start:
        got = "an empty file"
    elif start.startswith(b"\x93NUMPY"):
        got, remedy = "one array (.npy)", ONE_ARRAY
    elif first_line.isascii() and first_line.isprintable():
        got, remedy = f"text: {first_line!r}", "Rename it, to .csv for example."
    return invalid(f"the file {path}", "a whole .npz archive", got, remedy)


def _flat(X: Array) -> Array:
    """Flatten images: a sample is a row."""
    return X.reshape(len(X), -1) if X.ndim > 2 and len(X) else X

"""The user's own files: .npz, .csv, .tsv and .parquet, with a target column."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fastmlp._arrays import Array
from fastmlp._checks import check_flag, check_real
from fastmlp._errors import invalid
from fastmlp.datasets.dataset import Dataset
from fastmlp.datasets.files.archive import (
    ONE_ARRAY,
    read_archive,
    read_archive_features,
)
from fastmlp.datasets.files.parquet import read_parquet, read_parquet_features
from fastmlp.datasets.files.pixels import guess_scale
from fastmlp.datasets.files.selection import Wanted
from fastmlp.datasets.files.table import LabelledTable, listed
from fastmlp.datasets.files.text import COMPRESSIONS, read_text, read_text_features
from fastmlp.datasets.files.values import as_numbers

__all__ = ["load_features", "load_file"]


class _Reader(NamedTuple):
    """What reads a kind of file."""

    whole: Callable[[Path, str | None], LabelledTable | Dataset]
    """With its labels."""
    features: Callable[[Path, Wanted], tuple[Array, list[str]]]
    """Those that a model reads; and the names of the columns beside them."""


_TEXT = _Reader(read_text, read_text_features)
_READERS = {
    ".npz": _Reader(read_archive, read_archive_features),
    ".csv": _TEXT,
    ".parquet": _Reader(read_parquet, read_parquet_features),
    ".tsv": _TEXT,
    **{f"{text}{ending}": _TEXT for text in (".csv", ".tsv") for ending in COMPRESSIONS},
}


def load_file(
    path: str | os.PathLike[str],
    target: str | None = None,
    *,
    test_fraction: float = 0.2,
    random_state: int = 0,
    regression: bool = False,
) -> Dataset:
    """Load a data set from a file.

    What only names or numbers the rows is left out, unless it is the target: the index of a
    pandas frame in Parquet, a first column without a name or `Unnamed: 0` in text, and a column
    called `id`, `index` or alike that holds each row's number.

    Parameters
    ----------
    path : path-like
        `.npz` with arrays X and y, or X_train, y_train, X_test and y_test; `.csv` or `.tsv` with
        a line of column names, separated by commas, semicolons, tabs or bars, possibly compressed
        (`.csv.gz`, `.bz2`, `.xz`); or `.parquet` (needs the extra `fastmlp[parquet]`).
    target : str, optional
        The column (.npz: the array) of labels. Left out, the last column (.npz: "y").
    test_fraction : float
        In (0, 1): share of the samples that are set apart for testing, in equal proportions of
        the classes where each has enough samples. Not used where the file holds the parts.
    random_state : int
        Fixes which.
    regression : bool
        The target is numbers to predict and no labels: decimals and texts such as 007 are read as
        numbers, and the samples for testing are drawn from all alike.

    Returns
    -------
    Dataset
        `input_scale` is "unit" for uint8 features that are pixels: where at least half of the
        columns that vary span 128 or more of the 256 values. Tables are not scaled: None. Samples
        of more than one axis are flattened. `notes` say what was decided, `feature_names` what
        the columns are called.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the ending is unknown, the file is broken, the names of the columns are missing, or a
        column is missing or not numeric.
    ImportError
        If pyarrow is needed and not installed.
    """
    path = Path(path)
    check_real("test_fraction", test_fraction, 0, 1, "neither")
    ending = _ending(path)
    read = _READERS[ending].whole(path, target)
    if isinstance(read, LabelledTable):
        if check_flag("regression", regression):
            read = read._replace(y=_as_values(read.y))
        name = path.name[: -len(ending)]
        read = _split(name, read, test_fraction, random_state, not regression)
    scale, said = guess_scale(read.X_train)
    return read._replace(input_scale=scale, notes=read.notes + said)


def load_features(
    path: str | os.PathLike[str],
    n_features: int,
    names: Sequence[str] | None = None,
    target: str | None = None,
) -> tuple[Array, tuple[str, ...]]:
    """Load what a trained model predicts from, whether the labels are in the file or not.

    Parameters
    ----------
    path : path-like
        See `load_file`; of a `.npz` file, the array X.
    n_features : int
        As many as the model has.
    names : sequence of str, optional
        The columns to load, in this order. Left out, and for `.npz`, all are loaded but the target
        and an index.
    target : str, optional
        The column (.npz: the array) that is no feature.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
    notes : tuple of str
        What is said of the columns that are not loaded.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a column is missing, or there are more or fewer of them than the model has features.
    ImportError
        If pyarrow is needed and not installed.
    """
    path = Path(path)
    wanted = Wanted(n_features, names, target)
    X, beside = _READERS[_ending(path)].features(path, wanted)
    return X, (f"not used: {listed(beside)}",) if beside else ()


def _ending(path: Path) -> str:
    """Find the ending that says how to read a file that is there."""
    if path.is_dir():
        raise _folder(path)
    for ending in _READERS:
        if path.name.lower().endswith(ending):
            if not path.is_file():
                raise FileNotFoundError(f"there is no file {path}")
            return ending
    remedy = ONE_ARRAY if path.suffix.lower() == ".npy" else ""
    raise invalid("the data file", "a file that ends in " + ", ".join(_READERS), str(path), remedy)


def _folder(path: Path) -> ValueError:
    """Word the error of a folder, with what is in it."""
    names = sorted(file.name for file in path.iterdir())
    files = [name for name in names if name.lower().endswith(tuple(_READERS))]
    remedy = f"Pass a file of it: {', '.join(files[:5])}." if files else "None of it can be read."
    return invalid(f"the data file {path}", "a file", "a folder", remedy)


def _split(
    name: str, table: LabelledTable, test_fraction: float, random_state: int, stratify: bool
) -> Dataset:
    """Set test samples apart."""
    from sklearn.model_selection import train_test_split

    n_rows, n_labels = (len(np.atleast_1d(array)) for array in (table.X, table.y))
    if n_rows != n_labels or n_labels < 2:
        got = f"{n_rows} rows and {n_labels} labels"
        raise invalid("X and y", "of equal length, at least 2", got)
    X_train, X_test, y_train, y_test = train_test_split(
        table.X, table.y, test_size=test_fraction, random_state=random_state,
        stratify=table.y if stratify and _may_be_stratified(table.y, test_fraction) else None,
    )  # fmt: skip
    notes, names = table.notes, table.feature_names
    return Dataset(name, X_train, y_train, X_test, y_test, notes=notes, feature_names=names)


def _as_values(y: Array) -> Array:
    """Read texts as numbers, if all of them are."""
    values = as_numbers(y.tolist()) if y.dtype.kind == "U" else None
    return y if values is None else np.array(values)


def _may_be_stratified(y: Array, test_fraction: float) -> bool:
    """Tell whether there are enough samples of each class, and places for them, in both parts."""
    counts = np.unique(y, return_counts=True)[1]
    fewest_places = min(test_fraction, 1 - test_fraction) * len(y)
    return bool(counts.min() >= 2 and fewest_places >= len(counts))

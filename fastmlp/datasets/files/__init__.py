"""The user's own files: .npz, .csv, .tsv and .parquet, with a target column."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fastmlp._checks import check_real
from fastmlp._errors import invalid
from fastmlp.datasets.dataset import Dataset
from fastmlp.datasets.files.archive import ONE_ARRAY, Parts, read_archive
from fastmlp.datasets.files.parquet import read_parquet
from fastmlp.datasets.files.pixels import guess_scale
from fastmlp.datasets.files.table import Table
from fastmlp.datasets.files.text import COMPRESSIONS, read_text

__all__ = ["load_file"]

_READERS: dict[str, Callable[[Path, str | None], Table | Parts]] = {
    ".npz": read_archive,
    ".csv": read_text,
    ".parquet": read_parquet,
    ".tsv": read_text,
    **{f"{text}{ending}": read_text for text in (".csv", ".tsv") for ending in COMPRESSIONS},
}


def load_file(
    path: str | os.PathLike[str],
    target: str | None = None,
    *,
    test_fraction: float = 0.2,
    random_state: int = 0,
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

    Returns
    -------
    Dataset
        `input_scale` is "unit" for uint8 features that are pixels: where at least half of the
        columns that vary span 128 or more of the 256 values. Tables are not scaled: None. Samples
        of more than one axis are flattened. `notes` say what was decided.

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
    check_real("test_fraction", test_fraction, 0, 1, open_left=True)
    ending = _ending(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    read = _READERS[ending](path, target)
    parts = _split(read, test_fraction, random_state) if isinstance(read, Table) else read
    scale, said = guess_scale(parts.X_train)
    return Dataset(path.name[: -len(ending)], *parts[:4], scale, parts.notes + said)


def _ending(path: Path) -> str:
    """Find the ending that says how to read a file."""
    if path.is_dir():
        raise _folder(path)
    for ending in _READERS:
        if path.name.lower().endswith(ending):
            return ending
    remedy = ONE_ARRAY if path.suffix.lower() == ".npy" else ""
    raise invalid("the data file", "a file that ends in " + ", ".join(_READERS), str(path), remedy)


def _folder(path: Path) -> ValueError:
    """Word the error of a folder, with what is in it."""
    names = sorted(file.name for file in path.iterdir())
    files = [name for name in names if name.lower().endswith(tuple(_READERS))]
    remedy = f"Pass a file of it: {', '.join(files[:5])}." if files else "None of it can be read."
    return invalid(f"the data file {path}", "a file", "a folder", remedy)


def _split(table: Table, test_fraction: float, random_state: int) -> Parts:
    """Set test samples apart."""
    from sklearn.model_selection import train_test_split

    n_rows, n_labels = (len(np.atleast_1d(array)) for array in (table.X, table.y))
    if n_rows != n_labels or n_labels < 2:
        got = f"{n_rows} rows and {n_labels} labels"
        raise invalid("X and y", "of equal length, at least 2", got)
    counts = np.unique(table.y, return_counts=True)[1]
    fewest_places = min(test_fraction, 1 - test_fraction) * len(table.y)
    stratify = table.y if counts.min() >= 2 and fewest_places >= len(counts) else None
    X_train, X_test, y_train, y_test = train_test_split(
        table.X, table.y, test_size=test_fraction, random_state=random_state, stratify=stratify
    )
    return Parts(X_train, y_train, X_test, y_test, table.notes)

"""MNIST, from wherever it lies, else from its mirrors."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastmlp._cache import cache_dir, expanded, named_by
from fastmlp._errors import invalid
from fastmlp.datasets.dataset import Dataset
from fastmlp.datasets.idx import read_idx
from fastmlp.datasets.mnist_download import fetch
from fastmlp.datasets.mnist_files import FILES, MnistFile, find_idx, is_there, require_canonical

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


KERAS = "mnist.npz"
"""The file in which Keras keeps all arrays."""


def load_mnist(data_dir: str | os.PathLike[str] | None = None, download: bool = True) -> Dataset:
    """Load the 60,000 + 10,000 handwritten digits of MNIST (LeCun, Cortes & Burges).

    Looked for, as IDX files (raw or .gz) or as Keras' mnist.npz: in `data_dir`; if it is left out
    in the folder `FASTMLP_DATA_DIR`, in fastmlp's cache, and where torchvision and Keras put it.
    Files that are missing are downloaded into `data_dir` or the cache.

    Parameters
    ----------
    data_dir : path-like, optional
        The only folder to look in; its subfolders `mnist` and `MNIST/raw` are looked into too. A
        leading `~` is the home, as it is in the variables.
    download : bool
        Whether files may be downloaded.

    Returns
    -------
    Dataset
        uint8 X of 784 columns, labels 0 to 9, `input_scale` "unit".

    Raises
    ------
    ValueError
        If a file is not what its name says: not IDX, cut short, Fashion-MNIST, or altered.
    FileNotFoundError
        If there are no files and `download` is False.
    ConnectionError
        If no mirror delivers.
    OSError
        If what is downloaded cannot be kept.
    """
    given = None if data_dir is None else expanded(data_dir) or Path(data_dir)
    places = list(_places(given))
    found = next(filter(None, map(_find, places)), {})
    if not found and not download:
        listed = ", ".join(map(str, places))
        raise FileNotFoundError(
            f"MNIST is not in any of: {listed}. Pass download=True, or data_dir or the environment "
            f"variable FASTMLP_DATA_DIR as the folder that holds {FILES[0].name}.gz and the others."
        )
    if not found:
        folder = given or cache_dir() / "mnist"
        fetch(folder, FILES, MIRRORS)
        found = _find(folder)
    X_train, y_train, X_test, y_test = (_read(source, path) for source, path in found.items())
    return Dataset(
        "mnist", X_train.reshape(-1, 784), y_train.astype(np.intp),
        X_test.reshape(-1, 784), y_test.astype(np.intp), input_scale="unit",
    )  # fmt: skip


def _places(data_dir: Path | None) -> Iterator[Path]:
    """List the folders to look in, in order."""
    if data_dir is not None:
        yield from _with_subfolders(data_dir)
        return
    if chosen := named_by("FASTMLP_DATA_DIR"):
        yield from _with_subfolders(chosen)
    yield cache_dir() / "mnist"
    for root in ("data", "~/data", "~/.cache/torchvision"):
        if folder := expanded(root):
            yield folder / "MNIST" / "raw"
    if keras := named_by("KERAS_HOME") or expanded("~/.keras"):
        yield keras / "datasets"


def _with_subfolders(folder: Path) -> Iterator[Path]:
    yield from (folder, folder / "mnist", folder / "MNIST" / "raw")


def _find(folder: Path) -> dict[MnistFile, Path]:
    """Find the IDX file of each array, or Keras' file of all; nothing where one is missing."""
    found = {file: path for file in FILES if (path := find_idx(folder, file.name))}
    if len(found) == len(FILES):
        return found
    keras = folder / KERAS
    return dict.fromkeys(FILES, keras) if is_there(keras) else {}


def _read(source: MnistFile, path: Path) -> NDArray[np.uint8]:
    """Read an array and make sure that it is MNIST's."""
    array = _read_keras(path, source.keras) if path.name == KERAS else read_idx(path)
    require_canonical(array, source, path)
    return array


def _read_keras(path: Path, name: str) -> NDArray[np.uint8]:
    """Read one array of Keras' mnist.npz."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return np.asarray(file[name], np.uint8)
    except Exception as error:  # NumPy raises many kinds for a file that is damaged
        rule = "Keras' mnist.npz with x_train, y_train, x_test and y_test"
        raise invalid(f"the file {path}", rule, f"{type(error).__name__}: {error}") from error

"""MNIST, from wherever it lies, else from its mirrors."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._cache import cache_dir, expanded, named_by
from fastmlp._errors import invalid
from fastmlp.datasets.dataset import Dataset
from fastmlp.datasets.idx import read_idx
from fastmlp.datasets.mnist_download import fetch
from fastmlp.datasets.mnist_files import FILES, find_idx, is_there, require_canonical

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


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
    found = next((paths for paths in map(_find, places) if paths), None)
    if found is None and not download:
        listed = ", ".join(map(str, places))
        raise FileNotFoundError(
            f"MNIST is not in any of: {listed}. Pass download=True, or data_dir or the environment "
            f"variable FASTMLP_DATA_DIR as the folder that holds {FILES[0].name}.gz and the others."
        )
    if found is None:
        folder = given or cache_dir() / "mnist"
        fetch(folder, FILES, MIRRORS)
        found = _find(folder)
    assert found is not None
    return _dataset(_read(found))


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


Paths = Mapping[str, Path]


def _find(folder: Path) -> Path | Paths | None:
    """Find the path of each IDX file, or of Keras' file, if a folder holds all of them."""
    paths = {source.name: find_idx(folder, source.name) for source in FILES}
    if all(paths.values()):
        return {name: path for name, path in paths.items() if path}
    keras = folder / "mnist.npz"
    return keras if is_there(keras) else None


def _read(found: Path | Paths) -> dict[str, NDArray[np.uint8]]:
    """Read the arrays and make sure that they are MNIST's."""
    arrays = {}
    for source in FILES:
        if isinstance(found, Path):
            array, path = _read_keras(found, source.keras), found
        else:
            path = found[source.name]
            array = read_idx(path)
        require_canonical(array, source, path)
        arrays[source.keras] = array
    return arrays


def _read_keras(path: Path, name: str) -> NDArray[np.uint8]:
    """Read one array of Keras' mnist.npz."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return np.asarray(file[name], np.uint8)
    except Exception as error:  # NumPy raises many kinds for a file that is damaged
        rule = "Keras' mnist.npz with x_train, y_train, x_test and y_test"
        raise invalid(f"the file {path}", rule, f"{type(error).__name__}: {error}") from error


def _dataset(arrays: Mapping[str, NDArray[Any]]) -> Dataset:
    """Flatten the images and number the labels."""
    return Dataset(
        "mnist",
        arrays["x_train"].reshape(-1, 784),
        arrays["y_train"].astype(np.intp),
        arrays["x_test"].reshape(-1, 784),
        arrays["y_test"].astype(np.intp),
        input_scale="unit",
    )

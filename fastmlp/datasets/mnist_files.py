"""The four files of MNIST: their names, their content, and what comes under the same names."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._errors import invalid
from fastmlp.datasets.idx import read_idx, sha256


class MnistFile(NamedTuple):
    """One file of the data set."""

    name: str
    """Of the IDX file, without .gz."""
    sha256: str
    """Of the uncompressed file."""
    keras: str
    """The name of the same array in Keras' mnist.npz."""


FILES: tuple[MnistFile, ...] = (
    MnistFile(
        "train-images-idx3-ubyte",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "x_train",
    ),
    MnistFile(
        "train-labels-idx1-ubyte",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "y_train",
    ),
    MnistFile(
        "t10k-images-idx3-ubyte",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "x_test",
    ),
    MnistFile(
        "t10k-labels-idx1-ubyte",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        "y_test",
    ),
)

FASHION_LABELS = {
    "train-labels-idx1-ubyte": (9, 0, 0, 3, 0, 2, 7, 2, 5, 5),
    "t10k-labels-idx1-ubyte": (9, 2, 1, 1, 6, 1, 4, 6, 5, 7),
}
"""How the labels of Fashion-MNIST begin, which comes under the same file names."""


def find_idx(folder: Path, name: str) -> Path | None:
    """Find one IDX file; some archives are unpacked with a dot in its name."""
    candidates = [
        folder / spelling for plain in (name, name.replace("-idx", ".idx"))
        for spelling in (plain, f"{plain}.gz")
    ]  # fmt: skip
    return next((path for path in candidates if is_there(path)), None)


def is_there(path: Path) -> bool:
    """Tell whether there is a file; in a folder that may not be looked into there is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def require_canonical(array: NDArray[np.uint8], source: MnistFile, path: Path) -> None:
    """Raise a `ValueError` if an array is not byte for byte what it should be."""
    if sha256(array) == source.sha256:
        return
    if _holds_fashion(path.parent):
        got = "Fashion-MNIST, which has the same file names"
    else:
        got = f"an array of shape {array.shape} with other content"
    remedy = "Pass a data_dir that holds MNIST, or delete the file to have it downloaded again."
    raise invalid(f"the file {path}", f"MNIST's {source.name}", got, remedy)


def _holds_fashion(folder: Path) -> bool:
    """Tell whether the labels in a folder are Fashion-MNIST's."""
    for name, beginning in FASHION_LABELS.items():
        path = find_idx(folder, name)
        if path and tuple(read_idx(path).ravel()[: len(beginning)]) == beginning:
            return True
    return False

"""Data sets: MNIST, two that need no network, and the user's own files."""

from collections.abc import Callable

from fastmlp._checks import check_name
from fastmlp.datasets.dataset import Dataset
from fastmlp.datasets.digits import load_digits
from fastmlp.datasets.digits28 import load_digits28
from fastmlp.datasets.files import load_file
from fastmlp.datasets.mnist import load_mnist

__all__ = [
    "NAMES",
    "Dataset",
    "load",
    "load_digits",
    "load_digits28",
    "load_file",
    "load_mnist",
]

_LOADERS: dict[str, Callable[[], Dataset]] = {
    "digits28": load_digits28,
    "digits": load_digits,
    "mnist": load_mnist,
}

NAMES = tuple(_LOADERS)
"""The data sets that `load` and `fastmlp.train` know by name."""


def load(name: str) -> Dataset:
    """Load a data set by name.

    Parameters
    ----------
    name : {"digits28", "digits", "mnist"}

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        If there is no data set of this name.
    """
    return _LOADERS[check_name("dataset", name, NAMES)]()

"""Small data sets in files, and what is trained on them."""

from typing import NamedTuple

import numpy as np
import pytest

import fastmlp


class Files(NamedTuple):
    """A small classification problem in two .npy files."""

    X: np.ndarray
    y: np.ndarray
    paths: tuple

    def source(self, **arguments):
        """Open them; 10 rows a block, of which two groups of two fit, unless told otherwise."""
        return fastmlp.data.npy(*self.paths, **{"block_rows": 10, "buffer": 1700, **arguments})


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """97 rows of 6 float32 features, 40 bytes each in memory, in 3 classes."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    X = generator.normal(size=(97, 6)).astype(np.float32)
    y = generator.permutation(np.arange(97) % 3)
    paths = folder / "X.npy", folder / "y.npy"
    np.save(paths[0], X)
    np.save(paths[1], y)
    return Files(X, y, paths)


@pytest.fixture
def small_pieces(monkeypatch):
    """Train on 16 rows at a time, two batches of `SMALL`."""
    monkeypatch.setattr("fastmlp.engine.streaming.PIECE_BYTES", 16 * 24)


@pytest.fixture(autouse=True)
def memory_is_used_again(monkeypatch):
    """Treat arrays of a few bytes as large ones: theirs is used for others, too."""
    monkeypatch.setattr("fastmlp.data.memory.LARGE", 1)

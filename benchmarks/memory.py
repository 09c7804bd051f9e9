"""Peak memory of a fit; take the baseline of the same rows off."""

from pathlib import Path

import numpy as np

import fastmlp

from .common import make_data

BASELINE = "imports and data"


class Memory:
    """60,000 images of 784 float32 pixels, 188 MB, trained by each backend for one epoch."""

    params = (BASELINE, "numpy", "numba")
    param_names = ("backend",)

    def setup_cache(self):
        """Write the data to a file, so that drawing them does not count."""
        X, y = make_data()
        np.savez("data.npz", X=X.astype(np.float32) / 255, y=y)
        return str(Path("data.npz").resolve())

    def setup(self, path, backend):
        """Compile, or load from the cache, and import all that a fit imports."""
        if backend != BASELINE:
            X, y = np.eye(10, 784, dtype=np.float32), np.arange(10)
            fastmlp.train(X, y, backend=backend, batch_size=2, epochs=1)

    def peakmem_fit(self, path, backend):
        """Train one epoch, or nothing for the baseline."""
        with np.load(path) as file:
            X, y = file["X"], file["y"]
        if backend != BASELINE:
            fastmlp.train(X, y, backend=backend, epochs=1)

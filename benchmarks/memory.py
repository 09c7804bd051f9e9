"""Peak memory of a fit, and of the same process without the fit: take the one off the other."""

from pathlib import Path

import numpy as np

import fastmlp

from .common import make_images


def load_backend(backend):
    """Import all that a fit imports, and compile or load its kernels."""
    X, y = np.eye(10, 784, dtype=np.float32), np.arange(10)
    fastmlp.train(X, y, backend=backend, batch_size=2, epochs=1)


class Memory:
    """60,000 images of 784 float32 pixels, 188 MB, trained for one epoch: what a copy costs."""

    params = (("numba", "numpy"), (False, True))
    param_names = ("backend", "fit")

    def setup_cache(self):
        """Write the data to a file, so that drawing them does not count; nor does compiling."""
        load_backend("numba")
        X, y = make_images(60_000)
        np.savez("data.npz", X=X.astype(np.float32) / 255, y=y)
        return str(Path("data.npz").resolve())

    def peakmem_epoch(self, path, backend, fit):
        """Load the data, and train."""
        load_backend(backend)
        with np.load(path) as file:
            X, y = file["X"], file["y"]
        if fit:
            fastmlp.train(X, y, backend=backend, epochs=1)

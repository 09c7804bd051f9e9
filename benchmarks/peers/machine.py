"""The machine that measures: what it is, and how fast it multiplies matrices."""

import os
import platform
import time
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

import fastmlp
from fastmlp.threads import n_cores

PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "scikit-learn", "torch", "jax")
PREFIXES = ("OPENBLAS_", "OMP_", "MKL_", "NUMBA_", "GOTO_")
"""Environment variables that begin so change speed, and are told."""


def describe():
    """Describe the machine and what is installed.

    Returns
    -------
    dict of str to (str, int or dict of str to str)
    """
    return {
        "date": date.today().isoformat(),
        "processor": _processor(),
        "cores": n_cores(),
        "load": _load(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {"fastmlp": fastmlp.__version__} | {name: _version(name) for name in PACKAGES},
        "blas": _blas(),
        "variables": {k: v for k, v in sorted(os.environ.items()) if k.startswith(PREFIXES)},
    }


def _processor():
    """Find the processor's name; only Linux keeps it in a file."""
    path = Path("/proc/cpuinfo")
    for line in path.read_text().splitlines() if path.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _load():
    """Tell how many processes were running in the last minute: others disturb."""
    return f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "not known"


def _version(package):
    """Find the version of a package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _blas():
    """List the BLAS libraries of NumPy and SciPy, with the kernels they chose."""
    import scipy.linalg  # noqa: F401  (only libraries that are loaded are listed)
    from threadpoolctl import threadpool_info

    return {
        Path(library["filepath"]).name: " ".join(
            [
                library["internal_api"],
                str(library["version"]),
                library.get("architecture", ""),
                f"{library['num_threads']} threads",
            ]
        )
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }


def sgemm_peak(n_threads, size=2048, calls=10):
    """Measure how fast NumPy multiplies float32 matrices.

    Parameters
    ----------
    n_threads : int
    size : int
        Rows and columns of both.
    calls : int
        The fastest counts.

    Returns
    -------
    float
        Floating-point operations a second.
    """
    from threadpoolctl import threadpool_limits

    A, B = np.random.default_rng(0).random((2, size, size), dtype=np.float32)
    product = np.empty_like(A)
    seconds = []
    with threadpool_limits(n_threads, user_api="blas"):
        for _ in range(calls):
            start = time.perf_counter()
            np.matmul(A, B, out=product)
            seconds.append(time.perf_counter() - start)
    return 2.0 * size**3 / min(seconds)

"""`compile`: kernels are compiled into a folder before anybody waits for them."""

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from fastmlp._cache import cache_dir
from fastmlp._errors import invalid, unknown_name

CASES = {
    "classifier float32": ("MLPClassifier", "float32"),
    "classifier float64": ("MLPClassifier", "float64"),
    "regressor float32": ("MLPRegressor", "float32"),
    "regressor float64": ("MLPRegressor", "float64"),
}
"""Training and predicting on dense data: the estimator, and the dtype of X."""

N_ROWS = 256


def compile(  # noqa: A001
    model: str | PathLike[str] | None = None,
    folder: str | PathLike[str] | None = None,
    cases: Sequence[str] | None = None,
) -> dict[str, float]:
    """Compile kernels into a folder, for images and homes that can only be read.

    It is done in a process of its own. Whoever finds the folder by `FASTMLP_CACHE_DIR`, on a
    processor of the same kind and with the same versions, loads what was compiled.

    Parameters
    ----------
    model : path-like, optional
        A saved estimator or model: what predicting with it needs is compiled, one row or many, as
        dense arrays of its dtype.
    folder : path-like, optional
        Made if it is missing; by default the cache in use.
    cases : sequence of str, optional
        Without a model: which of "classifier float32", "classifier float64", "regressor float32"
        and "regressor float64" are trained and predicted with, on dense data; by default all.

    Returns
    -------
    dict of str to float
        The seconds that each case took.

    Raises
    ------
    ValueError
        If there is no such case, or kernels are not compiled here, or the model is broken.
    OSError
        If the folder cannot be written to, or there is no such model.

    Examples
    --------
    >>> import fastmlp
    >>> seconds = fastmlp.compile("digits.safetensors", folder="/opt/fastmlp")  # doctest: +SKIP
    """
    from fastmlp.kernels import jit

    if jit.disabled():
        raise invalid("NUMBA_DISABLE_JIT", "unset", os.environ.get("NUMBA_DISABLE_JIT", "1"))
    for name in cases or ():
        if name not in CASES:
            raise unknown_name("cases", name, CASES)
    if model is not None:
        from fastmlp.loading import load

        load(model)
    place = cache_dir() if folder is None else Path(folder)
    _require_writable(place)
    wanted = list(CASES if cases is None else cases)
    return _run_apart(place, wanted if model is None else [], model)


def _require_writable(folder: Path) -> None:
    """Raise an `OSError` that names the folder where it cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = f"folder must be one that can be written to ({error.strerror})"
        raise OSError(error.errno, reason, str(folder)) from error


def _run_apart(
    folder: Path, cases: Sequence[str], model: str | PathLike[str] | None
) -> dict[str, float]:
    """Compile in a new process: what this one has compiled it would not compile again."""
    variables = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    wanted = json.dumps(
        {"cases": list(cases), "model": None if model is None else os.fspath(model)}
    )
    done = subprocess.run(
        [sys.executable, "-m", "fastmlp.compiling", wanted],
        env=variables | {"FASTMLP_CACHE_DIR": str(folder.absolute())},
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"compiling failed: {done.stderr.strip()}")
    seconds: dict[str, float] = json.loads(done.stdout)
    return seconds


def _tasks(cases: Sequence[str], model: str | None) -> Iterator[tuple[str, Any, Any]]:
    """List what is to be done: its name, a fitted estimator or model, and rows to predict."""
    import numpy as np

    import fastmlp
    from fastmlp.saving.file import read

    rng = np.random.default_rng(0)
    for name in cases:
        kind, dtype = CASES[name]
        X = rng.random((N_ROWS, 20)).astype(dtype)
        estimator = getattr(fastmlp, kind)(max_iter=1, random_state=0)
        yield name, estimator.fit(X, np.arange(N_ROWS) % 2), X
    if model is not None:
        loaded, coefs = fastmlp.load(model), read(model).coefs[0]
        yield model, loaded, rng.random((N_ROWS, loaded.n_features_in_)).astype(coefs.dtype)


def _main() -> None:
    """Do what the process was started for, and print the seconds that each case took."""
    wanted, seconds, start = json.loads(sys.argv[1]), {}, time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of data without names, and of too few epochs
        for name, model, X in _tasks(wanted["cases"], wanted["model"]):
            for method in ("predict", "predict_proba"):
                for rows in (X[:1], X):
                    getattr(model, method, len)(rows)
            now = time.perf_counter()
            seconds[name], start = now - start, now
    print(json.dumps(seconds))


if __name__ == "__main__":
    _main()

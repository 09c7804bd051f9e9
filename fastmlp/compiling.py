"""`compile`: kernels are compiled into a folder before anybody waits for them."""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from fastmlp._cache import cache_dir
from fastmlp._checks import check_name
from fastmlp._errors import invalid

BATCH_SIZES = 1000, 200, 32, 1
"""Rows of a batch are shared out among threads, or units are, or there is one row."""

WIDTHS = 20, 60, 500
"""Features: how zeros are best left out depends on how many there are."""


def _without_zeros(numbers: Any) -> list[Any]:
    return [numbers + 0.01]


def _zeros(numbers: Any) -> list[Any]:
    return [numbers * (numbers > 0.9)]


def _mixed(numbers: Any) -> list[Any]:
    (X,), dense = _zeros(numbers), slice(numbers.shape[1] // 4)
    X[:, dense] = numbers[:, dense] + 0.01
    return [X]


def _csr(numbers: Any) -> list[Any]:
    from scipy.sparse import csr_array

    return [csr_array(X) for X in _zeros(numbers)]


def _bytes(numbers: Any) -> list[Any]:
    return [*_without_zeros(numbers * 250), *_zeros(numbers * 250)]


FORMS: dict[str, Callable[[Any], list[Any]]] = {
    "": _without_zeros, "zeros ": _zeros, "mixed ": _mixed, "CSR ": _csr,
}  # fmt: skip
KINDS = {
    "classifier": ("MLPClassifier", 3),
    "binary classifier": ("MLPClassifier", 2),
    "regressor": ("MLPRegressor", 3),
}
"""The estimator, and how many targets are told apart."""

CASES: dict[str, tuple[tuple[str, int], Callable[[Any], list[Any]], str]] = {
    f"{kind} {form}{dtype}": (estimator, draw, dtype)
    for form, draw in FORMS.items()
    for kind, estimator in KINDS.items()
    for dtype in ("float32", "float64")
} | {f"{kind} bytes": (estimator, _bytes, "uint8") for kind, estimator in KINDS.items()}
"""What is trained and predicted with: of `KINDS`, how its X are drawn, and their dtype."""

USUAL = [name for name, (_, draw, _) in CASES.items() if draw is _without_zeros]


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
        arrays or CSR matrices of its dtype or as bytes.
    folder : path-like, optional
        Made if it is missing; by default the cache in use.
    cases : sequence of str, optional
        Without a model: what is trained and predicted with, by the solver, hidden layers and batch
        sizes that are usual; another may need a kernel that is not among these. "classifier"
        (of three classes or more), "binary classifier" or "regressor"; then nothing where X has few
        zeros, "zeros" where most of it is zero, "mixed" where that is so of some columns, or "CSR";
        then "float32" or "float64": "classifier float32", say, or "regressor mixed float64". Or
        "bytes" after the first, as in "classifier bytes". By default all where X has few zeros.

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
        check_name("cases", name, CASES)
    if model is not None:
        from fastmlp.loading import load

        load(model)
    place = cache_dir() if folder is None else Path(folder)
    _require_writable(place)
    wanted = list(USUAL if cases is None else cases)
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
    path = None if model is None else os.fspath(model)
    wanted = json.dumps({"cases": list(cases), "model": path})
    done = subprocess.run(
        [sys.executable, "-m", "fastmlp.compiling", wanted],
        env=variables | {"FASTMLP_CACHE_DIR": str(folder.absolute())},
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"compiling failed: {done.stderr.strip()}")
    seconds: dict[str, float] = json.loads(done.stdout)
    return seconds


def _fit(case: str, numbers: Any) -> tuple[Any, list[Any]]:
    """Train as a case says; return the last estimator, and what to predict."""
    import fastmlp

    (kind, n_targets), draw, dtype = CASES[case]
    drawn = [X.astype(dtype) for X in draw(numbers)]
    scale = "unit" if dtype == "uint8" else None
    for X in drawn:
        y = [row % n_targets for row in range(X.shape[0])]
        for size in BATCH_SIZES:
            estimator = getattr(fastmlp, kind)(
                batch_size=size, max_iter=1, random_state=0, input_scale=scale
            ).fit(X[: 3 * size], y[: 3 * size])
        if kind == "MLPClassifier":  # whose plain steps of one row are a kernel of their own
            fastmlp.train(X[:3], y[:3], batch_size=1, epochs=1, input_scale=scale)
    return estimator, drawn


def _tasks(cases: Sequence[str], model: str | None) -> Iterator[tuple[str, Any, list[Any]]]:
    """List what is to be done: its name, a fitted estimator or model, and what to predict."""
    import numpy as np

    import fastmlp
    from fastmlp.saving.file import read

    rng = np.random.default_rng(0)
    for name, width in itertools.product(cases, WIDTHS):
        yield name, *_fit(name, rng.random((3 * max(BATCH_SIZES), width)))
    if model is not None:
        loaded, coefs = fastmlp.load(model), read(model).coefs[0]
        numbers = rng.random((2 * BATCH_SIZES[1], loaded.n_features_in_))
        drawn = [X.astype(coefs.dtype) for draw in FORMS.values() for X in draw(numbers)]
        yield model, loaded, drawn + [X.astype(np.uint8) for X in _bytes(numbers)]


def _main() -> None:
    """Do what the process was started for, and print the seconds that each case took."""
    wanted, start = json.loads(sys.argv[1]), time.perf_counter()
    seconds: dict[str, float] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of data without names, and of too few epochs
        for name, model, drawn in _tasks(wanted["cases"], wanted["model"]):
            for X, method in itertools.product(drawn, ("predict", "predict_proba")):
                if hasattr(model, method):
                    getattr(model, method)(X[:1])
                    getattr(model, method)(X)
            now = time.perf_counter()
            seconds[name], start = seconds.get(name, 0.0) + now - start, now
    print(json.dumps(seconds))


if __name__ == "__main__":
    _main()

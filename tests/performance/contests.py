"""Who is compared with whom, and by how much the kernels must be ahead.

A lead is how many times as long as the kernels a rival takes inside one run; `gate` tells how it is
measured. Kernels of half the speed come to half of the usual lead, and sound ones to all of it but
for the noise. `least` lies 14 % and more below the smallest lead of twenty runs on a loaded
machine, and 10 % and more above the lead with kernels that were halved to see this: the room is for
other machines, on which rivals and kernels are not faster and slower alike.

Where the halved kernel is not all of an epoch, the lead falls by less: products of sparse rows are
0.6 of an epoch at the batch size of 64. The lead over SciPy's products, which changes least from
machine to machine, is held closer for that.
"""

from collections.abc import Callable
from typing import NamedTuple

import numba
import numpy as np
from llvmlite import binding
from scipy.sparse import random_array

from tests.performance.competitors import (
    Epoch,
    EstimatorRow,
    ManyRows,
    OneRow,
    SparseProducts,
    Steps,
    Work,
)

VECTORS = {"+avx512f": 0, "+avx2": 1}
"""The processor's feature, and which of a lead's pairs of numbers is for it."""


MEASURED_ON = ("znver4",)
"""The processors, by LLVM's names, for which `least` was chosen."""

ELSEWHERE = 0.6
"""What of `least` is asked for on others: rivals' products have been seen to be 1.5 times as fast
there beside our kernels. It still tells kernels that are no longer vectors, or copy in a loop."""


class Lead(NamedTuple):
    """How far ahead of a rival the kernels are, with AVX-512 and with AVX2 alone."""

    usual: tuple[float, float]
    least: tuple[float, float | None]
    """None where the lead is only reported."""
    spread: float
    """(largest - smallest) / median of twenty runs on a loaded machine, with AVX-512."""
    reason: str


class Contest(NamedTuple):
    """Competitors that do the same work."""

    competitors: Callable
    """Makes them from images and their classes, as a dict by name."""
    leads: dict[str, Lead]
    """By rival: all the others."""
    ours: str = "numba"

    def least(self):
        """Give the leads that there must be on this processor, by rival."""
        column = column_here()
        if column is None:
            return {}
        share = 1 if binding.get_host_cpu_name() in MEASURED_ON else ELSEWHERE
        numbers = {rival: lead.least[column] for rival, lead in self.leads.items()}
        return {rival: share * least for rival, least in numbers.items() if least is not None}


def column_here():
    """Find which numbers of a lead's pairs are for what the kernels are compiled for, or None."""
    asked = numba.config.CPU_FEATURES
    features = binding.get_host_cpu_features().flatten() if asked is None else asked
    return next((VECTORS[name] for name in VECTORS if name in features.split(",")), None)


def _batches_of_64(X, y):
    work = Work(X, "unit")
    return {
        "numba": Epoch("numba", work, y),
        "numpy": Epoch("numpy", work, y),
        "SciPy's products": SparseProducts(work),
    }


def _single_samples(X, y):
    X, y = X[: len(X) // 4], y[: len(X) // 4]
    work = Work(X, "unit", batch_size=1, learning_rate_init=0.02)
    return {
        "numba": Epoch("numba", work, y),
        "numpy": Epoch("numpy", work, y),
        "reference": Epoch("reference", work, y),
        "SciPy's products": SparseProducts(work),
    }


def _without_zeros(X):
    """Lift every image by another grey: there is neither a zero nor a value that most have."""
    return X // 2 + (1 + np.arange(len(X)) % 100)[:, np.newaxis].astype(np.uint8)


def _dense(X, y):
    work = Work(_without_zeros(X), "unit")
    return {"numba": Epoch("numba", work, y), "numpy": Epoch("numpy", work, y)}


def _sparse_and_dense(X, y):
    return {
        "mostly zeros": Epoch("numba", Work(X, "unit"), y),
        "no zeros": Epoch("numba", Work(_without_zeros(X), "unit"), y),
    }


def _texts(X, y):
    y = y[: max(16, len(y) // 4)]
    generator = np.random.default_rng(20240613)
    rows = random_array(
        (len(y), 10_000), density=0.004, format="csr", random_state=generator, dtype="f4"
    )
    dense = rows.toarray()
    return {
        "numba": Epoch("numba", Work(rows, solver="adam"), y),
        "numpy": Epoch("numpy", Work(dense, solver="adam"), y),
    }


def _adam(X, y):
    work = Work(X, "unit", min(128, len(X)), (256,), "relu", "adam")
    return {
        "numba": Epoch("numba", work, y),
        "numpy": Epoch("numpy", work, y),
        "SciPy's products": SparseProducts(work),
    }


def _many_rows(X, y):
    work = Work(_without_zeros(X), "unit")
    return {"numba": ManyRows("numba", work), "numpy": ManyRows("numpy", work)}


def _one_row(X, y):
    work = Work(_without_zeros(X)[:1].astype(np.float32) / 255)
    return {"numba": OneRow("numba", work), "numpy": OneRow("numpy", work)}


def _estimators_row(X, y):
    work = Work(_without_zeros(X)[:1].astype(np.float32) / 255)
    return {library: EstimatorRow(library, work) for library in ("fastmlp", "scikit-learn")}


def _steps(X, y):
    return {library: Steps(library, y) for library in ("fastmlp", "scikit-learn")}


TILES = "bound by the processor's arithmetic on both sides"
INTERPRETER = "the rival's time is Python's: a version of it is worth 20 %"
CHECKS = "Python's on both sides, most of it scikit-learn's checks, which ours leaves out"
PRODUCTS = "bound by the same reads of the cache, whatever BLAS and the vectors"

CONTESTS = {
    "batch 64": Contest(
        _batches_of_64,
        {
            "numpy": Lead((2.81, 2.57), (2.0, 1.9), 0.11, "BLAS is faster on other processors"),
            "SciPy's products": Lead((1.61, 1.49), (1.25, 1.2), 0.12, PRODUCTS),
        },
    ),
    "batch 1": Contest(
        _single_samples,
        {
            "numpy": Lead((68, 60), (52, 45), 0.05, INTERPRETER),
            "reference": Lead((66, 58), (51, 44), 0.06, INTERPRETER),
            "SciPy's products": Lead((1.38, 1.22), (1.09, 0.97), 0.07, PRODUCTS),
        },
    ),
    "batch 64, no input is zero": Contest(
        _dense,
        {"numpy": Lead((1.7, 1.58), (1.3, 1.2), 0.16, TILES)},
    ),
    "sparse against dense": Contest(
        _sparse_and_dense,
        {
            "no zeros": Lead(
                (1.67, 1.7), (1.2, 1.2), 0.09, "sparse kernels read, dense ones compute"
            )
        },
        ours="mostly zeros",
    ),
    "CSR, 10,000 features, Adam": Contest(
        _texts, {"numpy": Lead((8.0, 6.5), (6.2, 4.3), 0.11, "the rival is bound by memory")}
    ),
    "784-256-10, ReLU, Adam": Contest(
        _adam,
        {
            "numpy": Lead((2.67, 2.4), (2.0, 1.8), 0.16, "BLAS is faster on other processors"),
            "SciPy's products": Lead((1.75, 1.6), (1.28, 1.2), 0.19, PRODUCTS),
        },
    ),
    "predict many rows": Contest(
        _many_rows,
        {"numpy": Lead((1.07, 1.03), (0.85, 0.8), 0.11, TILES)},
    ),
    "predict one row": Contest(
        _one_row,
        {"numpy": Lead((2.41, 2.7), (1.7, 1.7), 0.06, "calls of Python's on both sides")},
    ),
    "an estimator's one row": Contest(
        _estimators_row,
        {"scikit-learn": Lead((9.7, 10.3), (7.5, 7.5), 0.06, CHECKS)},
        ours="fastmlp",
    ),
    "steps by partial_fit": Contest(
        _steps,
        {"scikit-learn": Lead((5.6, 5.8), (4.4, 4.4), 0.08, CHECKS)},
        ours="fastmlp",
    ),
}
"""Leads as measured on a Zen 4, with AVX2 in that its other instructions were forbidden."""

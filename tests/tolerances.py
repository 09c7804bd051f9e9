"""How far two results may lie apart, by quantity and dtype, each with its reason."""

from typing import NamedTuple

import numpy as np


class Tolerance(NamedTuple):
    """|actual - expected| <= relative * scale, with scale = max|expected| unless it is given."""

    relative: float
    reason: str


EPS_32, EPS_64 = 2.0**-24, 2.0**-53  # rounding units

TOLERANCES: dict[tuple[str, str], Tolerance] = {
    ("operation", "float32"): Tolerance(8 * EPS_32, "a handful of roundings"),
    ("operation", "float64"): Tolerance(8 * EPS_64, "a handful of roundings"),
    ("product", "float32"): Tolerance(64 * EPS_32, "784 terms, rounded like a random walk: 28"),
    ("product", "float64"): Tolerance(64 * EPS_64, "784 terms, rounded like a random walk: 28"),
    ("gradient", "float32"): Tolerance(64 * EPS_32, "3 layers of sums of up to 20 terms"),
    ("gradient", "float64"): Tolerance(64 * EPS_64, "3 layers of sums of up to 20 terms"),
    ("update", "float32"): Tolerance(64 * EPS_32, "the gradient's, times a rate below 1"),
    ("update", "float64"): Tolerance(64 * EPS_64, "the gradient's, times a rate below 1"),
    # A step passes on the error of all steps before it, about one rounding unit each; on 3 epochs
    # of 2,000 samples at batch 1 that is 6,000 of them, 3.6e-4 if they all added up, a quarter of
    # it at most in practice because they do not.
    ("loss curve", "float32"): Tolerance(1e-4, "rounding of 6,000 steps, carried along"),
    # Adam divides by the root of tiny squares: an error of one rounding unit in a gradient that is
    # almost zero can turn a step around, 0.02 each.
    ("adam parameters", "float32"): Tolerance(2e-2, "a step in the other direction"),
    ("loss curve", "float64"): Tolerance(1e-10, "rounding of 6,000 steps: 7e-13, and a reserve"),
}


def assert_close(actual, expected, quantity, dtype, scale=0.0):
    """Compare two arrays; a failure names the worst entry and the first, such as the epoch.

    `scale` is the size of the terms of a sum, which may cancel: then it exceeds the largest entry.
    """
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    assert actual.shape == expected.shape
    tolerance = TOLERANCES[quantity, np.dtype(dtype).name]
    allowed = tolerance.relative * max(scale, np.abs(expected).max())
    errors = np.abs(actual - expected)
    if (errors <= allowed).all():  # NaN is not
        return
    worst = np.unravel_index(np.argmax(np.where(np.isnan(errors), np.inf, errors)), errors.shape)
    first = np.argwhere(~(errors <= allowed))[0]
    raise AssertionError(
        f"{quantity} in {dtype}: entry {tuple(map(int, worst))} is {actual[worst]!r}, expected "
        f"{expected[worst]!r}: off by {errors[worst]:.3g}, allowed {allowed:.3g} "
        f"({tolerance.reason}); the first entry that differs is {tuple(map(int, first))}"
    )

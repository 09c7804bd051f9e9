"""The measurement: check each kernel, then time all of them and the machine's peaks in rounds."""

from datetime import date

import numpy as np

from benchmarks.machine import describe, sgemm_peak
from fastmlp.kernels.jit import disabled
from fastmlp.threads import n_cores

from .backward import backward_cases
from .cases import draw_images
from .forward import forward_cases
from .peaks import peaks_of, timed_peaks
from .reading import reading_cases
from .report import row_of
from .timing import Timed, measure_all
from .updates import update_cases
from .wholes import whole_cases

N_SAMPLES, N_QUICK_SAMPLES = 60_000, 2_048


def make_cases(n_samples):
    """List every case.

    Parameters
    ----------
    n_samples : int
        Number of images.

    Returns
    -------
    list of Case
    """
    images = draw_images(n_samples)
    makers = (reading_cases, forward_cases, backward_cases, update_cases, whole_cases)
    return [case for maker in makers for case in maker(images)]


def verify(case):
    """Compare a kernel's result with NumPy's.

    Parameters
    ----------
    case : Case

    Raises
    ------
    RuntimeError
        If they differ.
    """
    actual, expected = (np.asarray(array, np.float64) for array in case.check())
    error = np.abs(actual - expected).max() / np.abs(expected).max()
    if not error <= case.tolerance:
        raise RuntimeError(
            f"{case.kernel} must give what NumPy gives within {case.tolerance:g}; it is off by "
            f"{error:.2g}. Run the tests of {case.source}."
        )


def measure(quick=False):
    """Time every kernel and the machine's peaks; see `benchmarks.roofline.measure`."""
    if disabled():
        raise RuntimeError(
            "kernels must be compiled to be timed; got NUMBA_DISABLE_JIT=1. Unset it."
        )
    return measure_cases(make_cases(N_QUICK_SAMPLES if quick else N_SAMPLES), quick)


def measure_cases(cases, quick):
    """Check some cases, then time them; see `measure`.

    Parameters
    ----------
    cases : list of Case
    quick : bool

    Returns
    -------
    dict
    """
    machine = describe()
    for case in cases:
        verify(case)
    peaks, kernels = timed_peaks(quick), [Timed(case.run) for case in cases]
    measure_all([*peaks.values(), *kernels], quick)
    sgemm = {n: sgemm_peak(n, calls=2 if quick else 10) for n in sorted({1, n_cores()})}
    measured = peaks_of(peaks, {str(n): flops for n, flops in sgemm.items()}, quick)
    return {
        "machine": machine,
        "date": date.today().isoformat(),
        "command": "python -m benchmarks.roofline" + (" --quick" if quick else ""),
        "peaks": measured,
        "kernels": [
            row_of(case, timed.seconds, measured)
            for case, timed in zip(cases, kernels, strict=True)
        ],
    }

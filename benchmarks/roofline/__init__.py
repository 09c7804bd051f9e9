"""The roofline: what each kernel must move and do, and how near it comes to what the machine can.

`measure` times the kernels of the benchmarks' networks in compiled loops, each checked against
NumPy before, and the machine's peaks in the same rounds; `table` and `plot` show what it returns,
which is what the command writes as JSON.
"""

from .picture import plot
from .report import table

__all__ = ["measure", "plot", "table"]


def measure(quick=False):
    """Time every kernel and the machine's peaks.

    Parameters
    ----------
    quick : bool
        Few samples and repetitions, to see that it works; the numbers mean nothing.

    Returns
    -------
    dict
        "machine", "date", "command", "peaks" (see `peaks.peaks_of`) and "kernels" (see
        `report.row_of`).

    Raises
    ------
    RuntimeError
        If a kernel and NumPy differ, or nothing is compiled.
    """
    from .measuring import measure

    return measure(quick)

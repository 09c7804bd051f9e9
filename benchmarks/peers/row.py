"""What a row is: a task, who does it, and how far ahead fastmlp means to be."""

from dataclasses import dataclass, field

from .competitors import Competitor
from .tasks import Task

ROUNDING_GROWS = 0.5
"""Tolerance where training is chaotic: Adam divides by small numbers, and rectifiers switch, so
that differences of rounding grow until the losses of the last epochs, near zero, part."""

THREE = ("NumPy", "PyTorch", "JAX")
"""The groups that most rows are about."""


@dataclass(frozen=True)
class Row:
    """One row: a task, its competitors and the aims.

    Parameters
    ----------
    name : str
        What ``--only`` takes.
    title : str
    task : Task
    competitors : tuple of Competitor
    targets : dict of str to float
        For each group how many times fastmlp's best time its best time should be.
    avx2 : dict of str to float, optional
        The same where everybody has AVX2 alone; None where the row is not raced so.
    tolerance : float
        Largest relative difference between the final losses.
    most_seconds : float, optional
        What fastmlp should take at most.
    peak_share : float, optional
        The share of the peak of sgemm on all threads that fastmlp should reach.
    neighbour : bool
        Whether a process beside the race keeps a core half busy.
    """

    name: str
    title: str
    task: Task
    competitors: tuple[Competitor, ...]
    targets: dict[str, float] = field(default_factory=dict)
    avx2: dict[str, float] | None = None
    tolerance: float = 1e-3
    most_seconds: float | None = None
    peak_share: float | None = None
    neighbour: bool = False


def aims(groups, own, avx2=None):
    """Set the same aim for some groups.

    Parameters
    ----------
    groups : iterable of str
    own : float
        With all the instructions that the processor has.
    avx2 : float, optional
        With AVX2 alone; None where the row is not raced so.

    Returns
    -------
    dict
        The arguments `targets` and `avx2` of a `Row`.
    """
    held = None if avx2 is None else dict.fromkeys(groups, avx2)
    return {"targets": dict.fromkeys(groups, own), "avx2": held}

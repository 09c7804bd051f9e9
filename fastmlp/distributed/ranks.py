"""What users say about the processes that train together."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fastmlp._checks import check_name, check_real, check_whole
from fastmlp._errors import invalid
from fastmlp.distributed.communicator import TIMEOUT, Communicator
from fastmlp.distributed.shares import REDUCTIONS
from fastmlp.distributed.together import Together
from fastmlp.ranks import Alone

METHODS = ("all_reduce", "broadcast", "fail", "close")
"""By which a `Communicator` is known."""


@dataclass(frozen=True)
class Ranks:
    """The processes that train together, and how: what `comm=` may be beside a communicator.

    Parameters
    ----------
    comm : mpi4py.MPI.Comm or Communicator
    reduction : {"sum", "ordered"}
        "sum" leaves to MPI in which order gradients are summed. With "ordered" they are those of
        16 shards of consecutive rows, summed in their order: the bits do not depend on the number
        of ranks. It costs 16 times the traffic, and more time for small batches; each rank must
        have whole shards, as `share` divides them.
    sync_every : int
        1 sums the gradient of each step. More is another algorithm, for slow networks: each rank
        takes so many steps of its own, then parameters and the solver's memory are averaged.
    timeout : float
        Seconds after which a rank that does not come is taken for lost.

    Raises
    ------
    ValueError
        If an argument is not as described here.
    """

    comm: Any
    reduction: str = "sum"
    sync_every: int = 1
    timeout: float = TIMEOUT

    def __post_init__(self) -> None:
        check_name("reduction", self.reduction, REDUCTIONS)
        check_whole("sync_every", self.sync_every)
        check_real("timeout", self.timeout, 0, closed="neither")
        if self.reduction == "ordered" and self.sync_every > 1:
            rule = "1 with reduction='ordered', which orders the sum of each step"
            raise invalid("sync_every", rule, self.sync_every)

    def open(self) -> Together:
        """Begin to use the communicator, for one training.

        Returns
        -------
        Together
        """
        return Together(self._communicator(), self.reduction, self.sync_every)

    def _communicator(self) -> Communicator:
        """Bring what was given into one form."""
        if all(hasattr(self.comm, name) for name in METHODS):
            communicator: Communicator = self.comm
            return communicator
        if not hasattr(self.comm, "Iallreduce"):
            rule = "a communicator of mpi4py, such as MPI.COMM_WORLD, or fastmlp.distributed.Ranks"
            raise invalid("comm", rule, repr(self.comm))
        from fastmlp.distributed.mpi import MPIRank

        return MPIRank(self.comm, self.timeout)


@contextmanager
def open_ranks(comm: Any) -> Iterator[Alone]:
    """Use what was given as `comm`, for the length of a `with`.

    Parameters
    ----------
    comm : mpi4py.MPI.Comm, Communicator, Ranks or None

    Yields
    ------
    Alone
        Without a communicator, else a `Together`.
    """
    if comm is None:
        yield Alone()
        return
    ranks = (comm if isinstance(comm, Ranks) else Ranks(comm)).open()
    with ranks.guarded():
        yield ranks

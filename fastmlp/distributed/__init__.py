"""Training on several machines: the processes of an MPI job work on one batch a step.

- `Ranks`: the processes that train together, and how;
- `share`: which rows are whose, of data that every rank can read;
- `Communicator`: what is needed of MPI; `in_threads`: the same in threads of one process;
- `RankError`: another rank cannot go on.
"""

from fastmlp.distributed.communicator import Communicator, RankError
from fastmlp.distributed.ranks import Ranks, open_ranks
from fastmlp.distributed.shares import share
from fastmlp.distributed.twin import in_threads

__all__ = ["Communicator", "RankError", "Ranks", "in_threads", "open_ranks", "share"]

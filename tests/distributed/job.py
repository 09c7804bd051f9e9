"""One process of an MPI job: a script, for `mpiexec -n 3 python -m tests.distributed.job WHAT`."""

import os
import signal
import sys

import numpy as np
from mpi4py import MPI

import fastmlp
from fastmlp.distributed import Ranks
from fastmlp.distributed.steps import SharedSteps
from tests.distributed.ranks import SETTINGS, X, Y, parts

WORLD = MPI.COMM_WORLD
TIMEOUT = 2.0


def no_room():
    """Raise an error that no other rank raises."""
    raise MemoryError("no room")


MISHAPS = {
    "raises": no_room,
    "is killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hangs": lambda: os.kill(os.getpid(), signal.SIGSTOP),
}


def compare():
    """Train with the others, train alone on all rows, and print how far the two are apart."""
    arguments = SETTINGS | {"solver": "adam", "dropout": 0.2, "early_stopping": True}
    own = parts(WORLD.size, X, Y)[WORLD.rank]
    together = fastmlp.train(*own, **arguments, comm=WORLD)
    alone = fastmlp.train(X, Y, **arguments)
    difference = np.abs(np.subtract(together.history.loss, alone.history.loss)).max()
    bits = together.model.parameters.buffer.tobytes()
    same = len(set(WORLD.allgather(bits))) == 1
    own = parts(WORLD.size, X, Y, reduction="ordered")[WORLD.rank]
    ordered = fastmlp.train(*own, **arguments, comm=Ranks(WORLD, reduction="ordered"))
    if WORLD.rank == 0:
        print(difference < 1e-10, same, ordered.model.parameters.buffer.sum().hex())


def suffer(what):
    """Train; the last rank meets with a mishap within the second step."""
    steps, add = [], SharedSteps._add

    def add_or_suffer(self, *given):
        steps.append(given)
        if self.ranks.rank == self.ranks.size - 1 and len(steps) == 2:
            MISHAPS[what]()
        return add(self, *given)

    SharedSteps._add = add_or_suffer
    own = parts(WORLD.size, X, Y)[WORLD.rank]
    fastmlp.train(*own, **SETTINGS, comm=Ranks(WORLD, timeout=TIMEOUT))


if __name__ == "__main__":
    if sys.argv[1] == "compares":
        compare()
    else:
        suffer(sys.argv[1])

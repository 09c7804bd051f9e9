"""MPI by mpi4py as a `Communicator` that never waits for ever."""

import atexit
import os
import pickle
import sys
import time
from contextlib import suppress
from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp._clock import now, since
from fastmlp.distributed.communicator import RankError
from fastmlp.distributed.twin import absent

FAILED, HERE, GONE = 29871, 29872, 29873
"""Tags: a rank cannot go on; a rank waits; a rank's process is over."""

SPIN_SECONDS = 0.002
"""So long a rank only asks whether the others are done: most steps end sooner."""

NAP_SECONDS = 5e-5
"""And between two questions it leaves the processor to others from then on."""

BUSY_SECONDS = 1e-4
"""After so long it lets others have the processor between two questions, who may be those it waits
for: with three ranks on two processors steps take a quarter of the time."""

YIELD = getattr(os, "sched_yield", lambda: None)

FIRST_BYTES = 4096
"""What is broadcast is told in one message if it is shorter."""

MOST_TEXT = 2000
"""Characters of an error that others are told."""


class MPIRank:
    """One process of an MPI job; see `Communicator`.

    Every call is one that does not block, and is asked for again and again: so a rank hears of the
    failure of another, and counts the seconds for which it waits.

    Parameters
    ----------
    comm : mpi4py.MPI.Comm
        Duplicated, so that no other messages come in between.
    timeout : float
        Seconds.
    """

    def __init__(self, comm: Any, timeout: float) -> None:
        from mpi4py import MPI  # begins MPI, which nobody wants who has no communicator

        self.mpi = MPI
        self.rank, self.size, self.timeout = comm.Get_rank(), comm.Get_size(), timeout
        self.comm, self.broken = comm, False
        duplicate, request = comm.Idup()
        self._wait(request)
        self.comm = duplicate

    def all_reduce(self, values: Array) -> None:
        """Sum arrays over the ranks; see `Communicator.all_reduce`."""
        if self.size > 1:
            self._wait(self.comm.Iallreduce(self.mpi.IN_PLACE, values))

    def broadcast(self, value: Any, root: int = 0) -> Any:
        """Send what one rank has to all; see `Communicator.broadcast`."""
        if self.size == 1:
            return value
        sent = pickle.dumps(value) if self.rank == root else b""
        first = np.zeros(FIRST_BYTES, np.uint8)
        first[:8] = np.frombuffer(np.int64(len(sent)).tobytes(), np.uint8)
        first[8 : 8 + len(sent)] = np.frombuffer(sent[: FIRST_BYTES - 8], np.uint8)
        self._wait(self.comm.Ibcast(first, root))
        length = int(first[:8].view(np.int64)[0])
        rest = np.zeros(max(0, length - (FIRST_BYTES - 8)), np.uint8)
        if rest.size:
            if self.rank == root:
                rest[...] = np.frombuffer(sent[FIRST_BYTES - 8 :], np.uint8)
            self._wait(self.comm.Ibcast(rest, root))
        whole = first[8 : 8 + length].tobytes() + rest.tobytes()
        return value if self.rank == root else pickle.loads(whole)

    def fail(self, reason: str) -> None:
        """Tell the others; see `Communicator.fail`."""
        self._break()
        self._tell(reason[:MOST_TEXT].encode(), FAILED)

    def close(self) -> None:
        """Give the duplicate back, if all went well."""
        if not self.broken:
            self.comm.Free()

    def _wait(self, request: Any) -> None:
        """Wait until a call is done, a rank has failed, or time is over.

        Who waits says so again and again, and at once where another has: of those that have been
        silent for the second half of the time there is no sign.
        """
        start, told, present = now(), 0.0, {self.rank}
        while not request.Test():
            waited = since(start)
            if waited < SPIN_SECONDS:
                if waited > BUSY_SECONDS:
                    YIELD()
                continue
            time.sleep(NAP_SECONDS)
            self._hear_failure()
            heard = self._heard_here()
            if waited > self.timeout / 2:
                present |= heard
            if (heard and told == 0) or waited - told > self.timeout / 5:
                self._tell(b"", HERE)
                told = waited
            if waited > self.timeout:
                self._break()
                missing = sorted(set(range(self.size)) - present)
                raise RankError(absent(missing, self.timeout))

    def _hear_failure(self) -> None:
        """Raise where another rank has said that it cannot go on."""
        status = self.mpi.Status()
        if self.comm.Iprobe(self.mpi.ANY_SOURCE, FAILED, status):
            text = self._receive(status).decode(errors="replace")
            self._break()
            raise RankError(f"rank {status.Get_source()} ended: {text}")

    def _heard_here(self) -> set[int]:
        """Return who has said that it waits, too, since this was asked last."""
        heard, status = set(), self.mpi.Status()
        while self.comm.Iprobe(self.mpi.ANY_SOURCE, HERE, status):
            self._receive(status)
            heard.add(status.Get_source())
        return heard

    def _receive(self, status: Any) -> bytes:
        """Receive a message that is there."""
        message = bytearray(status.Get_count(self.mpi.BYTE))
        source, tag = status.Get_source(), status.Get_tag()
        self.comm.Recv([message, self.mpi.BYTE], source, tag)
        return bytes(message)

    def _tell(self, message: bytes, tag: int) -> None:
        """Send a short message to all others, who may never receive it."""
        others = [rank for rank in range(self.size) if rank != self.rank]
        requests = [self.comm.Isend([message, self.mpi.BYTE], rank, tag) for rank in others]
        start = now()
        while not self.mpi.Request.Testall(requests) and since(start) < 1:
            time.sleep(NAP_SECONDS)

    def _break(self) -> None:
        """Have the job ended when this process is: calls that never end keep MPI from it."""
        if not self.broken and self.size > 1:
            self.broken = True
            atexit.register(self._end)

    def _end(self) -> None:
        """Wait until the others have said what they have to say, and end all processes of the job.

        Not for long: one may be dead, and another go on in spite of the error.
        """
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        self._tell(b"", GONE)
        gone, start, status = {self.rank}, now(), self.mpi.Status()
        patience = min(5.0, self.timeout / 4)
        while len(gone) < self.size and since(start) < patience:
            if self.comm.Iprobe(self.mpi.ANY_SOURCE, GONE, status):
                self._receive(status)
                gone.add(status.Get_source())
            time.sleep(NAP_SECONDS)
        self.comm.Abort(os.EX_SOFTWARE if hasattr(os, "EX_SOFTWARE") else 70)

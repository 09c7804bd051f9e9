"""Kills processes of MPI jobs at random moments, and resumes the jobs: a script.

``python -m tests.killed_ranks FOLDER 20`` runs jobs of three processes. One of each is killed, or
stopped for ever; all others must end by themselves in time, and another number of processes goes on
from the checkpoint to the bits of a training that nobody has disturbed.
"""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import numpy as np

import fastmlp
from fastmlp.distributed import Ranks, share

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(2000, 20)).astype(np.float32)
Y = np.arange(2000) % 3
SETTINGS = {
    "hidden_layer_sizes": (16,), "batch_size": 32, "epochs": 12, "solver": "adam",
    "dropout": 0.2, "backend": "numpy", "random_state": 0,
}  # fmt: skip
TIMEOUT, SECONDS = 3.0, 0.01
"""For the others, and between two checkpoints."""
PATIENCE = 30.0
"""Seconds in which a job must be over: the timeout, the end of MPI, and the load of others."""
SIZES = (2, 3, 4)
ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}  # fmt: skip


def work(folder: Path, resuming: bool) -> None:
    """Be one process of a job."""
    from mpi4py import MPI

    world = MPI.COMM_WORLD
    (folder / f"{world.rank}.pid").write_text(str(os.getpid()))
    own = share(len(X), world.rank, world.size, "ordered")
    ranks, path = Ranks(world, reduction="ordered", timeout=TIMEOUT), folder / "run"
    if resuming:
        result = fastmlp.resume(path, X[own], Y[own], checkpoint_seconds=SECONDS, comm=ranks)
    else:
        keeping = {"checkpoint": path, "checkpoint_seconds": SECONDS}
        result = fastmlp.train(X[own], Y[own], **SETTINGS, **keeping, comm=ranks)
    if world.rank == 0:
        np.save(folder / "weights.npy", result.model.parameters.buffer)


def begin(size: int, folder: Path, *flags: str) -> subprocess.Popen:
    """Begin a job."""
    mpiexec = shutil.which("mpiexec", path=sysconfig.get_path("scripts")) or "mpiexec"
    command = [mpiexec, "-n", str(size), sys.executable, "-m", "tests.killed_ranks", str(folder)]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [*command, "work", *flags], stdout=log, stderr=log, env=os.environ | ENVIRONMENT
        )


def disturb(folder: Path, number: int) -> bool:
    """Run a job, one process of which is killed or stopped; tell whether it ended in time."""
    job, victim = begin(3, folder), number % 3
    while not ((folder / "run").exists() or job.poll() is not None):
        time.sleep(0.005)
    time.sleep(GENERATOR.uniform(0, 0.5))
    process = int((folder / f"{victim}.pid").read_text())
    os.kill(process, (signal.SIGKILL, signal.SIGSTOP)[number % 2])
    try:
        status = job.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        job.kill()
        return False
    if number % 2 == 0 or status == 0:
        return status != 0
    return f"no sign of rank {victim} " in (folder / "log").read_text()


def main(folder: Path, n_runs: int) -> None:
    """Disturb and resume, and print how often all went well."""
    (folder / "whole").mkdir(parents=True)
    begin(1, folder / "whole").wait()
    whole = np.load(folder / "whole" / "weights.npy")
    ended = resumed = 0
    for number in range(n_runs):
        own = folder / str(number)
        own.mkdir()
        ended += disturb(own, number)
        begin(SIZES[number % len(SIZES)], own, "resume").wait(120)
        weights = own / "weights.npy"
        resumed += weights.exists() and np.array_equal(np.load(weights), whole)
    print(
        f"{ended} of {n_runs} ended in time and named it, {resumed} were resumed to the same bits"
    )


if __name__ == "__main__":
    if sys.argv[2] == "work":
        work(Path(sys.argv[1]), "resume" in sys.argv)
    else:
        main(Path(sys.argv[1]), int(sys.argv[2]))

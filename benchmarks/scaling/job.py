"""What is measured: all-reduces of two processes, and the steps of one machine.

``mpiexec -n 2 python -m benchmarks.scaling.job`` prints it as JSON.
"""

import json
import sys
import time

import numpy as np

import fastmlp
from benchmarks.common import make_images
from fastmlp.backends.contract import Epoch, Objective, Problem, quiet
from fastmlp.backends.summed import Part
from fastmlp.distributed.mpi import MPIRank
from fastmlp.engine.gradient import epoch_of
from fastmlp.engine.start import Start
from fastmlp.inputs import Features, Scale
from fastmlp.losses import Loss
from fastmlp.network import Network, Parameters
from fastmlp.optimizers import SGD, Rule

NETWORKS = {"784-100-10": (100,), "784-1024-1024-10": (1024, 1024)}
SIZES = [4 << n for n in range(0, 23, 2)]
"""Bytes of an all-reduce: 4 B to 16 MB."""
ROWS = [8, 32, 128, 512, 1024]
"""Of a batch, or of a machine's share of one."""
REPEATS, SECONDS = 7, 0.5
FUSED = 8
"""Steps of one machine in one call."""
CONVERGING = [64, 256, 1024, 4096, 16384]
RATES = [1e-3, 3e-3, 1e-2]


def fastest(call, *arguments):
    """Time a call of one thread until time is over; return the least seconds of its processor."""
    best, start, n_calls = float("inf"), time.perf_counter(), 0
    while n_calls < REPEATS or time.perf_counter() - start < SECONDS:
        begin = time.process_time()
        call(*arguments)
        best, n_calls = min(best, time.process_time() - begin), n_calls + 1
    return best


def all_reduces(world):
    """Time sums over the processes, as trainings make them."""
    rank, found = MPIRank(world, 60.0), {}
    for size in SIZES:
        values, best = np.ones(size // 4, np.float32), float("inf")
        for _ in range(max(REPEATS, min(2000, (1 << 24) // size))):
            values[...] = 1
            world.Barrier()
            begin = time.perf_counter()
            rank.all_reduce(values)
            best = min(best, time.perf_counter() - begin)
        found[size] = max(world.allgather(best))
    return found


def steps(hidden):
    """Time steps of some rows, in float32, on one thread.

    Returns
    -------
    dict of str to dict of int to float
        "together", by a gradient and an update, and "alone", by the fused kernels: seconds a step.
    """
    X, y = make_images(max(ROWS))
    network = Network((784, *hidden, 10), ("relu",) * len(hidden))
    parameters = Parameters.zeros(network, np.float32)
    parameters.buffer[...] = np.random.default_rng(0).normal(0, 0.02, parameters.buffer.size)
    dtype = parameters.dtype
    problem = Problem(Features(X, Scale(1 / 255, 0.0), dtype), y.astype(np.intp))
    start = Start("numba", parameters, Objective(Loss("softmax")), problem, 1)
    found = {"together": {}, "alone": {}}
    for n_rows in ROWS:
        steps, order = start.sum_parts(Rule(SGD()), [Part(problem, n_rows)]), np.arange(n_rows)
        rate, samples = dtype.type(1e-4), epoch_of(order, n_rows, float(n_rows), dtype)
        steps.load()

        def step(steps=steps, samples=samples, rate=rate, total=float(n_rows)):
            steps.compute(0, samples)
            steps.update(total, rate, dtype.type(0))

        fused, several = start(Rule(SGD()), n_rows), np.tile(order, FUSED)
        rates, totals = np.full(FUSED, rate), np.full(FUSED, float(n_rows))
        epoch = Epoch(several, rates, 0 * rates, totals)
        found["together"][n_rows] = fastest(step)
        found["alone"][n_rows] = fastest(fused.run_epoch, epoch, quiet) / FUSED
    return found


def converging():
    """Train 784-100-10 by Adam for ten epochs of MNIST, at the best of some rates."""
    data = fastmlp.datasets.load("mnist")
    return {
        batch_size: max(
            fastmlp.train(
                dataset=data, solver="adam", batch_size=batch_size, learning_rate_init=rate,
                activation="relu", random_state=0, learning_rate="cosine",
            ).history.val_score[-1]
            for rate in RATES
        )
        for batch_size in CONVERGING
    }  # fmt: skip


if __name__ == "__main__":
    from mpi4py import MPI  # asv imports every module here, and is to begin no MPI

    WORLD = MPI.COMM_WORLD
    MEASURED = {"all_reduce": all_reduces(WORLD)}
    if WORLD.rank == 0:
        MEASURED["mpi"] = MPI.Get_library_version().split("\n")[0].strip(" \0")
        MEASURED["steps"] = {name: steps(hidden) for name, hidden in NETWORKS.items()}
        MEASURED["accuracy"] = converging() if "--accuracy" in sys.argv else {}
        print(json.dumps(MEASURED))
    WORLD.Barrier()

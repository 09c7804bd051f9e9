"""Kills trainings at random moments and resumes them: a script, for one thread and its children.

A child is a copy of this process, whose kernels are compiled already; it has no thread of its own
when it begins.
"""

import os
import signal
import sys
import time
import warnings
from pathlib import Path

import numpy as np

import fastmlp

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(300, 8)).astype(np.float32)
Y = np.arange(300) % 3
WAYS = [
    {"solver": "sgd", "momentum": 0.9, "nesterov": True},
    {"solver": "adam", "learning_rate": "cosine", "dropout": 0.3},
    {"solver": "adamw", "alpha": 0.1, "early_stopping": True, "n_iter_no_change": 99},
    {"solver": "rmsprop", "learning_rate": "adaptive", "tol": 9.0, "n_iter_no_change": 2},
    {"solver": "sgd", "batch_size": 1},
]
BACKENDS = {"numba": 60, "numpy": 30, "reference": 4}
"""The number of epochs of each, so that all take about as long."""
SECONDS = 0.002
"""Between two checkpoints."""


def main(folder: Path, n_kills: int) -> None:
    """Kill and resume, and print how often the end was that of an undisturbed training."""
    warnings.simplefilter("ignore")  # Python warns of forks where any library has threads
    equal = 0
    for number in range(n_kills):
        backend = list(BACKENDS)[number % len(BACKENDS)]
        arguments = {"hidden_layer_sizes": (7,), "batch_size": 16, "random_state": number,
                     "epochs": BACKENDS[backend], "backend": backend,
                     **WAYS[number // len(BACKENDS) % len(WAYS)]}  # fmt: skip
        start = time.perf_counter()
        whole = fastmlp.train(X, Y, **arguments)
        seconds = time.perf_counter() - start
        path = folder / f"{number}.safetensors"
        kill_at(GENERATOR.uniform(0, seconds), path, arguments)
        resumed = fastmlp.resume(path, X, Y)
        same = np.array_equal(resumed.model.parameters.buffer, whole.model.parameters.buffer)
        equal += same and resumed.history.loss == whole.history.loss
    print(f"{equal} of {n_kills} ended as if nobody had killed them")


def kill_at(moment: float, path: Path, arguments: dict) -> None:
    """Train in a child, which is killed so many seconds after its first checkpoint."""
    child = os.fork()
    if child == 0:
        fastmlp.train(X, Y, **arguments, checkpoint=path, checkpoint_seconds=SECONDS)
        os._exit(0)
    while not path.exists():
        time.sleep(1e-4)
    time.sleep(moment)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

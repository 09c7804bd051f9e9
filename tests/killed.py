"""Kills trainings and fits at random moments, and resumes them: for one thread and its children.

A child is a copy of this process, whose kernels are compiled already; it has no thread of its own
when it begins.
"""

import os
import signal
import sys
import time
import warnings
from collections.abc import Callable
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


FITS = 4
"""Each fourth is a fit of an estimator."""
NAMES = {"epochs": "max_iter", "nesterov": "nesterovs_momentum"}


def main(folder: Path, n_kills: int) -> None:
    """Kill and resume, and print how often the end was that of an undisturbed training."""
    warnings.simplefilter("ignore")  # Python warns of forks where any library has threads
    equal = 0
    for number in range(n_kills):
        backend = list(BACKENDS)[number % len(BACKENDS)]
        arguments = {"hidden_layer_sizes": (7,), "batch_size": 16, "random_state": number,
                     "epochs": BACKENDS[backend], "backend": backend,
                     **WAYS[number // len(BACKENDS) % len(WAYS)]}  # fmt: skip
        run = fit if number % FITS == 0 else train
        start = time.perf_counter()
        whole = run(arguments)
        seconds = time.perf_counter() - start
        path = folder / f"{number}.safetensors"
        kill_at(GENERATOR.uniform(0, seconds), path, run, arguments)
        resumed = run(arguments, path, resume=True)
        equal += np.array_equal(resumed[0], whole[0]) and resumed[1] == whole[1]
    print(f"{equal} of {n_kills} ended as if nobody had killed them")


def train(arguments: dict, path: Path | None = None, resume: bool = False) -> tuple:
    """Train, or resume; return the parameters and the losses."""
    if resume:
        result = fastmlp.resume(path, X, Y)
    else:
        result = fastmlp.train(X, Y, **arguments, checkpoint=path, checkpoint_seconds=SECONDS)
    return result.model.parameters.buffer, result.history.loss


def fit(arguments: dict, path: Path | None = None, resume: bool = False) -> tuple:
    """Fit, or go on with it; see `train`."""
    named = {NAMES.get(name, name): value for name, value in arguments.items()}
    model = fastmlp.MLPClassifier(**named)
    model.fit(X, Y, checkpoint=path, checkpoint_seconds=SECONDS, resume=resume)
    arrays = (*model.coefs_, *model.intercepts_)
    return np.concatenate([array.ravel() for array in arrays]), model.loss_curve_


def kill_at(moment: float, path: Path, run: Callable, arguments: dict) -> None:
    """Train in a child, which is killed so many seconds after its first checkpoint."""
    child = os.fork()
    if child == 0:
        run(arguments, path)
        os._exit(0)
    while not path.exists():
        time.sleep(1e-4)
    time.sleep(moment)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

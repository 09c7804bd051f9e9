"""Trainings of several ranks, as threads of this process."""

import numpy as np

import fastmlp
from fastmlp.distributed import Ranks, in_threads, share

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(103, 6))
Y = np.arange(103) % 3
SETTINGS = {
    "hidden_layer_sizes": (5,), "batch_size": 16, "epochs": 3, "random_state": 0,
    "dtype": "float64", "backend": "numpy",
}  # fmt: skip


def parts(size, *arrays, reduction="sum"):
    """Divide arrays among ranks: for each rank a tuple of its parts."""
    rows = [share(arrays[0].shape[0], rank, size, reduction) for rank in range(size)]
    return [tuple(array[own] for array in arrays) for own in rows]


def train(divided, timeout=60.0, ranks=None, each=None, **arguments):
    """Train with a rank for each part of the data; return the results, one a rank.

    `ranks` are further arguments of `Ranks`; `each` makes those of `train` from a rank's number.
    """

    def work(communicator):
        rank = communicator.rank
        own = {} if each is None else each(rank)
        comm = Ranks(communicator, **(ranks or {}))
        return fastmlp.train(*divided[rank], **(SETTINGS | arguments | own), comm=comm)

    return in_threads(len(divided), work, timeout)


def results(outcomes):
    """Return outcomes, none of which may be an exception."""
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return outcomes

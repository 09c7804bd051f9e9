"""What a backend declares and offers, as types, and what all three share."""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fastmlp.inputs import Features
from fastmlp.network import Parameters
from fastmlp.optimizers import Rule

Array = NDArray[Any]
Report = Callable[[int], object]
"""Is told after every tenth of a second how many batches of the epoch are done."""

SLICE_SECONDS = 0.1
"""How long a backend works before it reports, and Ctrl-C is heard."""


class Capabilities(NamedTuple):
    """What a backend can do; the tests derive their matrix from it."""

    activations: tuple[str, ...]
    solvers: tuple[str, ...]
    dtypes: tuple[str, ...]


class Trainer(Protocol):
    """One training of one network: it holds what lasts from epoch to epoch."""

    compile_seconds: float
    """What compiling, or loading from the cache, took."""
    blas_threads: int
    """To how many threads BLAS is to be limited meanwhile."""

    @property
    def state(self) -> Array:
        """The solver's memory, of shape (n_slots, n_parameters)."""

    def run_epoch(
        self, permutation: NDArray[np.intp], rates: Array, report: Report
    ) -> NDArray[np.float64]:
        """Train on every sample once.

        Parameters
        ----------
        permutation : ndarray of shape (n_samples,), intp
            The order of the samples.
        rates : ndarray of shape (n_batches,), the parameters' dtype
            The learning rate of each update.
        report : callable
            See `Report`.

        Returns
        -------
        ndarray of shape (n_batches,), float64
            The loss of each batch at the parameters before its update: the mean of its samples'
            cross-entropies, plus the L2 penalty.
        """


class Backend(Protocol):
    """The functions of a backend module."""

    CAPABILITIES: Capabilities

    def trainer(
        self,
        parameters: Parameters,
        rule: Rule,
        features: Features,
        targets: NDArray[np.intp],
        batch_size: int,
        n_threads: int | None,
    ) -> Trainer:
        """Begin a training, which updates `parameters` in place.

        Parameters
        ----------
        parameters : Parameters
        rule : Rule
            The solver and the L2 penalty.
        features : Features
            The data.
        targets : ndarray of shape (n_samples,), intp
            Index of each sample's class.
        batch_size : int
            Number of samples an update; a last batch that is smaller is a batch like the others.
        n_threads : int or None
            At most so many threads; None chooses.
        """

    def predict_logits(
        self, parameters: Parameters, features: Features, n_threads: int | None
    ) -> Array:
        """Compute the logits of every sample.

        Parameters
        ----------
        parameters : Parameters
        features : Features
        n_threads : int or None

        Returns
        -------
        ndarray of shape (n_samples, n_classes), the parameters' dtype
        """


class SimpleTrainer:
    """A trainer for a backend that keeps nothing but the solver's state.

    Parameters
    ----------
    run_batches : callable
        Trains on some samples, a batch after the other; see `reference.run_batches`.
    parameters, rule, features, targets, batch_size
        See `Backend.trainer`.
    """

    compile_seconds = 0.0
    blas_threads = 1

    def __init__(
        self,
        run_batches: Callable[..., NDArray[np.float64]],
        parameters: Parameters,
        rule: Rule,
        features: Features,
        targets: NDArray[np.intp],
        batch_size: int,
    ) -> None:
        self.run_batches = run_batches
        self.parameters, self.rule = parameters, rule
        self.features, self.targets, self.batch_size = features, targets, batch_size
        shape = (rule.solver.n_slots, parameters.buffer.size)
        self.state = np.zeros(shape, parameters.dtype)

    def run_epoch(
        self, permutation: NDArray[np.intp], rates: Array, report: Report
    ) -> NDArray[np.float64]:
        """Train on every sample once; see `Trainer.run_epoch`."""
        losses = np.empty(n_batches(len(permutation), self.batch_size))
        for first, last in slices(len(losses), report):
            losses[first:last] = self.run_batches(
                self.parameters,
                self.rule,
                self.state,
                self.features,
                self.targets,
                permutation[first * self.batch_size : last * self.batch_size],
                self.batch_size,
                rates[first:last],
            )
        return losses


def slices(n_steps: int, report: Report) -> Iterator[tuple[int, int]]:
    """Cut an epoch into pieces of about `SLICE_SECONDS`, measured as they are worked through.

    Parameters
    ----------
    n_steps : int
        Number of batches.
    report : callable
        Told after each piece how many batches are done.

    Yields
    ------
    first, last : int
        The batches of a piece, the last exclusive.
    """
    first, size = 0, 1
    while first < n_steps:
        last = min(n_steps, first + size)
        start = time.perf_counter()
        yield first, last
        seconds = time.perf_counter() - start
        fitting = int((last - first) * SLICE_SECONDS / max(seconds, 1e-9))
        size = max(1, min(fitting, 16 * size))
        report(last)
        first = last


def n_batches(n_samples: int, batch_size: int) -> int:
    """Count the batches of an epoch, a smaller last one included."""
    return -(-n_samples // batch_size)


def batches(permutation: NDArray[np.intp], batch_size: int) -> Iterator[NDArray[np.intp]]:
    """Cut an epoch's permutation into batches; the last one may be smaller."""
    for start in range(0, len(permutation), batch_size):
        yield permutation[start : start + batch_size]

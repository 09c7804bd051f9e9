"""What a backend declares and offers, as types, and what all three share."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fastmlp._arrays import Array, Indices
from fastmlp._clock import now, since
from fastmlp.inputs import Features
from fastmlp.losses import Loss
from fastmlp.network import Network, Parameters
from fastmlp.optimizers import Rule

Report = Callable[[int], object]
"""Is told after every tenth of a second how many batches are done."""

SLICE_SECONDS = 0.1
"""How long a backend works before it reports, and Ctrl-C is heard."""


def quiet(n_done: int) -> None:
    """Take the report of how far an epoch is, and say nothing."""


class Capabilities(NamedTuple):
    """What a backend can do; the tests derive their matrix from it."""

    activations: tuple[str, ...]
    losses: tuple[str, ...]
    dtypes: tuple[str, ...]


class Problem(NamedTuple):
    """What is learned from."""

    features: Features
    targets: Array
    """(n_samples,) intp, each sample's class, for softmax; else (n_samples, n_outputs), of the
    parameters' dtype."""
    weights: Array | None = None
    """(n_samples,), of the parameters' dtype; None weighs all alike."""


class Objective(NamedTuple):
    """What is minimised, penalties apart, which are the rule's."""

    loss: Loss
    dropout: tuple[float, ...] = ()
    """For each hidden layer, the probability that a unit is left out (Srivastava et al. 2014); the
    others are divided by 1 minus it. Empty where none is."""


class Epoch(NamedTuple):
    """In which order, how fast and with which noise an epoch is run, or a piece of one, or several.

    Several are run as if one came after the other, to the bit, and cost less.
    """

    permutation: Indices
    """(n_epochs * n_samples,): the order of each epoch's samples; an epoch's last batch may be
    smaller than the others, whatever comes after it."""
    rates: Array
    """(n_batches,), the parameters' dtype: the learning rate of each update; or (n_batches, 2):
    that of the gradients' mean, and that of the gradient itself."""
    decays: Array
    """(n_batches,), the parameters' dtype: what share of the weights each update takes away."""
    totals: NDArray[np.float64]
    """(n_batches,): what each batch's sum of losses is divided by."""
    draw: Callable[[int], NDArray[np.uint16]] | None = None
    """Draws (n_rows, n_units) numbers for the next rows' dropout; see `keep_factors`."""
    n_epochs: int = 1
    """How many epochs these are, all of as many samples."""


class Trainer(Protocol):
    """One training of one network: it holds what lasts from epoch to epoch."""

    compile_seconds: float
    """What compiling, or loading from the cache, took."""
    blas_threads: int
    """To how many threads BLAS is to be limited meanwhile."""
    calls_blas: bool
    """Whether an epoch itself calls it: else one epoch alone needs no limit."""
    state: Any
    """The solver's memory, an ndarray of shape (n_slots, n_parameters); it may be set between
    epochs. After `release` it is what `numpy.asarray` turns into that."""
    unit: int
    """Where an epoch is cut into pieces after multiples of so many batches, no bit changes."""
    losses: NDArray[np.float64]
    """Of the batches that the last `run_epoch` has done: fewer than all where it was broken off."""

    def run_epoch(self, epoch: Epoch, report: Report) -> NDArray[np.float64]:
        """Train on the samples of an epoch once, or of several, one after the other.

        Parameters
        ----------
        epoch : Epoch
        report : callable
            See `Report`.

        Returns
        -------
        ndarray of shape (n_batches,), float64
            The loss of each batch at the parameters before its update: the weighted mean of its
            samples' losses, plus the penalties. Of several ranks fewer, where one of them is to be
            interrupted: all end after the same batch.
        """

    def release(self) -> bool:
        """Let go of the data when the training is over.

        Returns
        -------
        bool
            Whether `renew` may be asked for; else the trainer is of no more use.
        """
        return False

    def renew(self, problem: Problem, state: Any) -> bool:
        """Go on with other data as a new trainer would.

        Parameters
        ----------
        problem : Problem
        state : array_like of shape (n_slots, n_parameters) or None
            The solver's memory; None begins without.

        Returns
        -------
        bool
            False where a new trainer is needed for them.
        """
        return False


class BackendTrainer(Trainer, Protocol):
    """A trainer that a backend begins."""

    def sum_gradients(self, epoch: Epoch, out: Array) -> NDArray[np.float64]:
        """Add the gradients of some batches up, if it was begun with the rule `Accumulate`.

        Parameters
        ----------
        epoch : Epoch
            One, or a piece of one.
        out : ndarray of shape (n_parameters,), the parameters' dtype
            Overwritten.

        Returns
        -------
        ndarray of shape (n_batches,), float64
            See `run_epoch`.
        """


class BackendPredictor(Protocol):
    """Predicts many rows with one network: it keeps what lasts from call to call."""

    def __init__(self, parameters: Parameters) -> None:
        """Use the parameters, which may be written into between calls."""

    def __call__(
        self, features: Features, output: str, n_threads: int | None
    ) -> tuple[Array, bool]:
        """Compute what the network puts out.

        Parameters
        ----------
        features : Features
            They may hold NaN and infinity.
        output : str
            A key of `fastmlp.losses.OUTPUT_FUNCTIONS`.
        n_threads : int or None

        Returns
        -------
        predictions : ndarray of shape (n_samples, n_outputs), the parameters' dtype
        finite : bool
            True says that all values are finite in that dtype; False, that they may not be.
        """


class Backend(Protocol):
    """The functions of a backend module.

    It may also have `SummedSteps`, a `summed.BackendSteps`; `FewRows`, which is made with
    parameters, scale and the name of the output function and predicts a few rows at once, or
    returns None; and `ManyRows`, a `BackendPredictor`.
    """

    CAPABILITIES: Capabilities

    def trainer(
        self,
        parameters: Parameters,
        rule: Rule,
        objective: Objective,
        problem: Problem,
        batch_size: int,
        n_threads: int | None,
    ) -> BackendTrainer:
        """Begin a training, which updates `parameters` in place.

        Parameters
        ----------
        parameters : Parameters
        rule : Rule
            The solver and the penalties.
        objective : Objective
            The loss and the dropout.
        problem : Problem
            The data.
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
        ndarray of shape (n_samples, n_outputs), the parameters' dtype
        """


def piece_of(epoch: Epoch, first: int, last: int, batch_size: int) -> Epoch:
    """Cut the batches from one to another, exclusive, out of an epoch or out of several.

    They are of one epoch.
    """
    starts = batch_starts(epoch, batch_size)
    return Epoch(
        epoch.permutation[starts[first] : starts[last]],
        epoch.rates[first:last],
        epoch.decays[first:last],
        epoch.totals[first:last],
        epoch.draw,
    )


def slices(n_steps: int, report: Report, n_epochs: int = 1) -> Iterator[tuple[int, int]]:
    """Cut epochs into pieces of about `SLICE_SECONDS`, measured as they are worked through.

    Parameters
    ----------
    n_steps : int
        Number of batches.
    report : callable
        Told after each piece how many batches are done.
    n_epochs : int
        None of the pieces goes from one to the next.

    Yields
    ------
    first, last : int
        The batches of a piece, the last exclusive.
    """
    first, size, length = 0, 1, n_steps // n_epochs
    while first < n_steps:
        last = min(first // length * length + length, first + size)
        start = now()
        yield first, last
        seconds = since(start)
        fitting = int((last - first) * SLICE_SECONDS / seconds)
        size = max(1, min(fitting, 16 * size))
        report(last)
        first = last


def n_batches(n_samples: int, batch_size: int) -> int:
    """Count the batches of an epoch, a smaller last one included."""
    return -(-n_samples // batch_size)


def batch_starts(epoch: Epoch, batch_size: int) -> Indices:
    """List where each batch starts in the permutation of one epoch or several, and where all end.

    Parameters
    ----------
    epoch : Epoch
    batch_size : int

    Returns
    -------
    ndarray of shape (n_batches + 1,), intp
    """
    end, n_epochs = len(epoch.permutation), epoch.n_epochs
    n_samples = end // n_epochs
    if end <= batch_size:  # a step a call is the most frequent call
        return np.array((0, end), np.intp)
    within = np.arange(0, n_samples, batch_size)
    starts = np.empty(n_epochs * len(within) + 1, np.intp)
    np.add.outer(
        np.arange(n_epochs) * n_samples, within, out=starts[:-1].reshape(n_epochs, len(within))
    )
    starts[-1] = end
    return starts


def batches(permutation: Indices, batch_size: int) -> Iterator[Indices]:
    """Cut an epoch's permutation into batches; the last one may be smaller."""
    for start in range(0, len(permutation), batch_size):
        yield permutation[start : start + batch_size]


DRAWS = 1 << 16
"""Number of values of the numbers that decide on dropout."""


def threshold(rate: float) -> int:
    """Compute below which of the `DRAWS` numbers a unit is left out."""
    return round(rate * DRAWS)


def keep_factors(
    network: Network, objective: Objective, numbers: NDArray[np.uint16], dtype: np.dtype[Any]
) -> list[Array | None]:
    """Turn drawn numbers into what each unit of each hidden layer is multiplied by.

    Parameters
    ----------
    network : Network
    objective : Objective
    numbers : ndarray of shape (..., n_units), uint16
        Those of the first hidden layer come first.
    dtype : dtype

    Returns
    -------
    list of ndarray of shape (..., fan_out), or None
        0 with the layer's probability of dropout, else 1 / (1 - probability); None without any.
    """
    factors: list[Array | None] = []
    start = 0
    for size, rate in zip(network.layer_sizes[1:-1], objective.dropout, strict=True):
        kept = numbers[..., start : start + size] >= threshold(rate)
        factors.append((kept / (1 - rate)).astype(dtype) if rate > 0 else None)
        start += size
    return factors

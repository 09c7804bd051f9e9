"""Epochs of gradient descent on a backend: rates, the noise of dropout, losses."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._clock import now, since
from fastmlp._errors import invalid
from fastmlp.backends import get_backend
from fastmlp.backends.contract import (
    Capabilities,
    Epoch,
    Objective,
    Problem,
    Report,
    Trainer,
    n_batches,
)
from fastmlp.network import Parameters
from fastmlp.optimizers import Accumulate, Progress, Rule, Schedule, penalise
from fastmlp.rng import draw_numbers

Array = NDArray[Any]

FULL_BATCH_ROWS = 512
"""Rows at a time where the gradient at all samples is wanted."""


class NotFiniteError(ArithmeticError):
    """A loss or a parameter is NaN or infinite; the message says which."""


def quiet(n_done: int) -> None:
    """Take the report of how far an epoch is, and say nothing."""


def require_capable(
    capabilities: Capabilities, backend: str, parameters: Parameters, objective: Objective
) -> None:
    """Raise a `ValueError` where a backend lacks what was asked for: none falls back to another."""
    wanted = {
        "activations": parameters.network.activations,
        "losses": (objective.loss.name,),
        "dtypes": (parameters.dtype.name,),
    }
    for kind, names in wanted.items():
        for name in names:
            if name not in getattr(capabilities, kind):
                raise invalid("backend", f"one that has {name!r} among its {kind}", backend)


def begin(
    backend: str,
    parameters: Parameters,
    rule: Rule,
    objective: Objective,
    problem: Problem,
    batch_size: int,
    n_threads: int | None,
) -> Trainer:
    """Begin a training on a backend that can do it; the time to import it counts as compiling."""
    start = now()
    module = get_backend(backend)
    seconds = since(start)
    require_capable(module.CAPABILITIES, backend, parameters, objective)
    trainer = module.trainer(parameters, rule, objective, problem, batch_size, n_threads)
    trainer.compile_seconds += seconds
    return trainer


class Released(NamedTuple):
    """A trainer without data, for another descent to renew, and what it was made for."""

    trainer: Trainer
    parameters: Parameters
    made_for: tuple[Any, ...]

    def renewed(
        self, parameters: Parameters, made_for: tuple[Any, ...], problem: Problem, state: Any
    ) -> Trainer | None:
        """Return the trainer if it can take a problem on as a new one would."""
        same = self.parameters is parameters and self.made_for == made_for
        return self.trainer if same and self.trainer.renew(problem, state) else None


class Descent:
    """Stochastic gradient descent that goes on epoch after epoch.

    Parameters
    ----------
    backend : str
    parameters : Parameters
        Updated in place.
    rule : Rule
    objective : Objective
    problem : Problem
    batch_size : int
    schedule : Schedule
        May be replaced between epochs.
    total_epochs : int
        How many the schedule is made for.
    n_threads : int or None
    dropout_generator : numpy.random.Generator, optional
        Of 64-bit numbers; needed where there is dropout.
    state : ndarray of shape (n_slots, n_parameters), optional
        The solver's memory of earlier epochs.
    steps_before, samples_before : int
        Number of updates and of samples in earlier epochs.
    released : Released, optional
        From an earlier descent: its trainer is renewed if it can be.
    """

    def __init__(
        self,
        backend: str,
        parameters: Parameters,
        rule: Rule,
        objective: Objective,
        problem: Problem,
        batch_size: int,
        schedule: Schedule,
        total_epochs: int,
        *,
        n_threads: int | None = None,
        dropout_generator: np.random.Generator | None = None,
        state: Array | None = None,
        steps_before: int = 0,
        samples_before: int = 0,
        released: Released | None = None,
    ) -> None:
        self.parameters, self.rule, self.problem = parameters, rule, problem
        self.batch_size, self.schedule, self.total_epochs = batch_size, schedule, total_epochs
        self.generator = dropout_generator if any(objective.dropout) else None
        self.steps_before, self.samples_before = steps_before, samples_before
        self.made_for = (backend, rule, objective, batch_size, n_threads)
        trainer = released and released.renewed(parameters, self.made_for, problem, state)
        if trainer is None:
            trainer = begin(backend, parameters, rule, objective, problem, batch_size, n_threads)
            if state is not None:
                trainer.state = state
        self.trainer = trainer
        self.compile_seconds = trainer.compile_seconds
        self.blas_threads, self.calls_blas = trainer.blas_threads, trainer.calls_blas

    def release(self) -> Released | None:
        """Let go of the data when all epochs are over; what is left may be used again."""
        again = self.trainer.release()
        return Released(self.trainer, self.parameters, self.made_for) if again else None

    @property
    def state(self) -> Array:
        """The solver's memory, of shape (n_slots, n_parameters)."""
        return self.trainer.state

    def run_epoch(self, order: NDArray[np.intp], report: Report = quiet) -> float:
        """Train on every sample once.

        Parameters
        ----------
        order : ndarray of shape (n_samples,), intp
        report : callable
            Told how many batches are done.

        Returns
        -------
        float
            The mean of the batches' losses, each taken before its update, penalties included, and
            weighted with its number of samples.

        Raises
        ------
        NotFiniteError
            If a loss or a parameter is NaN or infinite afterwards.
        """
        sizes = self._batch_sizes(len(order))
        epoch = self._plan(order, sizes)
        # Overflow shows as a loss that is not finite, which is an error of its own.
        with np.errstate(over="ignore", invalid="ignore"):
            losses = self.trainer.run_epoch(epoch, report)
        self.steps_before += len(losses)
        self.samples_before += len(order)
        self._require_finite(losses)
        return float(losses @ sizes / len(order))

    def _batch_sizes(self, n_samples: int) -> NDArray[np.intp]:
        """Count the samples of each batch."""
        sizes = np.full(n_batches(n_samples, self.batch_size), self.batch_size)
        sizes[-1] = n_samples - self.batch_size * (len(sizes) - 1)
        return sizes

    def _plan(self, order: NDArray[np.intp], sizes: NDArray[np.intp]) -> Epoch:
        """Work out what depends on the number of the epoch."""
        progress = Progress(
            first_step=self.steps_before,
            n_steps=len(sizes),
            total_steps=self.total_epochs * len(sizes),
            samples_seen=self.samples_before,
        )
        plain, dtype = self.schedule.rates(progress), self.parameters.dtype
        rates = self.rule.solver.rates(plain, progress.first_step)
        totals = batch_totals(self.problem.weights, order, sizes)
        draw = None
        if self.generator is not None:
            n_units = sum(self.parameters.network.layer_sizes[1:-1])
            draw = draw_numbers(self.generator, n_units)
        decays = self.rule.decays(plain).astype(dtype)
        return Epoch(order, rates.astype(dtype), decays, totals, draw)

    def _require_finite(self, losses: NDArray[np.float64]) -> None:
        """Raise `NotFiniteError` where a loss or a parameter is NaN or infinite."""
        if not (finite := np.isfinite(losses)).all():
            bad = int(finite.argmin())
            what = f"the loss became {losses[bad]} at batch {bad + 1} of {len(losses)}"
            raise NotFiniteError(what)
        if not np.isfinite(self.parameters.buffer).all():
            raise NotFiniteError("a parameter is no longer finite after the last batch")


def batch_totals(
    weights: Array | None, order: NDArray[np.intp], sizes: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Compute what each batch's sum of losses is divided by: its size, or its samples' weight.

    Parameters
    ----------
    weights : ndarray of shape (n_samples,) or None
    order : ndarray of shape (n_samples,), intp
    sizes : ndarray of shape (n_batches,), intp

    Returns
    -------
    ndarray of shape (n_batches,), float64
        Infinity where all weights of a batch are 0: it moves nothing.
    """
    if weights is None:
        return sizes.astype(np.float64)
    starts = np.append(0, np.cumsum(sizes)[:-1])
    totals = np.add.reduceat(weights[order], starts, dtype=np.float64)
    return np.where(totals > 0, totals, np.inf)


class FullBatch:
    """The loss at all samples and its gradient, as functions of the parameters.

    Parameters
    ----------
    backend : str
    parameters : Parameters
        Overwritten by what it is asked for.
    rule : Rule
        Its penalties count, its solver does not.
    objective : Objective
        Without dropout.
    problem : Problem
    n_threads : int or None
    """

    def __init__(
        self,
        backend: str,
        parameters: Parameters,
        rule: Rule,
        objective: Objective,
        problem: Problem,
        n_threads: int | None = None,
    ) -> None:
        self.parameters, self.rule = parameters, rule
        n_samples = problem.features.n_samples
        rows = min(FULL_BATCH_ROWS, n_samples)
        accumulate = Rule(Accumulate())
        self.trainer = begin(backend, parameters, accumulate, objective, problem, rows, n_threads)
        self.blas_threads = self.trainer.blas_threads
        weights = problem.weights
        self.total = float(n_samples if weights is None else weights.sum(dtype=np.float64))
        n_steps = n_batches(n_samples, rows)
        numbers = np.zeros(n_steps, parameters.dtype)
        totals = np.full(n_steps, self.total)
        self.epoch = Epoch(np.arange(n_samples), numbers, numbers, totals)

    def __call__(self, flat: Array) -> tuple[float, Array]:
        """Compute loss and gradient.

        Parameters
        ----------
        flat : ndarray of shape (n_parameters,)
            In the order of `Parameters.buffer`.

        Returns
        -------
        loss : float
            Penalties included.
        gradient : ndarray of shape (n_parameters,), the parameters' dtype
        """
        self.parameters.buffer[...] = flat
        self.trainer.state = np.zeros((1, flat.size), self.parameters.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            loss = float(self.trainer.run_epoch(self.epoch, quiet).sum())
        gradients = Parameters(self.parameters.network, self.trainer.state[0])
        return loss + penalise(self.parameters, gradients, self.rule, self.total), gradients.buffer

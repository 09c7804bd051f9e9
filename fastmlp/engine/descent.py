"""Epochs of gradient descent on a backend: rates, the noise of dropout, losses."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._arrays import Array, Indices
from fastmlp._clock import now, since
from fastmlp.backends.contract import Epoch, Problem, Trainer, n_batches, piece_of
from fastmlp.engine.gradient import TwoCalls
from fastmlp.engine.interruptions import Interruptions
from fastmlp.engine.plan import Plan
from fastmlp.engine.start import Start
from fastmlp.engine.state import State, UnfinishedEpoch
from fastmlp.engine.supply import InMemory, Supply
from fastmlp.network import Parameters
from fastmlp.ranks import ALONE, Alone
from fastmlp.rng import draw_numbers
from fastmlp.schedules import Progress

FEWEST_STEPS = 64
"""Batches for which the state need not be whole, however short it is to be."""


class NotFiniteError(ArithmeticError):
    """A loss or a parameter is NaN or infinite; the message says which."""


def nothing(*told: object) -> None:
    """Take what is told, and do nothing."""


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
    plan : Plan
    state : State
        Updated in place.
    data : Problem or Supply
        Samples in memory, or what brings them there. Of several ranks each has its own rows, but
        the weights of all.
    released : Released, optional
        From an earlier descent: its trainer is renewed if it can be.
    ranks : Alone
        Those that train together. What depends on the clock is rank 0's.

    Attributes
    ----------
    longest_piece : float
        After about so many seconds an epoch comes to a point where `State` holds all that there is.
    speed : float
        Batches a second, in the last piece; 0 while none is known.
    seconds, n_steps : float, int
        How long the last epoch took, and its number of batches.
    interruptions : Interruptions
        Heard between two epochs, and after each `longest_piece`.
    """

    longest_piece = np.inf

    def __init__(
        self,
        plan: Plan,
        state: State,
        data: Problem | Supply,
        released: Released | None = None,
        ranks: Alone = ALONE,
    ) -> None:
        self.supply = InMemory(data, plan.step_size) if isinstance(data, Problem) else data
        self.plan, self.state, self.ranks = plan, state, ranks
        self.problem = self.supply.sample
        parameters = state.parameters
        self.made_for = (
            plan.backend, plan.rule, plan.objective, plan.batch_size, plan.accumulate,
            plan.n_threads,
        )  # fmt: skip
        trainer = released and released.renewed(
            parameters, self.made_for, self.problem, state.slots
        )
        if trainer is None:
            trainer = self._begin()
            if state.slots is not None:
                trainer.state = np.asarray(state.slots, parameters.dtype)
        self.trainer = trainer
        self.compile_seconds = trainer.compile_seconds
        self.blas_threads, self.calls_blas = trainer.blas_threads, trainer.calls_blas
        self.speed, self.seconds, self.n_steps = 0.0, 0.0, 0
        several: Any = ranks
        self.interruptions: Interruptions = (
            several.interruptions if ranks.size > 1 else Interruptions(alone=True)
        )

    def _begin(self) -> Trainer:
        """Begin with the fused trainer of the backend, or with one that adds gradients up.

        Gradients of several batches, or of several ranks.
        """
        plan, parameters = self.plan, self.state.parameters
        start = Start(plan.backend, parameters, plan.objective, self.problem, plan.n_threads)
        shared: Trainer | None = self.ranks.begin(start, plan)
        if shared is not None:
            return shared
        if plan.accumulate == 1:
            return start(plan.rule, plan.batch_size)
        return TwoCalls(start, plan.rule, plan.batch_size, plan.accumulate)

    def release(self) -> Released | None:
        """Let go of the data when all epochs are over; what is left may be used again."""
        again = self.trainer.release()
        return Released(self.trainer, self.state.parameters, self.made_for) if again else None

    def fetch_slots(self) -> Any:
        """Bring the optimizer's memory into the state, and return it."""
        self.state.slots = self.trainer.state
        return self.state.slots

    def run_epoch(
        self, report: Callable[[int, int], object] = nothing, pause: Callable[[], object] = nothing
    ) -> float:
        """Train on every sample once, or on those that are left of an unfinished epoch.

        Parameters
        ----------
        report : callable
            Told, now and then, how many batches are done, and of how many.
        pause : callable
            Called where the state is whole, after each `longest_piece` but the last.

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
        state, supply = self.state, self.supply
        if state.unfinished is None:
            state.unfinished = supply.begin(state)
        unfinished = state.unfinished
        n_samples, losses = supply.count(state), unfinished.losses
        sizes = batch_sizes(n_samples, self.plan.step_size)
        rates, decays = self._rates(len(sizes), state.step - unfinished.n_done, state.samples)
        with closing(supply.pieces(state)) as pieces:
            for piece in pieces:
                self._take(piece.problem)
                some = slice(piece.first, piece.last)
                totals = batch_totals(self.problem.weights, piece.order, sizes[some])
                epoch = Epoch(piece.order, rates[some], decays[some], totals, self._draw())
                while unfinished.n_done < piece.last:
                    self._run_some(epoch, piece.first, unfinished, report)
                    if unfinished.n_done < len(losses):
                        pause()
                        self.interruptions.hear()
        self.seconds, self.n_steps, state.unfinished = unfinished.seconds, len(losses), None
        state.epoch += 1
        state.samples += n_samples
        require_finite(losses)
        self._require_finite_parameters()
        return float(losses @ sizes / n_samples)

    def _take(self, problem: Problem) -> None:
        """Go on with other data: the parameters and the solver's memory stay."""
        if problem is self.problem:
            return
        slots, self.problem = self.fetch_slots(), problem
        if not self.trainer.renew(problem, slots):
            self.trainer = self._begin()
            self.trainer.state = slots

    def _run_some(
        self,
        epoch: Epoch,
        begin: int,
        unfinished: UnfinishedEpoch,
        report: Callable[[int, int], object],
    ) -> None:
        """Train on some batches of a piece that begins so, on all that are left if it may be."""
        done, n_steps, start = unfinished.n_done, len(unfinished.losses), now()
        first, end = done - begin, len(epoch.rates)
        last = min(end, first + self.ranks.agree(self._choose_length(end)))
        if (first, last) != (0, end):
            epoch = piece_of(epoch, first, last, self.plan.step_size)
        # Overflow shows as a loss that is not finite, which is an error of its own.
        with np.errstate(over="ignore", invalid="ignore"):
            losses = self.trainer.run_epoch(epoch, lambda n_done: report(done + n_done, n_steps))
        unfinished.losses[done : done + len(losses)] = losses
        unfinished.n_done += len(losses)
        seconds = self.ranks.agree(since(start))
        unfinished.seconds += seconds
        self.speed = len(losses) / seconds
        self.state.step += len(losses)

    def listening(self) -> AbstractContextManager[None]:
        """Where the state is to be saved, be interrupted only where it is whole."""
        saved = self.longest_piece < np.inf and self.ranks.size == 1
        return self.interruptions.listen() if saved else nullcontext()

    def _choose_length(self, n_steps: int) -> int:
        """Choose for how many batches the state need not be whole."""
        if self.longest_piece == np.inf:
            return n_steps
        unit = self.trainer.unit
        return -(-max(FEWEST_STEPS, int(self.longest_piece * self.speed)) // unit) * unit

    def run_epochs(self, n_epochs: int, record: Callable[[float], object]) -> None:
        """Run several epochs, between which nobody looks at the network, in one call.

        Parameters
        ----------
        n_epochs : int
        record : callable
            Told the loss of each epoch that is over, those before an interruption too.

        Raises
        ------
        NotFiniteError
            If a loss or a parameter is NaN or infinite afterwards.
        """
        state, trainer = self.state, self.trainer
        draws: Any = state.orders
        orders = [draws.draw() for _ in range(n_epochs)]
        n_samples, sizes = len(orders[0]), batch_sizes(len(orders[0]), self.plan.step_size)
        epochs = [
            Epoch(
                order,
                *self._rates(
                    len(sizes),
                    state.step + number * len(sizes),
                    state.samples + number * n_samples,
                ),
                batch_totals(self.problem.weights, order, sizes),
                self._draw(),
            )
            for number, order in enumerate(orders)
        ]
        start = now()
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                trainer.run_epoch(joined(epochs), nothing)
            self.seconds = self.ranks.agree(since(start) / n_epochs)
            self.interruptions.hear()
        finally:
            n_over, self.n_steps = len(trainer.losses) // len(sizes), len(sizes)
            if n_over < n_epochs:
                self.seconds = since(start) / max(1, n_over)
            for losses in trainer.losses[: n_over * len(sizes)].reshape(n_over, len(sizes)):
                state.step += len(sizes)
                state.samples += n_samples
                state.epoch += 1
                require_finite(losses)
                record(float(losses @ sizes / n_samples))
        self._require_finite_parameters()

    def _rates(self, n_steps: int, first_step: int, samples_seen: int) -> tuple[Array, Array]:
        """Work out the rates and the decays of an epoch, which depend on its number."""
        plan, state = self.plan, self.state
        progress = Progress(first_step, n_steps, plan.epochs * n_steps, samples_seen)
        schedule, dtype = plan.schedule, state.parameters.dtype
        if schedule.rate != state.rate:
            schedule = schedule._replace(rate=state.rate)
        plain = schedule.rates(progress)
        rates = plan.rule.solver.rates(plain, progress.first_step)
        return rates.astype(dtype), plan.rule.decays(plain).astype(dtype)

    def _draw(self) -> Callable[[int], NDArray[np.uint16]] | None:
        """Make what draws the noise of dropout, where there is any."""
        state = self.state
        if state.dropout is None or not any(self.plan.objective.dropout):
            return None
        return draw_numbers(state.dropout, sum(state.parameters.network.layer_sizes[1:-1]))

    def _require_finite_parameters(self) -> None:
        """Raise `NotFiniteError` where a parameter is NaN or infinite."""
        if not np.isfinite(self.state.parameters.buffer).all():
            raise NotFiniteError("a parameter is no longer finite after the last batch")


def joined(epochs: Sequence[Epoch]) -> Epoch:
    """Put epochs one after the other."""
    if len(epochs) == 1:
        return epochs[0]
    columns = zip(*(epoch[:4] for epoch in epochs), strict=True)
    permutation, rates, decays, totals = map(np.concatenate, columns)
    return Epoch(permutation, rates, decays, totals, epochs[0].draw, len(epochs))


def require_finite(losses: NDArray[np.float64]) -> None:
    """Raise `NotFiniteError` where the loss of a batch is NaN or infinite."""
    if not (finite := np.isfinite(losses)).all():
        bad = int(finite.argmin())
        what = f"the loss became {losses[bad]} at batch {bad + 1} of {len(losses)}"
        raise NotFiniteError(what)


def batch_sizes(n_samples: int, batch_size: int) -> Indices:
    """Count the samples of each batch of an epoch."""
    sizes = np.empty(n_batches(n_samples, batch_size), np.intp)
    sizes[:-1] = batch_size
    sizes[-1] = n_samples - batch_size * (len(sizes) - 1)
    return sizes


def batch_totals(weights: Array | None, order: Indices, sizes: Indices) -> NDArray[np.float64]:
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

"""Fitting by stochastic gradient descent: when to stop, and which weights are kept."""

import sys
import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from fastmlp._arrays import Indices
from fastmlp.arguments import make_schedule
from fastmlp.backends.contract import Objective, Problem, n_batches
from fastmlp.engine.descent import Descent, NotFiniteError, Released, nothing
from fastmlp.engine.hooks import Hook, Stop, TimeBudget
from fastmlp.engine.loop import Ending, run
from fastmlp.engine.plan import Plan, Stopping
from fastmlp.engine.state import State
from fastmlp.engine.streaming import Streamed
from fastmlp.estimators.callbacks import NoCallbacks, begin_context, told
from fastmlp.estimators.checkpoints import Keeping
from fastmlp.estimators.memory import (
    Draws,
    Memory,
    begin_counting,
    begin_history,
    begin_state,
    keep_count,
    recall,
)
from fastmlp.estimators.options import schedule_name
from fastmlp.estimators.validation import Evaluator, PartsEvaluator, ValidationSet
from fastmlp.held_out import HeldBlocks
from fastmlp.network import Parameters
from fastmlp.optimizers import Rule
from fastmlp.progress import show
from fastmlp.rng import BlockOrders, Shuffles
from fastmlp.threads import limit_blas

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed."
)


class Stochastic:
    """One fit of an estimator by stochastic gradient descent.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Gets the fitted attributes as the fit goes on.
    parameters : Parameters
        Updated in place.
    rule : Rule
    objective : Objective
    problem : Problem or Streamed
    rows : ndarray of shape (n,), intp, BlockOrders or None
        The samples that are trained on; None for all.
    validation : ValidationSet, HeldBlocks or None
    incremental : bool
        Whether this is `partial_fit`: one epoch, from the solver's memory on.
    keeping : Keeping
    released : Released, optional
        See `Kept`.
    plan : Plan, optional
        Made here if it is left out.

    Attributes
    ----------
    released : Released or None
        After an incremental fit that nothing broke off.
    """

    def __init__(
        self, estimator: Any, parameters: Parameters, rule: Rule, objective: Objective,
        problem: Problem | Streamed, rows: Indices | BlockOrders | None,
        validation: ValidationSet | HeldBlocks | None, incremental: bool, keeping: Keeping,
        released: Released | None = None, plan: Plan | None = None,
    ) -> None:  # fmt: skip
        self.estimator, self.incremental, self.keeping = estimator, incremental, keeping
        ranks = estimator._ranks
        orders: Any = rows
        if isinstance(problem, Problem) and not isinstance(rows, BlockOrders):
            n_all = ranks.n_samples if ranks.shared else problem.features.n_samples
            place = np.arange(n_all if rows is None else len(rows))
            orders = Shuffles(rows, estimator.shuffle, estimator._random_state, place)
        self.n_samples = orders.n_samples
        if ranks.rank == 0:
            warn_of_clipping(estimator.batch_size, self.n_samples)
        if plan is None:
            plan = make_plan(estimator, rule, objective, self.n_samples)
        memory = recall(estimator, parameters, rule) if incremental else None
        self.resumed = memory is not None and memory.draws is not None
        state = keeping.state
        if state is None:
            state = begin_state(estimator, parameters, orders, memory, any(objective.dropout))
        self.descent, self.state = Descent(plan, state, problem, released, ranks), state
        self.released: Released | None = None
        begin_history(estimator, state, validation)
        begin_counting(estimator, state)
        state.history.compile_seconds += self.descent.compile_seconds
        self.evaluator = None
        if validation is not None:
            kind: Any = PartsEvaluator if isinstance(validation, HeldBlocks) else Evaluator
            self.evaluator = kind(estimator, validation)
        self.n_epochs = 1 if incremental else estimator.max_iter - state.epoch
        self.context: Any = NoCallbacks()
        if ranks.rank == 0:
            self.context = begin_context(estimator, self.n_epochs)

    def run(self) -> None:
        """Run the epochs, and keep what `partial_fit` needs."""
        estimator, ending, speaks = self.estimator, None, self.descent.ranks.rank == 0
        self.remember()
        with self._limits():
            if self.evaluator is not None and estimator.early_stopping:
                self.evaluator.require_defined()
            try:
                self.context.call_on_fit_task_begin(**told(estimator))
                ending = self._run_epochs()
                self.released = self.descent.release() if self.incremental else None
            except NotFiniteError as error:
                raise ValueError(NOT_FINITE) from error
            except KeyboardInterrupt:
                require_finite(self.state.parameters)
                if speaks:
                    warnings.warn("Training interrupted by user.", stacklevel=4)
        if speaks:
            self._warn(ending)
        self.remember(over=True)
        chosen = self.state.take_best() or not (estimator.early_stopping and estimator.n_iter_)
        if speaks and not chosen:
            warn_unconverged(
                f"No weights could be chosen: none of the {estimator.n_iter_} validation "
                "scores was a number. Those of the last epoch are kept.",
                5,
            )
        self.context.call_on_fit_task_end(**told(estimator))

    def _run_epochs(self) -> Ending | None:
        """Run those that are left, and keep the fit in its file, where it has one."""
        self.estimator.n_iter_ = self.state.epoch
        checkpoints, ending = self.keeping.hook(self.descent), None
        hooks = [*self._hooks(), *filter(None, [checkpoints])]
        if not self.state.over:
            ending = run(self.descent, self.n_epochs, hooks, self.evaluator)
        self.descent.ranks.collect(nothing if checkpoints is None else checkpoints.write)
        return ending

    def _hooks(self) -> list[Hook]:
        """Put together what looks on, in the order in which it is told."""
        plan = self.descent.plan
        verbose = bool(self.estimator.verbose) and self.descent.ranks.rank == 0
        hooks: list[Hook] = [Verbose(self.state)] if verbose else []
        if plan.stopping is not None:
            hooks.append(Stop(plan.stopping, self.state, show_message if verbose else nothing))
        hooks.append(Attributes(self))
        if plan.time_budget < np.inf:
            seconds = self.state.history.seconds
            spent = sum(seconds[len(seconds) - self.state.epoch :])
            hooks.append(TimeBudget(plan.time_budget - spent))
        return hooks

    def _limits(self) -> AbstractContextManager[None]:
        """Limit BLAS where it may be called, be it by callbacks or between two epochs."""
        quiet = self.incremental and isinstance(self.context, NoCallbacks)
        if quiet and not self.descent.calls_blas:
            return nullcontext()
        return limit_blas(self.descent.blas_threads)

    def remember(self, over: bool = False) -> None:
        """Keep what `partial_fit` goes on from, which is nothing after a divergence.

        Before a fit is over only callbacks can see it.
        """
        estimator, state = self.estimator, self.state
        if not over and not getattr(estimator, "_skl_callbacks", None):
            return
        estimator.__dict__.pop("_memory", None)
        if not state.diverged:
            orders: Any = state.orders
            lasting = self.resumed or not (self.incremental or over)
            lasting = lasting and isinstance(orders, Shuffles)
            draws = Draws(orders.generator, state.dropout, orders.order) if lasting else None
            estimator._memory = Memory(
                self.descent.fetch_slots(), state.step, state.rate, estimator.solver,
                estimator.learning_rate_init, draws,
            )  # fmt: skip

    def _warn(self, ending: Ending | None) -> None:
        """Warn of an end that is not what the user wanted."""
        n_iter = self.estimator.n_iter_
        if ending is Ending.DIVERGED:
            warn_unconverged(
                f"Training diverged in epoch {n_iter}. The weights with the best "
                "validation score are kept. Try a smaller learning_rate_init, or scale X.",
                6,
            )
        elif ending is Ending.OVER and not self.incremental:
            warn_unconverged(
                f"Stochastic Optimizer: Maximum iterations ({n_iter}) reached and the "
                "optimization hasn't converged yet.",
                6,
            )


class Attributes(Hook):
    """Sets the fitted attributes after each epoch, and then tells the callbacks.

    Parameters
    ----------
    fit : Stochastic
    """

    def __init__(self, fit: Stochastic) -> None:
        self.fit, self.estimator, self.state = fit, fit.estimator, fit.state
        self.epoch: Any = None

    def patience(self) -> float:
        """Say that only callbacks want to look between two epochs."""
        return np.inf if isinstance(self.fit.context, NoCallbacks) else 0

    def begin_epoch(self) -> None:
        """Begin the epoch's context."""
        self.epoch = self.fit.context.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(**told(self.estimator))

    def end_epoch(self) -> bool:
        """Set what has changed; a callback may ask to stop."""
        estimator, state = self.estimator, self.state
        estimator.loss_ = state.history.loss[-1]
        estimator.n_iter_ += 1
        estimator.t_ += self.fit.n_samples
        state.samples = estimator.t_
        keep_count(estimator, state.best)
        self.fit.remember()
        return bool(self.epoch.call_on_fit_task_end(**told(estimator)))


class Verbose(Hook):
    """Prints each epoch, as scikit-learn does.

    Parameters
    ----------
    state : State
    """

    def __init__(self, state: State) -> None:
        self.state = state

    def end_epoch(self) -> bool:
        """Print the loss, and the score where there is one."""
        history = self.state.history
        show_message(f"Iteration {self.state.epoch}, loss = {history.loss[-1]:.8f}")
        if history.val_score:
            show_message(f"Validation score: {history.val_score[-1]:f}")
        if history.score:
            show_message(f"Training score: {history.score[-1]:f}")
        return False


def show_message(message: str) -> None:
    """Print a line."""
    show(message, sys.stdout)


def make_plan(estimator: Any, rule: Rule, objective: Objective, n_samples: int) -> Plan:
    """Turn the estimator's arguments into a plan."""
    batch_size = choose_batch_size(estimator.batch_size, n_samples)
    steps_per_epoch = n_batches(n_samples, batch_size * estimator.accumulate)
    adaptive = estimator.learning_rate == "adaptive" and estimator.solver == "sgd"
    return Plan(
        estimator.backend, objective, rule,
        make_schedule(estimator, steps_per_epoch, schedule_name(estimator)),
        batch_size,
        estimator.max_iter, estimator.n_threads,
        Stopping(estimator.early_stopping, estimator.tol, estimator.n_iter_no_change, adaptive),
        estimator.time_budget or np.inf, estimator.accumulate,
    )  # fmt: skip


def require_finite(parameters: Parameters) -> None:
    """Raise scikit-learn's `ValueError` where a parameter is NaN or infinite."""
    if not np.isfinite(parameters.buffer).all():
        raise ValueError(NOT_FINITE)


def warn_unconverged(message: str, depth: int) -> None:
    """Warn of a fit that has not converged; what is shown is so many calls up from the caller."""
    warnings.warn(message, ConvergenceWarning, stacklevel=depth + 1)


def choose_batch_size(batch_size: Any, n_samples: int) -> int:
    """Choose the number of samples an update; see scikit-learn's `batch_size`."""
    return min(200 if batch_size == "auto" else int(batch_size), n_samples)


def warn_of_clipping(batch_size: Any, n_samples: int) -> None:
    """Warn of batches that are larger than the data, as scikit-learn does."""
    if batch_size != "auto" and batch_size > n_samples:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=6,
        )

"""Fitting by stochastic gradient descent: when to stop, and which weights are kept."""

import sys
import warnings
from contextlib import AbstractContextManager, nullcontext
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from fastmlp._clock import now, since
from fastmlp.backends.contract import Objective, Problem, n_batches
from fastmlp.descent import Descent, NotFiniteError, Released
from fastmlp.estimators.callbacks import NoCallbacks, begin_context, told
from fastmlp.estimators.options import make_schedule
from fastmlp.estimators.validation import Evaluator, Validation
from fastmlp.network import Parameters
from fastmlp.optimizers import Rule
from fastmlp.progress import show
from fastmlp.threads import limit_blas

Array = NDArray[Any]

LEAST_RATE = 1e-6
"""At which the adaptive schedule stops."""

CURVES = ("loss_curve_", "validation_loss_curve_", "validation_scores_")

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed."
)


class Draws(NamedTuple):
    """What the epochs of a fit draw from, one after the other."""

    random_state: np.random.RandomState
    dropout: np.random.Generator | None
    order: NDArray[np.intp]
    """(n,): that of the last epoch, which the next one shuffles."""


class Memory(NamedTuple):
    """What `partial_fit` goes on from."""

    state: Array
    """(n_slots, n_parameters): the solver's."""
    steps: int
    rate: float
    """Where "adaptive" has brought the initial rate."""
    solver: str
    """To which all this belongs: another begins anew."""
    rate_init: float
    """The initial rate then: another one is begun from."""
    draws: Draws | None = None
    """Those of a fit that was not over when it was copied; after a fit, `partial_fit` draws from
    `random_state` anew, as scikit-learn does."""

    def rate_for(self, estimator: Any) -> float:
        """Return the rate to go on with: what was lowered, or a new initial rate."""
        rate: float = estimator.learning_rate_init
        return self.rate if rate == self.rate_init else rate


class Kept(NamedTuple):
    """What a `partial_fit` leaves for the next one, which computes the same without it, slower.

    It is taken away while it is used, so that no two threads share it.
    """

    released: Released | None = None
    generator: np.random.RandomState | None = None
    """Made for a seed; making one takes as long as two small steps."""

    def seeded(self, random_state: Any) -> np.random.RandomState:
        """Return what scikit-learn makes of `random_state`."""
        if self.generator is None or not isinstance(random_state, Integral):
            generator: np.random.RandomState = check_random_state(random_state)
            return generator
        self.generator.seed(int(random_state))
        return self.generator


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
    problem : Problem
    rows : ndarray of shape (n,), intp
        The samples that are trained on.
    validation : Validation or None
    incremental : bool
        Whether this is `partial_fit`: one epoch, from the solver's memory on.
    released : Released, optional
        See `Kept`.

    Attributes
    ----------
    released : Released or None
        After an incremental fit that nothing broke off.
    """

    def __init__(
        self,
        estimator: Any,
        parameters: Parameters,
        rule: Rule,
        objective: Objective,
        problem: Problem,
        rows: NDArray[np.intp],
        validation: Validation | None,
        incremental: bool,
        released: Released | None = None,
    ) -> None:
        self.estimator, self.parameters = estimator, parameters
        self.rows, self.incremental = rows, incremental
        batch_size = choose_batch_size(estimator.batch_size, len(rows))
        n_steps = n_batches(len(rows), batch_size)
        memory = recall(estimator, parameters, rule) if incremental else None
        rate = memory.rate_for(estimator) if memory is not None else None
        kept = memory.draws if memory is not None else None
        self.resumed = kept is not None
        self.draws = self._begin_draws(kept, any(objective.dropout))
        # Without a memory invscaling starts from the initial rate, whatever went before.
        self.descent = Descent(
            estimator.backend, parameters, rule, objective, problem, batch_size,
            make_schedule(estimator, n_steps, rate), estimator.max_iter,
            n_threads=estimator.n_threads, dropout_generator=self.draws.dropout,
            state=None if memory is None else memory.state.astype(parameters.dtype, copy=False),
            steps_before=0 if memory is None else memory.steps,
            samples_before=0 if memory is None else estimator.t_, released=released,
        )  # fmt: skip
        self.released: Released | None = None
        begin_counting(estimator, validation)
        scored = estimator.early_stopping and estimator.best_validation_score_ > -np.inf
        self.best = parameters.buffer.copy() if scored else None
        """The weights that the best score chose; None while none has."""
        self.diverged, self.evaluator = False, None
        if validation is not None:
            self.evaluator = Evaluator(estimator, parameters, objective.loss, validation)
        n_epochs = 1 if incremental else estimator.max_iter
        self.context = begin_context(estimator, n_epochs)

    def _begin_draws(self, kept: Draws | None, has_dropout: bool) -> Draws:
        """Go on with the draws of a fit that was not over, or begin anew."""
        estimator, dropout, order = self.estimator, None, np.arange(len(self.rows))
        if kept is not None:
            estimator._random_state, dropout = kept.random_state, kept.dropout
            order = kept.order if len(kept.order) == len(order) else order
        if dropout is None and has_dropout:
            dropout = np.random.default_rng(estimator._random_state.randint(1 << 31))
        return Draws(estimator._random_state, dropout, order)

    def run(self) -> None:
        """Run the epochs, and keep what `partial_fit` needs."""
        self._remember()
        with self._limits():
            if self.evaluator is not None and self.estimator.early_stopping:
                self.evaluator.require_defined()
            try:
                self.context.call_on_fit_task_begin(**told(self.estimator))
                self._run_epochs()
                self.released = self.descent.release() if self.incremental else None
            except KeyboardInterrupt:
                warnings.warn("Training interrupted by user.", stacklevel=4)
        self._remember(over=True)
        if self.best is not None:
            self.parameters.buffer[...] = self.best
        elif self.estimator.early_stopping and self.estimator.n_iter_ > 0:
            warn(
                f"No weights could be chosen: none of the {self.estimator.n_iter_} validation "
                "scores was a number. Those of the last epoch are kept.",
                5,
            )
        self.context.call_on_fit_task_end(**told(self.estimator))

    def _limits(self) -> AbstractContextManager[None]:
        """Limit BLAS where it may be called, be it by callbacks or between two epochs."""
        quiet = self.incremental and isinstance(self.context, NoCallbacks)
        if quiet and not self.descent.calls_blas:
            return nullcontext()
        return limit_blas(self.descent.blas_threads)

    def _remember(self, over: bool = False) -> None:
        """Keep what `partial_fit` goes on from, which is nothing after a divergence.

        Before a fit is over only callbacks can see it.
        """
        estimator, descent = self.estimator, self.descent
        if not over and not getattr(estimator, "_skl_callbacks", None):
            return
        estimator.__dict__.pop("_memory", None)
        if not self.diverged:
            lasting = self.resumed or not (self.incremental or over)
            estimator._memory = Memory(
                descent.state, descent.steps_before, descent.schedule.rate, estimator.solver,
                estimator.learning_rate_init, self.draws if lasting else None,
            )  # fmt: skip

    def _run_epochs(self) -> None:
        estimator = self.estimator
        start, estimator.n_iter_ = now(), 0
        for _ in range(estimator.max_iter):
            epoch = self.context.subcontext(task_name="epoch")
            epoch.call_on_fit_task_begin(**told(self.estimator))
            self._run_epoch(self._next_order())
            self._validate()
            self._count_no_improvement()
            converged = not self.diverged and self._has_converged()
            self._remember()
            asked_to_stop = epoch.call_on_fit_task_end(**told(self.estimator))
            if self.diverged:
                warn(
                    f"Training diverged in epoch {estimator.n_iter_}. The weights with the best "
                    "validation score are kept. Try a smaller learning_rate_init, or scale X.",
                    6,
                )
                return
            if converged or self.incremental or asked_to_stop:
                return
            if since(start) >= (estimator.time_budget or np.inf):
                return
        warn(
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the "
            "optimization hasn't converged yet.",
            6,
        )

    def _next_order(self) -> NDArray[np.intp]:
        """Put the rows in the order of the next epoch."""
        if self.estimator.shuffle:
            places = np.arange(len(self.rows))  # as `sklearn.utils.shuffle` draws them
            self.draws.random_state.shuffle(places)
            self.draws = self.draws._replace(order=self.draws.order[places])
        return self.rows[self.draws.order]

    def _run_epoch(self, order: NDArray[np.intp]) -> None:
        """Run an epoch; that it diverges is an error unless a score has chosen weights before."""
        estimator = self.estimator
        try:
            estimator.loss_ = self.descent.run_epoch(order)
        except NotFiniteError as error:
            if self.best is None:
                raise ValueError(NOT_FINITE) from error
            estimator.loss_, self.diverged = float("nan"), True
        estimator.n_iter_ += 1
        estimator.t_ += len(order)
        self.descent.samples_before = estimator.t_
        estimator.loss_curve_.append(estimator.loss_)
        if estimator.verbose:
            show(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}", sys.stdout)

    def _validate(self) -> None:
        """Evaluate on the validation set."""
        if self.evaluator is None:
            return
        loss, score = self.evaluator()
        self.estimator.validation_loss_curve_.append(loss)
        self.estimator.validation_scores_.append(score)
        if self.estimator.verbose:
            show(f"Validation score: {score:f}", sys.stdout)

    def _count_no_improvement(self) -> None:
        """Count the epochs without improvement, and keep the best weights.

        A score of NaN or -infinity is none: it improves nothing and chooses no weights.
        """
        estimator = self.estimator
        if estimator.early_stopping:
            score, best = estimator.validation_scores_[-1], estimator.best_validation_score_
            better = score > -np.inf and score >= best + estimator.tol
            if score > best:
                estimator.best_validation_score_ = score
                self.best = self.parameters.buffer.copy()
        else:
            better = estimator.loss_ <= estimator.best_loss_ - estimator.tol
            estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)
        estimator._no_improvement_count = 0 if better else estimator._no_improvement_count + 1

    def _has_converged(self) -> bool:
        """Tell whether to stop; the adaptive schedule lowers the rate instead while it can."""
        estimator = self.estimator
        if estimator._no_improvement_count <= estimator.n_iter_no_change:
            return False
        what = "Validation score" if estimator.early_stopping else "Training loss"
        message = (
            f"{what} did not improve more than tol={estimator.tol:f} for "
            f"{estimator.n_iter_no_change} consecutive epochs."
        )
        schedule = self.descent.schedule
        adaptive = estimator.learning_rate == "adaptive" and estimator.solver == "sgd"
        going_on = adaptive and schedule.rate > LEAST_RATE
        if going_on:
            self.descent.schedule = schedule._replace(rate=schedule.rate / 5)
            message += f" Setting learning rate to {schedule.rate / 5:f}"
            estimator._no_improvement_count = 0
        else:
            message += " Learning rate too small. Stopping." if adaptive else " Stopping."
        if estimator.verbose:
            show(message, sys.stdout)
        return not going_on


def warn(message: str, depth: int) -> None:
    """Warn of a fit that has not converged; what is shown is so many calls up from the caller."""
    warnings.warn(message, ConvergenceWarning, stacklevel=depth + 1)


def recall(estimator: Any, parameters: Parameters, rule: Rule) -> Memory | None:
    """Return what `partial_fit` goes on from, if it is this solver's and of this network."""
    memory: Memory | None = getattr(estimator, "_memory", None)
    shape = (rule.solver.n_slots, parameters.buffer.size)
    if memory is None or memory.solver != estimator.solver or memory.state.shape != shape:
        return None
    return memory


def begin_counting(estimator: Any, validation: Validation | None) -> None:
    """Set the curves where there are none yet, and count anew where what is watched has changed.

    It changes with `early_stopping`, from the loss to the score or back.
    """
    early_stopping, kept = estimator.early_stopping, vars(estimator)
    for name in CURVES:
        kept.setdefault(name, None if name == "validation_scores_" else [])
    if validation is not None and estimator.validation_scores_ is None:
        estimator.validation_scores_ = []
    if kept.get("best_validation_score_" if early_stopping else "best_loss_") is None:
        estimator._no_improvement_count = 0
        estimator.best_validation_score_ = -np.inf if early_stopping else None
        estimator.best_loss_ = None if early_stopping else np.inf


def choose_batch_size(batch_size: Any, n_samples: int) -> int:
    """Choose the number of samples an update; see scikit-learn's `batch_size`."""
    if batch_size == "auto":
        return min(200, n_samples)
    if batch_size > n_samples:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=7,
        )
    return min(int(batch_size), n_samples)

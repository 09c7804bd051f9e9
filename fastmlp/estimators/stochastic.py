"""Fitting by stochastic gradient descent: when to stop, and which weights are kept."""

import time
import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import shuffle

from fastmlp.backends import get_backend
from fastmlp.backends.contract import Objective, Problem, n_batches
from fastmlp.descent import Descent, NotFiniteError
from fastmlp.estimators.callbacks import told
from fastmlp.estimators.options import make_schedule
from fastmlp.losses import OUTPUTS, sample_losses
from fastmlp.network import Parameters
from fastmlp.optimizers import Rule
from fastmlp.threads import limit_blas

Array = NDArray[Any]

LEAST_RATE = 1e-6
"""At which the adaptive schedule stops."""

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed."
)


class Validation(NamedTuple):
    """What a fit is validated on."""

    problem: Problem
    X: Any
    """For a `scoring` of the user's choice."""
    y: Array
    """Labels, or true values."""


class Memory(NamedTuple):
    """What `partial_fit` goes on from."""

    state: Array
    steps: int
    rate: float


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
    ) -> None:
        self.estimator, self.parameters, self.objective = estimator, parameters, objective
        self.rows, self.validation, self.incremental = rows, validation, incremental
        batch_size = choose_batch_size(estimator.batch_size, len(rows))
        self.n_steps = n_batches(len(rows), batch_size)
        memory = getattr(estimator, "_memory", None) if incremental else None
        rate = None if memory is None else memory.rate
        seed = estimator._random_state.randint(1 << 31) if any(objective.dropout) else 0
        # Without a memory invscaling starts from the initial rate, whatever went before.
        self.samples_before = estimator.t_
        self.descent = Descent(
            estimator.backend, parameters, rule, objective, problem, batch_size,
            make_schedule(estimator, self.n_steps, rate), estimator.max_iter,
            n_threads=estimator.n_threads, dropout_generator=np.random.default_rng(seed),
            state=None if memory is None else memory.state,
            steps_before=0 if memory is None else memory.steps,
            samples_before=0 if memory is None else estimator.t_,
        )  # fmt: skip
        self.best = parameters.buffer.copy() if estimator.early_stopping else None
        n_epochs = 1 if incremental else estimator.max_iter
        self.context = estimator._init_callback_context(max_subtasks=n_epochs)

    def run(self) -> None:
        """Run the epochs, and keep what `partial_fit` needs."""
        with limit_blas(self.descent.blas_threads):
            try:
                self.context.call_on_fit_task_begin(**told(self.estimator))
                self._run_epochs()
            except KeyboardInterrupt:
                warnings.warn("Training interrupted by user.", stacklevel=4)
            except NotFiniteError as error:
                raise ValueError(NOT_FINITE) from error
        rate = self.descent.schedule.rate
        self.estimator._memory = Memory(self.descent.state, self.descent.steps_before, rate)
        if self.best is not None:
            self.parameters.buffer[...] = self.best
        self.context.call_on_fit_task_end(**told(self.estimator))

    def _run_epochs(self) -> None:
        estimator, order = self.estimator, self.rows
        start, estimator.n_iter_ = time.perf_counter(), 0
        positions = np.arange(len(order))
        for _ in range(estimator.max_iter):
            if estimator.shuffle:
                positions = shuffle(positions, random_state=estimator._random_state)
                order = self.rows[positions]
            epoch = self.context.subcontext(task_name="epoch")
            epoch.call_on_fit_task_begin(**told(self.estimator))
            self._run_epoch(order)
            self._validate()
            self._count_no_improvement()
            asked_to_stop = epoch.call_on_fit_task_end(**told(self.estimator))
            if self._has_converged() or self.incremental or asked_to_stop:
                return
            if time.perf_counter() - start >= (estimator.time_budget or np.inf):
                return
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the "
            "optimization hasn't converged yet.",
            ConvergenceWarning,
            stacklevel=6,
        )

    def _run_epoch(self, order: NDArray[np.intp]) -> None:
        estimator = self.estimator
        estimator.loss_ = self.descent.run_epoch(order)
        estimator.n_iter_ += 1
        estimator.t_ += len(order)
        self.descent.samples_before = estimator.t_
        estimator.loss_curve_.append(estimator.loss_)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")

    def _validate(self) -> None:
        """Evaluate on the validation set."""
        if self.validation is None:
            return
        estimator, problem = self.estimator, self.validation.problem
        logits = get_backend(estimator.backend).predict_logits(
            self.parameters, problem.features, estimator.n_threads
        )
        losses = sample_losses(self.objective.loss, logits, problem.targets)
        loss = np.average(losses.astype(np.float64), weights=problem.weights)
        predictions = OUTPUTS[self.objective.loss.name](logits)
        score = estimator._validation_score(predictions, self.validation)
        estimator.validation_loss_curve_.append(float(loss))
        estimator.validation_scores_.append(score)
        if estimator.verbose:
            print(f"Validation score: {score:f}")

    def _count_no_improvement(self) -> None:
        """Count the epochs without improvement, and keep the best weights."""
        estimator = self.estimator
        if self.best is not None:
            score = estimator.validation_scores_[-1]
            worse = score < estimator.best_validation_score_ + estimator.tol
            if score > estimator.best_validation_score_:
                estimator.best_validation_score_ = score
                self.best[...] = self.parameters.buffer
        else:
            worse = estimator.loss_ > estimator.best_loss_ - estimator.tol
            estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)
        estimator._no_improvement_count = estimator._no_improvement_count + 1 if worse else 0

    def _has_converged(self) -> bool:
        """Tell whether to stop; the adaptive schedule lowers the rate instead while it can."""
        estimator = self.estimator
        if estimator._no_improvement_count <= estimator.n_iter_no_change:
            return False
        what = "Training loss" if self.best is None else "Validation score"
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
            print(message)
        return not going_on


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

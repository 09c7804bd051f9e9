"""Fitting by L-BFGS."""

from typing import Any

import numpy as np
from sklearn.utils.optimize import _check_optimize_result

from fastmlp.engine.descent import NotFiniteError
from fastmlp.engine.hooks import Hook, TimeBudget
from fastmlp.engine.plan import Limits
from fastmlp.engine.quasi_newton import QuasiNewton
from fastmlp.engine.state import State
from fastmlp.estimators.callbacks import told
from fastmlp.estimators.memory import begin_history
from fastmlp.estimators.stochastic import NOT_FINITE, require_finite
from fastmlp.estimators.task import Prepared
from fastmlp.estimators.validation import Evaluator
from fastmlp.optimizers import Rule
from fastmlp.rng import Shuffles
from fastmlp.threads import limit_blas


def minimise(estimator: Any, rule: Rule, task: Prepared) -> None:
    """Fit by L-BFGS, as scikit-learn does.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Gets `n_iter_`, `loss_` and the curves.
    rule : Rule
    task : Prepared
        Its parameters are updated in place.
    """
    # How many iterations there will be is not known.
    context = estimator._init_callback_context(max_subtasks=None)
    context.call_on_fit_task_begin(**told(estimator))
    loss, validation, evaluator = task.objective.loss, task.validation, None
    order = np.arange(task.problem.features.n_samples)
    orders = Shuffles(None, False, estimator._random_state, order)  # of which none is drawn
    state = State(task.parameters, orders, estimator.learning_rate_init)
    begin_history(estimator, state, validation)
    if validation is not None:
        evaluator = Evaluator(estimator, validation)
    newton = QuasiNewton(
        estimator.backend, state, rule, loss, task.problem, estimator.n_threads,
        Limits(estimator.max_fun, estimator.tol),
    )  # fmt: skip
    state.history.compile_seconds += newton.compile_seconds
    iterations = Iterations(estimator, state, context)
    hooks: list[Hook] = [iterations]
    if estimator.time_budget is not None:
        hooks.append(TimeBudget(estimator.time_budget))
    try:
        with limit_blas(newton.blas_threads):
            found = newton.run(estimator.max_iter, hooks, evaluator)
    except NotFiniteError as error:
        raise ValueError(NOT_FINITE) from error
    require_finite(task.parameters)
    estimator.n_iter_ = _check_optimize_result("lbfgs", found, estimator.max_iter)
    estimator.loss_ = found.fun
    iterations.current.call_on_fit_task_end(estimator=estimator)
    context.call_on_fit_task_end(**told(estimator))


class Iterations(Hook):
    """Tells callbacks of the iterations of L-BFGS.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    state : State
    context : Context
        Of the fit.
    """

    def __init__(self, estimator: Any, state: State, context: Any) -> None:
        self.estimator, self.state, self.context = estimator, state, context
        self.current: Any = None

    def begin_epoch(self) -> None:
        """Begin the iteration's context."""
        self.current = self.context.subcontext(task_name="iteration")
        self.current.call_on_fit_task_begin(**told(self.estimator))

    def end_epoch(self) -> bool:
        """Set what has changed; a callback may ask to stop."""
        self.estimator.loss_ = self.state.history.loss[-1]
        return bool(self.current.call_on_fit_task_end(**told(self.estimator)))

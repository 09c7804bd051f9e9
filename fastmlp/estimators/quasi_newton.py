"""Fitting by L-BFGS, through SciPy."""

from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.utils.optimize import _check_optimize_result

from fastmlp.backends.contract import Objective, Problem
from fastmlp.engine.full_batch import FullBatch
from fastmlp.estimators.callbacks import told
from fastmlp.network import Parameters
from fastmlp.optimizers import Rule
from fastmlp.threads import limit_blas


def minimise(
    estimator: Any, parameters: Parameters, rule: Rule, objective: Objective, problem: Problem
) -> None:
    """Fit by limited-memory BFGS with bounds (Byrd et al. 1995), as scikit-learn does.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Gets `n_iter_` and `loss_`.
    parameters : Parameters
        Updated in place.
    rule : Rule
    objective : Objective
    problem : Problem
    """
    # How many iterations there will be is not known.
    context = estimator._init_callback_context(max_subtasks=None)
    context.call_on_fit_task_begin(**told(estimator))
    iterations = Iterations(estimator, parameters, context)
    full = FullBatch(estimator.backend, parameters, rule, objective, problem, estimator.n_threads)

    def loss_and_gradient(flat: Any) -> tuple[float, Any]:
        loss, gradient = full(flat)
        estimator.loss_ = loss
        return loss, gradient.astype(np.float64)

    with limit_blas(full.blas_threads):
        found = minimize(
            loss_and_gradient,
            parameters.buffer.astype(np.float64),
            method="L-BFGS-B",
            jac=True,
            callback=iterations.next,
            options={
                "maxfun": estimator.max_fun,
                "maxiter": estimator.max_iter,
                "gtol": estimator.tol,
            },
        )
    estimator.n_iter_ = _check_optimize_result("lbfgs", found, estimator.max_iter)
    estimator.loss_ = found.fun
    parameters.buffer[...] = found.x
    iterations.current.call_on_fit_task_end(estimator=estimator)
    context.call_on_fit_task_end(**told(estimator))


class Iterations:
    """Tells callbacks of the iterations of L-BFGS; the last that is begun is never run.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    parameters : Parameters
        Overwritten by those after each iteration.
    context : Context
        Of the fit.
    """

    def __init__(self, estimator: Any, parameters: Parameters, context: Any) -> None:
        self.estimator, self.parameters, self.context = estimator, parameters, context
        self._begin()

    def _begin(self) -> None:
        self.current = self.context.subcontext(task_name="iteration")
        self.current.call_on_fit_task_begin(**told(self.estimator))

    def next(self, flat: Any) -> None:
        """End an iteration, and begin the next unless a callback asks to stop.

        Parameters
        ----------
        flat : ndarray of shape (n_parameters,)
        """
        self.parameters.buffer[...] = flat
        asked_to_stop = self.current.call_on_fit_task_end(**told(self.estimator))
        self._begin()
        if asked_to_stop:
            raise StopIteration

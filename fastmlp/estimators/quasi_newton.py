"""Fitting by L-BFGS, through SciPy."""

from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.utils.optimize import _check_optimize_result

from fastmlp.backends.contract import Objective, Problem
from fastmlp.descent import FullBatch
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
    full = FullBatch(estimator.backend, parameters, rule, objective, problem, estimator.n_threads)

    def loss_and_gradient(flat: Any) -> tuple[float, Any]:
        loss, gradient = full(flat)
        return loss, gradient.astype(np.float64)

    with limit_blas(full.blas_threads):
        found = minimize(
            loss_and_gradient,
            parameters.buffer.astype(np.float64),
            method="L-BFGS-B",
            jac=True,
            options={
                "maxfun": estimator.max_fun,
                "maxiter": estimator.max_iter,
                "gtol": estimator.tol,
            },
        )
    estimator.n_iter_ = _check_optimize_result("lbfgs", found, estimator.max_iter)
    estimator.loss_ = found.fun
    parameters.buffer[...] = found.x

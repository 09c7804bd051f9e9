"""The part of its samples that a fit holds out to validate on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import _safe_indexing

from fastmlp.backends.contract import Problem
from fastmlp.engine.state import State
from fastmlp.estimators.task import Prepared
from fastmlp.estimators.validation import ValidationSet, split


def hold_out(
    estimator: Any, task: Prepared, frame: Any, state: State | None
) -> tuple[NDArray[np.intp], ValidationSet]:
    """Choose the samples to train and to validate on.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    task : Prepared
    frame : array_like or data frame
        X as it was given.
    state : State or None
        That of a fit that goes on: what it held out is held out again.

    Returns
    -------
    rows : ndarray of shape (n,), intp
        Those that are trained on; of all ranks, where there are several.
    validation : ValidationSet
        Of this rank's rows, and with the weights of all.
    """
    X, y, weights, _, problem, *_ = task
    ranks = estimator._ranks
    labels, targets = y, problem.targets
    if ranks.shared:
        labels, targets = ranks.gather_any(y), ranks.gather(targets)
    if state is None:
        rows = ranks.collect(lambda: split(estimator, labels, targets, weights))[0]
    else:
        orders: Any = state.orders
        rows = np.asarray(orders.rows)
    held = np.setdiff1d(np.arange(len(labels)), rows)
    held_out = ranks.own(held) if ranks.shared else held
    part, named = X[held_out], estimator._named(X, frame)
    kept = Problem(estimator._wrap(part, problem.features.dtype), problem.targets[held_out])
    scored = part if named is X else _safe_indexing(named, held_out)
    held_weights = None if weights is None else weights[held]
    return rows, ValidationSet(kept, scored, y[held_out], held_weights)

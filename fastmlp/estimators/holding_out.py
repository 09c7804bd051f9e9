"""The part of its samples that a fit holds out to validate on."""

from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing

from fastmlp._arrays import Indices
from fastmlp._errors import invalid
from fastmlp.backends.contract import Problem
from fastmlp.engine.state import State
from fastmlp.estimators.task import Prepared
from fastmlp.estimators.validation import TrainingSet, ValidationSet, split


def hold_out(
    estimator: Any, task: Prepared, frame: Any, state: State | None
) -> tuple[Indices, ValidationSet]:
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
    part, seen = X[held_out], named(estimator, X, frame)
    kept = Problem(estimator._wrap(part, problem.features.dtype), problem.targets[held_out])
    scored = part if seen is X else _safe_indexing(seen, held_out)
    held_weights = None if weights is None else weights[held]
    return rows, ValidationSet(kept, scored, y[held_out], held_weights)


def given_validation(estimator: Any, X: Any, y: Any, dtype: np.dtype[Any]) -> ValidationSet | None:
    """Check a validation set of the user's own.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    X, y : object
        As given; None for none.
    dtype : dtype
        What is computed in.

    Returns
    -------
    ValidationSet or None
    """
    if (X is None) != (y is None):
        raise invalid("X_val and y_val", "given together", "one without the other")
    if X is None:
        return None
    frame, (X, y) = X, estimator._validated(X, y, "y_val", False)
    y = estimator._read_targets(y, False, True)
    problem = Problem(estimator._wrap(X, dtype), estimator._encode(y, dtype))
    return ValidationSet(problem, named(estimator, X, frame), y)


def scored(estimator: Any, task: Prepared, frame: Any) -> ValidationSet | None:
    """Return the validation set, or the training data where only a score is asked for.

    Parameters
    ----------
    estimator, task, frame
        See `hold_out`.

    Returns
    -------
    ValidationSet or None
    """
    if task.validation is not None or estimator.scoring is None:
        return task.validation
    return TrainingSet(task.problem, named(estimator, task.X, frame), task.y, task.weights)


def named(estimator: Any, X: Any, frame: Any) -> Any:
    """Return what a scorer is given: X as the user gave it, where its columns have names."""
    return frame if hasattr(estimator, "feature_names_in_") and hasattr(frame, "columns") else X

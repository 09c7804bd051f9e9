"""Fits of several ranks: what an estimator must know of the others' rows."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from fastmlp._errors import invalid
from fastmlp.data.source import Source
from fastmlp.estimators import sources
from fastmlp.estimators.checkpoints import Keeping
from fastmlp.estimators.labels import dense
from fastmlp.estimators.task import FitArguments
from fastmlp.ranks import Alone

Array = NDArray[Any]


class Described(NamedTuple):
    """What all ranks know of the data of one."""

    alike: dict[str, Any]
    """Must be the same on all ranks."""
    n_samples: int
    labels: Array
    """The different ones, in order; empty where there are none."""


def fit_together(estimator: Any, ranks: Alone, given: FitArguments, keeping: Keeping) -> Any:
    """Fit, with other ranks if there are.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    ranks : Alone
    given : FitArguments
    keeping : Keeping

    Returns
    -------
    MLPClassifier or MLPRegressor
        The estimator itself.
    """
    if isinstance(given.X, Source) or isinstance(given.X_val, Source):
        ranks.collect(lambda: sources.refuse_ranks(ranks))
        return sources.fit(estimator, given, keeping)
    if not ranks.shared:
        return estimator._fit(given, keeping=keeping)
    ranks.collect(lambda: refuse_with_ranks(estimator, keeping.file))
    estimator._ranks = ranks
    try:
        unite(estimator, ranks, given)
        return estimator._fit(given, keeping=keeping)
    finally:
        estimator.__dict__.pop("_ranks", None)
        estimator.__dict__.pop("_known_labels", None)


def unite(estimator: Any, ranks: Alone, given: FitArguments) -> None:
    """Compare this rank's data with the others', and learn how many rows and which labels."""

    def look() -> Described:
        first = not (hasattr(estimator, "coefs_") and estimator.warm_start)
        X, y = estimator._validated(given.X, given.y, "y", first)
        return describe(estimator, X, dense(y), given.sample_weight is not None)

    described, everyone = ranks.collect(look, lambda described: described)
    ranks.collect(lambda: require_alike(everyone))
    ranks.place([one.n_samples for one in everyone])
    if described.labels.size:
        labels = np.unique(np.concatenate([one.labels for one in everyone]))
        estimator._known_labels = labels


def describe(estimator: Any, X: Any, y: Array, has_weights: bool) -> Described:
    """Say what the other ranks must know.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    X : ndarray or csr_array of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, ...)
        As `fit` has checked it.
    has_weights : bool

    Returns
    -------
    Described
    """
    names = getattr(estimator, "feature_names_in_", None)
    alike: dict[str, Any] = {name: repr(value) for name, value in estimator.get_params().items()}
    for differing in ("random_state", "callbacks", "n_threads", "verbose"):
        alike.pop(differing)
    alike |= {
        "number of columns": X.shape[1], "dtype": str(estimator._compute_dtype(X)),
        "names of columns": None if names is None else names.tolist(),
        "shape of y": y.shape[1:], "sample_weight": has_weights,
    }  # fmt: skip
    one_a_row = y.ndim == 1 or y.shape[1] == 1
    labels = np.unique(y) if is_classifier(estimator) and one_a_row else np.empty(0)
    return Described(alike, X.shape[0], labels)


def require_alike(everyone: list[Described]) -> None:
    """Raise a `ValueError` where ranks differ in what must be the same on all."""
    for number, described in enumerate(everyone):
        for name, first in everyone[0].alike.items():
            if described.alike[name] != first:
                got = f"{first} on rank 0, {described.alike[name]} on rank {number}"
                raise invalid(name, "the same on all ranks", got)
    if len({one.labels.dtype.kind in "biuf" for one in everyone}) > 1:
        raise invalid("y", "labels of one type on all ranks", "numbers and others")


def refuse_with_ranks(estimator: Any, file: Any) -> None:
    """Raise a `ValueError` for what several ranks cannot do."""
    refused = {
        "solver": (estimator.solver == "lbfgs", "Use solver='adam'."),
        "scoring": (estimator.scoring is not None, "Leave it out: the score is that of `score`."),
        "checkpoint": (file is not None, "fastmlp.train(..., comm=, checkpoint=) has it."),
    }
    for name, (there, remedy) in refused.items():
        if there:
            got = repr(getattr(estimator, name, "a path"))
            raise invalid(name, "another, or left out, beside comm", got, remedy)

"""Fits of several ranks: what an estimator must know of the others' rows."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier

from fastmlp._arrays import Array
from fastmlp._errors import invalid
from fastmlp.data.source import Source, names_of
from fastmlp.data.standardizing import share_means
from fastmlp.estimators import sources
from fastmlp.estimators.checkpoints import Keeping
from fastmlp.estimators.labels import dense
from fastmlp.estimators.task import FitArguments
from fastmlp.ranks import Alone, require_alike


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
    if not ranks.shared:
        return fit(estimator, given, keeping)
    estimator._ranks = ranks
    try:
        ranks.collect(lambda: refuse_lbfgs(estimator))
        _, everyone = ranks.collect(lambda: describe_fit(estimator, given), lambda own: own)
        ranks.collect(lambda: require_alike(everyone))
        return fit(estimator, given, keeping)
    finally:
        estimator.__dict__.pop("_ranks", None)
        estimator.__dict__.pop("_known_labels", None)


def fit(estimator: Any, given: FitArguments, keeping: Keeping) -> Any:
    """Fit on arrays, or on a source that is read into arrays where it fits; see `fit_together`."""
    ranks, names = estimator._ranks, None
    if isinstance(given.X, Source) or isinstance(given.X_val, Source):
        share_means(given.X, given.X_val, ranks)
        names = names_of(given.X) if isinstance(given.X, Source) else None
        if names is not None:
            estimator.__dict__.pop("feature_names_in_", None)
        given = sources.in_memory(estimator, given, keeping)
    if isinstance(given.X, Source):
        sources.fit_blocks(estimator, given, keeping)
    else:
        if ranks.shared:
            unite(estimator, ranks, given, names)
        estimator._fit(given, keeping=keeping)
    if names is not None:
        estimator.feature_names_in_ = names
    return estimator


def unite(estimator: Any, ranks: Alone, given: FitArguments, names: Array | None) -> None:
    """Compare this rank's data with the others', and learn how many rows and which labels.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    ranks : Alone
    given : FitArguments
    names : ndarray of shape (n_features,) or None
        Of the columns, where a source was read.
    """

    def look() -> Described:
        X, y = estimator._validated(given.X, given.y, "y", not sources.goes_on(estimator))
        own = getattr(estimator, "feature_names_in_", None) if names is None else names
        return describe(estimator, X, dense(y), given.sample_weight is not None, own)

    described, everyone = ranks.collect(look, lambda described: described)
    ranks.collect(lambda: require_one_kind(everyone))
    ranks.place([one.n_samples for one in everyone])
    if described.labels.size:
        labels = np.unique(np.concatenate([one.labels for one in everyone]))
        estimator._known_labels = labels


def describe_fit(estimator: Any, given: FitArguments) -> dict[str, Any]:
    """Say what must be the same on all ranks before data are looked at."""
    alike: dict[str, Any] = {name: repr(value) for name, value in estimator.get_params().items()}
    for differing in ("random_state", "callbacks", "n_threads", "verbose"):
        alike.pop(differing)
    if callable(estimator.scoring):
        alike["scoring"] = "a function"
    kinds = {name: kind_of(getattr(given, name)) for name in ("X", "X_val")}
    return alike | kinds | {"a fit before, with warm_start": sources.goes_on(estimator)}


def kind_of(X: Any) -> str:
    """Say what a rank has passed."""
    if X is None:
        return "None"
    return "a source" if isinstance(X, Source) else "an array"


def describe(estimator: Any, X: Any, y: Array, has_weights: bool, names: Array | None) -> Described:
    """Say what the other ranks must know.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    X : ndarray or csr_array of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, ...)
        As `fit` has checked it.
    has_weights : bool
    names : ndarray of shape (n_features,) or None

    Returns
    -------
    Described
    """
    alike = {
        "number of columns": X.shape[1], "dtype": str(estimator._compute_dtype(X)),
        "names of columns": None if names is None else names.tolist(),
        "shape of y": y.shape[1:], "sample_weight": has_weights,
    }  # fmt: skip
    one_a_row = y.ndim == 1 or y.shape[1] == 1
    labels = np.unique(y) if is_classifier(estimator) and one_a_row else np.empty(0)
    return Described(alike, X.shape[0], labels)


def require_one_kind(everyone: list[Described]) -> None:
    """Raise a `ValueError` where the data of ranks differ in what must be the same on all."""
    require_alike([described.alike for described in everyone])
    if len({one.labels.dtype.kind in "biuf" for one in everyone}) > 1:
        raise invalid("y", "labels of one type on all ranks", "numbers and others")


def refuse_lbfgs(estimator: Any) -> None:
    """Raise a `ValueError` for the solver that several ranks do not have."""
    if estimator.solver == "lbfgs":
        raise invalid("solver", "another beside comm", "'lbfgs'", "Use solver='adam'.")

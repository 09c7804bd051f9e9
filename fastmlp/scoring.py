"""A score of the user's choice: one of scikit-learn's, or a function."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import get_scorer, get_scorer_names

from fastmlp._arrays import Array
from fastmlp._checks import check_name
from fastmlp._errors import invalid
from fastmlp.losses import OUTPUT_FUNCTIONS


def check_scoring(scoring: Any) -> Any:
    """Return a scorer, or None where none is chosen.

    Raises
    ------
    ValueError
        If it is no name of one of scikit-learn's scorers, and cannot be called.
    """
    if scoring is None or callable(scoring):
        return scoring
    return get_scorer(check_name("scoring", scoring, get_scorer_names()))


def is_metric(scorer: Any) -> bool:
    """Tell whether a scorer is one of scikit-learn's, which look at predictions alone."""
    return hasattr(scorer, "_score_func")


def as_score(found: Any) -> float:
    """Turn what a scorer returns into a number.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        return float(found)
    except (TypeError, ValueError) as error:
        raise invalid("scoring", "a scorer that returns one number", repr(found)) from error


def require_defined(score: Callable[[], float]) -> None:
    """Raise a `ValueError` where a metric is undefined on the validation set, before training.

    Parameters
    ----------
    score : callable
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = score()
    reasons = [one.message for one in caught if one.category is UndefinedMetricWarning]
    if np.isnan(found) and reasons:
        remedy = "Validate on more samples, of all classes, or choose another scoring."
        raise invalid("the validation set", "one on which the score is defined",
                      f"nan: {str(reasons[0]).rstrip('.')}", remedy)  # fmt: skip


class _Classified(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """What scikit-learn's metrics ask for classes and their probabilities.

    Parameters
    ----------
    classes_ : ndarray, or list of ndarray for several labels
    labels, probabilities : ndarray
    """

    def __init__(self, classes_: Any, labels: Array, probabilities: Array) -> None:
        self.classes_, self.labels, self.probabilities = classes_, labels, probabilities

    def predict(self, X: Any) -> Array:
        """Return the labels."""
        return self.labels

    def predict_proba(self, X: Any) -> Array:
        """Return the probabilities."""
        return self.probabilities


class _Predicted(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """What they ask for numbers.

    Parameters
    ----------
    predictions : ndarray
    """

    def __init__(self, predictions: Array) -> None:
        self.predictions = predictions

    def predict(self, X: Any) -> Array:
        """Return them."""
        return self.predictions


class ChosenScore:
    """Scores the predictions of a model of `train`, which may come in parts.

    Parameters
    ----------
    scorer : callable
        See `check_scoring`; a function of the user's own is given the model, X and y.
    model : Model or RegressionModel
    X : ndarray or CSR matrix, or None
        What such a function is given; None where there is none.
    extra : dict, optional
        What a metric is told beside, as `sample_weight`.

    Raises
    ------
    ValueError
        If the scorer needs X and there is none.
    """

    def __init__(
        self, scorer: Any, model: Any, X: Any, extra: dict[str, Any] | None = None
    ) -> None:
        self.scorer, self.model, self.X, self.extra = scorer, model, X, extra or {}
        self.parts: list[tuple[Array, Array]] = []
        if X is None and not is_metric(scorer):
            rule = "the name of a score, or one of sklearn.metrics.make_scorer"
            remedy = "A function would need all rows of the validation set in this process."
            raise invalid("scoring", rule, repr(scorer), remedy)

    def add(self, logits: Array, targets: Array) -> None:
        """Take some predictions in; see `fastmlp.tallies.Tally`."""
        self.parts.append((logits, targets))

    def score(self) -> float:
        """Score all, NaN where a prediction is not finite; see `fastmlp.tallies.Tally`."""
        logits, targets = map(np.concatenate, zip(*self.parts, strict=True))
        self.parts = []
        predictions = OUTPUT_FUNCTIONS[self.model.predictor.output].function(logits)
        if not np.isfinite(predictions).all():
            return float("nan")
        if is_metric(self.scorer):
            seen, truth = self._scored(predictions), self._truth(targets)
            return as_score(self.scorer(seen, logits, truth, **self.extra))
        with warnings.catch_warnings():  # the columns are those of the model, but have no names
            warnings.filterwarnings("ignore", ".*does not have valid feature names")
            return as_score(self.scorer(self.model, self.X, self._truth(targets)))

    def _truth(self, targets: Array) -> Array:
        """Turn the engine's targets into labels, or into values as y had them."""
        classes = getattr(self.model, "classes_", None)
        if classes is None:
            return targets.ravel() if self.model.flat else targets
        return targets.astype(int) if self.model.multilabel else np.asarray(classes[targets])

    def _scored(self, predictions: Array) -> BaseEstimator:
        """Make what scikit-learn's metrics look at."""
        classes = getattr(self.model, "classes_", None)
        if classes is None:
            return _Predicted(predictions.ravel() if self.model.flat else predictions)
        if self.model.multilabel:
            likely = (predictions > 0.5).astype(int)
            return _Classified([np.arange(2)] * len(classes), likely, predictions)
        return _Classified(classes, classes[predictions.argmax(axis=1)], predictions)

"""What a fit is validated on, and how the network is evaluated there."""

from inspect import signature
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_regressor
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split

from fastmlp._arrays import Array, Indices
from fastmlp._errors import invalid
from fastmlp.backends.contract import Problem
from fastmlp.held_out import HeldBlocks, require_two_of_each
from fastmlp.history import EpochScores
from fastmlp.losses import LOSSES, OUTPUT_FUNCTIONS, Loss, sample_losses
from fastmlp.predictor import Predictor
from fastmlp.scoring import ChosenScore, as_score, is_metric, require_defined
from fastmlp.scoring import check_scoring as check_chosen
from fastmlp.tallies import begin_tally, evaluate


class ValidationSet(NamedTuple):
    """What a fit is validated on."""

    problem: Problem
    X: Any
    """For a `scoring` of the user's choice: a frame where the fit was given one."""
    y: Array
    """Labels, or true values."""
    weights: Array | None = None
    """(n_samples,), as given; None weighs all alike."""


class TrainingSet(ValidationSet):
    """What a fit is trained on, where that is scored: a score is asked for, nothing held out."""


class Evaluator:
    """Evaluates the network on a validation set, or on what it is trained on.

    The score is that of `scoring` where it is given, else that of `score`.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    validation : ValidationSet
    """

    def __init__(self, estimator: Any, validation: ValidationSet) -> None:
        self.estimator, self.ranks = estimator, estimator._ranks
        self.loss: Loss = estimator._loss()
        self.features = validation.problem.features
        targets = self.ranks.gather(validation.problem.targets)
        self.validation = validation._replace(
            problem=validation.problem._replace(targets=targets),
            y=self.ranks.gather_any(validation.y),
        )
        self.predictor: Predictor = estimator._find_predictor()
        chosen = estimator.scoring is not None
        self.scorer = check_scoring(estimator, estimator.scoring) if chosen else None
        weighted = chosen and validation.weights is not None and takes_weights(self.scorer)
        self.extra = {"sample_weight": validation.weights} if weighted else {}
        self.of_ranks: ChosenParts | None = None
        if chosen and self.ranks.shared:  # X is not gathered: a metric looks at predictions
            self.of_ranks, _ = self.ranks.collect(lambda: ChosenParts(estimator, self.extra))

    def __call__(self) -> EpochScores:
        """Compute the mean loss and the score, which is NaN where a prediction is not finite."""
        validation = self.validation
        with np.errstate(over="ignore", invalid="ignore"):  # of weights that are diverging
            logits = self._logits()
            if isinstance(validation, TrainingSet):
                return EpochScores(score=self._score(logits))
            losses = sample_losses(self.loss, logits, validation.problem.targets)
            loss = np.average(losses.astype(np.float64), weights=validation.weights)
            return EpochScores(float(loss), self._score(logits))

    def require_defined(self) -> None:
        """Raise a `ValueError` where a metric is undefined on the validation set.

        It is asked before training. A function of the user's own is not: what it looks at may not
        be there yet.
        """
        if self.scorer is None or is_metric(self.scorer):
            require_defined(lambda: self._score(self._logits()))

    def _logits(self) -> Array:
        """Compute the logits, of all ranks where there are several."""
        logits: Array = self.ranks.gather(self.predictor.logits(self.features))
        return logits

    def _score(self, logits: Array) -> float:
        estimator, validation = self.estimator, self.validation
        predictions = OUTPUT_FUNCTIONS[self.predictor.output].function(logits)
        if not np.isfinite(predictions).all():
            return float("nan")
        if self.of_ranks is not None:
            self.of_ranks.add(logits, validation.problem.targets)
            found = self.of_ranks.score()
        elif self.scorer is None:
            found = estimator._score_predictions(validation.y, predictions, validation.weights)
        else:
            found = self.scorer(estimator, validation.X, validation.y, **self.extra)
        return as_score(found)


class PartsEvaluator:
    """Evaluates the network block by block; see `validation.Evaluator`.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    held : HeldBlocks
        This rank's.
    """

    def __init__(self, estimator: Any, held: HeldBlocks) -> None:
        self.loss: Loss = estimator._loss()
        self.parts, self.ranks = held.shared(estimator._ranks), estimator._ranks
        self.predictor: Predictor = estimator._find_predictor()
        self.chosen = None if estimator.scoring is None else ChosenParts(estimator)

    def __call__(self) -> EpochScores:
        """Compute the mean loss and the score."""
        return EpochScores(*self._evaluate())

    def _evaluate(self) -> tuple[float, float]:
        """Compute the mean loss and the score, as `score` does or as the user has chosen."""
        gather = self.ranks.gather
        tally = begin_tally(self.loss.name) if self.chosen is None else self.chosen
        compute = self.predictor.logits
        return evaluate(lambda rows: gather(compute(rows)), self.loss, self.parts(), tally)

    def require_defined(self) -> None:
        """Raise a `ValueError` where a metric is undefined: accuracy and R2 are not anywhere."""
        if self.chosen is not None:
            require_defined(lambda: self._evaluate()[1])


class ChosenParts:
    """Scores predictions that come in parts by a metric of the user's choice.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    extra : dict, optional
        What the metric is told beside.

    Raises
    ------
    ValueError
        If it is a function that needs X.
    """

    def __init__(self, estimator: Any, extra: dict[str, Any] | None = None) -> None:
        loss = estimator._loss()
        several = loss.name != "softmax"
        self.binary = not is_regressor(estimator) and several and estimator._labels.kind == "binary"
        # Of two classes a classifier has one logit: beside 0 it is what softmax takes.
        output = "softmax" if self.binary else LOSSES[loss.name].output
        model = SimpleNamespace(predictor=SimpleNamespace(output=output), flat=False)
        if is_regressor(estimator):
            model.flat = estimator.n_outputs_ == LOSSES[loss.name].outputs_per_target
        else:
            model.classes_, model.multilabel = estimator.classes_, several and not self.binary
        self.chosen = ChosenScore(check_chosen(estimator.scoring), model, None, extra)

    def add(self, logits: Array, targets: Array) -> None:
        """Take some predictions in."""
        if self.binary:
            logits = np.hstack([np.zeros_like(logits), logits])
            targets = targets.ravel().astype(np.intp)
        self.chosen.add(logits, targets)

    def score(self) -> float:
        """Score all."""
        return self.chosen.score()


def takes_weights(scorer: Any) -> bool:
    """Tell whether a scorer takes `sample_weight`; scikit-learn's do where their metric does."""
    return "sample_weight" in signature(getattr(scorer, "_score_func", scorer)).parameters


def split(estimator: Any, y: Array, targets: Array, weights: Array | None) -> Indices:
    """Choose the samples to train on, as scikit-learn does; the others are held out.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    y : ndarray of shape (n_samples, ...)
    targets : ndarray
        The same as the engine takes them.
    weights : ndarray of shape (n_samples,) or None

    Returns
    -------
    ndarray of shape (n_rows,), intp

    Raises
    ------
    ValueError
        If too few would be held out, or of no weight, or a class has one member only.
    """
    shares = estimator._stratification(targets)
    if shares is not None:
        require_two_of_each(*np.unique(y, return_counts=True))
    train, held_out = train_test_split(
        np.arange(len(targets)),
        random_state=estimator._random_state,
        test_size=estimator.validation_fraction,
        stratify=shares,
    )
    if len(held_out) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of "
            "your dataset."
        )
    for part, what in ((train, "trained on"), (held_out, "held out")):
        if weights is not None and not weights[part].any():
            rule = f"above 0 for some of the samples that are {what}"
            remedy = "Pass X_val and y_val, or another validation_fraction."
            raise invalid("sample_weight", rule, f"0 for all {len(part)} of them", remedy)
    return np.asarray(train)

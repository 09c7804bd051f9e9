"""Losses and scores of predictions that come in parts."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np

from fastmlp._arrays import Array
from fastmlp.data.moments import merged, moments_of
from fastmlp.inputs import Features
from fastmlp.losses import LOSSES, OUTPUT_FUNCTIONS, REGRESSION_LOSSES, Loss, sample_losses


class Tally(Protocol):
    """Scores predictions that come in parts."""

    def add(self, logits: Array, targets: Array) -> None:
        """Take some predictions in, as the last layer's sums.

        Parameters
        ----------
        logits : ndarray of shape (n_samples, n_outputs)
        targets : ndarray
            As the engine takes them.
        """

    def score(self) -> float:
        """Score all that was taken in.

        Returns
        -------
        float
        """


class Hits:
    """The share of the samples that are right.

    Parameters
    ----------
    right : callable
        From logits and targets to whether each is.
    """

    def __init__(self, right: Callable[[Array, Array], Array]) -> None:
        self.right, self.n_right, self.n_samples = right, 0, 0

    def add(self, logits: Array, targets: Array) -> None:
        """Take some predictions in; see `Tally`."""
        self.n_right += int(np.count_nonzero(self.right(logits, targets)))
        self.n_samples += len(targets)

    def score(self) -> float:
        """Score all; see `Tally`."""
        return self.n_right / self.n_samples


class Residuals:
    """The coefficient of determination, 1 - sum (y - p)^2 / sum (y - mean y)^2, of the outputs.

    It is averaged over them. As `sklearn.metrics.r2_score` does, an output whose targets do not
    vary counts as 1 for predictions without error, else as 0.

    Parameters
    ----------
    predict : callable
        From logits to predictions.
    """

    def __init__(self, predict: Callable[[Array], Array]) -> None:
        self.predict = predict
        self.errors: Any = 0.0
        self.moments = np.zeros((3, 1))

    def add(self, logits: Array, targets: Array) -> None:
        """Take some predictions in; see `Tally`."""
        values = targets.astype(np.float64)
        self.errors = self.errors + np.square(values - self.predict(logits)).sum(axis=0)
        self.moments = merged(self.moments, moments_of(values))

    def score(self) -> float:
        """Score all; see `Tally`."""
        errors, spread = self.errors, self.moments[2]
        shares = np.divide(errors, spread, out=(errors > 0).astype(np.float64), where=spread > 0)
        return float((1 - shares).mean())


def begin_tally(loss: str) -> Hits | Residuals:
    """Begin to score as `score` does: accuracy, or the coefficient of determination.

    Parameters
    ----------
    loss : str
        A key of `fastmlp.losses.LOSSES`: what the network was trained to minimise.
    """
    output = OUTPUT_FUNCTIONS[LOSSES[loss].output].function
    if loss in REGRESSION_LOSSES:
        return Residuals(output)
    if loss == "softmax":
        return Hits(lambda logits, targets: logits.argmax(axis=1) == targets)
    return Hits(lambda logits, targets: ((output(logits) > 0.5) == targets).all(axis=1))


def evaluate(
    compute_logits: Callable[[Features], Array],
    loss: Loss,
    parts: Iterable[tuple[Features, Array]],
    tally: Tally,
) -> tuple[float, float]:
    """Compute the mean loss and the score of predictions that come in parts.

    Parameters
    ----------
    compute_logits : callable
    loss : Loss
    parts : iterable of (Features, ndarray)
        Features and targets, as the engine takes them.
    tally : Tally

    Returns
    -------
    loss, score : float
    """
    total, n_samples = 0.0, 0
    with np.errstate(over="ignore", invalid="ignore"):  # of weights that are diverging
        for features, targets in parts:
            logits = compute_logits(features)
            losses = sample_losses(loss, logits, targets)
            total += float(losses.sum(dtype=np.float64))
            n_samples += len(losses)
            tally.add(logits, targets)
        return total / n_samples, tally.score()

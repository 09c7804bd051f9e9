"""Scores of predictions that come in parts."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.moments import merged, moments_of

Array = NDArray[Any]


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
        """Take some predictions in; see `fastmlp.base_model.Tally`."""
        self.n_right += int(np.count_nonzero(self.right(logits, targets)))
        self.n_samples += len(targets)

    def score(self) -> float:
        """Score all; see `fastmlp.base_model.Tally`."""
        return self.n_right / self.n_samples


class Residuals:
    """The coefficient of determination, averaged over the outputs.

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
        """Take some predictions in; see `fastmlp.base_model.Tally`."""
        values = targets.astype(np.float64)
        self.errors = self.errors + np.square(values - self.predict(logits)).sum(axis=0)
        self.moments = merged(self.moments, moments_of(values))

    def score(self) -> float:
        """Score all; see `fastmlp.base_model.Tally`."""
        return explained(self.errors, self.moments[2])


def explained(errors: Array, spread: Array) -> float:
    """Compute 1 - errors / spread, averaged over the outputs.

    Parameters
    ----------
    errors, spread : ndarray of shape (n_outputs,), float64
        Summed squared errors, and summed squared distances from the mean; where that is 0, an
        output counts as 1 without errors, else as 0.

    Returns
    -------
    float
    """
    shares = np.divide(errors, spread, out=(errors > 0).astype(np.float64), where=spread > 0)
    return float((1 - shares).mean())

"""What both estimators score alike."""

from typing import Any

import numpy as np

from fastmlp._errors import invalid
from fastmlp.data.fitting import require_target
from fastmlp.data.reading import Reader
from fastmlp.data.source import Source, require_no_target
from fastmlp.estimators import sources
from fastmlp.held_out import HeldBlocks
from fastmlp.tallies import begin_tally, evaluate


class ScoresSources:
    """Scores sources of data, too; the rest is left to scikit-learn's class that comes after it."""

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Score the predictions as scikit-learn does.

        Parameters
        ----------
        X : array_like, sparse matrix, data frame or source of shape (n_samples, n_features)
        y : array_like, optional
            As in `fit`; left out where X is a source.
        sample_weight : array_like of shape (n_samples,), optional

        Returns
        -------
        float
        """
        if isinstance(X, Source):
            return score_source(self, X, y, sample_weight)
        return float(super().score(X, y, sample_weight))  # type: ignore[misc]


def score_source(estimator: Any, source: Source, y: Any, sample_weight: Any) -> float:
    """Score the predictions for a source, by its own target.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted.
    source : Source
    y, sample_weight : object
        Must be None.

    Returns
    -------
    float
    """
    require_no_target(y, ("X", "y"))
    if sample_weight is not None:
        raise invalid("sample_weight", "left out where X is a source", "weights")
    sources.require_columns(estimator, source)
    require_target(source, "X")
    dtype, loss = estimator._fitted.dtype, estimator._loss()
    reader = Reader(source, dtype, sources.encoder(estimator, dtype))
    held = HeldBlocks(reader, np.arange(len(source.lengths)), estimator._input_scale)
    logits = estimator._find_predictor().logits
    return evaluate(logits, loss, held.parts(), begin_tally(loss.name))[1]

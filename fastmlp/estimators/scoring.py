"""What both estimators score alike."""

from typing import Any

from fastmlp.data.source import Source
from fastmlp.estimators import sources


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
            return sources.score(self, X, y, sample_weight)
        return float(super().score(X, y, sample_weight))  # type: ignore[misc]

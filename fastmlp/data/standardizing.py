"""Sources whose columns have mean 0 and standard deviation 1."""

from collections.abc import Iterator
from functools import reduce
from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp._errors import invalid
from fastmlp.data.moments import merged, moments_of
from fastmlp.data.reading import checked, read_all
from fastmlp.data.source import Chunk, Derived, Source
from fastmlp.inputs import require_finite
from fastmlp.ranks import ALONE, Alone


class Standardized(Derived):
    """A source whose values are standardized as they are read; see `standardized`.

    Parameters
    ----------
    source : Source
    like : object or None

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,), float64
        What is taken from the values of each column, and what they are then divided by.
    """

    def __init__(self, source: Source, like: Any) -> None:
        super().__init__(source)
        self.dtype = np.dtype(np.float32 if source.dtype == np.float32 else np.float64)
        self.like, self.moments = like, np.zeros((3, source.n_features))
        if like is None:
            self.moments = _survey(source)
            self._settle(self.moments)
            return
        shapes = [np.shape(getattr(like, name, ())) for name in ("mean_", "scale_")]
        if shapes != [(source.n_features,)] * 2:
            rule = f"a standardized source, or a StandardScaler, of {source.n_features} columns"
            raise invalid("like", rule, repr(like))

    @property
    def mean_(self) -> Array:
        """The means of the columns, (n_features,)."""
        return self._mean if self.like is None else np.asarray(self.like.mean_)

    @property
    def scale_(self) -> Array:
        """Their standard deviations, or 1 where that is 0, (n_features,)."""
        return self._scale if self.like is None else np.asarray(self.like.scale_)

    def transform(self, X: Any) -> Array:
        """Standardize an array as the source is.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            float32 where the source is, else float64.
        """
        values = np.asarray(X)
        if values.ndim != 2 or values.shape[1] != self.n_features:
            raise invalid("X", f"of {self.n_features} columns", f"shape {values.shape}")
        return np.asarray(((values - self.mean_) / self.scale_).astype(self.dtype, copy=False))

    def chunks(self, block: int) -> Iterator[Chunk]:
        """Read a block; see `Source.chunks`."""
        for chunk in checked(self.source, block):
            yield chunk._replace(X=self.transform(chunk.X))

    def _settle(self, moments: Array) -> None:
        """Choose what is taken away and divided by from counts, means and squared deviations."""
        n_samples, self._mean = np.maximum(moments[0], 1), moments[1]
        variance, eps = moments[2] / n_samples, np.finfo(np.float64).eps
        # As scikit-learn tells a constant column, whose variance may be a rounding error.
        largest = n_samples * eps * variance + (n_samples * self._mean * eps) ** 2
        self._scale = np.where(variance <= largest, 1.0, np.sqrt(variance))

    def share(self, ranks: Alone) -> None:
        """Standardize by the rows of all ranks, each of which has some.

        Parameters
        ----------
        ranks : Alone
        """
        known = self.moments if self.like is None else np.stack([self.mean_, self.scale_])
        _, everyone = ranks.collect(lambda: None, lambda _: known)

        def unite() -> None:
            if len({one.shape for one in everyone}) > 1:
                rule = "of as many columns, standardized alike, on all ranks"
                raise invalid("X", rule, "sources that are not alike")
            if self.like is None:
                self._settle(reduce(merged, everyone))
            elif any(not np.array_equal(one, everyone[0]) for one in everyone):
                raise invalid("like", "the same on all ranks", "other means or scales")

        ranks.collect(unite)


def _survey(source: Source) -> Array:
    """Sum all columns up: (3, n_features), see `moments_of`."""
    moments = np.zeros((3, source.n_features))
    for block, first, (X, *_) in read_all(source):
        name = f"X in {source.place(block)}"
        require_finite(X, source.feature_names, np.dtype(np.float64), name, first)
        moments = merged(moments, moments_of(X))
    return moments


def standardized(source: Source, *, like: Any = None) -> Standardized:
    """Standardize a source while it is read, as scikit-learn's `StandardScaler` does.

    Its values are read once, for the mean and the standard deviation of each column, in float64.
    Where several processes train together (`comm=`), `fastmlp.train` puts those of all together.

    Parameters
    ----------
    source : Source
    like : standardized source or StandardScaler, optional
        Take its means and scales: those of the training data, to validate and to predict.

    Returns
    -------
    Source
        Of float32 where `source` is, else of float64, bytes and booleans included. It has `mean_`
        and `scale_`, of shape (n_features,), and `transform(X)` for arrays.

    Raises
    ------
    ValueError
        If a value is missing, NaN or infinite, or `like` is not as described.

    Examples
    --------
    >>> import fastmlp, numpy as np
    >>> X, y = np.arange(12.0).reshape(6, 2), np.arange(6) % 2
    >>> source = fastmlp.data.standardized(fastmlp.data.memmap(X, y))
    >>> source.mean_
    array([5., 6.])
    >>> source.transform(X).std(axis=0)
    array([1., 1.])
    """
    if not isinstance(source, Source):
        remedy = "fastmlp.data.memmap(X, y) makes one of arrays."
        raise invalid("source", "a source", f"a {type(source).__name__}", remedy)
    return Standardized(source, like)


def share_means(X: Any, X_val: Any, ranks: Alone = ALONE) -> None:
    """Standardize the sources of several ranks by the rows of all.

    Parameters
    ----------
    X, X_val : object
        What this rank trains and validates on.
    ranks : Alone

    Raises
    ------
    ValueError
        If one is standardized, and another is not, or otherwise.
    """
    standard = isinstance(X, Standardized)
    _, everyone = ranks.collect(lambda: None, lambda _: standard)

    def check() -> None:
        if any(everyone) != all(everyone):
            got = f"on rank {everyone.index(True)}, not on rank {everyone.index(False)}"
            raise invalid("X", "standardized on all ranks, or on none", got)

    ranks.collect(check)
    if standard:
        X.share(ranks)
    ranks.collect(lambda: _require_same(X, X_val))


def _require_same(X: Any, X_val: Any) -> None:
    """Raise a `ValueError` where a validation set is standardized by itself."""
    if isinstance(X, Standardized) and isinstance(X_val, Standardized):
        same = np.array_equal(X.mean_, X_val.mean_) and np.array_equal(X.scale_, X_val.scale_)
        if not same:
            remedy = "Pass fastmlp.data.standardized(X_val, like=X)."
            raise invalid("X_val", "standardized as X is", "other means", remedy)

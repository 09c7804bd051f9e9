"""How both estimators fit and score: on arrays, on sources of data, and with other ranks."""

from typing import Any, Self

import numpy as np
from sklearn.base import _fit_context

from fastmlp._errors import invalid
from fastmlp.data.fitting import require_target
from fastmlp.data.reading import Reader
from fastmlp.data.source import Source, require_no_target
from fastmlp.distributed import open_ranks
from fastmlp.estimators import sources
from fastmlp.estimators.callbacks import with_callbacks
from fastmlp.estimators.checkpoints import begin_keeping
from fastmlp.estimators.several import fit_together
from fastmlp.estimators.task import FitArguments
from fastmlp.held_out import HeldBlocks
from fastmlp.tallies import begin_tally, evaluate


class FitsAndScores:
    """What `fit` and `score` do in both; scikit-learn's class that comes after it scores arrays."""

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    @with_callbacks  # type: ignore[untyped-decorator]
    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        coefs_init: Any = None,
        intercepts_init: Any = None,
        checkpoint: Any = None,
        checkpoint_seconds: float = 60.0,
        resume: bool = False,
        comm: Any = None,
    ) -> Self:
        """Fit the network.

        Parameters
        ----------
        X : array_like, sparse matrix, data frame or source of shape (n_samples, n_features)
            float64, float32 and uint8 are learned from where they lie, CSR too; a source of
            `fastmlp.data` has its own y, and need not fit in memory.
        y : array_like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, or an indicator matrix of labels; of a regressor true values.
        sample_weight : array_like of shape (n_samples,), optional
            Weights of at least 0; None weighs all alike.
        X_val, y_val : as X and y, optional
            Validation set, evaluated after each epoch; with `early_stopping` it takes the place of
            the part that is held out otherwise.
        coefs_init, intercepts_init : sequence of ndarray, optional
            Initial weights, of shape (fan_in, fan_out) for each layer, and biases, of shape
            (fan_out,); copied. What is not given is drawn as `init` says.
        checkpoint : path-like, optional
            A file that the fit goes on from with `resume`, whatever broke it off: it is written now
            and then, on Ctrl-C and at the end, whole or not at all.
        checkpoint_seconds : float
            How often.
        resume : bool
            Go on from the checkpoint, to the bits of a fit that nothing has broken off. X, y and
            the arguments that matter must be those of before. It is an argument of `fit`, so that
            a pipeline and a search can pass it on to the estimator that they hold.
        comm : mpi4py.MPI.Comm or fastmlp.distributed.Ranks, optional
            Several processes fit together, each with at least a row of its own in X, y,
            `sample_weight`, X_val and y_val, or with its part of a source; all end with the same
            network. Rank 0 has the callbacks and the checkpoint; another number of processes may
            go on from that, but where X is larger than its buffer. It does not go with lbfgs.

        Returns
        -------
        MLPClassifier or MLPRegressor
            The estimator itself.

        Raises
        ------
        ValueError
            If an argument is not as described here, or the checkpoint is damaged, of other data or
            of other arguments.
        OSError
            If the checkpoint cannot be written or read; what was there before stays.
        """
        given = FitArguments(X, y, sample_weight, X_val, y_val, coefs_init, intercepts_init)
        with open_ranks(comm) as ranks:
            keeping = begin_keeping(self, checkpoint, checkpoint_seconds, resume, ranks)
            return fit_together(self, ranks, given, keeping)  # type: ignore[no-any-return]

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

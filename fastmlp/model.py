"""A trained network that predicts."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.feature_names import check_feature_names
from fastmlp.inputs import Features, Scale, wrap_features
from fastmlp.losses import Loss, sample_losses
from fastmlp.network import Parameters
from fastmlp.predictor import Predictor
from fastmlp.targets import as_targets

Array = NDArray[Any]


class Evaluation(NamedTuple):
    """How well a model does on labelled data."""

    loss: float
    """Mean cross-entropy, in nats."""
    score: float
    """Accuracy: share of the samples whose class is predicted."""


class Model:
    """A multilayer perceptron with its classes, as `fastmlp.train` returns it.

    Parameters
    ----------
    parameters : Parameters
        Weights and biases; used, not copied.
    classes : ndarray of shape (n_classes,)
        The label of each output.
    input_scale : Scale
        What is done to every value of X before the first layer.
    backend : str
        Name of the backend that predicts.
    n_threads : int or None
        At most so many threads predict; None chooses.
    feature_names : ndarray of shape (n_features,), object, optional
        The columns' names, which data frames must have from then on, in this order.
    """

    feature_names_in_: Array
    """Names of the features seen in training; only there if X named its columns by strings."""

    def __init__(
        self,
        parameters: Parameters,
        classes: Array,
        input_scale: Scale,
        backend: str,
        n_threads: int | None,
        feature_names: Array | None = None,
    ) -> None:
        self.predictor = Predictor(parameters, input_scale, "softmax", backend, n_threads)
        self.classes_ = classes
        if feature_names is not None:
            self.feature_names_in_ = feature_names

    @property
    def parameters(self) -> Parameters:
        """Weights and biases."""
        return self.predictor.parameters

    @property
    def input_scale(self) -> Scale:
        """What is done to every value of X before the first layer."""
        return self.predictor.scale

    @property
    def backend(self) -> str:
        """Name of the backend that predicts."""
        return self.predictor.backend

    @property
    def n_threads(self) -> int | None:
        """At most so many threads predict; None chooses."""
        return self.predictor.n_threads

    @property
    def coefs_(self) -> tuple[Array, ...]:
        """Weights of each layer, of shape (fan_in, fan_out): views, to write into."""
        return self.parameters.coefs

    @property
    def intercepts_(self) -> tuple[Array, ...]:
        """Biases of each layer, of shape (fan_out,): views, to write into."""
        return self.parameters.intercepts

    @property
    def n_features_in_(self) -> int:
        """Number of features seen in training."""
        return self.parameters.network.layer_sizes[0]

    def predict_proba(self, X: Any) -> Array:
        """Predict the probability of each class.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame of shape (n_samples, n_features)
            As in training; the model's `input_scale` is applied.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Of the dtype trained in; the columns are in the order of `classes_`.

        Raises
        ------
        ValueError
            If X has another number of columns, or columns of other names, or is not finite and
            numeric.

        Warns
        -----
        UserWarning
            If only one of X and the data trained on names its columns.
        """
        self._check_names(X)
        probabilities = self.predictor.few(X)
        if probabilities is not None:
            return probabilities
        return self.predictor(*self._unchecked(X))

    def predict(self, X: Any) -> Array:
        """Predict the most probable class; X as in `predict_proba`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.
        """
        self._check_names(X)
        scores = self.predictor.few(X)
        if scores is None:
            scores = self.predictor.logits(*self._unchecked(X))
        return np.asarray(self.classes_[scores.argmax(axis=1)])

    def score(self, X: Any, y: Any) -> float:
        """Return the accuracy on labelled data; X as in `predict_proba`.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame of shape (n_samples, n_features)
        y : array_like of shape (n_samples,)
            True labels.

        Raises
        ------
        ValueError
            If a label was not seen in training, or X and y differ in length.
        """
        self._check_names(X)
        features, check = self._unchecked(X)
        check()
        targets, _ = as_targets(y, features.n_samples, self.classes_)
        return self.evaluate(features, targets).score

    def evaluate(self, features: Features, targets: NDArray[np.intp]) -> Evaluation:
        """Compute loss and accuracy on data that has been checked already.

        Parameters
        ----------
        features : Features
        targets : ndarray of shape (n_samples,), intp
            Index of each sample's class.
        """
        logits = self.predictor.logits(features)
        loss = sample_losses(Loss("softmax"), logits, targets).mean(dtype=np.float64)
        return Evaluation(float(loss), float((logits.argmax(axis=1) == targets).mean()))

    def _check_names(self, X: Any) -> None:
        """Refuse a data frame whose columns are not those of training."""
        check_feature_names(getattr(self, "feature_names_in_", None), X)

    def _unchecked(self, X: Any) -> tuple[Features, Callable[[], None]]:
        """Read X, and return what raises where it is not finite."""
        return wrap_features(
            X, self.input_scale, self.parameters.dtype, n_features=self.n_features_in_
        )

    def __repr__(self) -> str:
        sizes = "-".join(map(str, self.parameters.network.layer_sizes))
        return f"Model({sizes}, dtype={self.parameters.dtype.name}, backend={self.backend!r})"

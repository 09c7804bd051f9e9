"""Trained networks that predict, as `fastmlp.train` returns them."""

from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp.base_model import BaseModel, Serving
from fastmlp.data.source import Source
from fastmlp.inputs import Scale
from fastmlp.losses import LOSSES, Loss
from fastmlp.network import Parameters
from fastmlp.saving.content import Content
from fastmlp.targets import as_indicators, as_targets, as_values

KINDS_OF_CLASSES = ("multiclass", "multilabel")
"""In a file; by whether a sample may have several labels."""


class Model(BaseModel):
    """A multilayer perceptron that classifies.

    Parameters
    ----------
    parameters : Parameters
        Weights and biases; used, not copied.
    classes : ndarray of shape (n_classes,)
        The label of each output.
    serving : Serving
    multilabel : bool
        Whether a sample may have any number of the labels, and not one.
    """

    def __init__(
        self, parameters: Parameters, classes: Array, serving: Serving, multilabel: bool = False
    ) -> None:
        super().__init__(parameters, Loss("logistic" if multilabel else "softmax"), serving)
        self.classes_, self.multilabel = classes, multilabel

    def predict_proba(self, X: Any) -> Array:
        """Predict the probability of each class, or of each label.

        Parameters
        ----------
        X : array_like, sparse matrix, data frame or source of shape (n_samples, n_features)
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
        return self._predictions(X)

    def predict(self, X: Any) -> Array:
        """Predict the most probable class, or which labels there are; X as in `predict_proba`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
            Labels; or 1 for each that is more probable than not, else 0.
        """
        if self.multilabel:
            return (self._predictions(X) > 0.5).astype(int)
        self._check_names(X)
        if isinstance(X, Source):
            logits = self.predictor.logits
            return np.asarray(
                self.classes_[self._in_parts(X, lambda rows: logits(rows).argmax(axis=1))]
            )
        scores = self.predictor.few(X)
        if scores is None:
            scores = self.predictor.logits(*self._unchecked(X))
        return np.asarray(self.classes_[scores.argmax(axis=1)])

    def _fitted(self) -> dict[str, Any]:
        return {"classes_": self.classes_, "kind": KINDS_OF_CLASSES[self.multilabel]}

    def _read_targets(self, y: Any, n_samples: int) -> Array:
        if self.multilabel:
            return as_indicators(y, n_samples, self.parameters.dtype, len(self.classes_))
        return as_targets(y, n_samples, self.classes_)[0]


class RegressionModel(BaseModel):
    """A multilayer perceptron that predicts numbers.

    Parameters
    ----------
    parameters : Parameters
        Weights and biases; used, not copied.
    loss : Loss
        What was minimised.
    flat : bool
        Whether predictions are a vector, as y was.
    serving : Serving
    """

    def __init__(self, parameters: Parameters, loss: Loss, flat: bool, serving: Serving) -> None:
        super().__init__(parameters, loss, serving)
        self.flat = flat

    def predict(self, X: Any) -> Array:
        """Predict.

        Parameters
        ----------
        X : array_like, sparse matrix, data frame or source of shape (n_samples, n_features)
            As in training; the model's `input_scale` is applied.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            As y was in training, of the dtype trained in.

        Raises
        ------
        ValueError
            If X has another number of columns, or columns of other names, or is not finite and
            numeric.
        """
        predictions = self._predictions(X)
        return predictions.ravel() if self.flat else predictions

    def _fitted(self) -> dict[str, Any]:
        return {"flat": self.flat}

    def _read_targets(self, y: Any, n_samples: int) -> Array:
        n_outputs = self.parameters.network.layer_sizes[-1]
        n_targets = n_outputs // LOSSES[self.loss.name].outputs_per_target
        return as_values(y, n_samples, self.parameters.dtype, n_targets)[0]


def restore(content: Content) -> BaseModel:
    """Make the model that a file describes.

    Parameters
    ----------
    content : Content

    Returns
    -------
    Model or RegressionModel

    Raises
    ------
    ValueError, KeyError, TypeError
        If its parts do not fit one another.
    """
    settings, fitted = content.settings, content.fitted
    parameters = Parameters.of_layers(content.coefs, content.intercepts, content.activations)
    loss = Loss(*settings["loss"])
    scale = Scale(*map(float, settings["input_scale"]))
    named = fitted.get("feature_names_in_"), bool(settings.get("named_apart"))
    serving = Serving(scale, settings["backend"], settings["n_threads"], *named)
    if content.kind == "Model":
        classes = np.asarray(fitted["classes_"])
        n_outputs = parameters.network.layer_sizes[-1]
        if classes.shape != (n_outputs,):
            raise ValueError(f"{classes.shape} classes for {n_outputs} outputs")
        multilabel = fitted.get("kind") == KINDS_OF_CLASSES[True]
        return Model(parameters, classes, serving, multilabel)
    return RegressionModel(parameters, loss, bool(fitted["flat"]), serving)


KINDS = ("Model", "RegressionModel")
"""What `restore` makes."""

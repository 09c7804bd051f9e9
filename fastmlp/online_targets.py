"""What `OnlineTrainer` learns: one label a row, several, or numbers."""

from abc import ABC, abstractmethod
from numbers import Integral
from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp._checks import check_whole
from fastmlp._errors import invalid
from fastmlp.base_model import Serving
from fastmlp.configuration import LOSS_NAMES
from fastmlp.losses import Loss
from fastmlp.model import Model, RegressionModel
from fastmlp.network import Parameters

OUTPUTS = "at least 2 class labels, or how many labels a row may have, at least 2,"


class OnlineTargets(ABC):
    """Reads the targets of each step; unless a kind says otherwise, they are rows of numbers.

    Attributes
    ----------
    loss : str
        A key of `fastmlp.losses.LOSSES`.
    n_targets : int
    """

    loss: str
    n_targets: int

    def like(self, n_rows: int, dtype: np.dtype[Any]) -> Array:
        """Make targets of so many rows, as the engine takes them."""
        return np.zeros((n_rows, self.n_targets), dtype)

    @abstractmethod
    def read(self, y: Any, n_rows: int) -> Array:
        """Turn `y` into the engine's targets; a `ValueError` where it cannot be used."""

    @abstractmethod
    def model(self, parameters: Parameters, loss: Loss, serving: Serving) -> Any:
        """Make the model that predicts them."""


class OneLabel(OnlineTargets):
    """One of some classes in each row.

    Parameters
    ----------
    classes : array_like of shape (n_classes,)
    """

    loss = "softmax"

    def __init__(self, classes: Any) -> None:
        self.classes = np.unique(np.asarray(classes))
        self.n_targets = len(self.classes)
        if self.n_targets < 2:
            raise _unusable(classes)

    def like(self, n_rows: int, dtype: np.dtype[Any]) -> Array:
        """Make numbers of classes; see `OnlineTargets.like`."""
        return np.zeros(n_rows, np.intp)

    def read(self, y: Any, n_rows: int) -> Array:
        """Turn labels into the numbers of their classes."""
        y, classes = np.asarray(y), self.classes
        if y.shape != (n_rows,):
            raise invalid("y", f"of shape ({n_rows},), as long as X", f"shape {y.shape}")
        if y.dtype.kind != classes.dtype.kind:
            raise invalid("y", f"labels like {classes[:1].tolist()}", f"dtype {y.dtype}")
        codes = classes.searchsorted(y)
        if codes.max() == len(classes) or not (classes[codes] == y).all():
            unknown = [label for label in y.tolist() if label not in classes.tolist()]
            raise invalid("y", f"of the classes {classes.tolist()[:10]}", repr(unknown[0]))
        return np.asarray(codes)

    def model(self, parameters: Parameters, loss: Loss, serving: Serving) -> Model:
        """Make a classifier."""
        return Model(parameters, self.classes, serving)


class SeveralLabels(OnlineTargets):
    """Any of some labels in each row.

    Parameters
    ----------
    n_labels : int
    """

    loss = "logistic"

    def __init__(self, n_labels: int) -> None:
        if n_labels < 2:
            raise _unusable(n_labels)
        self.n_targets = n_labels

    def read(self, y: Any, n_rows: int) -> Array:
        """Check which labels each row has."""
        y, shape = np.asarray(y), (n_rows, self.n_targets)
        rule = f"0 and 1, of shape {shape}, that say which labels each row has"
        if y.dtype.kind not in "biuf" or y.shape != shape:
            remedy = "Where a row has one label, the trainer's outputs are the classes."
            raise invalid("y", rule, f"{y.dtype} of shape {y.shape}", remedy)
        if not (known := (y == 0) | (y == 1)).all():
            raise invalid("y", rule, repr(y[~known][0].item()))
        return np.asarray(y)

    def model(self, parameters: Parameters, loss: Loss, serving: Serving) -> Model:
        """Make a classifier of several labels."""
        return Model(parameters, np.arange(self.n_targets), serving, multilabel=True)


class Numbers(OnlineTargets):
    """Numbers to predict.

    Parameters
    ----------
    loss : str
    n_targets : int
        In each row.
    """

    def __init__(self, loss: str, n_targets: int) -> None:
        self.loss, self.n_targets = loss, n_targets

    def read(self, y: Any, n_rows: int) -> Array:
        """Check numbers, and make rows of them."""
        y, shape = np.asarray(y), (n_rows, self.n_targets)
        if y.dtype.kind not in "biuf" or y.size != n_rows * self.n_targets:
            raise invalid("y", f"numbers of shape {shape}", f"{y.dtype} of shape {y.shape}")
        if not np.isfinite(y).all():
            raise invalid("y", "finite", "NaN or infinity")
        return np.asarray(y.reshape(n_rows, -1))

    def model(self, parameters: Parameters, loss: Loss, serving: Serving) -> RegressionModel:
        """Make what predicts numbers, in a vector where it is one a row."""
        return RegressionModel(parameters, loss, self.n_targets == 1, serving)


def as_online_targets(outputs: Any, loss: str) -> OnlineTargets:
    """Find out what is to be learned.

    Parameters
    ----------
    outputs : int or array_like of shape (n_classes,)
    loss : str
        See `fastmlp.train`.

    Raises
    ------
    ValueError
        If `outputs` does not suit the loss.
    """
    if loss != "cross_entropy":
        return Numbers(LOSS_NAMES[loss], check_whole("outputs", outputs))
    if isinstance(outputs, Integral):
        return SeveralLabels(int(outputs))
    if np.ndim(outputs) != 1:
        raise _unusable(outputs)
    return OneLabel(outputs)


def _unusable(outputs: Any) -> ValueError:
    return invalid("outputs", f"{OUTPUTS} with loss='cross_entropy'", repr(outputs))

"""Class labels and the codes that the engine learns."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import column_or_1d

from fastmlp._arrays import Array


class Labels(NamedTuple):
    """What kind of classification it is, and its classes."""

    kind: str
    """"binary", "multiclass" or "multilabel"."""
    classes: Array
    """(n_classes,)."""

    @property
    def n_outputs(self) -> int:
        """Number of the network's outputs: two classes share one."""
        return 1 if self.kind == "binary" else len(self.classes)

    @property
    def loss(self) -> str:
        """Name of the loss."""
        return "softmax" if self.kind == "multiclass" else "logistic"

    def have(self, y: Any) -> bool:
        """Tell whether y is a vector of these classes that scikit-learn's checks let pass.

        They take as long as ten steps of a small network. For one that differs from the classes in
        its type, or is rich enough in classes to be warned of, they are needed.
        """
        classes = self.classes
        plain = type(y) is np.ndarray and y.ndim == 1 and y.size > 0 and self.kind != "multilabel"
        if not (plain and y.dtype == classes.dtype and y.dtype.kind in "biu"):
            return False
        found = classes.take(classes.searchsorted(y), mode="clip")
        few = 2 * len(classes) <= len(y) or 2 * len(set(y.tolist())) <= len(y)
        return few and bool((found == y).all())

    def encode(self, y: Array, dtype: np.dtype[Any]) -> Array:
        """Turn labels into the engine's targets.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Known labels only; see `require_known`.
        dtype : dtype
            Of the targets of logistic outputs.

        Returns
        -------
        ndarray of shape (n_samples,), intp, or (n_samples, n_outputs)
        """
        if self.kind == "multilabel":
            return np.asarray(dense(y) != 0).astype(dtype)
        if are_numbers(y, self.classes):  # of two integer types NumPy makes floats, which merge
            y = y.astype(self.classes.dtype)
        codes = np.searchsorted(self.classes, y)
        if self.kind == "multiclass":
            return codes.astype(np.intp)
        return codes.astype(dtype).reshape(-1, 1)

    def decode(self, predictions: Array) -> Array:
        """Turn predictions of shape (n_samples, n_outputs) into labels."""
        if self.kind == "multiclass":
            return np.asarray(self.classes[predictions.argmax(axis=1)])
        likely = (predictions > 0.5).astype(int)
        if self.kind == "multilabel":
            return likely
        return np.asarray(self.classes[np.minimum(likely[:, 0], len(self.classes) - 1)])


def dense(y: Any) -> Array:
    """Make a dense array of what may be a sparse matrix."""
    return np.asarray(y.toarray() if hasattr(y, "toarray") else y)


def tidy(y: Any) -> Array:
    """Make labels a vector where they are a matrix of one column, with scikit-learn's warning."""
    if not hasattr(y, "toarray"):
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
    check_classification_targets(y)
    return dense(y)


def find_labels(y: Any, classes: Any = None) -> Labels:
    """Find the classes, and the kind of classification.

    Parameters
    ----------
    y : array_like
        Labels, tidied.
    classes : array_like, optional
        All classes where `y` need not have them all.
    """
    if type_of_target(y).startswith("multilabel"):
        return Labels("multilabel", np.arange(y.shape[1]))
    found = unique_labels(y) if classes is None else unique_labels(classes)
    return Labels("binary" if len(found) <= 2 else "multiclass", found)


def are_numbers(*arrays: Array) -> bool:
    """Tell whether all arrays hold numbers or booleans."""
    return all(array.dtype.kind in "biuf" for array in arrays)


def has_others(found: Array, classes: Array) -> bool:
    """Tell whether there are labels that are no class; numbers are compared exactly."""
    if are_numbers(found, classes):
        return not set(found.tolist()) <= set(classes.tolist())
    return np.setdiff1d(found, classes).size > 0


def require_known(labels: Labels, y: Array, warm_start: bool) -> None:
    """Raise scikit-learn's `ValueError` where labels are not those of the fits before."""
    if labels.kind == "multilabel":
        if y.ndim != 2 or y.shape[1] != len(labels.classes):
            raise ValueError(
                f"`y` must be an indicator matrix of {len(labels.classes)} labels, as in the "
                f"previous call; got shape {y.shape}."
            )
        return
    classes = unique_labels(y)
    if warm_start and set(classes.tolist()) != set(labels.classes.tolist()):
        raise ValueError(
            "warm_start can only be used where `y` has the same classes as in the previous call "
            f"to fit. Previously got {labels.classes}, `y` has {classes}"
        )
    if has_others(classes, labels.classes):
        raise ValueError(
            f"`y` has classes not in `self.classes_`. `self.classes_` has {labels.classes}. "
            f"'y' has {classes}."
        )

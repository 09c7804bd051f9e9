"""What each sample weighs: by itself, and by its class."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp._arrays import Array, Indices
from fastmlp._checks import check_real
from fastmlp._errors import invalid
from fastmlp.containers import as_array

NAME = "class_weight"


def count_classes(targets: Any) -> Indices:
    """Count the samples of each class; or those without and with each label.

    Parameters
    ----------
    targets : Targets
        Of `training_data`, of classes.

    Returns
    -------
    ndarray of shape (n_classes,) or (2, n_labels), intp
    """
    codes = targets.codes
    if not targets.multilabel:
        return np.bincount(codes)
    with_label = (codes == 1).sum(axis=0)
    return np.stack([len(codes) - with_label, with_label])


def weigh(
    sample_weight: Any, class_weight: Any, targets: Any, counts: Array, n_samples: int
) -> Array | None:
    """Put together all that weighs the samples.

    Parameters
    ----------
    sample_weight : array_like of shape (n_samples,), or None
    class_weight, targets, counts
        See `class_weights`; the first may be None.
    n_samples : int

    Returns
    -------
    ndarray of shape (n_samples,), or None

    Raises
    ------
    ValueError
        If one of them cannot be used.
    """
    weights, name = None, "sample_weight"
    if sample_weight is not None:
        weights = as_array(sample_weight, name)
        if weights.shape != (n_samples,) or weights.dtype.kind not in "biuf":
            got = f"{weights.dtype} of shape {weights.shape}"
            raise invalid(name, f"{n_samples} numbers, one a row of X", got)
    if class_weight is None:
        return weights
    of_classes = class_weights(class_weight, targets, counts)
    return of_classes if weights is None else weights * of_classes


def name_of(weights: tuple[Any, Any]) -> str:
    """Name what weighs the samples."""
    names = zip(("sample_weight", "class_weight"), weights, strict=True)
    return " times ".join(name for name, given in reversed(list(names)) if given is not None)


def class_weights(class_weight: Any, targets: Any, counts: Array) -> Array:
    """Look up each sample's weight by its class; of several labels, the product of theirs.

    Parameters
    ----------
    class_weight : "balanced", dict, or list of dict for several labels
    targets : Targets
        Of `training_data`.
    counts : ndarray
        Of all samples; see `count_classes`.

    Returns
    -------
    ndarray of shape (n_samples,), float64

    Raises
    ------
    ValueError
        If it is none of these, or has a class that there is not.
    """
    classes, codes = targets.classes, targets.codes
    if classes is None:
        raise invalid(NAME, "left out where numbers are predicted", repr(class_weight))
    if targets.multilabel:
        weights = _of_labels(class_weight, counts)
        chosen: Array = np.where(codes == 1, weights[1], weights[0])
        return np.asarray(chosen.prod(axis=1))
    if isinstance(class_weight, str) and class_weight == "balanced":
        of_classes = counts.sum() / (len(classes) * counts)
        return np.asarray(of_classes[codes])
    if not isinstance(class_weight, dict):
        raise invalid(NAME, "None, 'balanced' or a dict", repr(class_weight))
    return np.asarray(_of_classes(class_weight, classes.tolist())[codes])


def _of_labels(class_weight: Any, counts: Indices) -> Array:
    """Look up what a sample without and one with each label weighs, (2, n_labels)."""
    n_labels = counts.shape[1]
    if isinstance(class_weight, str) and class_weight == "balanced":
        found = counts > 0
        return np.asarray(counts.sum(axis=0) / (found.sum(axis=0) * np.where(found, counts, 1)))
    listed = isinstance(class_weight, Sequence) and not isinstance(class_weight, str)
    if not listed or [type(one) for one in class_weight] != [dict] * n_labels:
        rule = f"None, 'balanced' or a list of {n_labels} dicts of 0 and 1, one a label"
        raise invalid(NAME, rule, repr(class_weight))
    return np.array([_of_classes(one, [0, 1]) for one in class_weight]).T


def _of_classes(weights: dict[Any, Any], labels: list[Any]) -> Array:
    """Look up the weight of each class; what a dict has not weighs 1."""
    unknown = [label for label in weights if label not in labels]
    if unknown:
        raise invalid(NAME, "a dict of classes of y", repr(unknown[0]))
    return np.array([check_real(NAME, weights.get(label, 1.0), 0) for label in labels])

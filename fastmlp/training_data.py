"""What `train` learns from: the user's arrays or a data set, checked."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._checks import check_real
from fastmlp._errors import invalid, warn
from fastmlp.containers import as_array, refuse_unread
from fastmlp.datasets.dataset import Dataset
from fastmlp.feature_names import check_feature_names, feature_names
from fastmlp.inputs import Features, Scale, as_features, input_scale_pair
from fastmlp.losses import LOSSES
from fastmlp.sample_weights import as_weights
from fastmlp.targets import REGRESSION, are_like_regression, as_targets, as_values

Array = NDArray[Any]

CLASSIFICATION = "cross_entropy"
"""The loss whose targets are classes."""


class DefaultName(str):
    """A default that can be told from the same string given by the user."""


class Targets(NamedTuple):
    """What is to be predicted."""

    codes: Array
    """(n_samples,) intp, each sample's class; or (n_samples, n_outputs), of what is computed in."""
    classes: Array | None
    """(n_classes,); None where numbers are predicted."""
    n_outputs: int
    flat: bool
    """Whether predictions are a vector, as y was."""


class TrainingData(NamedTuple):
    """What is trained and validated on, checked."""

    features: Features
    targets: Targets
    weights: Array | None
    """(n_samples,), of what is computed in."""
    feature_names: Array | None
    named_apart: bool
    """Whether the names came apart from X, with a data set."""
    validation: tuple[Features, Array] | None


class _Given(NamedTuple):
    """Data as they were given, and what their giver calls them."""

    X: Any
    y: Any
    names: tuple[str, str]
    feature_names: tuple[str, ...] | None = None
    """Those of a data set, which come apart from its arrays."""


def load(
    X: Any,
    y: Any,
    dataset: str | Dataset,
    input_scale: Any,
    validation: tuple[Any, Any],
    weights: tuple[Any, Any],
    settings: Any,
) -> TrainingData:
    """Take the user's arrays or the data set and check them.

    Parameters
    ----------
    X, y, dataset, input_scale
        See `fastmlp.train`.
    validation : (X_val, y_val)
    weights : (sample_weight, class_weight)
    settings : SimpleNamespace
        See `fastmlp.configuration.read_settings`. With `early_stopping` something is selected on
        the validation set, which a data set's test part must not be used for.

    Returns
    -------
    TrainingData

    Raises
    ------
    ValueError
        If one of them cannot be used.
    """
    training = _given_together(X, y, ("X", "y"))
    held = _given_together(*validation, ("X_val", "y_val"))
    if training is None:
        from fastmlp import datasets

        named = dataset if isinstance(dataset, Dataset) else datasets.load(dataset)
        columns = named.feature_names
        training = _Given(named.X_train, named.y_train, ("X_train", "y_train"), columns)
        if held is None and not settings.early_stopping:
            held = _Given(named.X_test, named.y_test, ("X_test", "y_test"))
        input_scale = named.input_scale if input_scale is None else input_scale
    elif not isinstance(dataset, DefaultName):
        remedy = "Leave one of the two out."
        raise invalid("dataset", "left out where X and y are given", repr(dataset), remedy)
    scale = input_scale_pair(input_scale)
    return _check(training, held, scale, weights, settings.loss, settings.dtype)


def _given_together(X: Any, y: Any, names: tuple[str, str]) -> _Given | None:
    """Return data and labels, or None where neither is given."""
    if X is None and y is None:
        return None
    refuse_unread(X, names[0])
    if X is None or y is None:
        raise invalid(" and ".join(names), "given together", "one without the other")
    return _Given(X, y, names)


def _check(
    training: _Given, held: _Given | None, scale: Scale, weights: tuple[Any, Any], loss: str,
    dtype: np.dtype[Any],
) -> TrainingData:  # fmt: skip
    """Check the data, and the validation set against those that are trained on."""
    X_name = training.names[0]
    apart = training.feature_names
    columns = feature_names(training.X, X_name) if apart is None else np.array(apart, dtype=object)
    named_apart = apart is not None
    features = as_features(training.X, scale, dtype, X_name)
    targets = _read(training, features.n_samples, loss, dtype)
    validation = None
    if held is not None:
        X_name = held.names[0]
        check_feature_names(columns, held.X, X_name, named_apart)
        held_features = as_features(held.X, scale, dtype, X_name, features.n_features)
        codes = _read(held, held_features.n_samples, loss, dtype, targets).codes
        validation = held_features, codes
    if targets.classes is not None and are_like_regression(targets.classes, len(targets.codes)):
        warn(
            f"y has {len(targets.classes)} different numbers in {len(targets.codes)} samples. "
            f"{REGRESSION}",
        )
    checked = _weigh(*weights, targets, features.n_samples, dtype)
    return TrainingData(features, targets, checked, columns, named_apart, validation)


def _read(
    given: _Given, n_samples: int, loss: str, dtype: np.dtype[Any], known: Targets | None = None
) -> Targets:
    """Read labels, or the numbers to be predicted; `known` are those trained on."""
    X_name, y_name = given.names
    if loss == CLASSIFICATION:
        classes = None if known is None else known.classes
        codes, classes = as_targets(given.y, n_samples, classes, (y_name, X_name))
        return Targets(codes, classes, len(classes), False)
    n_outputs = None if known is None else known.n_outputs
    values, flat = as_values(given.y, n_samples, dtype, n_outputs, (y_name, X_name))
    least = LOSSES[loss].least
    if (values < least).any():
        raise invalid(y_name, f"at least {least:g} with loss={loss!r}", float(values.min()))
    return Targets(values, None, values.shape[1], flat)


def _weigh(
    sample_weight: Any, class_weight: Any, targets: Targets, n_samples: int, dtype: np.dtype[Any]
) -> Array | None:
    """Put together all that weighs the samples."""
    weights, name = None, "sample_weight"
    if sample_weight is not None:
        weights = as_array(sample_weight, name)
        if weights.shape != (n_samples,) or weights.dtype.kind not in "biuf":
            got = f"{weights.dtype} of shape {weights.shape}"
            raise invalid(name, f"{n_samples} numbers, one a row of X", got)
    if class_weight is not None:
        of_classes = _class_weights(class_weight, targets)
        name = "class_weight" if weights is None else "class_weight times sample_weight"
        weights = of_classes if weights is None else weights * of_classes
    return None if weights is None else as_weights(weights, dtype, name, False)


def _class_weights(class_weight: Any, targets: Targets) -> Array:
    """Look up each sample's weight by its class."""
    classes, codes = targets.classes, targets.codes
    if classes is None:
        raise invalid("class_weight", "left out where numbers are predicted", repr(class_weight))
    if class_weight == "balanced":
        return np.asarray(len(codes) / (len(classes) * np.bincount(codes)))[codes]
    if not isinstance(class_weight, dict):
        raise invalid("class_weight", "None, 'balanced' or a dict", repr(class_weight))
    labels = classes.tolist()
    unknown = [label for label in class_weight if label not in labels]
    if unknown:
        raise invalid("class_weight", "a dict of classes of y", repr(unknown[0]))
    weights = [check_real("class_weight", class_weight.get(label, 1.0), 0) for label in labels]
    return np.array(weights)[codes]


def hold_out(
    data: TrainingData, fraction: float, generator: np.random.Generator
) -> tuple[TrainingData, NDArray[np.intp] | None]:
    """Choose samples to validate on where no others are given.

    Parameters
    ----------
    data : TrainingData
    fraction : float
        Of the samples, of each class alike.
    generator : numpy.random.Generator

    Returns
    -------
    data : TrainingData
        With a validation set.
    rows : ndarray of shape (n_rows,), intp, or None
        The samples to train on; None takes all.
    """
    if data.validation is not None:
        return data, None
    rows = split(data.targets, fraction, generator)
    return without_rows(data, rows), rows


def without_rows(data: TrainingData, rows: NDArray[np.intp]) -> TrainingData:
    """Validate on all samples but those that are trained on."""
    held = np.setdiff1d(np.arange(data.features.n_samples), rows)
    part = replace(data.features, values=data.features.values[held])
    return data._replace(validation=(part, data.targets.codes[held]))


def split(targets: Targets, fraction: float, generator: np.random.Generator) -> NDArray[np.intp]:
    """Choose the samples to train on at random, of each class alike.

    Parameters
    ----------
    targets : Targets
    fraction : float
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_rows,), intp
        In ascending order; the others are held out.

    Raises
    ------
    ValueError
        If too few would be held out, or a class has one member only.
    """
    n_samples, codes = len(targets.codes), targets.codes
    order = generator.permutation(n_samples)
    if targets.classes is not None:
        counts = np.bincount(codes)
        if counts.min() < 2:
            rule = "of at least 2 samples of each class, one to hold out for early_stopping"
            label = targets.classes.tolist()[int(counts.argmin())]
            raise invalid("y", rule, f"1 of class {label!r}", "Pass X_val and y_val instead.")
        order = _spread(codes, order)
    n_held = int(np.ceil(fraction * n_samples))
    if not 2 <= n_held <= n_samples - 1:
        rule = f"a share that holds out 2 to {n_samples - 1} of {n_samples} samples"
        raise invalid("validation_fraction", rule, fraction, "Pass X_val and y_val instead.")
    return np.sort(order[n_held:])


def _spread(codes: Array, order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Sort samples so that each first part of them holds the classes in their shares."""
    by_class = order[np.argsort(codes[order], kind="stable")]
    counts = np.bincount(codes)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    share = (np.arange(len(codes)) - starts + 0.5) / np.repeat(counts, counts)
    return by_class[np.argsort(share, kind="stable")]

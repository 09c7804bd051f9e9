"""What `train` learns from: the user's arrays or a data set, checked."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._errors import invalid, warn
from fastmlp.class_weights import class_weights, count_classes
from fastmlp.containers import as_array, refuse_unread
from fastmlp.datasets.dataset import Dataset
from fastmlp.feature_names import check_feature_names, feature_names
from fastmlp.inputs import Features, Scale, as_features, input_scale_pair
from fastmlp.losses import LOSSES
from fastmlp.ranks import Alone
from fastmlp.sample_weights import as_weights
from fastmlp.targets import (
    REGRESSION,
    are_like_regression,
    as_indicators,
    as_targets,
    as_values,
    has_columns,
)

Array = NDArray[Any]

CLASSIFICATION = "cross_entropy"
"""The loss whose targets are classes."""


class DefaultName(str):
    """A default that can be told from the same string given by the user."""


class Targets(NamedTuple):
    """What is to be predicted."""

    codes: Array
    """(n_samples,) intp, each sample's class; or (n_samples, n_outputs), of what is computed in: 0
    and 1 where a sample has several labels, or numbers to predict."""
    classes: Array | None
    """(n_classes,); None where numbers are predicted."""
    n_outputs: int
    flat: bool
    """Whether predictions are a vector, as y was."""

    @property
    def multilabel(self) -> bool:
        """Whether a sample has several labels."""
        return self.classes is not None and self.codes.ndim == 2


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
    ranks: Alone,
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
    ranks : Alone
        Those that train together: told of this one's rows, which are a share of a data set.

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
        columns, rows = named.feature_names, ranks.share(len(named.X_train))
        names = ("X_train", "y_train")
        training = _Given(named.X_train[rows], named.y_train[rows], names, columns)
        if held is None and not settings.early_stopping:
            rows = ranks.share(len(named.X_test))
            held = _Given(named.X_test[rows], named.y_test[rows], ("X_test", "y_test"))
        input_scale = named.input_scale if input_scale is None else input_scale
    elif not isinstance(dataset, DefaultName):
        remedy = "Leave one of the two out."
        raise invalid("dataset", "left out where X and y are given", repr(dataset), remedy)
    scale = input_scale_pair(input_scale)
    return _check(training, held, scale, weights, settings, ranks)


def _given_together(X: Any, y: Any, names: tuple[str, str]) -> _Given | None:
    """Return data and labels, or None where neither is given."""
    if X is None and y is None:
        return None
    refuse_unread(X, names[0])
    if X is None or y is None:
        raise invalid(" and ".join(names), "given together", "one without the other")
    return _Given(X, y, names)


class _Part(NamedTuple):
    """What one rank reads of the data that are trained on."""

    features: Features
    targets: Targets
    feature_names: Array | None

    def describe(self, weights: tuple[Any, Any]) -> "_Described":
        """Say what the other ranks must know."""
        features, targets, names = self
        classes = targets.classes
        counts = np.empty(0, np.intp) if classes is None else count_classes(targets)
        alike = {
            "columns": features.n_features,
            "names of the columns": None if names is None else names.tolist(),
            "numbers to predict": None if classes is not None else targets.n_outputs,
            "labels a sample": targets.n_outputs if targets.multilabel else None,
            "kind of vector": targets.flat,
            "weights": [given is not None for given in weights],
        }
        return _Described(alike, features.n_samples, classes, counts)


class _Described(NamedTuple):
    """What all ranks know of the data of one."""

    alike: dict[str, Any]
    """Must be the same on all ranks."""
    n_samples: int
    classes: Array | None
    counts: Array
    """See `count_classes`."""


def _check(
    training: _Given, held: _Given | None, scale: Scale, weights: tuple[Any, Any], settings: Any,
    ranks: Alone,
) -> TrainingData:  # fmt: skip
    """Check the data, and the validation set against those that are trained on."""
    apart, dtype = training.feature_names, settings.dtype

    def read() -> _Part:
        X, name = training.X, training.names[0]
        names = feature_names(X, name) if apart is None else np.array(apart, dtype=object)
        features = as_features(X, scale, dtype, name, fewest=ranks.fewest_rows)
        return _Part(features, _read(training, features, settings.loss, ranks.fewest_rows), names)

    part, everyone = ranks.collect(read, lambda part: part.describe(weights))

    def finish() -> tuple[TrainingData, Array | None]:
        targets, counts = _unite(part.targets, everyone)
        ranks.place([described.n_samples for described in everyone])
        validation = None
        if held is not None:
            check_feature_names(part.feature_names, held.X, held.names[0], apart is not None)
            validation = _read_held(held, part.features, targets, settings.loss, ranks)
        if targets.classes is not None and not targets.multilabel and ranks.rank == 0:
            _warn_of_numbers(targets.classes, ranks.n_samples)
        weighing = _weigh(*weights, targets, counts, part.features.n_samples)
        data = TrainingData(
            part.features, targets, None, part.feature_names, apart is not None, validation
        )
        return data, weighing

    (data, weighing), _ = ranks.collect(finish)
    if weighing is None:
        return data
    of_all, name = ranks.gather(weighing), _name_of(weights)
    checked, _ = ranks.collect(lambda: as_weights(of_all, dtype, name, False))
    return data._replace(weights=checked)


def _unite(targets: Targets, everyone: list[_Described]) -> tuple[Targets, Array]:
    """Give the classes of all ranks numbers, and count the samples of each."""
    for number, described in enumerate(everyone):
        for what, first in everyone[0].alike.items():
            if described.alike[what] != first:
                rule = f"data with the same {what} on all ranks"
                got = f"{first} on rank 0, {described.alike[what]} on rank {number}"
                raise invalid("X, y and sample_weight", rule, got)
    if targets.classes is None or len(everyone) == 1:
        return targets, everyone[0].counts
    if targets.multilabel:
        return targets, np.sum([described.counts for described in everyone], axis=0)
    found: list[Array] = [np.asarray(one.classes) for one in everyone if one.n_samples]
    kinds = {kind_of(one) for one in found}
    if len(kinds) > 1:
        raise invalid("y", "labels of one type on all ranks", " and ".join(sorted(kinds)))
    classes: Array = np.unique(np.concatenate(found))
    if len(classes) < 2:
        raise invalid("y", "of at least 2 classes", f"1 class ({classes[0]!r}) on all ranks")
    counts = np.zeros(len(classes), np.intp)
    counted = [described.counts for described in everyone if described.n_samples]
    for own_classes, own_counts in zip(found, counted, strict=True):
        counts[np.searchsorted(classes, own_classes)] += own_counts
    own = targets.classes.astype(classes.dtype)
    codes = np.searchsorted(classes, own)[targets.codes].astype(np.intp)
    return Targets(codes, classes, len(classes), False), counts


def kind_of(labels: Array) -> str:
    """Name the type of labels: those of two types do not sort."""
    return "numbers" if labels.dtype.kind in "biuf" else type(labels.tolist()[0]).__name__


def _read_held(
    held: _Given, features: Features, targets: Targets, loss: str, ranks: Alone
) -> tuple[Features, Array]:
    """Read a validation set."""
    found = as_features(
        held.X, features.scale, features.dtype, held.names[0], features.n_features,
        fewest=ranks.fewest_rows,
    )  # fmt: skip
    return found, _read(held, found, loss, ranks.fewest_rows, targets).codes


def _warn_of_numbers(classes: Array, n_samples: int) -> None:
    """Warn where labels look like numbers to predict."""
    if are_like_regression(classes, n_samples):
        warn(f"y has {len(classes)} different numbers in {n_samples} samples. {REGRESSION}")


def _read(
    given: _Given, features: Features, loss: str, fewest: int, known: Targets | None = None
) -> Targets:
    """Read labels, or the numbers to be predicted; `known` are those trained on.

    Where one of several ranks may have no rows it may have one class, too.
    """
    X_name, y_name = given.names
    n_samples, dtype = features.n_samples, features.dtype
    if loss == CLASSIFICATION:
        if has_columns(given.y) if known is None else known.multilabel:
            n_labels = None if known is None else known.n_outputs
            codes = as_indicators(given.y, n_samples, dtype, n_labels, (y_name, X_name))
            return Targets(codes, np.arange(codes.shape[1]), codes.shape[1], False)
        classes = None if known is None else known.classes
        fewest_classes = 2 if fewest > 0 else 0
        names = y_name, X_name
        codes, classes = as_targets(given.y, n_samples, classes, names, fewest_classes)
        return Targets(codes, classes, len(classes), False)
    n_outputs = None if known is None else known.n_outputs
    values, flat = as_values(given.y, n_samples, dtype, n_outputs, (y_name, X_name), fewest)
    least = LOSSES[loss].least
    if (values < least).any():
        raise invalid(y_name, f"at least {least:g} with loss={loss!r}", float(values.min()))
    return Targets(values, None, values.shape[1], flat)


def _weigh(
    sample_weight: Any, class_weight: Any, targets: Targets, counts: Array, n_samples: int
) -> Array | None:
    """Put together all that weighs the samples."""
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


def _name_of(weights: tuple[Any, Any]) -> str:
    """Name what weighs the samples."""
    names = zip(("sample_weight", "class_weight"), weights, strict=True)
    return " times ".join(name for name, given in reversed(list(names)) if given is not None)


def hold_out(
    data: TrainingData, fraction: float, generator: np.random.Generator, ranks: Alone
) -> tuple[TrainingData, NDArray[np.intp] | None]:
    """Choose samples to validate on where no others are given.

    Parameters
    ----------
    data : TrainingData
    fraction : float
        Of the samples, of each class alike where each has one.
    generator : numpy.random.Generator
        The same on all ranks.
    ranks : Alone

    Returns
    -------
    data : TrainingData
        With a validation set.
    rows : ndarray of shape (n_rows,), intp, or None
        The samples to train on, of all ranks; None takes all.
    """
    if data.validation is not None:
        return data, None
    of_all = data.targets._replace(codes=ranks.gather(data.targets.codes))
    rows, _ = ranks.collect(lambda: split(of_all, fraction, generator))
    return without_rows(data, rows, ranks), rows


def without_rows(data: TrainingData, rows: NDArray[np.intp], ranks: Alone) -> TrainingData:
    """Validate on all samples but those that are trained on."""
    held = ranks.own(np.setdiff1d(np.arange(ranks.n_samples), rows))
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
    if targets.classes is not None and not targets.multilabel:
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

"""What `train` learns from: the user's arrays or a data set, checked."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from fastmlp._arrays import Array, Indices
from fastmlp._errors import invalid, warn
from fastmlp.backends.contract import Problem
from fastmlp.class_weights import count_classes, name_of, weigh
from fastmlp.containers import refuse_unread
from fastmlp.data.fitting import is_small, read_whole, require_target, weights_of
from fastmlp.data.reading import Encode, Reader
from fastmlp.data.source import Source, names_of, require_no_target, require_width
from fastmlp.datasets.dataset import Dataset
from fastmlp.feature_names import check_feature_names, compare_names, feature_names
from fastmlp.held_out import HeldBlocks, Targets, Validation, split
from fastmlp.inputs import Features, Scale, as_features, input_scale_pair
from fastmlp.losses import LOSSES
from fastmlp.ranks import Alone, require_alike
from fastmlp.rng import Permutations
from fastmlp.sample_weights import as_weights
from fastmlp.targets import (
    REGRESSION,
    are_like_regression,
    as_indicators,
    as_targets,
    as_values,
    has_columns,
    kind_of,
)

CLASSIFICATION = "cross_entropy"
"""The loss whose targets are classes."""


class DefaultName(str):
    """A default that can be told from the same string given by the user."""


class TrainingData(NamedTuple):
    """What is trained and validated on, checked."""

    features: Features
    targets: Targets
    weights: Array | None
    """(n_samples,), of what is computed in."""
    feature_names: Array | None
    named_apart: bool
    """Whether the names came apart from X, with a data set."""
    validation: Validation | None
    ranks: Alone
    """Those that train together; the rest is of this one's rows, but for the weights, of all."""

    @property
    def n_samples(self) -> int:
        """Number of rows of all ranks, held-out ones included."""
        return self.ranks.n_samples

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return self.features.n_features

    @property
    def scale(self) -> Scale:
        """What is done to the values of X."""
        return self.features.scale

    def hold_out(
        self, fraction: float, generator: np.random.Generator
    ) -> tuple["TrainingData", Indices | None]:
        """Choose samples to validate on where no others are given.

        Parameters
        ----------
        fraction : float
            Of the samples, of each class alike where each has one.
        generator : numpy.random.Generator
            The same on all ranks.

        Returns
        -------
        data : TrainingData
            With a validation set.
        rows : ndarray of shape (n_rows,), intp, or None
            The samples to train on, of all ranks; None takes all.
        """
        if self.validation is not None:
            return self, None
        of_all = self.targets._replace(codes=self.ranks.gather(self.targets.codes))
        rows, _ = self.ranks.collect(lambda: split(of_all, fraction, generator))
        return self.without_rows(rows), rows

    def without_rows(self, rows: Indices) -> "TrainingData":
        """Validate on all samples but those that are trained on."""
        held = self.ranks.own(np.setdiff1d(np.arange(self.n_samples), rows))
        part = replace(self.features, values=self.features.values[held])
        return self._replace(validation=(part, self.targets.codes[held]))

    def begin_orders(
        self, rows: Indices | None, shuffle: bool, generator: np.random.Generator
    ) -> Permutations:
        """Make what draws the orders of the epochs, of the rows that `hold_out` returns."""
        n_samples = self.n_samples if rows is None else len(rows)
        return Permutations(n_samples, shuffle, generator, rows)

    def supply(self, orders: Any, step_size: int) -> Problem:
        """Return the samples as the engine takes them, whatever their orders."""
        return Problem(self.features, self.targets.codes, self.weights)


class Given(NamedTuple):
    """Data as they were given, and what their giver calls them."""

    X: Any
    y: Any
    names: tuple[str, str]
    feature_names: tuple[str, ...] | None = None
    """Those of a data set, which come apart from its arrays."""
    weights: Any = None
    """Of each row."""


class DataArguments(NamedTuple):
    """Arguments of `train` that are its data, or say what they are and weigh."""

    X: Any
    y: Any
    dataset: Any
    input_scale: Any
    X_val: Any
    y_val: Any
    sample_weight: Any
    class_weight: Any


def load(given: DataArguments, settings: Any, ranks: Alone) -> TrainingData:
    """Take the user's arrays or the data set and check them.

    Parameters
    ----------
    given : DataArguments
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
    dataset, input_scale = given.dataset, given.input_scale
    training = given_together(given.X, given.y, ("X", "y"))
    held = given_together(given.X_val, given.y_val, ("X_val", "y_val"))
    if training is None:
        from fastmlp import datasets

        named = dataset if isinstance(dataset, Dataset) else datasets.load(dataset)
        columns, rows = named.feature_names, ranks.share(len(named.X_train))
        names = ("X_train", "y_train")
        training = Given(named.X_train[rows], named.y_train[rows], names, columns)
        if held is None and not settings.early_stopping:
            rows = ranks.share(len(named.X_test))
            held = Given(named.X_test[rows], named.y_test[rows], ("X_test", "y_test"))
        input_scale = named.input_scale if input_scale is None else input_scale
    elif not isinstance(dataset, DefaultName):
        remedy = "Leave one of the two out."
        raise invalid("dataset", "left out where X and y are given", repr(dataset), remedy)
    scale, training = input_scale_pair(input_scale), training._replace(weights=given.sample_weight)
    return _check(training, held, scale, given.class_weight, settings, ranks)


def given_together(X: Any, y: Any, names: tuple[str, str]) -> Given | None:
    """Return data and labels, or None where neither is given.

    Parameters
    ----------
    X, y : object
    names : (str, str)
        What the caller calls them.

    Raises
    ------
    ValueError
        If only one is given, or a target beside a source that has one.
    """
    if X is None and y is None:
        return None
    if isinstance(X, Source):
        require_no_target(y, names)
        return Given(X, None, names)
    refuse_unread(X, names[0])
    if X is None or y is None:
        raise invalid(" and ".join(names), "given together", "one without the other")
    return Given(X, y, names)


class _Described(NamedTuple):
    """What all ranks know of the data of one."""

    alike: dict[str, Any]
    """Must be the same on all ranks."""
    n_samples: int
    classes: Array | None
    counts: Array
    """See `count_classes`."""


def _describe(read: tuple[TrainingData, tuple[Any, Any]]) -> _Described:
    """Say what the other ranks must know of the data and the weights of one."""
    data, weights = read
    targets, names, classes = data.targets, data.feature_names, data.targets.classes
    counts = np.empty(0, np.intp) if classes is None else count_classes(targets)
    alike = {
        "columns": data.n_features,
        "names of the columns": None if names is None else names.tolist(),
        "numbers to predict": None if classes is not None else targets.n_outputs,
        "labels a sample": targets.n_outputs if targets.multilabel else None,
        "kind of vector": targets.flat,
        "weights": [given is not None for given in weights],
    }
    return _Described(alike, data.features.n_samples, classes, counts)


def _check(
    training: Given, held: Given | None, scale: Scale, class_weight: Any, settings: Any,
    ranks: Alone,
) -> TrainingData:  # fmt: skip
    """Check the data, and the validation set against those that are trained on."""
    dtype, loss = settings.dtype, settings.loss
    named_apart = training.feature_names is not None or isinstance(training.X, Source)

    def read() -> tuple[TrainingData, tuple[Any, Any]]:
        given = _in_memory(training, dtype)
        X, name, apart = given.X, given.names[0], given.feature_names
        names = feature_names(X, name) if apart is None else np.array(apart, dtype=object)
        features = as_features(X, scale, dtype, name, fewest=ranks.fewest_rows)
        targets = _read(given, features, loss, ranks.fewest_rows)
        own = TrainingData(features, targets, None, names, named_apart, None, ranks)
        return own, (given.weights, class_weight)

    (data, weighed_by), everyone = ranks.collect(read, _describe)

    def finish() -> tuple[TrainingData, Array | None]:
        targets, counts = _unite(data.targets, everyone)
        ranks.place([described.n_samples for described in everyone])
        known = data._replace(targets=targets)
        validation = None if held is None else as_held(held, known, loss)
        if targets.classes is not None and not targets.multilabel and ranks.rank == 0:
            n_classes, n_samples = len(targets.classes), ranks.n_samples
            if are_like_regression(targets.classes, n_samples):
                warn(f"y has {n_classes} different numbers in {n_samples} samples. {REGRESSION}")
        weighing = weigh(*weighed_by, targets, counts, data.features.n_samples)
        return known._replace(validation=validation), weighing

    (data, weighing), _ = ranks.collect(finish)
    if weighing is None:
        return data
    of_all, name = ranks.gather(weighing), name_of(weighed_by)
    checked, _ = ranks.collect(lambda: as_weights(of_all, dtype, name, False))
    return data._replace(weights=checked)


def _unite(targets: Targets, everyone: list[_Described]) -> tuple[Targets, Array]:
    """Give the classes of all ranks numbers, and count the samples of each."""
    require_alike([described.alike for described in everyone], "X, y and sample_weight")
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


def as_held(held: Given, known: TrainingData, loss: str, streamed: bool = False) -> Validation:
    """Check a validation set against what is trained on.

    Parameters
    ----------
    held : Given
    known : TrainingData
        What is trained on, or some rows of it.
    loss : str
    streamed : bool
        Whether several ranks read what they train on in blocks: so they do a source here.

    Returns
    -------
    (Features, ndarray) or HeldBlocks
    """
    name, scale, dtype = held.names[0], known.scale, known.features.dtype
    n_features, ranks = known.n_features, known.ranks
    if isinstance(held.X, Source):
        compare_names(known.feature_names, names_of(held.X), name, known.named_apart)
        require_width(held.X, n_features, name)
        if streamed if ranks.shared else not is_small(held.X, dtype):
            require_target(held.X, name)
            encode, none = encoder(known.targets, loss, dtype), known.targets.codes[:0]
            reader = Reader(held.X, dtype, encode, no_targets=none)
            return HeldBlocks(reader, np.arange(len(held.X.lengths)), scale)
        held = _in_memory(held, dtype)
    else:
        check_feature_names(known.feature_names, held.X, name, known.named_apart)
    found = as_features(held.X, scale, dtype, name, n_features, fewest=ranks.fewest_rows)
    return found, _read(held, found, loss, ranks.fewest_rows, known.targets).codes


def encoder(targets: Targets, loss: str, dtype: np.dtype[Any]) -> Encode:
    """Make what turns the targets of a block into the engine's.

    Parameters
    ----------
    targets : Targets
        What is known of them.
    loss : str
    dtype : dtype

    Returns
    -------
    callable
        See `fastmlp.data.reading.Encode`.
    """

    def encode(y: Array, name: str) -> Array:
        as_long = Features(np.empty((len(y), 1), np.uint8), Scale(1.0, 0.0), dtype)
        return _read(Given(None, y, ("X", name)), as_long, loss, 1, targets).codes

    return encode


def _in_memory(given: Given, dtype: np.dtype[Any]) -> Given:
    """Read a source into arrays; leave others as they are."""
    if not isinstance(given.X, Source):
        return given
    rows = read_whole(given.X, dtype, given.names[0])
    weights = weights_of(rows, given.weights)
    return Given(rows.X, rows.targets, given.names, given.X.feature_names, weights)


def _read(
    given: Given, features: Features, loss: str, fewest: int, known: Targets | None = None
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

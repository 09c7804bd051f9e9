"""The first pass over a source: what must be known of all of it before its first row is used."""

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from fastmlp._arrays import Array, Indices
from fastmlp._errors import invalid, warn
from fastmlp.containers import NUMERIC_KINDS
from fastmlp.data.fitting import require_target
from fastmlp.data.moments import merged, moments_of
from fastmlp.data.reading import Checks, read_all
from fastmlp.data.source import Source
from fastmlp.inputs import require_finite
from fastmlp.ranks import ALONE, Alone
from fastmlp.sample_weights import as_weights
from fastmlp.targets import as_indicators, as_values, find_classes

UNLIKE = 0.25
"""So far labels may differ from block to block before a warning: the share of a block's rows that
had to be others, or the distance of its mean in standard deviations."""

SHUFFLE = (
    "fastmlp.data.shuffle(source, folder) rewrites a data set in random order, in bounded memory; "
    "a larger buffer mixes more blocks."
)


class Survey(NamedTuple):
    """What a first pass has found."""

    checks: tuple[int, ...]
    """For each block; see `reading.Checks`."""
    counts: Array
    """(n_blocks, n_classes): labels of each class; or (n_blocks, 3, n_outputs), of several labels a
    sample and of numbers to predict: how many, their mean and their summed squared deviations."""
    classes: Array | None
    """(n_classes,); None where numbers are predicted."""
    n_outputs: int
    flat: bool
    """Whether the target is a vector."""
    least: float
    """The smallest number to be predicted."""

    def count_classes(self) -> Array:
        """Count the samples of each class, or without and with each label.

        Returns
        -------
        ndarray of shape (n_classes,) or (2, n_labels)
        """
        if self.counts.ndim == 2:
            return np.asarray(self.counts.sum(axis=0))
        n_samples, means = self.counts[:, 0], self.counts[:, 1]
        with_label = np.rint(n_samples * means).sum(axis=0)
        return np.stack([n_samples.sum(axis=0) - with_label, with_label])


class LabelCounts:
    """Counts the labels of each block."""

    def __init__(self) -> None:
        self.counts: list[Counter[Any]] = []
        self.found: list[Array] = []

    def begin(self) -> None:
        """Begin a block."""
        self.counts.append(Counter())

    def add(self, y: Array, name: str) -> None:
        """Count some of its labels."""
        found, codes = find_classes(y, name)
        numbers = np.bincount(codes)
        self.found.append(found)
        self.counts[-1].update(dict(zip(found.tolist(), numbers.tolist(), strict=True)))
        if len(self.found) > 1:
            self.found = [union(self.found, name)]

    def result(self, checks: tuple[int, ...]) -> Survey:
        """Sum all blocks up."""
        (classes,) = self.found
        labels = classes.tolist()
        counts = np.array([[of[label] for label in labels] for of in self.counts])
        return Survey(checks, counts, classes, len(classes), False, 0.0)


def union(found: Sequence[Array], name: str) -> Array:
    """Put the different labels of several blocks together.

    Parameters
    ----------
    found : sequence of ndarray
    name : str
        What the caller calls the last.
    """
    numeric = {one.dtype.kind in NUMERIC_KINDS for one in found}
    try:
        if len(numeric) == 1:
            return np.unique(np.concatenate(found))
        got = " and ".join(sorted({str(one.dtype) for one in found}))
    except TypeError as error:
        got = f"mixed types: {error}"
    raise invalid(name, "of one type in all blocks", got)


class Values:
    """Sums the numbers to be predicted up, block by block."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype, self.least, self.flat = dtype, np.inf, True
        self.moments: list[Array] = []

    def begin(self) -> None:
        """Begin a block."""
        self.moments.append(np.zeros((3, 1)))

    def add(self, y: Array, name: str) -> None:
        """Sum some of its numbers up."""
        n_outputs = self.moments[0].shape[1] if self.moments[0][0].any() else None
        values, self.flat = as_values(y, len(y), self.dtype, n_outputs, (name, "X"))
        self.least = min(self.least, float(values.min()))
        self.moments[-1] = merged(self.moments[-1], moments_of(values))

    def result(self, checks: tuple[int, ...]) -> Survey:
        """Sum all blocks up."""
        moments = np.stack(self.moments)
        return Survey(checks, moments, None, moments.shape[2], self.flat, self.least)


class Indicators(Values):
    """Counts how many samples of each block have each of several labels."""

    def add(self, y: Array, name: str) -> None:
        """Count some of its labels."""
        n_labels = self.moments[0].shape[1] if self.moments[0][0].any() else None
        values = as_indicators(y, len(y), self.dtype, n_labels, (name, "X"))
        self.moments[-1] = merged(self.moments[-1], moments_of(values))

    def result(self, checks: tuple[int, ...]) -> Survey:
        """Sum all blocks up."""
        found = super().result(checks)
        return found._replace(classes=np.arange(found.n_outputs), flat=False)


def survey(source: Source, dtype: np.dtype[Any], regression: bool, ranks: Alone = ALONE) -> Survey:
    """Read all of a source once; of several ranks each reads its own.

    Parameters
    ----------
    source : Source
        With a target.
    dtype : dtype
        What is computed in.
    regression : bool
        Whether numbers are to be predicted.
    ranks : Alone

    Returns
    -------
    Survey
        Of the blocks of all ranks, those of rank 0 first.

    Raises
    ------
    ValueError
        If a value or a label cannot be used; block and column are named.
    """
    _, everyone = ranks.collect(
        lambda: _look_through(source, dtype, regression), lambda found: found
    )
    found = [one for one in everyone if one is not None]
    united, _ = ranks.collect(lambda: _unite(found))
    return united


def _unite(found: Sequence[Survey]) -> Survey:
    """Put together what several ranks have found, each in blocks of its own."""
    if not found:
        raise invalid("X", "not empty", "no rows on any rank")
    first, classes = found[0], found[0].classes
    kinds = {(one.counts.shape[1:] if one.counts.ndim == 3 else (), one.flat) for one in found}
    if len(kinds) > 1:
        raise invalid("the target of X", "of one shape on all ranks", "targets of several shapes")
    if classes is None or first.counts.ndim == 3:
        counts, n_outputs = np.concatenate([one.counts for one in found]), first.n_outputs
    else:
        classes = union([np.asarray(one.classes) for one in found], "the target of X")
        n_outputs = len(classes)
        if n_outputs < 2:
            got = f"1 class ({classes.tolist()[0]!r})"
            raise invalid("the target of X", "of at least 2 classes", got)
        counts = np.zeros((sum(len(one.counts) for one in found), n_outputs), first.counts.dtype)
        block = 0
        for one in found:
            own = np.searchsorted(classes, np.asarray(one.classes).astype(classes.dtype))
            counts[block : block + len(one.counts), own] = one.counts
            block += len(one.counts)
    checks = tuple(check for one in found for check in one.checks)
    least = min(one.least for one in found)
    return Survey(checks, counts, classes, n_outputs, first.flat, least)


def _look_through(source: Source, dtype: np.dtype[Any], regression: bool) -> Survey | None:
    """Read all of one rank's source; None where it has no rows."""
    require_target(source, "X")
    if source.n_samples == 0:
        return None
    targets: LabelCounts | Values = Indicators(dtype) if source.n_targets > 1 else LabelCounts()
    if regression:
        targets = Values(dtype)
    checks: list[Checks] = []
    weights: list[Array] = []
    for block, first, chunk in read_all(source):
        place = source.place(block)
        if block == len(checks):
            checks.append(Checks())
            targets.begin()
        checks[block].add(chunk)
        require_finite(chunk.X, source.feature_names, dtype, f"X in {place}", first)
        if chunk.y is not None:
            targets.add(chunk.y, f"y in {place}")
        if chunk.weights is not None:
            weights.append(_extremes(chunk.weights, dtype, f"weight in {place}"))
    if weights:
        as_weights(np.concatenate(weights), dtype, "the weight of X", False)
    return targets.result(tuple(check.value for check in checks))


def _extremes(weights: Array, dtype: np.dtype[Any], name: str) -> Array:
    """Check some weights, which may all be 0, and return the least and the largest."""
    as_weights(weights, dtype, name, True)
    return np.array([weights.min(), weights.max()], np.float64)


def warn_if_sorted(found: Survey, blocks: Indices) -> None:
    """Warn where targets differ strongly from block to block.

    Parameters
    ----------
    found : Survey
    blocks : ndarray of shape (n_trained,), intp
        Those that are trained on.
    """
    what = "numbers to predict" if found.classes is None else "labels"
    unlike = (_unlike_labels if found.counts.ndim == 2 else _unlike_values)(found.counts[blocks])
    if unlike > UNLIKE:
        warn(f"The {what} differ strongly from block to block, as in sorted data. {SHUFFLE}")


def _unlike_labels(counts: Array) -> float:
    """Compute which share of a block's labels is not as in all, on average, beyond chance."""
    rows, total = counts.sum(axis=1), counts.sum()
    shares = counts.sum(axis=0) / total
    distances = 0.5 * np.abs(counts / rows[:, np.newaxis] - shares).sum(axis=1)
    chance = 0.5 * np.sqrt(shares * (1 - shares)).sum() / np.sqrt(rows)
    return float(np.average(distances - chance, weights=rows))


def _unlike_values(moments: Array) -> float:
    """Compute how far a block's mean is from that of all, on average, in standard deviations."""
    total = reduce(merged, moments)
    deviation = np.sqrt(np.maximum(total[2] / total[0], np.finfo(np.float64).tiny))
    distances = np.abs(moments[:, 1] - total[1]) / deviation - 1 / np.sqrt(moments[:, 0])
    return float(np.average(distances, axis=0, weights=moments[:, 0, 0]).max())

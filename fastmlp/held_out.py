"""Samples that are validated on: given, or held out of those that are trained on."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from fastmlp._arrays import Array, Indices
from fastmlp._errors import invalid
from fastmlp.data.reading import Reader
from fastmlp.inputs import Features, Scale
from fastmlp.ranks import Alone


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


class HeldBlocks(NamedTuple):
    """Blocks of a source that are validated on."""

    reader: Reader
    blocks: Indices
    scale: Scale

    def parts(self, n_parts: int = 0) -> Iterator[tuple[Features, Array]]:
        """Read block after block, as the engine takes them.

        Parameters
        ----------
        n_parts : int
            At least so many: after the last block come parts without rows.
        """
        parts = self.reader.in_parts(self.blocks)
        none = (self.reader.load([]) for _ in range(n_parts - len(self.blocks)))
        for rows in chain(parts, none):
            yield Features(rows.X, self.scale, self.reader.dtype), rows.targets

    def shared(self, ranks: Alone) -> Callable[[], Iterator[tuple[Features, Array]]]:
        """Make what reads this rank's blocks, in as many parts as the others, with all targets.

        Parameters
        ----------
        ranks : Alone

        Returns
        -------
        callable
            It returns an iterator over features of this rank and targets of all.
        """
        _, n_parts = ranks.collect(lambda: len(self.blocks), lambda own: own)
        most = max(n_parts)
        return lambda: ((rows, ranks.gather(own)) for rows, own in self.parts(most))


Validation = tuple[Features, Array] | HeldBlocks
"""Features and the engine's targets, or blocks of both."""


def known_by(validation: Validation | None) -> tuple[Any, ...]:
    """Return the arrays by which a validation set is known again.

    Parameters
    ----------
    validation : (Features, ndarray), HeldBlocks or None
    """
    if isinstance(validation, HeldBlocks):
        return np.array(validation.reader.source.lengths), validation.blocks
    return () if validation is None else (validation[0].values, validation[1])


def split(targets: Targets, fraction: float, generator: np.random.Generator) -> Indices:
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
        require_two_of_each(targets.classes, np.bincount(codes))
        order = _spread(codes, order)
    n_held = int(np.ceil(fraction * n_samples))
    if not 2 <= n_held <= n_samples - 1:
        rule = f"a share that holds out 2 to {n_samples - 1} of {n_samples} samples"
        raise invalid("validation_fraction", rule, fraction, "Pass X_val and y_val instead.")
    return np.sort(order[n_held:])


def require_two_of_each(classes: Array, counts: Indices) -> None:
    """Raise a `ValueError` that names a class that cannot be both learned and held out.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
    counts : ndarray of shape (n_classes,), intp
        Of the samples of each.
    """
    if counts.min() < 2:
        rule = "of at least 2 samples of each class, one to hold out for early_stopping"
        label = classes.tolist()[int(counts.argmin())]
        raise invalid("y", rule, f"1 of class {label!r}", "Pass X_val and y_val instead.")


def _spread(codes: Array, order: Indices) -> Indices:
    """Sort samples so that each first part of them holds the classes in their shares."""
    by_class = order[np.argsort(codes[order], kind="stable")]
    counts = np.bincount(codes)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    share = (np.arange(len(codes)) - starts + 0.5) / np.repeat(counts, counts)
    return by_class[np.argsort(share, kind="stable")]


def split_blocks(
    lengths: Indices, repeatable: bool, fraction: float, generator: np.random.Generator
) -> Indices:
    """Choose the blocks to train on at random.

    Parameters
    ----------
    lengths : ndarray of shape (n_blocks,), intp
        Rows of each block.
    repeatable : bool
        See `Source`.
    fraction : float
        Of the rows are held out, or a little more.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_trained,), intp
        In ascending order; the others are held out.

    Raises
    ------
    ValueError
        If the source cannot be read from anywhere, or no block would be left.
    """
    remedy = "Pass X_val instead."
    if not repeatable:
        raise invalid("early_stopping", "False with an iterator", True, remedy)
    order = generator.permutation(len(lengths))
    held = int(np.searchsorted(lengths[order].cumsum(), fraction * lengths.sum())) + 1
    if held >= len(order):
        rule = f"a share that leaves one of {len(order)} blocks, which are held out whole"
        raise invalid("validation_fraction", rule, fraction, remedy)
    return np.sort(order[held:])

"""What `train` learns from where it does not fit in memory: the blocks of a source."""

from typing import Any, NamedTuple

import numpy as np

from fastmlp._arrays import Array, Indices
from fastmlp._errors import invalid
from fastmlp.class_weights import class_weights
from fastmlp.data.dividing import Division, divide, require_sums
from fastmlp.data.fitting import is_small, require_no_weights
from fastmlp.data.reading import Reader
from fastmlp.data.source import Source, names_of
from fastmlp.data.survey import Survey, survey
from fastmlp.engine.streaming import Streamed
from fastmlp.held_out import HeldBlocks, Targets, Validation, known_by, split_blocks
from fastmlp.inputs import Features, Scale, input_scale_pair
from fastmlp.losses import LOSSES
from fastmlp.ranks import Alone
from fastmlp.rng import BlockOrders
from fastmlp.sample_weights import as_weights
from fastmlp.training_data import (
    CLASSIFICATION,
    DataArguments,
    DefaultName,
    TrainingData,
    as_held,
    encoder,
    given_together,
)


class SourceData(NamedTuple):
    """What is trained and validated on, looked through once."""

    source: Source
    """This rank's."""
    reader: Reader
    survey: Survey
    """Of the blocks of all ranks."""
    division: Division
    """The blocks of all ranks."""
    targets: Targets
    """What is known of them."""
    class_weight: Any
    """See `fastmlp.train`."""
    scale: Scale
    feature_names: Array | None
    validation: Validation | None
    named_apart: bool = True
    """Whether arrays without names may be predicted: blocks are such."""

    @property
    def n_samples(self) -> int:
        """Number of rows of all ranks, held-out ones included."""
        return int(self.division.lengths.sum())

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return self.source.n_features

    def hold_out(
        self, fraction: float, generator: np.random.Generator
    ) -> tuple["SourceData", Indices | None]:
        """Choose whole blocks to validate on where no others are given.

        Parameters
        ----------
        fraction : float
            Of the rows, at least.
        generator : numpy.random.Generator

        Returns
        -------
        data : SourceData
            With a validation set.
        blocks : ndarray of shape (n_trained,), intp, or None
            Those to train on, of all ranks; None takes all.

        Raises
        ------
        ValueError
            If no block is left to train on.
        """
        if self.validation is not None:
            return self, None
        lengths, repeatable = self.division.lengths, self.source.repeatable
        blocks, _ = self.division.ranks.collect(
            lambda: split_blocks(lengths, repeatable, fraction, generator)
        )
        return self.without_rows(blocks), blocks

    def without_rows(self, rows: Indices) -> "SourceData":
        """Validate on all blocks but those that are trained on."""
        held = HeldBlocks(self.reader, self.division.held_out(rows), self.scale)
        return self._replace(validation=held)

    def begin_orders(
        self, rows: Indices | None, shuffle: bool, generator: np.random.Generator
    ) -> BlockOrders:
        """Make what draws the orders of the epochs.

        Parameters
        ----------
        rows : ndarray of shape (n_trained,), intp, or None
            The blocks to train on, of all ranks; None takes all.
        shuffle : bool
        generator : numpy.random.Generator
        """
        seed = int(generator.integers(1 << 63))
        return self.division.begin_orders(self.reader, self.survey, rows, shuffle, seed)

    def supply(self, orders: Any, step_size: int) -> Streamed:
        """Return what brings the samples.

        Parameters
        ----------
        orders : BlockOrders
        step_size : int
            Samples an update.
        """
        weigh = None if self.class_weight is None else self.weigh
        return Streamed(self.reader, orders, self.scale, weigh, step_size, self.division.ranks)

    def weigh(self, codes: Array) -> Array:
        """Compute what samples weigh by their classes.

        Parameters
        ----------
        codes : ndarray of shape (n_samples,) or (n_samples, n_labels)
            As the engine takes targets.

        Returns
        -------
        ndarray of shape (n_samples,), of what is computed in
        """
        found = class_weights(
            self.class_weight, self.targets._replace(codes=codes), self.survey.count_classes()
        )
        return found.astype(self.reader.dtype)

    def known_by(self) -> tuple[Any, ...]:
        """Return arrays by which the data are known again."""
        held = known_by(self.validation)
        return (np.array(self.survey.checks), self.division.lengths, np.array(self.scale), *held)


def is_streamed(X: Any, dtype: np.dtype[Any]) -> bool:
    """Tell whether X is a source that does not fit in its buffer.

    Parameters
    ----------
    X : object
    dtype : dtype
        What is computed in.
    """
    return isinstance(X, Source) and not is_small(X, dtype)


def load_source(given: DataArguments, settings: Any, ranks: Alone) -> SourceData:
    """Look through a source once; see `fastmlp.training_data.load`.

    Parameters
    ----------
    given : DataArguments
    settings : SimpleNamespace
    ranks : Alone
        Each with a source of its own.

    Returns
    -------
    SourceData

    Raises
    ------
    ValueError
        If one of them cannot be used.
    """
    X, class_weight = given.X, given.class_weight

    def look() -> None:
        given_together(X, given.y, ("X", "y"))
        if not isinstance(X, Source):
            raise invalid("X", "a source on all ranks, or on none", f"a {type(X).__name__}", WRAP)
        if not isinstance(given.dataset, DefaultName):
            remedy = "Leave one of the two out."
            raise invalid("dataset", "left out where X is given", repr(given.dataset), remedy)
        require_no_weights(given.sample_weight)
        require_sums(ranks)

    ranks.collect(look)
    held = given_together(given.X_val, given.y_val, ("X_val", "y_val"))
    kind = "none" if held is None else "a source" if isinstance(held.X, Source) else "arrays"
    division = divide(X, settings.dtype, ranks, {"kind of validation set": kind})
    scale, dtype, loss = input_scale_pair(given.input_scale), settings.dtype, settings.loss
    found = survey(X, dtype, loss != CLASSIFICATION, ranks=ranks)
    if found.classes is None and found.least < LOSSES[loss].least:
        rule = f"at least {LOSSES[loss].least:g} with loss={loss!r}"
        raise invalid("the target of X", rule, found.least)
    targets = Targets(_no_codes(found, dtype), found.classes, found.n_outputs, found.flat)
    checks = found.checks[division.own] if X.repeatable else None
    reader = Reader(X, dtype, encoder(targets, loss, dtype), checks, targets.codes)
    names = names_of(X)
    like = Features(np.empty((1, X.n_features), reader.kept), scale, dtype)
    known = TrainingData(like, targets, None, names, True, None, ranks)
    held_data, _ = ranks.collect(lambda: held and as_held(held, known, loss, streamed=True))
    data = SourceData(X, reader, found, division, targets, class_weight, scale, names, held_data)
    if class_weight is not None:
        require_weights(data, dtype)
    return data


WRAP = "fastmlp.data.memmap(X, y) makes one of arrays."


def _no_codes(found: Survey, dtype: np.dtype[Any]) -> Array:
    """Make the engine's targets of no rows."""
    if found.classes is not None and found.counts.ndim == 2:
        return np.empty(0, np.intp)
    return np.empty((0, found.n_outputs), dtype)


def require_weights(data: SourceData, dtype: np.dtype[Any]) -> None:
    """Raise a `ValueError` where the weights of classes cannot be used.

    Parameters
    ----------
    data : SourceData
    dtype : dtype
        What is computed in.
    """
    n_outputs = data.targets.n_outputs
    # One sample of each class stands for all.
    some = np.eye(n_outputs) if data.targets.multilabel else np.arange(n_outputs)
    as_weights(data.weigh(some), dtype, "class_weight", False)

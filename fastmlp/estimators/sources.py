"""Estimators on sources: read into arrays where they fit, else fitted on block by block."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_regressor
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from fastmlp._errors import invalid
from fastmlp.arguments import make_rule
from fastmlp.backends.contract import Objective
from fastmlp.class_weights import class_weights
from fastmlp.data.fitting import (
    blocks_at_once,
    is_small,
    read_whole,
    require_no_weights,
    require_target,
    weights_of,
)
from fastmlp.data.reading import Reader, features_of
from fastmlp.data.source import Source, names_of, require_no_target, require_width
from fastmlp.data.standardizing import share_means
from fastmlp.data.survey import Survey, survey, warn_if_sorted
from fastmlp.engine.streaming import Streamed
from fastmlp.estimators import options
from fastmlp.estimators.checkpoints import Keeping
from fastmlp.estimators.stochastic import Stochastic
from fastmlp.estimators.task import FitArguments
from fastmlp.estimators.validation import HeldParts
from fastmlp.feature_names import compare_names
from fastmlp.held_out import Targets, split_blocks
from fastmlp.inputs import Features
from fastmlp.network import Parameters
from fastmlp.predictor import Predictor
from fastmlp.ranks import Alone
from fastmlp.rng import BlockOrders

Array = NDArray[Any]


class SourceFit(NamedTuple):
    """What a fit on blocks learns from."""

    parameters: Parameters
    objective: Objective
    supply: Streamed
    orders: BlockOrders
    held: HeldParts | None
    keeping: Keeping


def compute_dtype(estimator: Any, source: Source) -> np.dtype[Any]:
    """Choose what is computed in: what a fitted estimator is, `dtype`, or what the source is."""
    fitted = vars(estimator).get("_fitted")
    dtype: np.dtype[Any] = estimator._compute_dtype(source) if fitted is None else fitted.dtype
    return dtype


def in_memory(estimator: Any, given: FitArguments, keeping: Keeping) -> FitArguments:
    """Read what fits into arrays: a source that is trained on, or validated on.

    What a resumed fit trains on goes the way that it went before.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    given : FitArguments
    keeping : Keeping

    Returns
    -------
    FitArguments
    """
    for X, y in (("X", "y"), ("X_val", "y_val")):
        source = getattr(given, X)
        if isinstance(source, Source):
            require_no_target(getattr(given, y), (X, y))
            dtype = compute_dtype(estimator, source)
            small = is_small(source, dtype)
            if X == "X" and keeping.saved is not None:
                small = keeping.block_orders is None
            if small:
                rows = read_whole(source, dtype, X)
                given = given._replace(**{X: rows.X, y: rows.targets})
                if X == "X":
                    weights = weights_of(rows, given.sample_weight)
                    given = given._replace(sample_weight=weights)
    return given


def refuse_ranks(ranks: Alone) -> None:
    """Raise a `ValueError` where several processes fit together.

    Parameters
    ----------
    ranks : Alone
    """
    if ranks.shared:
        remedy = "fastmlp.train takes sources with comm."
        raise invalid("comm", "None where X or X_val is a source", "a communicator", remedy)


def fit(estimator: Any, given: FitArguments, keeping: Keeping) -> Any:
    """Fit on a source, or validate on one; what fits in memory goes the way of arrays.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    given : FitArguments
    keeping : Keeping

    Returns
    -------
    MLPClassifier or MLPRegressor
        The estimator itself.

    Raises
    ------
    ValueError
        If something that is asked for cannot be had with a source.
    """
    share_means(given.X, given.X_val)
    names = names_of(given.X) if isinstance(given.X, Source) else None
    if names is not None:
        estimator.__dict__.pop("feature_names_in_", None)
    given = in_memory(estimator, given, keeping)
    if isinstance(given.X, Source):
        fit_blocks(estimator, given, keeping)
    elif isinstance(given.X_val, Source):
        rule, remedy = "of a size that fits where X does", "Raise its buffer."
        raise invalid("X_val", rule, "a source larger than its buffer", remedy)
    else:
        estimator._fit(given, keeping=keeping)
    if names is not None:
        estimator.feature_names_in_ = names
    return estimator


def fit_blocks(estimator: Any, given: FitArguments, keeping: Keeping) -> None:
    """Fit on a source that does not fit in memory.

    Parameters
    ----------
    estimator, given, keeping
        See `fit`.
    """
    if estimator.solver == "lbfgs":
        rule = "another than 'lbfgs' where X is larger than its buffer"
        raise invalid("solver", rule, "'lbfgs'", "Use solver='adam'.")
    if keeping.file is not None and not given.X.repeatable:
        remedy = "fastmlp.data.blocks can be gone on with."
        raise invalid("checkpoint", "left out with an iterator", repr(keeping.file.path), remedy)
    if estimator.scoring is not None and given.X_val is None and not estimator.early_stopping:
        rule = "None where X is larger than its buffer and there is no validation set"
        raise invalid("scoring", rule, repr(estimator.scoring), "Pass X_val.")
    continued = estimator.warm_start and hasattr(estimator, "coefs_")
    if estimator.callbacks is not None:
        estimator.set_callbacks(*estimator.callbacks)
    options.refuse_booleans(estimator)
    estimator._random_state = generator = check_random_state(estimator.random_state)
    first = not continued or keeping.saved is not None
    task = prepare(estimator, given, first, generator, keeping)
    Stochastic(
        estimator, task.parameters, make_rule(estimator), task.objective, task.supply, task.orders,
        task.held, False, task.keeping,
    ).run()  # fmt: skip
    estimator._finished()


def prepare(
    estimator: Any, given: FitArguments, first: bool, generator: Any, keeping: Keeping
) -> SourceFit:
    """Look through a source that does not fit in memory, and prepare a fit on it.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    given : FitArguments
    first : bool
        Whether the fit begins anew.
    generator : numpy.random.RandomState
    keeping : Keeping

    Returns
    -------
    SourceFit
    """
    source, dtype = given.X, compute_dtype(estimator, given.X)
    require_no_weights(given.sample_weight)
    found = survey(source, dtype, is_regressor(estimator))
    if not first:
        require_columns(estimator, source)
    estimator.n_features_in_ = source.n_features
    labels = estimator._read_targets(estimator._plain_targets(examples(found), "y"), first, False)
    parameters, objective = estimator._begin_network(given, source, labels, first, keeping.saved)
    reader = Reader(
        source, parameters.dtype, encoder(estimator, parameters.dtype),
        found.checks if source.repeatable else None,
    )  # fmt: skip
    held = validation(estimator, given, reader)
    keeping = keeping.known_by(estimator, known_by(estimator, found, source, held), source.shape)
    orders = keeping.block_orders
    if orders is None:
        orders = begin_orders(estimator, found, reader, held is None, generator)
    if held is None and estimator.early_stopping:
        held = HeldParts(reader, np.setdiff1d(np.arange(len(source.lengths)), orders.blocks))
    batch_size = 200 if estimator.batch_size == "auto" else int(estimator.batch_size)
    step_size = min(batch_size, orders.n_samples) * estimator.accumulate
    weigh = weigher(estimator, found, parameters.dtype)
    supply = Streamed(reader, orders, estimator._input_scale, weigh, step_size)
    return SourceFit(parameters, objective, supply, orders, held, keeping)


def begin_orders(
    estimator: Any, found: Survey, reader: Reader, may_hold_out: bool, generator: Any
) -> BlockOrders:
    """Make what draws the orders of the epochs, of the blocks that are not held out.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    found : Survey
    reader : Reader
    may_hold_out : bool
        Whether there is no validation set of the user's own.
    generator : numpy.random.RandomState
    """
    source, shuffle = reader.source, estimator.shuffle
    lengths = np.array(source.lengths, np.intp)
    blocks = np.arange(len(lengths))
    if may_hold_out and estimator.early_stopping:
        draws = np.random.default_rng(generator.randint(1 << 31))
        blocks = split_blocks(lengths, source.repeatable, estimator.validation_fraction, draws)
    if shuffle:
        warn_if_sorted(found, blocks)
    return BlockOrders(
        int(generator.randint(1 << 31)), lengths, blocks,
        blocks_at_once(source, reader.dtype), shuffle, not source.repeatable,
    )  # fmt: skip


def known_by(
    estimator: Any, found: Survey, source: Source, held: HeldParts | None
) -> Iterator[Array]:
    """Return arrays by which the data are known again.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    found : Survey
    source : Source
    held : HeldParts or None
        The blocks of a validation set of the user's own.

    Yields
    ------
    ndarray
    """
    yield np.array(found.checks)
    yield np.array(source.lengths)
    yield np.array(estimator._input_scale)
    if held is not None:
        yield np.array(held.reader.source.lengths)


def examples(found: Survey) -> Array:
    """Make targets that stand for all that a survey has found.

    Parameters
    ----------
    found : Survey
    """
    if found.classes is None:
        shape = (2,) if found.flat else (2, found.n_outputs)
        return np.full(shape, found.least)
    return found.classes if found.counts.ndim == 2 else np.eye(found.n_outputs, dtype=int)


def encoder(estimator: Any, dtype: np.dtype[Any]) -> Any:
    """Make what turns the targets of a block into the engine's.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        It knows its labels.
    dtype : dtype
    """

    def encode(y: Array, name: str) -> Array:
        known = estimator._read_targets(estimator._plain_targets(y, name), False, True)
        encoded: Array = estimator._encode(known, dtype)
        return encoded

    return encode


def weigher(estimator: Any, found: Survey, dtype: np.dtype[Any]) -> Any:
    """Make what computes the weights of samples from their targets; None weighs all alike.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    found : Survey
    dtype : dtype
    """
    class_weight = getattr(estimator, "class_weight", None)
    if class_weight is None:
        return None
    several, counts = found.counts.ndim == 3, found.count_classes()

    def weigh(targets: Array) -> Array:
        codes = targets if several else targets.ravel().astype(np.intp)
        known = Targets(codes, found.classes, found.n_outputs, False)
        return class_weights(class_weight, known, counts).astype(dtype)

    return weigh


def validation(estimator: Any, given: FitArguments, reader: Reader) -> HeldParts | None:
    """Return the blocks of a validation set of the user's own; None where there is none.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    given : FitArguments
    reader : Reader
        Of what is trained on.

    Raises
    ------
    ValueError
        If it is no source.
    """
    if given.X_val is None and given.y_val is None:
        return None
    source = given.X_val
    if not isinstance(source, Source):
        rule, remedy = "a source where X is one", "fastmlp.data.memmap(X_val, y_val) makes one."
        raise invalid("X_val", rule, f"a {type(source).__name__}", remedy)
    require_width(source, reader.source.n_features, "X_val")
    require_target(source, "X_val")
    return HeldParts(Reader(source, reader.dtype, reader.encode), range(len(source.lengths)))


def require_columns(estimator: Any, source: Source) -> None:
    """Raise scikit-learn's `ValueError` where a source has not the columns of the fit.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted.
    source : Source
    """
    check_is_fitted(estimator)
    require_width(source, estimator.n_features_in_, "X")
    names, known = names_of(source), vars(estimator).get("feature_names_in_")
    if names is not None and known is not None:
        compare_names(known, names)


def in_parts(
    estimator: Any, source: Source, compute: Callable[[Predictor, Features], Array]
) -> Array:
    """Compute something for all rows of a source, block by block, in their order.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted.
    source : Source
    compute : callable

    Returns
    -------
    ndarray of shape (n_samples, n_outputs)
    """
    require_columns(estimator, source)
    predictor = estimator._find_predictor()
    parts = features_of(source, estimator._input_scale, estimator._fitted.dtype)
    return np.concatenate([compute(predictor, features) for features in parts])

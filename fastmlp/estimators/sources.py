"""Estimators on sources: read into arrays where they fit, else fitted on block by block."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from fastmlp._arrays import Array
from fastmlp._errors import invalid
from fastmlp.arguments import make_rule
from fastmlp.class_weights import class_weights
from fastmlp.data.dividing import Division, divide, require_sums
from fastmlp.data.fitting import (
    is_small,
    read_whole,
    require_no_weights,
    require_target,
    weights_of,
)
from fastmlp.data.reading import Reader, features_of
from fastmlp.data.source import Source, names_of, require_no_target, require_width
from fastmlp.data.survey import Survey, survey
from fastmlp.engine.streaming import Streamed
from fastmlp.estimators import options
from fastmlp.estimators.checkpoints import REMEDY, Keeping
from fastmlp.estimators.stochastic import Stochastic
from fastmlp.estimators.task import FitArguments
from fastmlp.feature_names import compare_names
from fastmlp.held_out import HeldBlocks, Targets, split_blocks
from fastmlp.inputs import Features
from fastmlp.predictor import Predictor
from fastmlp.rng import BlockOrders


def goes_on(estimator: Any) -> bool:
    """Tell whether a fit begins with the weights of the one before."""
    return bool(estimator.warm_start) and hasattr(estimator, "coefs_")


def compute_dtype(estimator: Any, source: Source) -> np.dtype[Any]:
    """Choose what is computed in: what a fit that goes on is, `dtype`, or what the source is."""
    own: np.dtype[Any] = estimator._compute_dtype(source)
    return estimator._fitted.dtype if goes_on(estimator) else own


def in_memory(estimator: Any, given: FitArguments, keeping: Keeping) -> FitArguments:
    """Read what fits into arrays: a source that is trained on, or validated on.

    Of several ranks all do where each has rows that fit. What a resumed fit trains on goes the way
    that it went before.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    given : FitArguments
    keeping : Keeping

    Returns
    -------
    FitArguments

    Raises
    ------
    ValueError
        If what is validated on does not fit, while what is trained on does.
    """
    ranks, source = estimator._ranks, given.X
    if isinstance(source, Source):
        if not fits(estimator, source, given.y, ("X", "y"), keeping):
            return given
        dtype = compute_dtype(estimator, source)
        rows, _ = ranks.collect(lambda: read_whole(source, dtype, "X"))
        weights, _ = ranks.collect(lambda: weights_of(rows, given.sample_weight))
        given = given._replace(X=rows.X, y=rows.targets, sample_weight=weights)
    held = given.X_val
    if isinstance(held, Source):
        if not fits(estimator, held, given.y_val, ("X_val", "y_val")):
            rule, remedy = "of a size that fits where X does", "Raise its buffer."
            raise invalid("X_val", rule, "a source larger than its buffer", remedy)
        dtype = compute_dtype(estimator, held)
        rows, _ = ranks.collect(lambda: read_whole(held, dtype, "X_val"))
        given = given._replace(X_val=rows.X, y_val=rows.targets)
    return given


def fits(
    estimator: Any, source: Source, y: Any, names: tuple[str, str], keeping: Keeping | None = None
) -> bool:
    """Tell whether a source is to be read into arrays, which is the same on all ranks.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    source : Source
    y : object
        Must be None.
    names : (str, str)
        What the caller calls the two.
    keeping : Keeping, optional
    """

    def look() -> bool:
        require_no_target(y, names)
        return is_small(source, compute_dtype(estimator, source)) and source.n_samples > 0

    _, everyone = estimator._ranks.collect(look, bool)
    if keeping is not None and keeping.saved is not None:
        return keeping.block_orders is None
    return all(everyone)


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
    if estimator.callbacks is not None:
        estimator.set_callbacks(*estimator.callbacks)
    options.refuse_booleans(estimator)
    generator = estimator._ranks.agree(check_random_state(estimator.random_state))
    estimator._random_state = generator
    first = not goes_on(estimator) or keeping.saved is not None
    Stochastic(estimator, *prepare(estimator, given, first, generator, keeping)).run()
    estimator._finished()


def prepare(
    estimator: Any, given: FitArguments, first: bool, generator: Any, keeping: Keeping
) -> tuple[Any, ...]:
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
    tuple
        What `Stochastic` takes beside the estimator.
    """
    ranks, source, dtype = estimator._ranks, given.X, compute_dtype(estimator, given.X)
    ranks.collect(lambda: require_usable(estimator, given, first))
    division = divide(source, dtype, ranks, {"numbers to compute in": dtype.name})
    found = survey(source, dtype, is_regressor(estimator), ranks=ranks)
    estimator.n_features_in_ = source.n_features
    labels = estimator._read_targets(estimator._plain_targets(examples(found), "y"), first, False)
    parameters, objective = estimator._begin_network(given, source, labels, first, keeping.saved)
    dtype = parameters.dtype
    reader = Reader(
        source, dtype, encoder(estimator, dtype),
        found.checks[division.own] if source.repeatable else None,
        estimator._encode(labels, dtype)[:0],
    )  # fmt: skip
    held, _ = ranks.collect(lambda: validation(estimator, given, reader))
    orders = keeping.block_orders
    ranks.collect(lambda: require_as_before(keeping, division))
    known = [np.array(found.checks), division.lengths, np.array(estimator._input_scale)]
    if held is not None:
        known.append(np.array(held.reader.source.lengths))
    keeping = keeping.known_by(estimator, known, source.shape)
    if orders is None:
        orders = begin_orders(estimator, found, reader, division, held is None, generator)
    if held is None and estimator.early_stopping:
        held = HeldBlocks(reader, division.held_out(orders.blocks), estimator._input_scale)
    batch_size = 200 if estimator.batch_size == "auto" else int(estimator.batch_size)
    step_size = min(batch_size, orders.n_samples) * estimator.accumulate
    weigh = weigher(estimator, found, dtype)
    supply = Streamed(reader, orders, estimator._input_scale, weigh, step_size, ranks)
    rule = make_rule(estimator)
    return parameters, rule, objective, supply, orders, held, False, keeping


def require_as_before(keeping: Keeping, division: Division) -> None:
    """Raise a `ValueError` where blocks are divided otherwise among ranks than in a checkpoint."""
    if keeping.file is not None and keeping.block_orders is not None:
        division.require_as_before(keeping.block_orders, str(keeping.file.path), REMEDY)


def require_usable(estimator: Any, given: FitArguments, first: bool) -> None:
    """Raise a `ValueError` where a source cannot be fitted on block by block as it is to be.

    Parameters
    ----------
    estimator, given, first
        See `prepare`.
    """
    require_no_weights(given.sample_weight)
    require_sums(estimator._ranks)
    if not first:
        require_columns(estimator, given.X)


def begin_orders(
    estimator: Any, found: Survey, reader: Reader, division: Division, may_hold_out: bool,
    generator: Any,
) -> BlockOrders:  # fmt: skip
    """Make what draws the orders of the epochs, of the blocks that are not held out.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    found : Survey
    reader : Reader
    division : Division
    may_hold_out : bool
        Whether there is no validation set of the user's own.
    generator : numpy.random.RandomState
    """
    blocks = None
    if may_hold_out and estimator.early_stopping:
        draws = np.random.default_rng(generator.randint(1 << 31))
        repeatable, fraction = reader.source.repeatable, estimator.validation_fraction
        blocks, _ = division.ranks.collect(
            lambda: split_blocks(division.lengths, repeatable, fraction, draws)
        )
    seed = int(generator.randint(1 << 31))
    return division.begin_orders(reader, found, blocks, estimator.shuffle, seed)


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


def validation(estimator: Any, given: FitArguments, reader: Reader) -> HeldBlocks | None:
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
    if isinstance(source, Source):
        require_no_target(given.y_val, ("X_val", "y_val"))
    else:
        rule, remedy = "a source where X is one", "fastmlp.data.memmap(X_val, y_val) makes one."
        raise invalid("X_val", rule, f"a {type(source).__name__}", remedy)
    require_width(source, reader.source.n_features, "X_val")
    require_target(source, "X_val")
    blocks = np.arange(len(source.lengths))
    own = Reader(source, reader.dtype, reader.encode, no_targets=reader.no_targets)
    return HeldBlocks(own, blocks, estimator._input_scale)


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

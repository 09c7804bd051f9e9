"""Checkpoints of a fit, and going on from one."""

from collections.abc import Iterable
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from fastmlp._checks import check_flag
from fastmlp._errors import invalid
from fastmlp.arguments import refuse_with_lbfgs
from fastmlp.backends.contract import Problem
from fastmlp.engine import checkpoint
from fastmlp.engine.descent import Descent
from fastmlp.engine.state import State
from fastmlp.network import Parameters
from fastmlp.ranks import Alone, require_manner
from fastmlp.rng import BlockOrders

MAY_DIFFER = ("callbacks", "n_threads", "verbose", "warm_start")
"""Arguments that change no bit of a fit that is resumed."""

REMEDY = "Pass what fit was given: X, y, sample_weight, X_val and y_val."


class Saved(NamedTuple):
    """What a fit that is resumed goes on from."""

    description: checkpoint.Description
    state: State


class Keeping(NamedTuple):
    """Whether a fit is kept in a file, and what it goes on from."""

    file: checkpoint.File | None = None
    saved: Saved | None = None
    description: checkpoint.Description | None = None
    """What is written; None where there is no file."""

    @property
    def state(self) -> State | None:
        """That of the checkpoint; None where a fit begins."""
        return None if self.saved is None else self.saved.state

    @property
    def block_orders(self) -> BlockOrders | None:
        """Those of a checkpoint of a source that was read in blocks; None for others."""
        orders = None if self.saved is None else self.saved.state.orders
        return orders if isinstance(orders, BlockOrders) else None

    def hook(self, descent: Descent) -> checkpoint.Checkpoints | None:
        """Make what writes checkpoints; None where there is no file, or another rank writes it."""
        if self.file is None or self.description is None or descent.ranks.rank > 0:
            return None
        return checkpoint.Checkpoints(self.file, descent, self.description)

    def of(self, estimator: Any, problem: Problem, validation: Problem | None) -> "Keeping":
        """Describe a fit, and see that its data are those of the checkpoint.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
        problem : Problem
        validation : Problem or None
            As it was given.

        Returns
        -------
        Keeping

        Raises
        ------
        ValueError
            If the data are others.
        """
        if self.file is None:
            return self
        shape = problem.features.n_samples, problem.features.n_features
        data = self._fingerprint(estimator._ranks, problem, validation)
        return self._known(estimator, self.file.path, data, shape)

    def _fingerprint(self, ranks: Alone, problem: Problem, validation: Problem | None) -> str:
        """Compute a number by which to know the data; of several ranks, row by row."""
        weights, scale = problem.weights, problem.features.scale
        held = [] if validation is None else [validation.features.values, validation.targets]
        rows = [problem.features.values, problem.targets]
        by_rows = ranks.shared
        if self.saved is not None:
            by_rows = self.saved.description.data.startswith(checkpoint.BY_ROWS)
        if not by_rows:
            return checkpoint.fingerprint([np.array(scale), weights, *rows, *held])
        if weights is not None and ranks.shared:
            weights = weights[ranks.own_slice]
        parts = [part for part in ([*rows, weights], held) if part]
        return checkpoint.fingerprint_of_rows(scale, parts, ranks)

    def known_by(self, estimator: Any, arrays: Iterable[Any], shape: tuple[int, int]) -> "Keeping":
        """Describe a fit by arrays by which its data are known again; see `of`.

        Parameters
        ----------
        estimator : MLPClassifier or MLPRegressor
        arrays : iterable of ndarray, CSR matrix or None
            This rank's.
        shape : (int, int)
            Rows and columns of what is trained on.

        Returns
        -------
        Keeping
        """
        if self.file is None:
            return self
        data = checkpoint.fingerprint_of_ranks(arrays, estimator._ranks)
        return self._known(estimator, self.file.path, data, shape)

    def _known(self, estimator: Any, path: Any, data: str, shape: tuple[int, int]) -> "Keeping":
        """Describe a fit by the fingerprint of its data."""
        ranks, saved = estimator._ranks, self.saved
        if saved is None:
            asked = settings(estimator) | (ranks.manner if ranks.shared else {})
            described = checkpoint.Description(writer(estimator), asked, data, estimator.t_)
            return self._replace(description=described)
        if data != saved.description.data:
            got = f"{shape[0]} rows of {shape[1]} columns with other values"
            raise invalid("X and y", f"the data of {path}", got, REMEDY)
        return self._replace(description=saved.description)


def writer(estimator: Any) -> str:
    """Name what writes the checkpoints of an estimator."""
    return f"{type(estimator).__name__}.fit"


def settings(estimator: Any) -> dict[str, Any]:
    """Put the arguments together that say how to fit, those as text that a file cannot hold.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor

    Returns
    -------
    dict of str to object
    """
    arguments: dict[str, Any] = estimator.get_params(deep=False)
    seed, scoring = arguments["random_state"], arguments["scoring"]
    stored = {
        "random_state": int(seed) if isinstance(seed, Integral) else None,
        "scoring": "a callable" if callable(scoring) else scoring,
    }
    kept = {name: value for name, value in arguments.items() if name not in MAY_DIFFER}
    return kept | stored


def begin_keeping(estimator: Any, path: Any, seconds: Any, resume: Any, ranks: Alone) -> Keeping:
    """Check the arguments of `fit` that say whether it is kept, and read where to go on from.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    path, seconds, resume
        The arguments `checkpoint`, `checkpoint_seconds` and `resume` of `fit`; rank 0's count.
    ranks : Alone
        Rank 0 reads the file.

    Returns
    -------
    Keeping

    Raises
    ------
    ValueError
        If one cannot be used, or the estimator is not to be fitted as the checkpoint says.
    FileNotFoundError
        If there is none.
    """

    def begin() -> Keeping:
        file = checkpoint.check_file(path, seconds)
        resumed = check_flag("resume", resume)
        if file is None:
            if resumed:
                raise invalid("checkpoint", "a path where resume is True", "None")
            return Keeping()
        if estimator.solver == "lbfgs":
            refuse_with_lbfgs(estimator, checkpoint=True)
        if not resumed or ranks.rank > 0:
            return Keeping(file)
        return Keeping(file, read_saved(estimator, path, ranks))

    return ranks.agree(ranks.collect(begin)[0])


def read_saved(estimator: Any, path: Any, ranks: Alone) -> Saved:
    """Read a checkpoint, and see that the estimator is to be fitted as it says.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    path : path-like
    ranks : Alone

    Returns
    -------
    Saved
    """
    saved = Saved(*checkpoint.read(path, writer(estimator)))
    for name, value in settings(estimator).items():
        before = saved.description.settings.get(name)
        if checkpoint.plain(value) != checkpoint.plain(before):
            remedy = "Set it back, or fit without resume."
            raise invalid(name, f"{before!r}, as in {path}", repr(value), remedy)
    require_manner(ranks, saved.description.settings, str(path))
    return saved


def take_up(estimator: Any, saved: Saved) -> Parameters:
    """Set the attributes that a fit has reached, and return its parameters.

    A RandomState of the user's own is brought to where it was, but by a source that is read in
    blocks, whose orders are not drawn one after the other.
    """
    state, given = saved.state, estimator.random_state
    orders: Any = state.orders
    if not isinstance(orders, BlockOrders):
        if isinstance(given, np.random.RandomState):
            given.set_state(orders.generator.get_state())
            orders.generator = given
        estimator._random_state = orders.generator
    history = estimator.history_ = state.history
    estimator.t_ = saved.description.n_seen + state.epoch * orders.n_samples
    estimator.loss_curve_, estimator.validation_loss_curve_ = history.loss, history.val_loss
    estimator.validation_scores_ = history.val_score or None
    if state.epoch > 0:
        estimator.loss_ = history.loss[-1]
    return state.parameters

"""What a fit leaves for the next one, and how that goes on from it."""

from collections.abc import Callable
from functools import cache
from numbers import Integral
from operator import attrgetter, is_
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from fastmlp._arrays import Indices
from fastmlp.engine.descent import Released
from fastmlp.engine.plan import Plan
from fastmlp.engine.state import Best, State
from fastmlp.estimators.validation import TrainingSet
from fastmlp.history import History
from fastmlp.network import Parameters
from fastmlp.optimizers import Rule
from fastmlp.rng import BlockOrders, Shuffles

CURVES = ("loss_curve_", "validation_loss_curve_", "validation_scores_")

CHANGING = {list, np.ndarray}
"""Kinds of arguments that may be other ones though they are the same object."""


class Draws(NamedTuple):
    """What the epochs of a fit draw from, one after the other."""

    random_state: np.random.RandomState
    dropout: np.random.Generator | None
    order: Indices
    """(n,): that of the last epoch, which the next one shuffles."""


class Memory(NamedTuple):
    """What `partial_fit` goes on from."""

    state: Any
    """(n_slots, n_parameters): the solver's, or what `numpy.asarray` turns into it."""
    steps: int
    rate: float
    """Where "adaptive" has brought the initial rate."""
    solver: str
    """To which all this belongs: another begins anew."""
    rate_init: float
    """The initial rate then: another one is begun from."""
    draws: Draws | None = None
    """Those of a fit that was not over when it was copied; after a fit, `partial_fit` draws from
    `random_state` anew, as scikit-learn does."""

    def rate_for(self, estimator: Any) -> float:
        """Return the rate to go on with: what was lowered, or a new initial rate."""
        rate: float = estimator.learning_rate_init
        return self.rate if rate == self.rate_init else rate


class Kept(NamedTuple):
    """What a `partial_fit` leaves for the next one, which computes the same without it, slower.

    It is taken away while it is used, so that no two threads share it.
    """

    released: Released | None = None
    generator: np.random.RandomState | None = None
    """Made for a seed; making one takes as long as two small steps."""
    plan: Plan | None = None
    settings: tuple[Any, ...] = ()
    """What it was made of; see `settings_of`."""
    n_samples: int = 0
    """And for so many."""

    def heed(self, estimator: Any) -> "Kept":
        """Leave the plan out where an argument is another object now."""
        settings = settings_of(estimator) if self.settings else ()
        same = settings != () and all(map(is_, settings, self.settings))
        return self if same else self._replace(plan=None)

    def plan_for(self, estimator: Any, n_samples: int, n_outputs: int) -> Plan | None:
        """Return the plan if it is one for these data, and for the parameters as they are."""
        if self.plan is None or self.released is None or n_samples != self.n_samples:
            return None
        parameters = estimator._parameters()
        same = self.released.parameters is parameters
        return self.plan if same and parameters.network.layer_sizes[-1] == n_outputs else None

    def seeded(self, random_state: Any) -> np.random.RandomState:
        """Return what scikit-learn makes of `random_state`."""
        if self.generator is None or not isinstance(random_state, Integral):
            generator: np.random.RandomState = check_random_state(random_state)
            return generator
        self.generator.seed(int(random_state))
        return self.generator


def settings_of(estimator: Any) -> tuple[Any, ...]:
    """Return all that a plan is made of but the data; empty where it can change in place.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted.
    """
    kind: Any = type(estimator)
    settings: tuple[Any, ...] = read_settings(kind)(estimator)
    return () if CHANGING & set(map(type, settings)) else settings


@cache
def read_settings(kind: Any) -> Callable[[Any], tuple[Any, ...]]:
    """Make what reads the arguments of a kind of estimator, and what fits set beside them."""
    return attrgetter(*kind._parameter_constraints, "out_activation_")


def begin_state(
    estimator: Any, parameters: Parameters, orders: Shuffles | BlockOrders, memory: Memory | None,
    has_dropout: bool,
) -> State:  # fmt: skip
    """Go on from what `partial_fit` remembers, or begin anew."""
    dropout = None
    if memory is not None and memory.draws is not None and isinstance(orders, Shuffles):
        estimator._random_state, dropout = memory.draws.random_state, memory.draws.dropout
        orders.generator = estimator._random_state
        if len(memory.draws.order) == len(orders.order):
            orders.order = memory.draws.order
    if dropout is None and has_dropout:
        dropout = np.random.default_rng(estimator._random_state.randint(1 << 31))
    if memory is None:
        # Invscaling starts from the initial rate, whatever went before.
        return State(parameters, orders, estimator.learning_rate_init, dropout)
    return State(
        parameters, orders, memory.rate_for(estimator), dropout, memory.state, memory.steps,
        estimator.t_,
    )  # fmt: skip


def recall(estimator: Any, parameters: Parameters, rule: Rule) -> Memory | None:
    """Return what `partial_fit` goes on from, if it is this solver's and of this network."""
    memory: Memory | None = getattr(estimator, "_memory", None)
    shape = (rule.solver.n_slots, parameters.buffer.size)
    if memory is None or memory.solver != estimator.solver or memory.state.shape != shape:
        return None
    return memory


def begin_history(estimator: Any, state: State, validation: Any) -> None:
    """Go on with the curves of the fits before."""
    kept = vars(estimator)
    for name in CURVES:
        kept.setdefault(name, None if name == "validation_scores_" else [])
    watched = validation is not None and not isinstance(validation, TrainingSet)
    if watched and estimator.validation_scores_ is None:
        estimator.validation_scores_ = []
    curves = (kept[name] if kept[name] is not None else [] for name in CURVES)
    history: History = kept.get("history_", History())
    history.loss, history.val_loss, history.val_score = curves
    estimator.history_ = state.history = history


def begin_counting(estimator: Any, state: State) -> None:
    """Go on with the count of epochs, or count anew where what is watched has changed.

    It changes with `early_stopping`, from the loss to the score or back.
    """
    early_stopping, kept = estimator.early_stopping, vars(estimator)
    if kept.get("best_validation_score_" if early_stopping else "best_loss_") is not None:
        score = estimator.best_validation_score_ if early_stopping else -np.inf
        loss = np.inf if early_stopping else estimator.best_loss_
        buffer = state.parameters.buffer.copy() if score > -np.inf else None
        state.best = Best(loss, score, estimator._no_improvement_count, buffer)
    keep_count(estimator, state.best)


def keep_count(estimator: Any, best: Best) -> None:
    """Set the attributes that say how well it went at best."""
    by_score = estimator.early_stopping
    estimator.best_validation_score_ = best.score if by_score else None
    estimator.best_loss_ = None if by_score else best.loss
    estimator._no_improvement_count = best.n_without

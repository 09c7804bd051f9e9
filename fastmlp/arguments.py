"""The arguments that say how to train: what each may be, and what the engine makes of them.

Both doors take them, under the estimators' names here: what `train` calls otherwise is in `NAMES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from numbers import Real
from typing import Any

import numpy as np

from fastmlp._checks import check_flag, check_name, check_real, check_rounded, check_whole
from fastmlp._errors import invalid
from fastmlp.activations import ACTIVATIONS
from fastmlp.backends import BACKENDS
from fastmlp.backends.contract import DRAWS, threshold
from fastmlp.optimizers import OPTIMIZERS, SGD, Rule
from fastmlp.rng import INITIALISATIONS
from fastmlp.schedules import SCHEDULES, Schedule
from fastmlp.threads import MOST_THREADS

NAMES = {"max_iter": "epochs", "nesterovs_momentum": "nesterov"}
"""What `train` calls what the estimators, as scikit-learn, call otherwise."""


@dataclass(frozen=True)
class Number:
    """A number in an interval.

    Parameters
    ----------
    least, most : float
    closed : {"left", "right", "both", "neither"}
        Which of the two it may be.
    whole : bool
    optional : bool
        Whether it may be None.
    """

    least: float = 0
    most: float = np.inf
    closed: str = "left"
    whole: bool = False
    optional: bool = False

    def check(self, name: str, value: Any) -> Any:
        """Return the number; raise a `ValueError` if it is none, or not one of these."""
        if value is None and self.optional:
            return None
        if self.whole:
            return check_whole(name, value, self.least, self.most)
        return check_real(name, value, self.least, self.most, self.closed)


@dataclass(frozen=True)
class Name:
    """One of some names.

    Parameters
    ----------
    names : tuple of str
    optional : bool
        Whether it may be None.
    """

    names: tuple[str, ...]
    optional: bool = False

    def check(self, name: str, value: Any) -> Any:
        """Return the name; raise a `ValueError` that suggests the nearest if it is unknown."""
        return None if value is None and self.optional else check_name(name, value, self.names)


@dataclass(frozen=True)
class Flag:
    """True or False."""

    def check(self, name: str, value: Any) -> bool:
        """Return it; raise a `ValueError` if it is something else."""
        return check_flag(name, value)


RULES: dict[str, Number | Name | Flag] = {
    "solver": Name((*OPTIMIZERS, "lbfgs")),
    "alpha": Number(),
    "learning_rate": Name((*SCHEDULES, "adaptive")),
    "learning_rate_init": Number(closed="neither"),
    "power_t": Number(),
    "max_iter": Number(1, whole=True),
    "shuffle": Flag(),
    "tol": Number(),
    "max_fun": Number(1, whole=True),
    "momentum": Number(most=1),
    "nesterovs_momentum": Flag(),
    "early_stopping": Flag(),
    "validation_fraction": Number(most=1),
    "beta_1": Number(most=1),
    "beta_2": Number(most=1),
    "epsilon": Number(closed="neither"),
    "n_iter_no_change": Number(1, whole=True),
    "l1": Number(),
    "max_grad_norm": Number(closed="neither", optional=True),
    "accumulate": Number(1, whole=True),
    "step_size": Number(1, whole=True),
    "step_factor": Number(most=1, closed="right"),
    "warm_up": Number(whole=True),
    "time_budget": Number(closed="neither", optional=True),
    "label_smoothing": Number(most=1),
    "huber_delta": Number(closed="neither"),
    "quantile": Number(most=1, closed="neither"),
    "init": Name(tuple(INITIALISATIONS)),
    "backend": Name(tuple(BACKENDS)),
    "n_threads": Number(1, MOST_THREADS, "both", whole=True, optional=True),
}
"""What each argument may be; the estimators allow scikit-learn's further ones."""

OPTIMIZER_NUMBERS = {"nesterov": "nesterovs_momentum", "weight_decay": "alpha"}
"""What the arguments call an optimizer's number, where it is not the same."""

ROUNDED = ("learning_rate_init", "momentum", "beta_1", "beta_2", "epsilon")
"""Arguments that make another algorithm where they are rounded to 0 or 1."""


def check_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Check arguments of `train`.

    Parameters
    ----------
    arguments : mapping of str to object
        Under the names of `RULES`.

    Returns
    -------
    dict of str to object

    Raises
    ------
    ValueError
        If one is not what it may be.
    """
    return {
        name: RULES[name].check(NAMES.get(name, name), value) if name in RULES else value
        for name, value in arguments.items()
    }


def require_kept(arguments: Any, dtype: np.dtype[Any]) -> None:
    """Raise a `ValueError` where an argument is rounded to 0 or 1 in what is computed in."""
    for name in ROUNDED:
        check_rounded(name, getattr(arguments, name), dtype)


def refuse_with_lbfgs(arguments: Any, **further: bool) -> None:
    """Raise a `ValueError` for what L-BFGS, all of whose steps are of all samples, cannot do.

    Parameters
    ----------
    arguments : object
        See `make_rule`.
    **further
        What one of the doors cannot do with it beside, and whether it is asked for.
    """
    refused = {
        "dropout": bool(np.any(arguments.dropout)),
        "max_grad_norm": arguments.max_grad_norm is not None,
        "accumulate": arguments.accumulate > 1,
        **further,
    }
    for name, asked in refused.items():
        if asked:
            remedy = "Use solver='adam'."
            got = f"{name} and solver='lbfgs'"
            raise invalid(name, "left out with solver='lbfgs'", got, remedy)


def layer_activations(activation: Any, n_hidden: int) -> tuple[str, ...]:
    """Turn one activation, or one a layer, into one a layer."""
    if isinstance(activation, str):
        return (check_name("activation", activation, ACTIVATIONS),) * n_hidden
    names = tuple(activation)
    if len(names) != n_hidden:
        rule = f"one name, or one for each of the {n_hidden} hidden layers, of {list(ACTIVATIONS)}"
        raise invalid("activation", rule, names)
    return tuple(check_name("activation", name, ACTIVATIONS) for name in names)


def layer_dropout(dropout: Any, n_hidden: int) -> tuple[float, ...]:
    """Turn one rate, or one a layer, into one a layer."""
    listed = isinstance(dropout, list | tuple)
    rates = tuple(dropout) if listed else (dropout,) * n_hidden
    sound = all(map(_is_drawn, rates if listed else (dropout,)))
    if len(rates) != n_hidden or not sound:
        rule = f"one rate in [0, 1), or one for each of the {n_hidden} hidden layers"
        remedy = f"Rates are drawn in steps of {1 / DRAWS:.2g}; 0 is none."
        raise invalid("dropout", rule, repr(dropout), remedy)
    return tuple(float(rate) for rate in rates)


def _is_drawn(rate: Any) -> bool:
    """Tell whether a rate is 0, or can be told from 0 and 1 in drawing."""
    known = isinstance(rate, Real) and not isinstance(rate, bool) and 0 <= float(rate) < 1
    return known and (rate == 0 or 0 < threshold(float(rate)) < DRAWS)


@cache
def optimizer_numbers(kind: Any) -> dict[str, str]:
    """List an optimizer's numbers, and what the arguments call each."""
    names = [field.name for field in fields(kind)]
    return {name: OPTIMIZER_NUMBERS.get(name, name) for name in names}


def make_rule(arguments: Any) -> Rule:
    """Describe the update rule that arguments ask for.

    Parameters
    ----------
    arguments : object
        With the attributes of `RULES`; lbfgs takes only the penalties from it.

    Returns
    -------
    Rule
    """
    kind: Any = OPTIMIZERS.get(arguments.solver, SGD)
    names = optimizer_numbers(kind)
    numbers = {name: getattr(arguments, argument) for name, argument in names.items()}
    longest = np.inf if arguments.max_grad_norm is None else float(arguments.max_grad_norm)
    alpha = 0.0 if "weight_decay" in names else float(arguments.alpha)
    return Rule(kind(**numbers), alpha, float(arguments.l1), longest)


def make_schedule(arguments: Any, steps_per_epoch: int, name: str | None = None) -> Schedule:
    """Describe the learning-rate schedule that arguments ask for.

    Parameters
    ----------
    arguments : object
        See `make_rule`.
    steps_per_epoch : int
    name : str, optional
        In place of `learning_rate`; "adaptive" lowers a constant rate.

    Returns
    -------
    Schedule
    """
    name = arguments.learning_rate if name is None else name
    return Schedule(
        SCHEDULES["constant" if name == "adaptive" else name],
        arguments.learning_rate_init,
        arguments.power_t,
        arguments.step_size * steps_per_epoch,
        arguments.step_factor,
        arguments.warm_up * steps_per_epoch,
    )

"""The constructor's arguments: the rules they must keep, and what the engine makes of them."""

from dataclasses import fields
from functools import cache
from numbers import Integral, Real
from operator import attrgetter
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import Interval, Options, StrOptions

from fastmlp._checks import check_name, check_rounded
from fastmlp._errors import invalid, meant
from fastmlp.activations import ACTIVATIONS
from fastmlp.backends import BACKENDS
from fastmlp.backends.contract import DRAWS, threshold
from fastmlp.optimizers import OPTIMIZERS, SGD, Rule
from fastmlp.rng import INITIALISATIONS
from fastmlp.schedules import SCHEDULES, Schedule
from fastmlp.threads import MOST_THREADS

SKLEARN_SCHEDULES = ("constant", "invscaling", "adaptive")
"""Those that scikit-learn has; with solvers other than sgd they are the constant one."""

CONSTRAINTS: dict[str, Any] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(set(ACTIVATIONS)), list, tuple],
    "solver": [StrOptions({"lbfgs", *OPTIMIZERS})],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({*SKLEARN_SCHEDULES, *SCHEDULES})],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [
        Interval(Integral, 1, None, closed="left"),
        Options(Real, {np.inf}),
    ],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "dropout": [Interval(Real, 0, 1, closed="left"), list, tuple],
    "l1": [Interval(Real, 0, None, closed="left")],
    "max_grad_norm": [Interval(Real, 0, None, closed="neither"), None],
    "step_size": [Interval(Integral, 1, None, closed="left")],
    "step_factor": [Interval(Real, 0, 1, closed="right")],
    "warm_up": [Interval(Integral, 0, None, closed="left")],
    "time_budget": [Interval(Real, 0, None, closed="neither"), None],
    "callbacks": ["array-like", None],
    "scoring": [StrOptions(set(get_scorer_names())), callable, None],
    "init": [StrOptions(set(INITIALISATIONS)), None],
    "backend": [StrOptions(set(BACKENDS))],
    "n_threads": [Interval(Integral, 1, MOST_THREADS, closed="both"), None],
    "dtype": [StrOptions({"float32", "float64"}), None],
}
"""What each argument may be, for scikit-learn's own check and messages."""


def refuse_booleans(estimator: Any) -> None:
    """Raise a `ValueError` for True and False as numbers, which Python counts them among."""
    kind: Any = type(estimator)
    names = others_than_switches(kind)
    values = attrgetter(*names)(estimator)
    if bool in map(type, values):
        name, value = next(
            pair for pair in zip(names, values, strict=True) if type(pair[1]) is bool
        )
        raise invalid(name, "other than True and False", value, "Say the number that is meant.")


@cache
def others_than_switches(kind: Any) -> tuple[str, ...]:
    """List the arguments that cannot be True or False."""
    return tuple(
        name
        for name, rules in kind._parameter_constraints.items()
        if "boolean" not in rules and "verbose" not in rules
    )


ROUNDED = ("learning_rate_init", "momentum", "beta_1", "beta_2", "epsilon")
"""Arguments that make another algorithm where they are rounded to 0 or 1."""


def require_kept(estimator: Any, dtype: np.dtype[Any]) -> None:
    """Raise a `ValueError` where an argument is rounded to 0 or 1 in what is computed in."""
    for name in ROUNDED:
        check_rounded(name, getattr(estimator, name), dtype)


def meant_names(estimator: Any) -> list[str]:
    """Ask, for each argument that is a name scikit-learn's check refuses, which name is meant."""
    questions = [
        meant(getattr(estimator, name), rule.options)
        for name, rules in estimator._parameter_constraints.items()
        for rule in rules
        if isinstance(rule, StrOptions)
        and isinstance(getattr(estimator, name), str)
        and not rule.is_satisfied_by(getattr(estimator, name))
    ]
    return [question for question in questions if question]


def layer_activations(activation: Any, n_hidden: int) -> tuple[str, ...]:
    """Turn one activation, or one a layer, into one a layer."""
    if isinstance(activation, str):
        return (activation,) * n_hidden
    names = tuple(activation)
    if len(names) != n_hidden:
        rule = f"one name, or one for each of the {n_hidden} hidden layers, of {list(ACTIVATIONS)}"
        raise invalid("activation", rule, names)
    return tuple(check_name("activation", name, ACTIVATIONS) for name in names)


def layer_dropout(dropout: Any, n_hidden: int) -> tuple[float, ...]:
    """Turn one rate, or one a layer, into one a layer."""
    rates = (dropout,) * n_hidden if isinstance(dropout, Real) else tuple(dropout)
    if len(rates) != n_hidden or not all(map(_is_drawn, rates)):
        rule = f"one rate in [0, 1), or one for each of the {n_hidden} hidden layers"
        remedy = f"Rates are drawn in steps of {1 / DRAWS:.2g}; 0 is none."
        raise invalid("dropout", rule, repr(dropout), remedy)
    return tuple(float(rate) for rate in rates)


def _is_drawn(rate: Any) -> bool:
    """Tell whether a rate is 0, or can be told from 0 and 1 in drawing."""
    known = isinstance(rate, Real) and 0 <= float(rate) < 1
    return known and (rate == 0 or 0 < threshold(float(rate)) < DRAWS)


ARGUMENTS = {"nesterov": "nesterovs_momentum", "weight_decay": "alpha"}
"""What the estimators call an optimizer's number, where it is not the same."""


def make_rule(estimator: Any) -> Rule:
    """Describe the update rule that an estimator's arguments ask for; lbfgs has only penalties."""
    kind: Any = OPTIMIZERS.get(estimator.solver, SGD)
    names = [field.name for field in fields(kind)]
    numbers = {name: getattr(estimator, ARGUMENTS.get(name, name)) for name in names}
    longest = np.inf if estimator.max_grad_norm is None else float(estimator.max_grad_norm)
    alpha = 0.0 if "weight_decay" in names else float(estimator.alpha)
    return Rule(kind(**numbers), alpha, float(estimator.l1), longest)


def make_schedule(estimator: Any, steps_per_epoch: int) -> Schedule:
    """Describe the course of the learning rate that an estimator's arguments ask for."""
    name = estimator.learning_rate
    scikit_learns = name in SKLEARN_SCHEDULES
    if scikit_learns and not (name == "invscaling" and estimator.solver == "sgd"):
        name = "constant"
    return Schedule(
        SCHEDULES[name],
        estimator.learning_rate_init,
        estimator.power_t,
        estimator.step_size * steps_per_epoch,
        estimator.step_factor,
        estimator.warm_up * steps_per_epoch,
    )

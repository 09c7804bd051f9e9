"""The constructor's arguments: the rules they must keep, and what the engine makes of them."""

from functools import cache
from numbers import Integral, Real
from operator import attrgetter
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import Interval, Options, StrOptions

from fastmlp._errors import invalid, meant
from fastmlp.activations import ACTIVATIONS
from fastmlp.arguments import RULES, Flag, Name, Number
from fastmlp.inputs import SCALES
from fastmlp.rng import INITIALISATIONS

SKLEARN_SCHEDULES = ("constant", "invscaling", "adaptive")
"""Those that scikit-learn has; with solvers other than sgd they are the constant one."""


def as_constraints(rule: Number | Name | Flag) -> list[Any]:
    """Turn a rule into scikit-learn's form."""
    if isinstance(rule, Flag):
        return ["boolean"]
    none = [None] if rule.optional else []
    if isinstance(rule, Name):
        return [StrOptions(set(rule.names)), *none]
    most = None if rule.most == np.inf else rule.most
    return [Interval(Integral if rule.whole else Real, rule.least, most, closed=rule.closed), *none]


OWN = ("label_smoothing", "huber_delta", "quantile")
"""What one of the two estimators has."""

CONSTRAINTS: dict[str, Any] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(set(ACTIVATIONS)), list, tuple],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "random_state": ["random_state"],
    "input_scale": [StrOptions(set(SCALES)), "array-like", None],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "dropout": [Interval(Real, 0, 1, closed="left"), list, tuple],
    "callbacks": ["array-like", None],
    "scoring": [StrOptions(set(get_scorer_names())), callable, None],
    "dtype": [StrOptions({"float32", "float64"}), None],
    **{name: as_constraints(rule) for name, rule in RULES.items() if name not in OWN},
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
    "init": [StrOptions(set(INITIALISATIONS)), None],
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


def schedule_name(estimator: Any) -> str:
    """Name the schedule: scikit-learn's own are for sgd, and constant with other solvers."""
    name: str = estimator.learning_rate
    scikit_learns = name in SKLEARN_SCHEDULES
    return "constant" if scikit_learns and estimator.solver != "sgd" else name


def keep_arguments(estimator: Any, arguments: dict[str, Any]) -> None:
    """Set a constructor's arguments as attributes, as scikit-learn's estimators do."""
    for name, value in arguments.items():
        if name != "self":
            setattr(estimator, name, value)


def is_stochastic(estimator: Any) -> bool:
    """Tell whether there is a `partial_fit`; raise scikit-learn's `AttributeError` if not."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. "
            f"{estimator.solver} is not stochastic."
        )
    return True

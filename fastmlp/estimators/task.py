"""What a fit is given, and what it is once that is checked."""

from typing import Any, NamedTuple

from fastmlp._arrays import Array
from fastmlp.backends.contract import Objective, Problem
from fastmlp.engine.plan import Plan
from fastmlp.estimators.validation import ValidationSet
from fastmlp.network import Parameters


class FitArguments(NamedTuple):
    """What `fit` and `partial_fit` are given."""

    X: Any
    y: Any
    sample_weight: Any = None
    X_val: Any = None
    y_val: Any = None
    coefs_init: Any = None
    intercepts_init: Any = None


class Prepared(NamedTuple):
    """The same, checked, with all that a fit needs."""

    X: Any
    y: Array
    """Labels, or true values."""
    weights: Array | None
    """(n_samples,), before they are rounded to what is computed in."""
    parameters: Parameters
    problem: Problem
    objective: Objective
    validation: ValidationSet | None
    plan: Plan | None
    """That of the fit before, where it serves for this one too."""

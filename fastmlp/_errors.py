"""Errors in one form: which parameter, which rule, what came, what to do; and warnings."""

import difflib
import re
import sys
import warnings
from collections.abc import Iterable


def invalid(parameter: str, rule: str, got: object, remedy: str = "") -> ValueError:
    """Word a `ValueError` about one parameter.

    Parameters
    ----------
    parameter : str
        The parameter's name as the caller wrote it.
    rule : str
        What the value must be, to follow "must be".
    got : object
        What came instead: a string is shown as it is (a shape, a place), anything else by repr.
    remedy : str
        What to do about it, one sentence.
    """
    shown = got if isinstance(got, str) else repr(got)
    message = f"{parameter} must be {rule}; got {shown}."
    return ValueError(f"{message} {remedy}" if remedy else message)


SYNONYMS = {
    # activations
    "sigmoid": "logistic", "expit": "logistic", "linear": "identity", "none": "identity",
    "swish": "silu", "leakyrelu": "leaky_relu", "lrelu": "leaky_relu", "rectifier": "relu",
    "hardtanh": "tanh", "gelu_tanh": "gelu",
    # solvers
    "momentum": "sgd", "nesterov": "sgd", "gradient_descent": "sgd", "adamax": "adam",
    "bfgs": "lbfgs", "l_bfgs": "lbfgs", "l_bfgs_b": "lbfgs", "rms_prop": "rmsprop",
    # losses
    "mse": "squared_error", "l2": "squared_error", "mean_squared_error": "squared_error",
    "mae": "absolute_error", "l1": "absolute_error", "mean_absolute_error": "absolute_error",
    "smooth_l1": "huber", "pinball": "quantile", "poisson_nll": "poisson",
    # initial weights
    "xavier": "glorot_uniform", "xavier_uniform": "glorot_uniform", "glorot": "glorot_uniform",
    "he": "he_normal", "kaiming": "he_normal", "kaiming_normal": "he_normal",
    "normal": "standard_normal", "gaussian": "standard_normal", "randn": "standard_normal",
    # learning rates
    "cosine_annealing": "cosine", "onecycle": "one_cycle", "inverse_scaling": "invscaling",
    # backends
    "cpu": "numba", "jit": "numba", "compiled": "numba", "np": "numpy", "python": "reference",
}  # fmt: skip
"""What other libraries call things, and our names for them."""


def unknown_name(parameter: str, name: object, known: Iterable[str]) -> ValueError:
    """Word a `ValueError` about a name that is not in a table, suggesting the one that was meant.

    Parameters
    ----------
    parameter : str
        The parameter's name as the caller wrote it.
    name : object
        The value that came.
    known : iterable of str
        The names there are.
    """
    names = list(known)
    return invalid(
        parameter, "one of " + ", ".join(map(repr, names)), repr(name), meant(name, names)
    )


def meant(name: object, known: Iterable[str]) -> str:
    """Ask whether one of the known names is meant by another: a synonym, or the nearest.

    Parameters
    ----------
    name : object
    known : iterable of str

    Returns
    -------
    str
        A question, or nothing.
    """
    names = list(known)
    written = re.sub(r"[\W_]+", "_", str(name)).strip("_").lower()
    nearest = difflib.get_close_matches(written, names, n=1)
    if SYNONYMS.get(written) in names:
        nearest = [SYNONYMS[written]]
    return f"Did you mean {nearest[0]!r}?" if nearest else ""


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn of something on the user's line: the innermost that is not in this package.

    Parameters
    ----------
    message : str
    category : type of warning
    """
    package, level, frame = __name__.partition(".")[0], 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)

"""From the arguments of `train` to what a backend takes: each is checked and turned, once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastmlp._checks import check_flag, check_name, check_real, check_sizes
from fastmlp._errors import invalid
from fastmlp.activations import ACTIVATIONS
from fastmlp.network import Network, Parameters
from fastmlp.optimizers import OPTIMIZERS, SGD, Adam, Rule
from fastmlp.rng import INITIALISATIONS, initial_parameters
from fastmlp.schedules import SCHEDULES, Schedule

DTYPES = ("float32", "float64")
SOLVERS = ("sgd", "adam")
COURSES = ("constant", "invscaling", "cosine", "one_cycle")
"""Courses of the rate that need no further arguments."""
ESTIMATORS_ONLY = {
    "solver": {*OPTIMIZERS, "lbfgs"}.difference(SOLVERS),
    "learning_rate": {*SCHEDULES, "adaptive"}.difference(COURSES),
}
"""Names that only the estimators know."""
BATCH_SIZE = 64
"""The default, for which the default rates are made."""


def as_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Turn the `dtype` argument into float32 or float64."""
    try:
        found = np.dtype(dtype)
    except TypeError as error:
        raise invalid("dtype", "'float32' or 'float64'", repr(dtype)) from error
    if dtype is None or found not in DTYPES:
        raise invalid("dtype", "'float32' or 'float64'", repr(dtype))
    return found


def as_network(
    n_features: int,
    hidden_layer_sizes: int | Sequence[int],
    n_classes: int,
    activation: str | Sequence[str],
) -> Network:
    """Describe the network from the user's hidden layers.

    Raises
    ------
    ValueError
        If a layer is not of at least one unit, or an activation is unknown or not one a layer.
    """
    sizes = check_sizes("hidden_layer_sizes", hidden_layer_sizes)
    if isinstance(activation, str):
        check_name("activation", activation, ACTIVATIONS)
        activation = (activation,) * len(sizes)
    names = tuple(activation)
    if len(names) != len(sizes):
        rule = f"one name, or one for each of the {len(sizes)} hidden layers"
        raise invalid("activation", rule, activation)
    for name in names:
        check_name("activation", name, ACTIVATIONS)
    return Network((n_features, *sizes, n_classes), names)


def _check_choice(parameter: str, value: Any, known: Sequence[str]) -> str:
    """Check a name, and say where it is known if it is not known here."""
    if value in ESTIMATORS_ONLY[parameter]:
        rule = "one of " + ", ".join(map(repr, known))
        raise invalid(parameter, rule, repr(value), "fastmlp.MLPClassifier has it.")
    return check_name(parameter, value, known)


def as_rule(solver: str, momentum: float, nesterov: bool, alpha: float) -> Rule:
    """Describe the update rule.

    Raises
    ------
    ValueError
        If the solver is unknown, or a number is out of its range or has no meaning here.
    """
    _check_choice("solver", solver, SOLVERS)
    momentum = check_real("momentum", momentum, 0, 1)
    alpha = check_real("alpha", alpha, 0)
    if check_flag("nesterov", nesterov) and momentum == 0:
        raise invalid("nesterov", "False where momentum is 0", nesterov, "Pass momentum=0.9.")
    if solver == "adam" and momentum > 0:
        raise invalid("momentum", "0 with solver='adam', which has its own", momentum)
    return Rule(Adam() if solver == "adam" else SGD(momentum, bool(nesterov)), alpha)


def default_rate(solver: str, batch_size: int) -> float:
    """Choose the rate that suits a solver and the size of the batches.

    Up to 64 samples it grows with the batch (the linear scaling rule of Goyal et al. 2017), so that
    an epoch goes as far whatever the batches. From batches of 1, 8 and 32 digits28 is then learned
    as well as from 64, by logistic units and relu, one hidden layer and two, with momentum and
    without; rates in proportion to the square root are too large for relu and momentum. Larger
    batches do not stand larger rates: what limits a step then is the curvature.

    Parameters
    ----------
    solver : {"sgd", "adam"}
    batch_size : int
    """
    return 0.5 * min(1.0, batch_size / BATCH_SIZE) if solver == "sgd" else 0.001


def as_schedule(
    learning_rate: str, learning_rate_init: float | None, solver: str, batch_size: int
) -> Schedule:
    """Describe the course of the learning rate.

    Raises
    ------
    ValueError
        If the schedule is unknown, or the rate is not a positive number.
    """
    name = _check_choice("learning_rate", learning_rate, COURSES)
    rate = learning_rate_init
    if rate is None:
        rate = default_rate(solver, batch_size)
    return Schedule(SCHEDULES[name], check_real("learning_rate_init", rate, 0, open_left=True))


def as_initial_parameters(
    network: Network,
    init: str,
    coefs_init: Sequence[Any] | None,
    intercepts_init: Sequence[Any] | None,
    dtype: np.dtype[Any],
    generator: np.random.Generator,
) -> Parameters:
    """Draw the initial parameters, then copy what the user gave over them.

    Raises
    ------
    ValueError
        If `init` is unknown, or an array has not its layer's shape or is not finite.
    """
    check_name("init", init, INITIALISATIONS)
    if coefs_init is None:
        parameters = initial_parameters(network, init, dtype, generator)
    else:
        parameters = Parameters.zeros(network, dtype)
    _copy_into(parameters.coefs, coefs_init, "coefs_init")
    _copy_into(parameters.intercepts, intercepts_init, "intercepts_init")
    return parameters


def _copy_into(layers: Sequence[NDArray[Any]], given: Sequence[Any] | None, name: str) -> None:
    """Copy the user's arrays into the layers' views."""
    if given is None:
        return
    if len(given) != len(layers):
        raise invalid(name, f"one array for each of {len(layers)} layers", f"{len(given)} arrays")
    for number, (layer, values) in enumerate(zip(layers, given, strict=True)):
        array = np.asarray(values)
        if array.shape != layer.shape or array.dtype.kind not in "biuf":
            rule = f"numbers of shape {layer.shape} for layer {number}"
            raise invalid(name, rule, f"{array.dtype} of shape {array.shape}")
        if not np.isfinite(array).all():
            raise invalid(name, "finite", f"NaN or infinity in layer {number}")
        layer[...] = array

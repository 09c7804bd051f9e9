"""From the arguments of `train` to what a backend takes: each is checked and turned, once."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from fastmlp._arrays import Array
from fastmlp._checks import check_name, check_sizes, check_whole
from fastmlp._errors import invalid
from fastmlp.arguments import (
    NAMES,
    check_arguments,
    layer_activations,
    layer_dropout,
    refuse_with_lbfgs,
    require_kept,
)
from fastmlp.backends.contract import Objective
from fastmlp.engine.plan import Stopping
from fastmlp.losses import LOSSES, REGRESSION_LOSSES, Loss
from fastmlp.network import Network, Parameters
from fastmlp.rng import INITIALISATIONS, initial_parameters

DTYPES = ("float32", "float64")
BATCH_SIZE = 64
"""The default, for which the default rates are made."""

LOSS_NAMES = {"cross_entropy": "softmax", **{name: name for name in REGRESSION_LOSSES}}
"""What `train` calls the losses."""


def as_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Turn the `dtype` argument into float32 or float64."""
    with suppress(TypeError):
        if dtype is not None and (found := np.dtype(dtype)) in DTYPES:
            return found
    raise invalid("dtype", "'float32' or 'float64'", repr(dtype))


def as_network(settings: Any, n_features: int, n_targets: int, loss: str) -> Network:
    """Describe the network that learns some targets: some losses have several outputs for each.

    Parameters
    ----------
    settings : SimpleNamespace
        See `read_settings`.
    n_features, n_targets : int
    loss : str
        A key of `fastmlp.losses.LOSSES`.

    Raises
    ------
    ValueError
        If a layer is not of at least one unit, or an activation is unknown or not one a layer.
    """
    sizes = check_sizes("hidden_layer_sizes", settings.hidden_layer_sizes)
    n_outputs = n_targets * LOSSES[loss].outputs_per_target
    activations = layer_activations(settings.activation, len(sizes))
    return Network((n_features, *sizes, n_outputs), activations)


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


def in_rules(name: str) -> str:
    """Name an argument of `train` as `arguments.RULES` does."""
    return {ours: rules for rules, ours in NAMES.items()}.get(name, name)


def read_settings(arguments: Mapping[str, Any]) -> SimpleNamespace:
    """Check the arguments of `train` that say how to train.

    Parameters
    ----------
    arguments : mapping of str to object
        Under the names of `train`.

    Returns
    -------
    SimpleNamespace
        Under the names of `arguments.RULES`; see `complete` for what is left out.

    Raises
    ------
    ValueError
        If one is not as described, or has no meaning beside another.
    """
    known = {in_rules(name): value for name, value in arguments.items()}
    rate = known.pop("learning_rate_init")
    given = {} if rate is None else {"learning_rate_init": rate}
    settings = SimpleNamespace(**{"learning_rate_init": None, **check_arguments(known | given)})
    settings.batch_size = check_whole("batch_size", settings.batch_size)
    settings.dtype = as_dtype(settings.dtype)
    check_name("loss", settings.loss, LOSS_NAMES)
    if settings.scoring is not None:
        from fastmlp.scoring import check_scoring  # scikit-learn's metrics take a while to import

        settings.scoring = check_scoring(settings.scoring)
    if settings.nesterovs_momentum and settings.momentum == 0:
        raise invalid("nesterov", "False where momentum is 0", True, "Pass momentum=0.9.")
    if settings.solver != "sgd" and settings.momentum > 0:
        rule = f"0 with solver={settings.solver!r}, which does not use it"
        raise invalid("momentum", rule, settings.momentum)
    if settings.solver == "lbfgs":
        refuse_with_lbfgs(settings, learning_rate=settings.learning_rate != "constant")
    if settings.label_smoothing > 0 and settings.loss != "cross_entropy":
        rule = "0 where numbers are predicted"
        raise invalid("label_smoothing", rule, settings.label_smoothing)
    return settings


def complete(settings: SimpleNamespace, batch_size: int) -> None:
    """Set the size of the batches, and the rate where it depends on that.

    Raises
    ------
    ValueError
        If a number is rounded away in what is computed in.
    """
    settings.batch_size = batch_size
    if settings.learning_rate_init is None:
        settings.learning_rate_init = default_rate(
            settings.solver, batch_size * settings.accumulate
        )
    require_kept(settings, settings.dtype)


def loss_name(settings: Any, targets: Any) -> str:
    """Name the loss as the engine does: cross-entropy is that of one class a sample, or several.

    Parameters
    ----------
    settings : SimpleNamespace
        See `read_settings`.
    targets : Targets
        Of `training_data`.
    """
    return "logistic" if targets.multilabel else LOSS_NAMES[settings.loss]


def as_objective(settings: Any, n_hidden: int, loss: str) -> Objective:
    """Describe what is minimised, penalties apart; the loss is named as the engine does."""
    smoothing, dropout = settings.label_smoothing, layer_dropout(settings.dropout, n_hidden)
    return Objective(Loss(loss, smoothing, settings.huber_delta, settings.quantile), dropout)


def as_stopping(settings: Any) -> Stopping | None:
    """Describe when training stops before its last epoch."""
    adaptive = settings.learning_rate == "adaptive"
    if not (settings.early_stopping or adaptive):
        return None
    patience = settings.n_iter_no_change
    return Stopping(settings.early_stopping, settings.tol, patience, adaptive)


def as_initial_parameters(
    settings: Any, network: Network, given: tuple[Any, Any], generator: np.random.Generator
) -> Parameters:
    """Draw the initial parameters, then copy what the user gave over them.

    Parameters
    ----------
    settings : SimpleNamespace
        See `read_settings`.
    network : Network
    given : (coefs_init, intercepts_init)
    generator : numpy.random.Generator

    Raises
    ------
    ValueError
        If `init` is unknown, or an array has not its layer's shape or is not finite.
    """
    coefs_init, intercepts_init = given
    check_name("init", settings.init, INITIALISATIONS)
    if coefs_init is None:
        parameters = initial_parameters(network, settings.init, settings.dtype, generator)
    else:
        parameters = Parameters.zeros(network, settings.dtype)
    copy_into(parameters.coefs, coefs_init, "coefs_init")
    copy_into(parameters.intercepts, intercepts_init, "intercepts_init")
    return parameters


def copy_into(layers: Sequence[Array], given: Sequence[Any] | None, name: str) -> None:
    """Copy the user's arrays into the layers' views.

    Parameters
    ----------
    layers : sequence of ndarray
    given : sequence of array_like, or None
    name : str
        What the caller calls them.

    Raises
    ------
    ValueError
        If an array has not its layer's shape or is not finite.
    """
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

"""The fitted weights and biases: how they are drawn, and how those put in their place are read."""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp._errors import invalid
from fastmlp.network import Network, Parameters
from fastmlp.rng import INITIALISATIONS


def draw_parameters(parameters: Parameters, init: str | None, random_state: Any) -> None:
    """Draw initial weights and biases.

    Parameters
    ----------
    parameters : Parameters
        Overwritten.
    init : str or None
        None draws as scikit-learn does, in the same order: for each layer its weights, then its
        biases, uniform in +-sqrt(factor / (fan_in + fan_out)), with a factor of 6, or 2 for
        logistic units. A name draws weights by `fastmlp.rng`; the biases are zero.
    random_state : numpy.random.RandomState
    """
    names = parameters.network.activations
    generator = np.random.default_rng(random_state.randint(1 << 31)) if init else None
    for layer, (coefs, intercepts) in enumerate(
        zip(parameters.coefs, parameters.intercepts, strict=True)
    ):
        if generator is not None and init is not None:
            coefs[...] = INITIALISATIONS[init](generator, *coefs.shape)
            continue
        name = names[min(layer, len(names) - 1)] if names else ""
        bound = np.sqrt((2.0 if name == "logistic" else 6.0) / sum(coefs.shape))
        coefs[...] = random_state.uniform(-bound, bound, coefs.shape)
        intercepts[...] = random_state.uniform(-bound, bound, intercepts.shape)


def take_over(coefs: Sequence[Any], intercepts: Sequence[Any], fitted: Parameters) -> Parameters:
    """Return the fitted parameters, or new ones where other arrays were put in their place.

    Hidden layers may have other widths than before, as pruned ones have.

    Parameters
    ----------
    coefs, intercepts : sequence of array_like
        For each layer its weights, (fan_in, fan_out), and its biases, (fan_out,).
    fitted : Parameters

    Returns
    -------
    parameters : Parameters
        Of the arrays' dtype where that is float32 or float64, else of the fitted ones'.

    Raises
    ------
    ValueError
        If the arrays fit neither each other nor the network's inputs and outputs.
    """
    given, own = (*coefs, *intercepts), (*fitted.coefs, *fitted.intercepts)
    if len(given) == len(own) and all(map(operator.is_, given, own)):
        return fitted
    sizes, n_layers = fitted.network.layer_sizes[:1], len(fitted.coefs)
    if (len(coefs), len(intercepts)) != (n_layers, n_layers):
        counts = f"{len(coefs)} and {len(intercepts)}"
        raise invalid("coefs_ and intercepts_", f"{n_layers} arrays each, one a layer", counts)
    arrays = [np.asarray(array) for array in given]
    for layer in range(n_layers):
        n_outputs = fitted.network.layer_sizes[-1] if layer == n_layers - 1 else None
        pair = arrays[layer], arrays[n_layers + layer]
        sizes = (*sizes, _check_layer(layer, *pair, sizes[-1], n_outputs))
    dtype = np.result_type(*arrays)
    if dtype not in (np.float32, np.float64):
        dtype = fitted.dtype
    buffer = np.concatenate([array.ravel().astype(dtype) for array in arrays])
    return Parameters(Network(sizes, fitted.network.activations), buffer)


def _check_layer(
    layer: int, weights: Array, biases: Array, fan_in: int, fan_out: int | None
) -> int:
    """Check one layer's arrays and return its number of units; `fan_out` may be any where None."""
    for name, array in (("coefs_", weights), ("intercepts_", biases)):
        if array.dtype.kind not in "biuf":
            raise invalid(f"{name}[{layer}]", "numbers", f"dtype {array.dtype}")
    n_units = weights.shape[1] if weights.ndim == 2 and weights.shape[1] > 0 else 1
    shape = (fan_in, n_units if fan_out is None else fan_out)
    if weights.shape != shape:
        shown = f"({fan_in}, {'n_units' if fan_out is None else fan_out})"
        remedy = "Transpose weights that are (fan_out, fan_in), as PyTorch's are."
        got = f"shape {weights.shape}"
        raise invalid(f"coefs_[{layer}]", f"of shape (fan_in, fan_out) = {shown}", got, remedy)
    if biases.shape != shape[1:]:
        rule = f"of shape {shape[1:]}, one bias for each column of coefs_[{layer}]"
        raise invalid(f"intercepts_[{layer}]", rule, f"shape {biases.shape}")
    return shape[1]

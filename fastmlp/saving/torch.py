"""Weights to and from the state dict of a PyTorch `nn.Sequential` of linear layers."""

from typing import Any

import numpy as np

from fastmlp._errors import invalid
from fastmlp.activations import ACTIVATIONS
from fastmlp.saving.content import Content


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise ImportError("this needs PyTorch. Install it: pip install torch") from error
    return torch


def to_state_dict(content: Content) -> dict[str, Any]:
    """Make the state dict of the module that `to_sequential` makes.

    Parameters
    ----------
    content : Content

    Returns
    -------
    dict of str to torch.Tensor
        "0.weight", "0.bias", "2.weight", ...: PyTorch keeps weights as (fan_out, fan_in).
    """
    torch, state = _torch(), {}
    for layer, (coefs, intercepts) in enumerate(
        zip(content.coefs, content.intercepts, strict=True)
    ):
        state[f"{2 * layer}.weight"] = torch.from_numpy(coefs.T.copy())
        state[f"{2 * layer}.bias"] = torch.from_numpy(intercepts.copy())
    return state


def to_sequential(content: Content) -> Any:
    """Make a `torch.nn.Sequential` that computes the last layer's sums, without softmax.

    Parameters
    ----------
    content : Content

    Returns
    -------
    torch.nn.Sequential
    """
    torch, modules = _torch(), []
    names = [*content.activations, None]
    for coefs, name in zip(content.coefs, names, strict=True):
        dtype = getattr(torch, coefs.dtype.name)
        modules.append(torch.nn.Linear(*coefs.shape, dtype=dtype))
        if name is not None:
            modules.append(getattr(torch.nn, ACTIVATIONS[name].torch)())
    sequential = torch.nn.Sequential(*modules)
    sequential.load_state_dict(to_state_dict(content))
    return sequential


def from_state_dict(state_dict: dict[str, Any], shapes: list[tuple[int, int]]) -> list[Any]:
    """Read the weights and biases of the linear layers of an `nn.Sequential`.

    Parameters
    ----------
    state_dict : dict of str to torch.Tensor or ndarray
        Keys such as "0.weight" and "0.bias", in any order; other modules may lie between.
    shapes : list of (int, int)
        (fan_in, fan_out) of each layer there must be.

    Returns
    -------
    list of ndarray
        The weights of each layer, of these shapes, then the biases.

    Raises
    ------
    ValueError
        If a layer is missing, too many, or of another shape.
    """
    found: dict[int, dict[str, Any]] = {}
    for key, value in state_dict.items():
        number, _, part = key.rpartition(".")
        if not number.isdigit() or part not in ("weight", "bias"):
            rule = "that of an nn.Sequential of linear layers, with keys such as '0.weight'"
            raise invalid("state_dict", rule, repr(key))
        array = value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
        found.setdefault(int(number), {})[part] = array
    layers = [found[number] for number in sorted(found)]
    nothing = np.empty(0)
    given = [(one.get("weight", nothing), one.get("bias", nothing)) for one in layers]
    sizes = [tuple(np.shape(array) for array in one) for one in given]
    expected = [((fan_out, fan_in), (fan_out,)) for fan_in, fan_out in shapes]
    if sizes != expected:
        rule = f"of layers whose weights and biases have the shapes {expected}"
        raise invalid("state_dict", rule, f"{sizes}")
    return [weight.T for weight, _ in given] + [bias for _, bias in given]

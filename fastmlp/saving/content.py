"""What a trained network is, whatever it is saved as."""

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class Content:
    """A trained network and what belongs to it.

    Parameters
    ----------
    kind : str
        Name of the class that it is an object of.
    coefs : list of ndarray of shape (fan_in, fan_out)
    intercepts : list of ndarray of shape (fan_out,)
    activations : tuple of str
        One for each hidden layer.
    output : str
        A key of `fastmlp.losses.OUTPUT_FUNCTIONS`.
    arrays : dict of str to ndarray
        Further numbers, such as the solver's state.
    settings : dict
        Arguments of the constructor.
    fitted : dict
        What was learned beside the weights: classes, names, curves.
    """

    kind: str
    coefs: list[NDArray[Any]]
    intercepts: list[NDArray[Any]]
    activations: tuple[str, ...]
    output: str
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    fitted: dict[str, Any] = field(default_factory=dict)

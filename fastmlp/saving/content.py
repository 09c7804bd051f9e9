"""What a trained network is, whatever it is saved as."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fastmlp._arrays import Array


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
    coefs: list[Array]
    intercepts: list[Array]
    activations: tuple[str, ...]
    output: str
    arrays: dict[str, Array] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    fitted: dict[str, Any] = field(default_factory=dict)

    def unscaled(self, scale: float, shift: float) -> "Content":
        """Make it take its input as it is: W' = scale W, b' = b + shift sum_i W_i, of layer 0.

        Parameters
        ----------
        scale, shift : float

        Returns
        -------
        Content
        """
        coefs, dtype = self.coefs[0].astype(np.float64), self.coefs[0].dtype
        biases = (self.intercepts[0] + shift * coefs.sum(axis=0)).astype(dtype)
        return replace(
            self, coefs=[(scale * coefs).astype(dtype), *self.coefs[1:]],
            intercepts=[biases, *self.intercepts[1:]],
        )  # fmt: skip

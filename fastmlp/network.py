"""What a network is: its layer sizes, its activations and one buffer of parameters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from fastmlp._arrays import Array


@dataclass(frozen=True)
class Network:
    """The shape of a multilayer perceptron.

    Parameters
    ----------
    layer_sizes : tuple of int
        Number of features, hidden units of each hidden layer, number of classes.
    activations : tuple of str
        One name for each hidden layer; the output layer gives logits.
    """

    layer_sizes: tuple[int, ...]
    activations: tuple[str, ...]

    @property
    def coef_shapes(self) -> tuple[tuple[int, int], ...]:
        """Shape (fan_in, fan_out) of each layer's weights."""
        return tuple(zip(self.layer_sizes[:-1], self.layer_sizes[1:], strict=True))

    @property
    def n_coefs(self) -> int:
        """Number of weights; they come first in the parameter buffer."""
        return sum(fan_in * fan_out for fan_in, fan_out in self.coef_shapes)

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases."""
        return self.n_coefs + sum(self.layer_sizes[1:])


def views_of(network: Network, buffer: Array) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """View each layer's weights and biases in a buffer, or in a stack of buffers.

    Parameters
    ----------
    network : Network
    buffer : ndarray of shape (..., n_parameters)

    Returns
    -------
    coefs : tuple of ndarray of shape (..., fan_in, fan_out)
    intercepts : tuple of ndarray of shape (..., fan_out)
    """
    coefs, intercepts, start, stacked = [], [], 0, buffer.shape[:-1]
    for fan_in, fan_out in network.coef_shapes:
        end = start + fan_in * fan_out
        coefs.append(buffer[..., start:end].reshape(*stacked, fan_in, fan_out))
        start = end
    for fan_out in network.layer_sizes[1:]:
        intercepts.append(buffer[..., start : start + fan_out])
        start += fan_out
    return tuple(coefs), tuple(intercepts)


class Parameters:
    """All weights and biases of a network in one contiguous buffer.

    The weights of every layer come first, then the biases of every layer, so that L2
    regularisation, which spares the biases, acts on one slice. Gradients have the same layout.

    Parameters
    ----------
    network : Network
        The shape.
    buffer : ndarray of shape (network.n_parameters,), float32 or float64
        The memory; it is used, not copied.

    Attributes
    ----------
    coefs : tuple of ndarray of shape (fan_in, fan_out)
        Views of the buffer, one for each layer.
    intercepts : tuple of ndarray of shape (fan_out,)
        Views of the buffer, one for each layer.
    """

    def __init__(self, network: Network, buffer: Array) -> None:
        self.network = network
        self.buffer = buffer
        self.coefs, self.intercepts = views_of(network, buffer)

    @classmethod
    def zeros(cls, network: Network, dtype: DTypeLike) -> "Parameters":
        """Allocate parameters, or gradients, that are all zero."""
        return cls(network, np.zeros(network.n_parameters, dtype))

    @classmethod
    def of_layers(
        cls, coefs: Sequence[Array], intercepts: Sequence[Array], activations: tuple[str, ...]
    ) -> "Parameters":
        """Copy the weights and biases of each layer into one buffer."""
        network = Network((len(coefs[0]), *map(len, intercepts)), activations)
        return cls(network, np.concatenate([np.ravel(array) for array in (*coefs, *intercepts)]))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the buffer alone, so that the views are views again afterwards."""
        return Parameters, (self.network, self.buffer)

    def copy(self) -> "Parameters":
        """Copy the buffer."""
        return Parameters(self.network, self.buffer.copy())

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the buffer."""
        return self.buffer.dtype

    @property
    def penalised(self) -> Array:
        """The weights of all layers, flat: the part of the buffer that L2 acts on."""
        return self.buffer[: self.network.n_coefs]

"""What a backend declares and offers, as types, and what all three share."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fastmlp.inputs import Features
from fastmlp.network import Parameters
from fastmlp.optimizers import Rule


class Capabilities(NamedTuple):
    """What a backend can do; the tests derive their matrix from it."""

    activations: tuple[str, ...]
    solvers: tuple[str, ...]
    dtypes: tuple[str, ...]


class Backend(Protocol):
    """The functions of a backend module; see `fastmlp.backends.reference` for their meaning."""

    CAPABILITIES: Capabilities

    def prepare(self, parameters: Parameters, rule: Rule, features: Features) -> None:
        """Do whatever must happen once before the first epoch."""

    def run_epoch(
        self,
        parameters: Parameters,
        rule: Rule,
        state: NDArray[Any],
        features: Features,
        targets: NDArray[np.intp],
        permutation: NDArray[np.intp],
        batch_size: int,
        rates: NDArray[Any],
    ) -> NDArray[np.float64]:
        """Train on every sample once and return the loss of each batch."""

    def predict_logits(self, parameters: Parameters, features: Features) -> NDArray[Any]:
        """Compute the logits of every sample."""


def n_batches(n_samples: int, batch_size: int) -> int:
    """Count the batches of an epoch, a smaller last one included."""
    return -(-n_samples // batch_size)


def batches(permutation: NDArray[np.intp], batch_size: int) -> Iterator[NDArray[np.intp]]:
    """Cut an epoch's permutation into batches; the last one may be smaller."""
    for start in range(0, len(permutation), batch_size):
        yield permutation[start : start + batch_size]

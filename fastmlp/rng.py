"""The only place that draws random numbers for training: weights, permutations, dropout."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._errors import invalid
from fastmlp.network import Network, Parameters

Draw = Callable[[np.random.Generator, int, int], NDArray[np.float64]]


def glorot_uniform(generator: np.random.Generator, fan_in: int, fan_out: int) -> NDArray[Any]:
    """Draw weights uniformly in +-sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, eq. 16)."""
    bound = np.sqrt(6.0 / (fan_in + fan_out))
    return generator.uniform(-bound, bound, (fan_in, fan_out))


def he_normal(generator: np.random.Generator, fan_in: int, fan_out: int) -> NDArray[Any]:
    """Draw normal weights of variance 2 / fan_in (He et al. 2015, eq. 10)."""
    return generator.normal(0.0, np.sqrt(2.0 / fan_in), (fan_in, fan_out))


def standard_normal(generator: np.random.Generator, fan_in: int, fan_out: int) -> NDArray[Any]:
    """Draw weights of mean 0 and variance 1, as the article does."""
    return generator.standard_normal((fan_in, fan_out))


INITIALISATIONS: dict[str, Draw] = {
    "glorot_uniform": glorot_uniform,
    "he_normal": he_normal,
    "standard_normal": standard_normal,
}


def streams(random_state: Any) -> tuple[np.random.Generator, np.random.Generator]:
    """Open two independent streams: one for the initial weights, one for the permutations.

    Parameters
    ----------
    random_state : None, int, or numpy.random.Generator
        None draws a seed from the operating system; an int always gives the same streams; a
        Generator gives new ones at each call.

    Raises
    ------
    ValueError
        If `random_state` is none of these.
    """
    accepted = random_state is None or isinstance(random_state, np.random.Generator)
    whole = isinstance(random_state, int | np.integer) and not isinstance(random_state, bool)
    if not (accepted or (whole and random_state >= 0)):
        raise invalid(
            "random_state",
            "None, a whole number of at least 0, or a numpy.random.Generator",
            random_state,
        )
    weights, permutations = np.random.default_rng(random_state).spawn(2)
    return weights, permutations


def initial_parameters(
    network: Network, init: str, dtype: np.dtype[Any], generator: np.random.Generator
) -> Parameters:
    """Draw the weights of every layer; the biases are zero.

    The draws are float64 whatever `dtype`, so that a float32 run starts from the rounded weights
    of the float64 run.
    """
    parameters = Parameters.zeros(network, dtype)
    for coefs in parameters.coefs:
        coefs[...] = INITIALISATIONS[init](generator, *coefs.shape)
    return parameters


def draw_numbers(
    generator: np.random.Generator, n_units: int
) -> Callable[[int], NDArray[np.uint16]]:
    """Make a function that draws 16-bit numbers, some for each row, row after row.

    However the rows are cut into pieces, each gets the same numbers.

    Parameters
    ----------
    generator : numpy.random.Generator
        Its bit generator draws 64 bits at a time, as PCG64 does.
    n_units : int
        At least so many for each row: a multiple of four are drawn.

    Returns
    -------
    callable
        From a number of rows to an ndarray of shape (n_rows, at least n_units), uint16.
    """
    words = -(-n_units // 4)

    def draw(n_rows: int) -> NDArray[np.uint16]:
        bits = generator.bit_generator.random_raw(n_rows * words)
        return np.asarray(bits, np.uint64).view(np.uint16).reshape(n_rows, 4 * words)

    return draw


@dataclass
class Permutations:
    """Orders of the samples, epoch after epoch, that have nothing to do with one another.

    Parameters
    ----------
    n_samples : int
        So many are trained on.
    shuffle : bool
        False leaves them in the order that they have.
    generator : numpy.random.Generator
    rows : ndarray of shape (n_samples,), intp, optional
        Where they lie, if others lie between them.
    """

    n_samples: int
    shuffle: bool
    generator: np.random.Generator
    rows: NDArray[np.intp] | None = None

    def draw(self) -> NDArray[np.intp]:
        """Draw the order of the next epoch.

        Returns
        -------
        ndarray of shape (n_samples,), intp
        """
        order = np.arange(self.n_samples)
        if self.shuffle:
            order = self.generator.permutation(self.n_samples)
        return order if self.rows is None else self.rows[order]


@dataclass
class Shuffles:
    """Shuffles of the order of the epoch before, as scikit-learn's `MLPClassifier` draws them.

    Parameters
    ----------
    rows : ndarray of shape (n_samples,), intp, or None
    shuffle : bool
        See `Permutations`.
    generator : numpy.random.RandomState
    order : ndarray of shape (n_samples,), intp
        Of places in `rows`; replaced by that of each epoch.
    """

    rows: NDArray[np.intp] | None
    shuffle: bool
    generator: np.random.RandomState
    order: NDArray[np.intp]

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.order)

    def draw(self) -> NDArray[np.intp]:
        """Draw the order of the next epoch; see `Permutations.draw`."""
        if self.shuffle:
            places = np.arange(len(self.order))
            self.generator.shuffle(places)
            self.order = self.order[places]
        return self.order if self.rows is None else self.rows[self.order]


Orders = Permutations | Shuffles
"""Draws the order of the samples, epoch after epoch."""


@dataclass
class BlockOrders:
    """Orders of a source's blocks, and of the rows of those that are in memory together.

    They follow from the numbers here and that of the epoch: nothing is drawn one after the other.

    Parameters
    ----------
    seed : int
    lengths : ndarray of shape (n_blocks,), intp
        Rows of each block of the source.
    blocks : ndarray of shape (n_trained,), intp
        Those that are trained on.
    per_group : int
        So many blocks are in memory together.
    shuffle : bool
        False leaves blocks and rows as they lie.
    sequential : bool
        Whether the blocks can only be read as they lie.
    borders : ndarray of shape (size + 1,), intp, optional
        Where the blocks of each of several ranks begin, and where all end; see `of_ranks`.
    """

    seed: int
    lengths: NDArray[np.intp]
    blocks: NDArray[np.intp]
    per_group: int
    shuffle: bool
    sequential: bool = False
    borders: NDArray[np.intp] | None = None

    @property
    def n_samples(self) -> int:
        """Number of rows of an epoch."""
        return int(self.lengths[self.blocks].sum())

    def of_ranks(self) -> list["BlockOrders"]:
        """Return what draws the orders of each rank's blocks, which are numbered from 0 on."""
        if self.borders is None:
            return [self]
        return [
            replace(
                self, seed=self.seed + rank, lengths=self.lengths[first:last],
                blocks=self.blocks[(self.blocks >= first) & (self.blocks < last)] - first,
                borders=None,
            )
            for rank, (first, last) in enumerate(pairwise(self.borders))
        ]  # fmt: skip

    def groups(self, epoch: int) -> list[NDArray[np.intp]]:
        """Draw which blocks are in memory together in an epoch, one group after the other."""
        order = self.blocks
        if self.shuffle and not self.sequential:
            order = self._generator(epoch, 0).permutation(order)
        starts = range(0, len(order), self.per_group)
        return [order[start : start + self.per_group] for start in starts]

    def rows_of(self, epoch: int, group: int, n_rows: int) -> NDArray[np.intp]:
        """Draw the order of the rows of a group of blocks, counted from 0 on.

        Parameters
        ----------
        epoch, group, n_rows : int

        Returns
        -------
        ndarray of shape (n_rows,), intp
        """
        if not self.shuffle:
            return np.arange(n_rows)
        return self._generator(epoch, group + 1).permutation(n_rows)

    def _generator(self, epoch: int, number: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, epoch, number))

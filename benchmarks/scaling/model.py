"""What an all-reduce takes on a network, and so a step on many machines.

A message of n bytes takes alpha + n / beta, with the latency alpha and the bandwidth beta (Hockney
1994); adding two arrays takes n gamma. The formulas of the two algorithms that MPI chooses between
are those of Thakur, Rabenseifner & Gropp 2005, section 4.
"""

import math
from typing import NamedTuple

import numpy as np


class Link(NamedTuple):
    """A network, as published."""

    name: str
    alpha: float
    """Seconds."""
    beta: float
    """Bytes a second."""


LINKS = (
    Link("InfiniBand HDR", 1.2e-6, 24e9),
    Link("EFA", 16e-6, 9e9),
    Link("25 Gb/s Ethernet", 35e-6, 25e9 / 8),
    Link("its one flow of 5 Gb/s", 35e-6, 5e9 / 8),
    Link("1 Gb/s Ethernet", 25e-6, 116e6),
)
MACHINES = (2, 8, 32, 128, 1024)
BATCHES = (64, 1024, 8192)
ENOUGH = 0.5
"""Efficiency from which machines are worth it."""


def ring(n_bytes, n_ranks, link, gamma):
    """Compute the seconds of the ring: 2 (p - 1) messages of n / p bytes."""
    share = (n_ranks - 1) / n_ranks * n_bytes
    return 2 * (n_ranks - 1) * link.alpha + 2 * share / link.beta + share * gamma


def recursive_doubling(n_bytes, n_ranks, link, gamma):
    """Compute the seconds of recursive doubling: log2 p messages of n bytes."""
    rounds = math.ceil(math.log2(n_ranks))
    return rounds * (link.alpha + n_bytes / link.beta + n_bytes * gamma)


def all_reduce(n_bytes, n_ranks, link, gamma):
    """Compute the seconds of the faster of the two."""
    if n_ranks == 1:
        return 0.0
    return min(
        ring(n_bytes, n_ranks, link, gamma), recursive_doubling(n_bytes, n_ranks, link, gamma)
    )


def fit(points, gamma):
    """Find the link that explains all-reduces of two ranks best, in the mean of the logarithms.

    Parameters
    ----------
    points : dict of int to float
        Bytes, and seconds.
    gamma : float

    Returns
    -------
    link : Link
    worst : float
        How many times as long, or as short, as computed the farthest point is.
    """
    sizes, seconds = np.array(list(points)), np.array(list(points.values()))
    alphas = seconds.min() * np.linspace(0.5, 2, 61)
    betas = np.geomspace(1e8, 1e11, 121)
    best = Link("here", 0.0, 1.0), np.inf, np.inf
    for alpha in alphas:
        for beta in betas:
            link = Link("here", float(alpha), float(beta))
            computed = np.array([all_reduce(size, 2, link, gamma) for size in sizes])
            off = np.abs(np.log(seconds / computed))
            if off.mean() < best[1]:
                best = link, off.mean(), float(np.exp(off.max()))
    return best[0], best[2]


class Machine(NamedTuple):
    """How long one machine takes for a step of a network."""

    rows: tuple
    seconds: tuple

    def step(self, n_rows):
        """Compute the seconds for so many rows: in a straight line between two measured points."""
        if n_rows > self.rows[-1]:
            return self.seconds[-1] * n_rows / self.rows[-1]
        return float(np.interp(n_rows, self.rows, self.seconds))


def largest_share(batch_size, n_ranks):
    """Compute how many rows of a batch the busiest rank has: they are drawn at random."""
    mean = batch_size / n_ranks
    if n_ranks == 1:
        return mean
    spread = math.sqrt(2 * mean * (1 - 1 / n_ranks) * math.log(n_ranks))
    return min(batch_size, mean + spread)


class Plan(NamedTuple):
    """What is trained, and how."""

    together: Machine
    """Its steps are calls of their own."""
    alone: Machine
    """Its steps are fused."""
    n_bytes: int
    """Of the gradient."""
    batch_size: int
    gamma: float
    sync_every: int = 1

    def efficiency(self, n_ranks, link):
        """Compute which part of n times the speed of one machine is had."""
        alone = self.alone.step(self.batch_size)
        compute = self.together.step(largest_share(self.batch_size, n_ranks))
        exchange = all_reduce(self.n_bytes, n_ranks, link, self.gamma) / self.sync_every
        return alone / (n_ranks * (compute + exchange))

    def needed(self, n_ranks, link):
        """Find the least power of two of batches, and of `sync_every`, from which it is enough."""
        batch_size, sync_every = self.batch_size, 1
        while self._replace(batch_size=batch_size).efficiency(n_ranks, link) < ENOUGH:
            batch_size *= 2
        while self._replace(sync_every=sync_every).efficiency(n_ranks, link) < ENOUGH:
            sync_every *= 2
            if sync_every > 1 << 12:  # rows are too few for so many machines, whatever the network
                return batch_size, None
        return batch_size, sync_every

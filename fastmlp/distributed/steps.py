"""Steps that several ranks take together: each adds up its rows of a batch, all have the sum."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._arrays import Array, Flags, Indices
from fastmlp.backends.contract import Epoch, Problem, Report, batch_starts
from fastmlp.backends.summed import Part
from fastmlp.distributed.shares import shard_starts
from fastmlp.engine.gradient import Steps, epoch_of

if TYPE_CHECKING:
    from fastmlp.distributed.together import Together
    from fastmlp.engine.plan import Plan
    from fastmlp.engine.start import Start


class Picked(NamedTuple):
    """A shard's rows of some batches."""

    order: Indices
    """(n_rows,): batch after batch, numbered from the shard's first row."""
    starts: Indices
    """(n_batches + 1,): where each batch begins in `order`."""
    mine: Flags
    """(n_samples,): which samples of the batches these are."""

    def rows(self, step: int) -> Indices:
        """Return the rows of one batch."""
        return self.order[self.starts[step] : self.starts[step + 1]]


def pick(rows: tuple[int, int], epoch: Epoch, starts: Indices) -> Picked:
    """Pick some consecutive rows out of the batches of an epoch.

    Parameters
    ----------
    rows : (int, int)
        The first and the last, exclusive.
    epoch : Epoch
    starts : ndarray of shape (n_batches + 1,), intp
        See `batch_starts`.

    Returns
    -------
    Picked
    """
    mine = (epoch.permutation >= rows[0]) & (epoch.permutation < rows[1])
    before = np.append(0, np.cumsum(mine))
    return Picked(epoch.permutation[mine] - rows[0], before[starts], mine)


class Shard(NamedTuple):
    """Consecutive rows whose gradients one rank computes."""

    rows: tuple[int, int]
    """The first and the last row, exclusive, among those of all."""
    batch_size: int
    """So many of a step's rows are worked on at a time."""


class SharedSteps(Steps):
    """A trainer whose steps are those of one machine that has all rows, to rounding.

    The permutation of an epoch is one of all rows. Of each batch a rank computes the gradient of
    those that it has, divided by the whole batch's total; the sum over the ranks is the batch's
    gradient, from which each makes the same update. One all-reduce a step holds the gradient and
    whether a rank is to be interrupted; the losses are summed once a call.

    With "ordered" the gradients of fixed shards are summed in their order, whoever has them: a rank
    puts those of its shards in their places, beside zeros for the others', so that summing over the
    ranks rounds nothing.

    Parameters
    ----------
    ranks : Together
    start : Start
        Its features and targets are those of the rank, its weights those of all rows.
    plan : Plan
    """

    def __init__(self, ranks: "Together", start: "Start", plan: "Plan") -> None:
        self.ranks, self.parameters = ranks, start.parameters
        first, last = ranks.starts[ranks.rank : ranks.rank + 2].tolist()
        borders = [first, last]
        if ranks.reduction == "ordered":
            borders = shard_starts(ranks.n_samples).tolist()
        self.shards = {
            number: Shard(rows, shard_size(plan.step_size, rows[1] - rows[0], ranks.n_samples))
            for number, rows in enumerate(pairwise(borders))
            if first <= rows[0] < rows[1] <= last
        }
        parts: list[Part | None] = [None] * (len(borders) - 1)
        for number, shard in self.shards.items():
            problem = part_of(start.problem, slice(*shard.rows), first)
            parts[number] = Part(problem, shard.batch_size)
        super().__init__(start.sum_parts(plan.rule, parts, self._agree), plan.step_size)
        self.parts = self.steps.gradients
        self.others = [number for number, part in enumerate(parts) if part is None]

    def _agree(self, own: Any) -> Any:
        """Choose what the first rank proposes that has something to propose."""
        _, proposals = self.ranks.collect(lambda: own, lambda proposal: proposal)
        return next(proposal for proposal in proposals if proposal is not None)

    def run_epoch(self, epoch: Epoch, report: Report) -> NDArray[np.float64]:
        """Train on the samples of an epoch once; see `contract.Trainer.run_epoch`."""
        n_steps = len(epoch.rates)
        losses, penalties = np.zeros((n_steps, len(self.parts))), np.zeros(n_steps)
        self.steps.load()
        try:
            n_done = self._run(epoch, report, losses, penalties)
        finally:
            self.steps.fetch()
        self.losses = self._finish(losses, penalties, n_done)
        return self.losses

    def _run(
        self, epoch: Epoch, report: Report, losses: NDArray[np.float64], penalties: Array
    ) -> int:
        """Take the steps of an epoch, and return how many until a rank was to be interrupted."""
        starts = batch_starts(epoch, self.step_size)
        picked = [(n, pick(shard.rows, epoch, starts)) for n, shard in self.shards.items()]
        for step, total in enumerate(epoch.totals):
            batch = slice(starts[step], starts[step + 1])
            numbers = None if epoch.draw is None else epoch.draw(batch.stop - batch.start)
            for number, part in picked:
                noise = None if numbers is None else numbers[part.mine[batch]]
                losses[step, number] = self._add(number, part.rows(step), total, noise)
            self._reduce()
            penalties[step] = self.steps.update(total, epoch.rates[step], epoch.decays[step])
            report(step + 1)
            if self.ranks.interruptions.due:
                return step + 1
        return len(losses)

    def _add(
        self, number: int, rows: Indices, total: float, noise: NDArray[np.uint16] | None
    ) -> float:
        """Compute the gradient of a shard's rows of a batch, and return their part of the loss."""
        gradient = self.parts[number]
        if len(rows) == 0:
            gradient[...] = 0
            return 0.0
        draw = None if noise is None else replay(noise)
        size, dtype = self.shards[number].batch_size, self.parameters.dtype
        loss = self.steps.compute(number, epoch_of(rows, size, total, dtype, draw))
        if len(self.parts) > 1:  # -0.0 becomes 0.0, as it does where zeros of others are added
            gradient += 0.0
        return loss

    def _reduce(self) -> None:
        """Sum the gradients of all shards of all ranks, and learn if one is to be interrupted."""
        parts = self.parts
        if self.others:
            parts[self.others] = 0
        parts[0, -1] = self.ranks.interruptions.wished
        self.ranks.communicator.all_reduce(parts)
        self.ranks.interruptions.due = bool(parts[0, -1] > 0)
        for part in parts[1:]:
            parts[0] += part

    def _finish(
        self, losses: NDArray[np.float64], penalties: NDArray[np.float64], n_done: int
    ) -> NDArray[np.float64]:
        """Sum the losses of the steps that are done."""
        self.ranks.communicator.all_reduce(losses)
        # Processors of two kinds may round an update differently.
        self.ranks.spread(self.parameters.buffer)
        state = self.state
        self.ranks.spread(state)
        self.state = state
        self.losses = losses[:n_done].sum(axis=1) + penalties[:n_done]
        return self.losses


def shard_size(step_size: int, n_rows: int, n_samples: int) -> int:
    """Choose how many rows of a step a shard works on at a time: at most those that it has."""
    return min(n_rows, usual_rows(step_size, n_rows / n_samples))


def part_of(problem: Problem, rows: slice, first: int) -> Problem:
    """Cut some rows out of a rank's data.

    Parameters
    ----------
    problem : Problem
        See `Shard`.
    rows : slice
        Numbered as those of all ranks are.
    first : int
        The rank's first row.
    """
    features, weights = problem.features, problem.weights
    own = slice(rows.start - first, rows.stop - first)
    if own != slice(0, features.n_samples):
        features = replace(features, values=features.values[own])
    return Problem(features, problem.targets[own], None if weights is None else weights[rows])


def usual_rows(step_size: int, share: float) -> int:
    """Choose how many rows of a step a shard works on at a time.

    Rarely has one more: its share of a batch is drawn at random.

    Parameters
    ----------
    step_size : int
    share : float
        Of all rows.
    """
    spread = (step_size * share * (1 - share)) ** 0.5
    return min(step_size, int(step_size * share + 4 * spread) + 1)


def replay(numbers: NDArray[np.uint16]) -> Callable[[int], NDArray[np.uint16]]:
    """Make a function that hands out numbers that were drawn already, row after row.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows, n_units), uint16
    """
    place = 0

    def draw(n_rows: int) -> NDArray[np.uint16]:
        nonlocal place
        place += n_rows
        return numbers[place - n_rows : place]

    return draw

"""Steps that each rank takes apart from the others, with an average now and then."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fastmlp._arrays import Array
from fastmlp.backends.contract import BackendTrainer, Epoch, Report, Trainer, batch_starts, quiet
from fastmlp.distributed.steps import Picked, part_of, pick, replay

if TYPE_CHECKING:
    from fastmlp.distributed.together import Together
    from fastmlp.engine.plan import Plan
    from fastmlp.engine.start import Start


def rounds(n_steps: int, n_epochs: int, sync_every: int) -> Iterator[range]:
    """Cut the steps of one epoch, or of several, into those between two averages."""
    length = n_steps // n_epochs
    for begin in range(0, n_steps, length):
        for first in range(begin, begin + length, sync_every):
            yield range(first, min(begin + length, first + sync_every))


class ApartSteps(Trainer):
    """A trainer whose ranks take some steps of their own, then average what they have learned.

    It is another algorithm than one machine's (local SGD, Stich 2019): of each batch a rank makes
    a step of its own from the mean over those rows that it has. After `sync_every` steps, and after
    an epoch, parameters and the solver's memory become their mean over the ranks, each weighted
    with its number of rows. The loss of a batch is the mean of the ranks', taken at the parameters
    that each had.

    Parameters
    ----------
    ranks : Together
    start : Start
        Its features and targets are those of the rank, its weights those of all rows.
    plan : Plan
    """

    calls_blas = True

    def __init__(self, ranks: "Together", start: "Start", plan: "Plan") -> None:
        self.ranks, self.parameters = ranks, start.parameters
        self.step_size, self.unit = plan.step_size, ranks.sync_every
        first, last = ranks.starts[ranks.rank : ranks.rank + 2].tolist()
        self.rows, self.share = (first, last), (last - first) / ranks.n_samples
        self.problem = part_of(start.problem, slice(first, last), first)
        self.trainer: BackendTrainer | None = None
        if last > first:
            own = replace(start, problem=self.problem)
            self.trainer = own(plan.rule, min(self.step_size, last - first))
        self.compile_seconds = self.trainer.compile_seconds if self.trainer else 0.0
        self.blas_threads = self.trainer.blas_threads if self.trainer else 1
        shape = plan.rule.solver.n_slots, self.parameters.buffer.size
        self.state: Array = np.zeros(shape, self.parameters.dtype)
        self.losses = np.empty(0)

    def run_epoch(self, epoch: Epoch, report: Report) -> NDArray[np.float64]:
        """Train on the samples of an epoch once; see `contract.Trainer.run_epoch`."""
        starts, n_steps = batch_starts(epoch, self.step_size), len(epoch.rates)
        own, losses, n_done = pick(self.rows, epoch, starts), np.zeros(n_steps), 0
        for steps in rounds(n_steps, epoch.n_epochs, self.unit):
            if self.trainer is not None:
                self.trainer.state = self.state
            for step in steps:
                losses[step] = self._take_step(epoch, step, own, slice(*starts[step : step + 2]))
            self._average()
            n_done = steps.stop
            report(n_done)
            if self.ranks.interruptions.due:
                break
        self.ranks.communicator.all_reduce(losses)
        self.losses = losses[:n_done]
        return self.losses

    def _take_step(self, epoch: Epoch, step: int, own: Picked, batch: slice) -> float:
        """Take a step from this rank's rows of a batch; return their part of the loss."""
        rows, draw = own.rows(step), None
        if epoch.draw is not None:
            draw = replay(epoch.draw(batch.stop - batch.start)[own.mine[batch]])
        weights = self.problem.weights
        total = float(len(rows) if weights is None else weights[rows].sum(dtype=np.float64))
        if total == 0 or self.trainer is None:
            return 0.0
        one, totals = slice(step, step + 1), np.array([total])
        piece = Epoch(rows, epoch.rates[one], epoch.decays[one], totals, draw)
        loss = float(self.trainer.run_epoch(piece, quiet)[0])
        return loss * total / float(epoch.totals[step])

    def _average(self) -> None:
        """Average parameters and memory, and learn if a rank is to be interrupted."""
        own = self.state if self.trainer is None else self.trainer.state
        wished = self.ranks.interruptions.wished
        together = np.concatenate([self.parameters.buffer, own.ravel(), [wished]])
        together = together.astype(self.parameters.dtype)
        together[:-1] *= together.dtype.type(self.share)
        self.ranks.communicator.all_reduce(together)
        size = self.parameters.buffer.size
        self.parameters.buffer[...] = together[:size]
        self.state = together[size:-1].reshape(self.state.shape)
        self.ranks.interruptions.due = bool(together[-1] > 0)

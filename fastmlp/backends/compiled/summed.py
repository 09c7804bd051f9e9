"""Steps whose gradient is a sum, all of it in the kernels' panels from step to step."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp.backends.compiled.columns import Frame
from fastmlp.backends.compiled.fit import CompiledTrainer
from fastmlp.backends.compiled.grouping import n_stretches
from fastmlp.backends.compiled.memory import zeros
from fastmlp.backends.compiled.packed import PackedModel
from fastmlp.backends.compiled.team import run_together
from fastmlp.backends.compiled.translation import as_solver
from fastmlp.backends.contract import Epoch, Objective
from fastmlp.backends.summed import Agree, Part
from fastmlp.kernels import task as tasks
from fastmlp.kernels import updates
from fastmlp.kernels.cache import clock
from fastmlp.kernels.jit import specialise
from fastmlp.kernels.layout import Layout
from fastmlp.kernels.optimizers import Step
from fastmlp.kernels.simd import LINE_BYTES
from fastmlp.network import Parameters
from fastmlp.optimizers import Accumulate, Rule
from fastmlp.threads import n_cores

THREAD_BYTES = 1 << 20
"""Of parameters, for each thread of an update: below, a second costs more than it saves."""


class SummedSteps:
    """Steps whose gradient is a sum of parts; see `summed.BackendSteps`.

    Each part's gradient is written to where it is summed, and the update is made from there. All
    parts have the layout of the first, so that numbers of equal place belong together.

    Parameters
    ----------
    module : module
        This backend's.
    parameters : Parameters
        Brought up to date by `fetch`.
    rule : Rule
    objective : Objective
    parts : sequence of Part or None
        None where it is another rank's, or has no samples.
    n_threads : int or None
    agree : callable
        See `summed.Agree`: here on the layout.
    """

    blas_threads = 1

    def __init__(
        self, module: Any, parameters: Parameters, rule: Rule, objective: Objective,
        parts: Sequence[Part | None], n_threads: int | None, agree: Agree[Frame],
    ) -> None:  # fmt: skip
        before, self.rule, self.dtype = clock.seconds, rule, parameters.dtype
        self.most = n_cores() if n_threads is None else n_threads

        def begin(part: Part, frame: Frame | None) -> CompiledTrainer:
            given = (parameters, Rule(Accumulate()), objective, *part, n_threads)
            return CompiledTrainer(*given, frame)

        ours = {number: part for number, part in enumerate(parts) if part is not None}
        first = next(iter(ours), None)
        kept = None if first is None else begin(ours[first], None)
        frame = agree(None if kept is None else kept.frame)
        self.trainers = {
            number: kept if number == first and kept and kept.frame.is_like(frame)
            else begin(part, frame)
            for number, part in ours.items()
        }  # fmt: skip
        self._allocate(PackedModel(
            parameters, frame, rule.solver.n_slots, len(parts), LINE_BYTES // self.dtype.itemsize
        ))  # fmt: skip
        self.solver = as_solver(rule, self.dtype)
        alone = tasks.Team(0, 1, np.zeros(1, np.int64))
        self.kernel = specialise(updates.run_update, *self._prepare(1.0, 0.0, 0.0)(alone))
        self.compile_seconds = clock.seconds - before

    def _allocate(self, model: PackedModel) -> None:
        """Place the gradients behind the solver's memory, that of the first part next to it."""
        self.model, n_slots = model, model.n_slots
        self.gradients = model.slots[n_slots:]
        model.slots = model.slots[: n_slots + 1]
        for number, trainer in self.trainers.items():
            trainer.model.share(model, self.gradients[number : number + 1, : model.packed.size])
        self.workspace = make_workspace(model.layout, self.dtype)
        n_threads = max(1, model.packed.nbytes // THREAD_BYTES)
        self.n_threads = min(self.most, n_threads, n_stretches(model.layout))

    @property
    def state(self) -> Array:
        """The solver's memory, of shape (n_slots, n_parameters)."""
        return self.model.state()

    @state.setter
    def state(self, state: Array) -> None:
        self.model.set_state(state)

    def load(self) -> None:
        """Take over the parameters; see `summed.BackendSteps.load`."""
        self.model.load()

    def fetch(self) -> None:
        """Bring the parameters up to date; see `summed.BackendSteps.fetch`."""
        self.model.unload(False)

    def compute(self, part: int, epoch: Epoch) -> float:
        """Compute the gradient of some samples; see `summed.BackendSteps.compute`."""
        return float(self.trainers[part].sum_packed(epoch).sum())

    def update(self, total: float, rate: Any, decay: Any) -> float:
        """Take a step from the first gradient; see `summed.BackendSteps.update`."""
        call = self._prepare(total, rate, decay)
        run_together(self.n_threads, lambda team: self.kernel(*call(team)))
        return float(self.workspace.penalties.sum() / total)

    def _prepare(
        self, total: float, rate: Any, decay: Any
    ) -> Callable[[tasks.Team], tuple[Any, ...]]:
        """Make what puts together the arguments of each thread."""
        number, max_norm = self.dtype.type, float(self.rule.max_grad_norm)
        along, itself = np.broadcast_to(np.asarray(rate, self.dtype), 2)
        l2, l1 = number(self.rule.alpha / total), number(self.rule.l1 / total)
        step = Step(along, l2, l1, number(decay), itself)

        def call(team: tasks.Team) -> tuple[Any, ...]:
            return self.model.task(self.solver, (), self.workspace, team), max_norm, step

        return call


def make_workspace(layout: Layout, dtype: np.dtype[Any]) -> tasks.Workspace:
    """Allocate what an update needs, which works on no samples."""
    n_layers, nothing = len(layout.widths), zeros(0, dtype)
    return tasks.Workspace(
        inputs=nothing,
        units=nothing,
        deltas=nothing,
        row_losses=np.zeros(0),
        penalties=np.zeros((n_layers, n_stretches(layout), 1)),
        norms=np.zeros((2, n_layers, int(layout.n_panels.max()))),
        gradients=zeros((1, 0), dtype),
        cursors=zeros((1, 0), np.int64),
    )

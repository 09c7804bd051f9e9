"""One training in compiled kernels: its memory, its threads, and the calls of the kernels."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._arrays import Array
from fastmlp._clock import now, since
from fastmlp.backends.compiled.columns import Frame, read_framed, take_apart
from fastmlp.backends.compiled.grouping import (
    choose_n_groups,
    make_groups,
    make_workspaces,
    n_stretches,
)
from fastmlp.backends.compiled.memory import read_only
from fastmlp.backends.compiled.pace import Pace
from fastmlp.backends.compiled.packed import PackedModel, PackedState
from fastmlp.backends.compiled.packing import costs_of, pack
from fastmlp.backends.compiled.renewal import form_of, is_small
from fastmlp.backends.compiled.team import run_together
from fastmlp.backends.compiled.touching import TOUCHED_SHARE, count_touched, make_touched_rows
from fastmlp.backends.compiled.translation import as_solver, as_step_sizes, as_targets
from fastmlp.backends.compiled.workspaces import (
    Space,
    make_sample_workspace,
    make_slopes,
    make_workspace,
)
from fastmlp.backends.contract import (
    Epoch,
    Objective,
    Problem,
    Report,
    batch_starts,
    n_batches,
    piece_of,
    quiet,
)
from fastmlp.inputs import Features
from fastmlp.kernels import groups, samples, steps
from fastmlp.kernels import task as tasks
from fastmlp.kernels.cache import clock
from fastmlp.kernels.clipping import Clip
from fastmlp.kernels.jit import specialise
from fastmlp.kernels.losses import PairTargets
from fastmlp.kernels.optimizers import ACCUMULATE, KEEP, PLAIN
from fastmlp.kernels.sparse import SparseFeatures
from fastmlp.kernels.touched import TouchedRows
from fastmlp.network import Network, Parameters
from fastmlp.optimizers import Rule
from fastmlp.threads import n_cores

MOST_STEPS = 8192
"""At most for so many batches there is room for the sums of the squared weights."""

PENALTIES = 1 << 15
"""Numbers for which there is room where batches of several epochs lie side by side."""

IN_PLACE_NONZEROS = 16
"""Up to so many nonzeros for each feature in a batch, plain gradient descent adds straight onto the
weights: 10 % faster than forming the gradient first, at 3e-6 instead of 2e-8 of rounding in MNIST's
loss."""

MOST_DROPOUT_BYTES = 1 << 24
"""What is drawn for dropout at a time."""


class CompiledTrainer:
    """A training whose batches run in compiled kernels; see `contract.Backend.trainer`."""

    # The kernels do not call BLAS, but a thread of its own that has just worked goes on spinning,
    # on the processor where one of ours would run: a single product of vectors between two epochs
    # doubles the time of the second.
    blas_threads = 1
    calls_blas = False
    unit = 1

    def __init__(
        self,
        parameters: Parameters,
        rule: Rule,
        objective: Objective,
        problem: Problem,
        batch_size: int,
        n_threads: int | None,
        frame: Frame | None = None,
    ) -> None:
        compiled_before = clock.seconds
        self.rule, self.objective, self.batch_size = rule, objective, batch_size
        self.solver = as_solver(rule, parameters.dtype)
        self.state_handed_out: Any = None
        self.released = False
        self.losses = np.empty(0)
        clipped = rule.max_grad_norm < np.inf
        self.clip = Clip(float(rule.max_grad_norm)) if clipped else ()
        cores = n_cores() if n_threads is None else n_threads
        self.frame = self._read(problem.features, parameters, cores, frame)
        self.model = PackedModel(parameters, self.frame, rule.solver.n_slots, int(clipped))
        self.targets: Any = as_targets(problem, objective.loss, parameters)
        n_samples = problem.features.n_samples
        n_rows = min(batch_size, n_samples)
        most = self._share_out(n_rows, cores)
        n_steps = self._choose_room(n_samples, most)
        self.spaces = self._make_spaces(objective, most, n_steps, n_rows)
        self.by_sample = self._can_go_by_sample(problem)
        if self.by_sample:
            self.space = make_sample_workspace(self.model.layout, parameters, most)
            self.pace = Pace(most, samples.FOLD, 16 * samples.FOLD)
            self.unit = samples.FOLD
        else:
            self.pace = Pace(most, 1, self._most_steps(n_steps, parameters.network, objective))
        self.kernel = self._compile()
        self.compile_seconds = clock.seconds - compiled_before

    def _read(
        self, features: Features, parameters: Parameters, cores: int, frame: Frame | None
    ) -> Frame:
        """Bring the features into the form that costs least, in a frame if there is one."""
        costs = costs_of(parameters.network, parameters.dtype, self.batch_size, self._plain())
        self.limit = costs.column / costs.nonzero
        self.features: Any
        if frame is None:
            packed = pack(features, cores, self.limit)
            self.features, columns = take_apart(features, packed, costs, cores)
            frame = Frame(isinstance(self.features, SparseFeatures), columns)
        else:
            self.features = read_framed(features, frame.columns, self.limit, cores)
        self.form = form_of(self.features)
        return frame

    def _share_out(self, n_rows: int, cores: int) -> int:
        """Choose whether threads share the rows of a batch, or units; return how many can work."""
        layout = self.model.layout
        by_units = isinstance(self.features, SparseFeatures) or self.clip
        n_groups = 1 if by_units else choose_n_groups(layout, n_rows)
        self.groups = None
        if n_groups > 1:
            self.groups = make_groups(layout, n_groups, n_rows, self.model.packed.dtype)
            return min(cores, n_groups)
        return min(cores, int(layout.n_panels[: max(1, len(layout.n_panels) - 1)].max()))

    def _choose_room(self, n_samples: int, most: int) -> int:
        """Choose for how many steps there is to be room, of which some rows may miss all."""
        n_steps = min(MOST_STEPS, n_batches(n_samples, self.batch_size))
        self.rows: TouchedRows | None = None
        if isinstance(self.features, SparseFeatures):
            self._choose_updates(self.features, n_samples, (most, n_steps))
        if self.rows is not None:  # how many steps a row has missed depends on where a call begins
            self.unit = n_batches(n_samples, self.batch_size)
            return n_steps
        layout, groups = self.model.layout, self.groups
        parts = int(layout.n_panels.max()) if groups is None else n_stretches(layout)
        return max(n_steps, min(MOST_STEPS, PENALTIES // (len(layout.widths) * parts)))

    def _make_spaces(
        self, objective: Objective, n_threads: int, n_steps: int, n_rows: int
    ) -> list[Space]:
        """Allocate what batches are computed in: of one, or each thread's own blocks of rows."""
        model, network, groups = self.model, self.model.parameters.network, self.groups
        rows = n_rows if groups is None else groups.block_rows
        most_touched = 0 if self.rows is None else self.rows.touched.shape[1]
        workspace = make_workspace(
            model.layout, self.features, n_rows if groups is None else 0,
            (n_threads, n_steps, most_touched), model.packed.dtype,
        )  # fmt: skip
        workspaces = [workspace]
        if groups is not None:
            workspaces = make_workspaces(workspace, model.layout, groups, n_threads, n_rows)
        return [
            Space(each, make_slopes(model, network, objective.dropout, rows)) for each in workspaces
        ]

    def _plain(self) -> bool:
        """Tell whether a step is no more than w <- w - rate g."""
        penalised = self.rule.alpha > 0 or self.rule.l1 > 0
        return self.solver.code == PLAIN and not penalised and not self.clip

    def _can_go_by_sample(self, problem: Problem) -> bool:
        """Tell whether the kernel for one sample a step can do it; weights of 0 it cannot."""
        one_hidden = len(self.model.layout.widths) == 2 and not self.spaces[0].slopes
        sparse = isinstance(self.features, SparseFeatures)
        single = self.batch_size == 1 and problem.weights is None
        paired = isinstance(self.targets, PairTargets)
        return self._plain() and single and sparse and one_hidden and not paired

    def _most_steps(self, n_steps: int, network: Network, objective: Objective) -> int:
        """Choose how many batches a call works on at most."""
        if any(objective.dropout):
            a_batch = 2 * self.batch_size * sum(network.layer_sizes[1:-1])
            return max(1, min(n_steps, MOST_DROPOUT_BYTES // a_batch))
        return n_steps

    def _choose_updates(
        self, features: SparseFeatures, n_samples: int, sizes: tuple[int, int]
    ) -> None:
        """Decide which weights of the first layer a step touches: see `IN_PLACE_NONZEROS`.

        `sizes` are the largest numbers of threads and of steps that may be missed.
        """
        n_features = int(self.model.layout.fan_in[0])
        n_nonzeros = len(features.indices) / n_samples * self.batch_size
        if features.constant != 0 or self.clip:
            return
        if self._plain():
            in_place = n_nonzeros <= IN_PLACE_NONZEROS * (n_features - features.n_dense)
            self.features = features._replace(in_place=bool(in_place))
        elif count_touched(features, n_samples, self.batch_size) <= TOUCHED_SHARE * n_features:
            longest = int(np.diff(features.indptr).max(initial=0))
            most = max(1, min(n_features, features.n_dense + longest * self.batch_size))
            self.rows = make_touched_rows(self.model, self.solver, most, sizes)

    def _compile(self) -> Callable[..., bool]:
        """Compile the kernel, or load it from the cache."""
        numbers = np.empty(0, self.model.packed.dtype)
        nothing = Epoch(np.empty(0, np.intp), numbers, numbers, np.empty(0))
        call = self._prepare(nothing, self._batches(nothing), (0, 0), np.empty(0))
        entry = steps.run_steps if self.groups is None else groups.run_groups
        entry = samples.run_samples if self.by_sample else entry
        alone = tasks.Team(0, 1, np.zeros(1, np.int64))
        kernel: Callable[..., bool] = specialise(entry, *call(alone))
        return kernel

    @property
    def state(self) -> Any:
        """The solver's memory; see `contract.Trainer.state`.

        Of a trainer that may be renewed it stays packed: unpacking takes as long as a small step.
        """
        self.state_handed_out = PackedState(self.model) if self.released else self.model.state()
        return self.state_handed_out

    @state.setter
    def state(self, state: Any) -> None:
        self.model.set_state(state)

    def release(self) -> bool:
        """Let go of the data; see `contract.Trainer.release`."""
        self.features = self.targets = None
        self.released = self.form is not None and is_small(self.model.packed, self.spaces)
        return self.released

    def renew(self, problem: Problem, state: Any) -> bool:
        """Go on with other data; see `contract.Trainer.renew`."""
        if self.form is None:
            return False
        features = pack(problem.features, 1, self.limit)
        if form_of(features) != self.form:
            return False
        self.features, self.released = features, False
        self.targets = as_targets(problem, self.objective.loss, self.model.parameters)
        self.pace = Pace(self.pace.most, self.pace.unit, self.pace.longest)
        if state is None:
            self.model.slots[...] = 0
        elif state is not self.state_handed_out:
            self.model.set_state(state)
        self.compile_seconds = 0.0
        return True

    def run_epoch(self, epoch: Epoch, report: Report) -> NDArray[np.float64]:
        """Train on the samples of an epoch once; see `contract.Trainer.run_epoch`."""
        self.state_handed_out = None
        losses = np.empty(len(epoch.rates))
        self.losses = losses[:0]

        self.model.load()
        try:
            for part in self._parts(epoch):
                first = len(self.losses)

                def done(n_done: int, first: int = first) -> None:
                    self.losses = losses[: first + n_done]
                    report(first + n_done)

                self._run_part(part, losses[first : first + len(part.rates)], done)
        finally:
            self.model.unload(self.by_sample)
        return losses

    def sum_gradients(self, epoch: Epoch, out: Array) -> NDArray[np.float64]:
        """Add the gradients of some batches up; see `contract.Trainer.sum_gradients`.

        The parameters stay as they are and are not copied back, nor is the sum twice: with
        784-1024-1024-10 and 512 samples that is 4 % of the time.
        """
        self.model.load()
        losses = self.sum_packed(epoch)
        self.model.state(out[np.newaxis])
        return losses

    def sum_packed(self, epoch: Epoch) -> NDArray[np.float64]:
        """Add gradients up where they are: see `sum_gradients`.

        That of one batch is written and not added to zeros.
        """
        losses = np.empty(len(epoch.rates))
        one = len(losses) == 1 and self.rows is None
        self.solver = self.solver._replace(code=KEEP if one else ACCUMULATE)
        if not one:
            self.model.slots[...] = 0
        self._run_part(epoch, losses, quiet)
        return losses

    def _parts(self, epoch: Epoch) -> Iterator[Epoch]:
        """Take epochs one by one where something is done at the end of each, else all at once."""
        if epoch.n_epochs == 1 or not (self.by_sample or self.rows is not None):
            yield epoch
            return
        length = len(epoch.rates) // epoch.n_epochs
        for first in range(0, len(epoch.rates), length):
            yield piece_of(epoch, first, first + length, self.batch_size)

    def _run_part(self, epoch: Epoch, losses: Array, report: Report) -> None:
        """Train on an epoch, or on several of which the kernels need not know."""
        if self.rows is not None:
            self.rows.steps_made[...] = 0
        batches, first = self._batches(epoch), 0
        n_steps = self.spaces[0].workspace.penalties.shape[2]
        try:
            while first < len(losses):
                full = (first // n_steps + 1) * n_steps
                last = min(len(losses), full, first + self.pace.choose())
                self._run_slice(epoch, batches, (first, last), losses)
                first = last
                if last in (full, len(losses)):
                    self._add_penalties(batches, (full - n_steps, last), losses)
                report(last)
        finally:
            if first < len(losses):
                self._break_off(epoch, batches, first, losses)

    def _break_off(self, epoch: Epoch, batches: tasks.Batches, n_done: int, losses: Array) -> None:
        """Do what else is done after the last batch."""
        if self.rows is not None:
            alone = tasks.Team(0, 1, np.zeros(1, np.int64))
            self.kernel(*self._prepare(epoch, batches, (n_done, n_done), losses[:n_done])(alone))
        n_steps = self.spaces[0].workspace.penalties.shape[2]
        self._add_penalties(batches, (n_done // n_steps * n_steps, n_done), losses)

    def _run_slice(
        self, epoch: Epoch, batches: tasks.Batches, span: tuple[int, int], losses: Array
    ) -> None:
        """Train on the batches from one to another, exclusive."""
        pace, (first, last) = self.pace, span
        call = self._prepare(epoch, batches, span, losses)
        start = now()
        n_threads = run_together(pace.n_threads, lambda team: self.kernel(*call(team)))
        if n_threads < pace.n_threads:  # the others cannot work here: do not ask for them again
            self.pace = Pace(n_threads, pace.unit, pace.longest)
        else:
            pace.record(last - first, since(start))

    def _add_penalties(self, batches: tasks.Batches, span: tuple[int, int], losses: Array) -> None:
        """Add the penalties of all that there is room for to the losses."""
        if self.rule.alpha > 0 or self.rule.l1 > 0:
            penalties, some = self.spaces[0].workspace.penalties, slice(*span)
            sums = penalties.reshape(-1, penalties.shape[2])[:, : span[1] - span[0]]
            losses[some] += np.add.accumulate(sums)[-1] / batches.totals[some]  # in their order
            if self.rows is not None:
                penalties[...] = 0

    def _batches(self, epoch: Epoch) -> tasks.Batches:
        """Describe the batches of an epoch to the kernels."""
        return tasks.Batches(
            self.features, self.targets, read_only(epoch.permutation),
            read_only(batch_starts(epoch, self.batch_size)), as_step_sizes(self.rule, epoch),
            read_only(epoch.totals),
        )  # fmt: skip

    def _prepare(
        self, epoch: Epoch, batches: tasks.Batches, span: tuple[int, int], losses: Array
    ) -> Callable[[tasks.Team], tuple[Any, ...]]:
        """Draw what dropout needs, and make what puts together the arguments of each thread."""
        numbers = {}
        if epoch.draw is not None and span[0] < span[1]:
            numbers = self._draw(epoch.draw, int(batches.starts[span[1]] - batches.starts[span[0]]))

        def call(team: tasks.Team) -> tuple[Any, ...]:
            workspace, slopes = self.spaces[team.thread % len(self.spaces)]
            slopes = slopes._replace(**numbers) if numbers else slopes
            task = self.model.task(self.solver, batches, workspace, team)
            if self.by_sample:
                return (task, self.space, *span, losses)
            if self.groups is not None:
                return (task, slopes, self.groups, *span, losses)
            rows = () if self.rows is None else self.rows._replace(step_sizes=batches.step_sizes)
            return (task, rows, slopes, self.clip, *span, losses)

        return call

    def _draw(self, draw: Callable[[int], NDArray[np.uint16]], n_rows: int) -> dict[str, Any]:
        """Draw the numbers of some samples for dropout."""
        numbers = draw(n_rows)
        # The last panel of a layer reads numbers for the units that fill it up, too.
        padded = np.zeros(numbers.size + self.model.hidden.width, np.uint16)
        padded[: numbers.size] = numbers.ravel()
        return {"numbers": read_only(padded), "row_step": numbers.shape[1]}

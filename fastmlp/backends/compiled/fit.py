"""One training in compiled kernels: its memory, its threads, and the calls of the kernels."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._clock import now, since
from fastmlp.backends.compiled.grouping import choose_n_groups, make_groups, make_workspaces
from fastmlp.backends.compiled.memory import make_sample_workspace, read_only, zeros
from fastmlp.backends.compiled.pace import Pace
from fastmlp.backends.compiled.packed import PackedModel
from fastmlp.backends.compiled.packing import break_even, pack
from fastmlp.backends.compiled.renewal import form_of, is_small
from fastmlp.backends.compiled.team import run_together
from fastmlp.backends.compiled.touching import TOUCHED_SHARE, count_touched, make_touched_rows
from fastmlp.backends.contract import Epoch, Objective, Problem, Report, n_batches, threshold
from fastmlp.kernels import groups, samples, steps, updates
from fastmlp.kernels import task as tasks
from fastmlp.kernels.backward import GRADIENT_ROWS
from fastmlp.kernels.cache import clock
from fastmlp.kernels.clipping import Clip
from fastmlp.kernels.dense import DenseFeatures
from fastmlp.kernels.functions import SIMPLE
from fastmlp.kernels.jit import specialise
from fastmlp.kernels.layout import Layout, n_of_units
from fastmlp.kernels.losses import ClassTargets
from fastmlp.kernels.simd import LINE_BYTES
from fastmlp.kernels.slopes import Slopes
from fastmlp.kernels.sparse import SparseFeatures
from fastmlp.kernels.touched import TouchedRows
from fastmlp.kernels.updates import ACCUMULATE, ADAM, MOMENTUM, RMSPROP, Course, Solver
from fastmlp.kernels.values import VALUE_CODES, ValueTargets
from fastmlp.losses import Loss
from fastmlp.network import Network, Parameters
from fastmlp.optimizers import SGD, Accumulate, Adam, AdamW, RMSprop, Rule
from fastmlp.threads import n_cores

Array = NDArray[Any]

MOST_STEPS = 8192
"""Batches for which there is room for the sums of the squared weights."""

IN_PLACE_NONZEROS = 16
"""Up to so many nonzeros for each feature in a batch, plain gradient descent adds straight onto the
weights: 10 % faster than forming the gradient first, at 3e-6 instead of 2e-8 of rounding in MNIST's
loss."""

MOST_DROPOUT_BYTES = 1 << 24
"""What is drawn for dropout at a time."""


def solver_code(rule: Rule) -> int:
    """Look up the code of an update rule."""
    if isinstance(rule.solver, SGD):
        return MOMENTUM if rule.solver.momentum > 0 else updates.SGD
    codes = {Adam: ADAM, AdamW: ADAM, RMSprop: RMSPROP, Accumulate: ACCUMULATE}
    return codes[type(rule.solver)]


def as_solver(rule: Rule, dtype: np.dtype[Any]) -> Solver:
    """Describe an update rule to the kernels, its numbers in the parameters' dtype."""
    number, solver = dtype.type, rule.solver
    sgd = solver if isinstance(solver, SGD) else SGD()
    adam = solver if isinstance(solver, Adam) else Adam()
    if isinstance(solver, RMSprop):
        adam = Adam(beta_2=solver.decay, epsilon=solver.epsilon)
    return Solver(
        code=solver_code(rule),
        alpha=number(rule.alpha),
        l1=number(rule.l1),
        momentum=number(sgd.momentum),
        nesterov=bool(sgd.nesterov),
        beta_1=number(adam.beta_1),
        beta_2=number(adam.beta_2),
        epsilon=number(adam.epsilon),
    )


def as_course(rule: Rule, epoch: Epoch) -> Course:
    """Work out the numbers of each step."""
    dtype = epoch.rates.dtype
    strengths = (rule.alpha / epoch.totals, rule.l1 / epoch.totals)
    l2, l1 = (read_only(strength.astype(dtype)) for strength in strengths)
    return Course(read_only(epoch.rates), l2, l1, read_only(epoch.decays))


def as_targets(problem: Problem, loss: Loss, parameters: Parameters) -> ClassTargets | ValueTargets:
    """Hand targets and weights to the kernels where they lie."""
    dtype, n_outputs = parameters.dtype, parameters.network.layer_sizes[-1]
    weights = np.empty(0, dtype) if problem.weights is None else problem.weights
    weights = read_only(np.ascontiguousarray(weights, dtype))
    smoothing = dtype.type(loss.label_smoothing)
    if loss.name == "softmax":
        classes = read_only(np.ascontiguousarray(problem.targets, np.intp))
        return ClassTargets(classes, weights, n_outputs, smoothing)
    values = read_only(np.ascontiguousarray(problem.targets, dtype).ravel())
    code = VALUE_CODES[loss.name]
    return ValueTargets(values, weights, n_outputs, code, smoothing, dtype.type(loss.delta))


def make_slopes(
    model: PackedModel, network: Network, dropout: tuple[float, ...], batch_size: int
) -> Any:
    """Allocate what keeps the derivatives, or () where they follow from the activations."""
    layout, dtype = model.layout, model.packed.dtype
    if not any(dropout) and all(code in SIMPLE for code in layout.activations):
        return ()
    sizes = np.array(network.layer_sizes[1:-1], np.intp)
    rates = np.array(dropout or [0.0] * len(sizes))
    return Slopes(
        memory=zeros(batch_size * int(layout.row_steps.sum()), dtype),
        numbers=read_only(np.empty(0, np.uint16)),
        row_step=0,
        begin=0,
        starts=np.append(0, np.cumsum(sizes)[:-1]).astype(np.intp),
        thresholds=np.array([threshold(rate) for rate in rates], np.intp),
        factors=(1 / (1 - rates)).astype(dtype),
    )


def make_workspace(
    layout: Layout, features: SparseFeatures | DenseFeatures, batch_size: int,
    sizes: tuple[int, int, int], dtype: np.dtype[Any],
) -> tasks.Workspace:  # fmt: skip
    """Allocate what a batch is computed in.

    `sizes` are the largest numbers of threads, of steps a call, and of features that a batch
    touches where only those are updated.
    """
    n_threads, n_steps, most_touched = sizes
    n_units = n_of_units(layout, batch_size)
    n_inputs, block = 0, max(GRADIENT_ROWS, most_touched)
    if isinstance(features, DenseFeatures):
        n_inputs = 2 * batch_size * int(layout.input_step[0])
    elif not (features.in_place or most_touched):
        block = max(block, features.block)
    n_lanes = int((layout.widths // layout.n_panels).max())
    n_logits = int(layout.row_steps[-1] + 3) * LINE_BYTES // dtype.itemsize
    n_panels = int(layout.n_panels.max())
    return tasks.Workspace(
        inputs=zeros(n_inputs, dtype),
        units=zeros(n_units, dtype),
        deltas=zeros(n_units, dtype),
        row_losses=np.zeros(batch_size),
        penalties=np.zeros((len(layout.widths), n_panels, n_steps)),
        norms=np.zeros((2, len(layout.widths), n_panels)),
        gradients=zeros((n_threads, max(block * n_lanes, n_logits)), dtype),
        cursors=zeros((n_threads, -(-batch_size // 8) * 8), np.int64),
    )


class Space(NamedTuple):
    """What batches are computed in."""

    workspace: tasks.Workspace
    slopes: Any
    """See `make_slopes`."""


class CompiledTrainer:
    """A training whose batches run in compiled kernels; see `contract.Backend.trainer`."""

    # The kernels do not call BLAS, but a thread of its own that has just worked goes on spinning,
    # on the processor where one of ours would run: a single product of vectors between two epochs
    # doubles the time of the second.
    blas_threads = 1
    calls_blas = False

    def __init__(
        self,
        parameters: Parameters,
        rule: Rule,
        objective: Objective,
        problem: Problem,
        batch_size: int,
        n_threads: int | None,
    ) -> None:
        compiled_before = clock.seconds
        dtype, features = parameters.dtype, problem.features
        self.rule, self.objective, self.batch_size = rule, objective, batch_size
        clipped = rule.max_grad_norm < np.inf
        self.clip = Clip(float(rule.max_grad_norm)) if clipped else ()
        cores = n_cores() if n_threads is None else n_threads
        self.solver = as_solver(rule, dtype)
        self.limit = break_even(parameters.network, dtype, batch_size, self._plain())
        self.features: Any = pack(features, cores, self.limit)
        self.form = form_of(self.features)
        self.state_handed_out: Array | None = None
        sparse = isinstance(self.features, SparseFeatures)
        self.model = PackedModel(parameters, sparse, rule.solver.n_slots, int(clipped))
        layout = self.model.layout
        n_rows = min(batch_size, features.n_samples)
        n_groups = 1 if sparse or clipped else choose_n_groups(layout, n_rows)
        n_panels = int(layout.n_panels[: max(1, len(layout.n_panels) - 1)].max())
        most = min(cores, n_groups if n_groups > 1 else n_panels)
        self.rows: TouchedRows | None = None
        n_steps = min(MOST_STEPS, n_batches(features.n_samples, batch_size))
        if isinstance(self.features, SparseFeatures):
            self._choose_updates(self.features, features.n_samples, (most, n_steps))
        self.targets: Any = as_targets(problem, objective.loss, parameters)
        self.groups = make_groups(layout, n_groups, n_rows, dtype) if n_groups > 1 else None
        self.spaces = self._make_spaces(objective, most, n_steps, n_rows)
        self.by_sample = self._can_go_by_sample(problem)
        if self.by_sample:
            self.space = make_sample_workspace(layout, parameters, most)
            self.pace = Pace(most, samples.FOLD, 16 * samples.FOLD)
        else:
            self.pace = Pace(most, 1, self._most_steps(n_steps, parameters.network, objective))
        self.kernel = self._compile()
        self.compile_seconds = clock.seconds - compiled_before

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
        return self.solver.code == updates.SGD and not penalised and not self.clip

    def _can_go_by_sample(self, problem: Problem) -> bool:
        """Tell whether the kernel for one sample a step can do it; weights of 0 it cannot."""
        one_hidden = len(self.model.layout.widths) == 2 and not self.spaces[0].slopes
        sparse = isinstance(self.features, SparseFeatures)
        single = self.batch_size == 1 and problem.weights is None
        return self._plain() and single and sparse and one_hidden

    def _most_steps(self, n_steps: int, network: Network, objective: Objective) -> int:
        """Choose how many batches a call works on at the most."""
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
            in_place = n_nonzeros <= IN_PLACE_NONZEROS * n_features
            self.features = features._replace(in_place=bool(in_place))
        elif count_touched(features, n_samples, self.batch_size) <= TOUCHED_SHARE * n_features:
            longest = int(np.diff(features.indptr).max(initial=0))
            most = max(1, min(n_features, longest * self.batch_size))
            self.rows = make_touched_rows(self.model, self.solver, most, sizes)

    def _compile(self) -> Callable[..., bool]:
        """Compile the kernel, or load it from the cache."""
        numbers = np.empty(0, self.model.packed.dtype)
        nothing = Epoch(np.empty(0, np.intp), numbers, numbers, np.empty(0))
        course = as_course(self.rule, nothing)
        call = self._prepare(nothing, course, (0, 0), np.empty(0))
        entry = steps.run_steps if self.groups is None else groups.run_groups
        entry = samples.run_samples if self.by_sample else entry
        alone = tasks.Team(0, 1, np.zeros(1, np.int64))
        kernel: Callable[..., bool] = specialise(entry, *call(alone))
        return kernel

    @property
    def state(self) -> Array:
        """The solver's memory, of shape (n_slots, n_parameters)."""
        self.state_handed_out = self.model.state()
        return self.state_handed_out

    @state.setter
    def state(self, state: Array) -> None:
        self.model.set_state(state)

    def release(self) -> bool:
        """Let go of the data; see `contract.Trainer.release`."""
        self.features = self.targets = None
        return self.form is not None and is_small(self.model.packed, self.spaces)

    def renew(self, problem: Problem, state: Array | None) -> bool:
        """Go on with other data; see `contract.Trainer.renew`."""
        features = pack(problem.features, 1, self.limit)
        if form_of(features) != self.form:
            return False
        self.features = features
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
        course = as_course(self.rule, epoch)
        self.model.load()
        if self.rows is not None:
            self.rows.steps_made[...] = 0
        first, n_steps = 0, self.spaces[0].workspace.penalties.shape[2]
        try:
            while first < len(losses):
                full = (first // n_steps + 1) * n_steps
                last = min(len(losses), full, first + self.pace.choose())
                self._run_slice(epoch, course, (first, last), losses)
                first = last
                if last in (full, len(losses)):
                    self._add_penalties(epoch, (full - n_steps, last), losses)
                report(last)
        finally:
            if self.rows is not None and first < len(losses):
                alone = tasks.Team(0, 1, np.zeros(1, np.int64))
                self.kernel(*self._prepare(epoch, course, (first, first), losses[:first])(alone))
            self.model.unload(self.by_sample)
        return losses

    def _run_slice(
        self, epoch: Epoch, course: Course, span: tuple[int, int], losses: Array
    ) -> None:
        """Train on the batches from one to another, exclusive."""
        pace, (first, last) = self.pace, span
        call = self._prepare(epoch, course, span, losses)
        start = now()
        n_threads = run_together(pace.n_threads, lambda team: self.kernel(*call(team)))
        if n_threads < pace.n_threads:  # the others cannot work here: do not ask for them again
            self.pace = Pace(n_threads, pace.unit, pace.longest)
        else:
            pace.record(last - first, since(start))

    def _add_penalties(self, epoch: Epoch, span: tuple[int, int], losses: Array) -> None:
        """Add the penalties of all that there is room for to the losses."""
        if self.rule.alpha > 0 or self.rule.l1 > 0:
            penalties, some = self.spaces[0].workspace.penalties, slice(*span)
            losses[some] += penalties.sum(axis=(0, 1))[: span[1] - span[0]] / epoch.totals[some]
            penalties[...] = 0

    def _prepare(
        self, epoch: Epoch, course: Course, span: tuple[int, int], losses: Array
    ) -> Callable[[tasks.Team], tuple[Any, ...]]:
        """Draw what dropout needs, and make what puts together the arguments of each thread."""
        batches = tasks.Batches(
            self.features, self.targets, read_only(epoch.permutation), self.batch_size, course,
            read_only(epoch.totals),
        )  # fmt: skip
        numbers = self._numbers_of(epoch, span)

        def call(team: tasks.Team) -> tuple[Any, ...]:
            workspace, slopes = self.spaces[team.thread % len(self.spaces)]
            slopes = slopes._replace(**numbers) if numbers else slopes
            task = self.model.task(self.solver, batches, workspace, team)
            if self.by_sample:
                return (task, self.space, *span, losses)
            if self.groups is not None:
                return (task, slopes, self.groups, *span, losses)
            rows = () if self.rows is None else self.rows._replace(course=course)
            return (task, rows, slopes, self.clip, *span, losses)

        return call

    def _numbers_of(self, epoch: Epoch, span: tuple[int, int]) -> dict[str, Any]:
        """Draw the numbers of a piece of an epoch where there is dropout."""
        if epoch.draw is None or span[0] == span[1]:
            return {}
        ends = np.minimum(np.array(span) * self.batch_size, len(epoch.permutation))
        numbers = epoch.draw(int(ends[1] - ends[0]))
        # The last panel of a layer reads numbers for the units that fill it up, too.
        padded = np.zeros(numbers.size + self.model.hidden.width, np.uint16)
        padded[: numbers.size] = numbers.ravel()
        return {"numbers": read_only(padded), "row_step": numbers.shape[1]}

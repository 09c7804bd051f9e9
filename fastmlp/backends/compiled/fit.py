"""One training in compiled kernels: its memory, its threads, and the calls of the kernels."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.backends.compiled.memory import read_only, zeros
from fastmlp.backends.compiled.pace import Pace
from fastmlp.backends.compiled.packed import PackedModel
from fastmlp.backends.compiled.packing import pack
from fastmlp.backends.compiled.team import run_together
from fastmlp.backends.contract import Report, n_batches
from fastmlp.inputs import Features
from fastmlp.kernels import samples, steps, updates
from fastmlp.kernels import task as tasks
from fastmlp.kernels.backward import GRADIENT_ROWS
from fastmlp.kernels.dense import DenseFeatures
from fastmlp.kernels.jit import clock, specialise
from fastmlp.kernels.layout import Layout
from fastmlp.kernels.sparse import SparseFeatures
from fastmlp.kernels.touched import UNSEEN, TouchedRows
from fastmlp.kernels.updates import ADAM, MOMENTUM, Solver
from fastmlp.network import Parameters
from fastmlp.optimizers import SGD, Adam, Rule
from fastmlp.threads import n_cores

Array = NDArray[Any]

MOST_STEPS = 8192
"""Batches a call: for each there is room for the sums of the squared weights."""

IN_PLACE_NONZEROS = 16
"""Up to so many nonzeros for each feature in a batch, plain gradient descent adds straight onto the
weights: 10 % faster than forming the gradient first, at 3e-6 instead of 2e-8 of rounding in MNIST's
loss."""

TOUCHED_NONZEROS = 0.25
"""Up to so many, other solvers touch only the weights of features that a batch has: making up for
the steps that the others miss costs less than making them."""


def as_solver(rule: Rule, dtype: np.dtype[Any]) -> Solver:
    """Describe an update rule to the kernels, its numbers in the parameters' dtype."""
    number = dtype.type
    sgd = rule.solver if isinstance(rule.solver, SGD) else SGD()
    adam = rule.solver if isinstance(rule.solver, Adam) else Adam()
    descent = MOMENTUM if sgd.momentum > 0 else updates.SGD
    return Solver(
        code=ADAM if isinstance(rule.solver, Adam) else descent,
        alpha=number(rule.alpha),
        momentum=number(sgd.momentum),
        nesterov=sgd.nesterov,
        beta_1=number(adam.beta_1),
        beta_2=number(adam.beta_2),
        epsilon=number(adam.epsilon),
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
    n_units = batch_size * int(layout.widths.sum())
    n_inputs, block = 0, max(GRADIENT_ROWS, most_touched)
    if isinstance(features, DenseFeatures):
        n_inputs = 2 * batch_size * int(layout.fan_in[0])
    elif not (features.in_place or most_touched):
        block = max(block, features.block)
    n_lanes = int((layout.widths // layout.n_panels).max())
    n_panels = int(layout.n_panels.max())
    return tasks.Workspace(
        inputs=zeros(n_inputs, dtype),
        units=zeros(n_units, dtype),
        deltas=zeros(n_units, dtype),
        row_losses=np.zeros(batch_size),
        penalties=np.zeros((len(layout.widths), n_panels, n_steps)),
        gradients=zeros((n_threads, block * n_lanes), dtype),
        cursors=zeros((n_threads, -(-batch_size // 8) * 8), np.int64),
    )


def make_touched_rows(
    model: PackedModel, solver: Solver, most_touched: int, n_threads: int
) -> TouchedRows:
    """Allocate what keeps count of the steps that features miss."""
    n_features, dtype = int(model.layout.fan_in[0]), model.packed.dtype
    betas = np.array([solver.beta_1, solver.beta_2], np.float64)
    shrinking = betas[0] / np.sqrt(betas[1])
    lost = np.log(np.finfo(dtype).eps / 1000) / np.log(shrinking) if shrinking < 1 else np.inf
    return TouchedRows(
        ranks=np.full((n_threads, n_features), UNSEEN, np.int32),
        touched=np.zeros((n_threads, most_touched), np.int32),
        n_touched=zeros((n_threads, 8), np.int64),
        steps_made=np.zeros((n_threads, n_features), np.int64),
        rates=read_only(np.empty(0, dtype)),
        strengths=read_only(np.empty(0, dtype)),
        zeros=read_only(np.zeros(model.hidden.width, dtype)),
        decays=read_only(np.power.outer(betas, np.arange(MOST_STEPS + 1)).astype(dtype)),
        adam_steps=int(min(lost, MOST_STEPS)),
    )


class CompiledTrainer:
    """A training whose batches run in compiled kernels; see `contract.Backend.trainer`."""

    # The kernels do not call BLAS, but a thread of its own that has just worked goes on spinning,
    # on the processor where one of ours would run: a single product of vectors between two epochs
    # doubles the time of the second.
    blas_threads = 1

    def __init__(
        self,
        parameters: Parameters,
        rule: Rule,
        features: Features,
        targets: NDArray[np.intp],
        batch_size: int,
        n_threads: int | None,
    ) -> None:
        compiled_before = clock.seconds
        dtype = parameters.dtype
        self.rule, self.batch_size = rule, batch_size
        self.model = PackedModel(parameters, rule.solver.n_slots)
        layout = self.model.layout
        cores = n_cores() if n_threads is None else n_threads
        most = min(cores, int(layout.n_panels[: max(1, len(layout.n_panels) - 1)].max()))
        self.solver = as_solver(rule, dtype)
        self.features = pack(features, cores)
        self.rows: TouchedRows | None = None
        if isinstance(self.features, SparseFeatures):
            self._choose_updates(self.features, features.n_samples, most)
        self.targets = read_only(targets)
        single = batch_size == 1 and self.solver.code == updates.SGD and rule.alpha == 0
        sparse = isinstance(self.features, SparseFeatures)
        self.by_sample = single and sparse and len(layout.widths) == 2
        n_steps = min(MOST_STEPS, n_batches(features.n_samples, batch_size))
        most_touched = 0 if self.rows is None else self.rows.touched.shape[1]
        self.workspace = make_workspace(
            layout, self.features, batch_size, (most, n_steps, most_touched), dtype
        )
        if self.by_sample:
            self.space = make_sample_workspace(layout, parameters, most)
            self.pace = Pace(most, samples.FOLD, 16 * samples.FOLD)
        else:
            self.pace = Pace(most, 1, n_steps)
        self.kernel = self._compile()
        self.compile_seconds = clock.seconds - compiled_before

    def _choose_updates(self, features: SparseFeatures, n_samples: int, n_threads: int) -> None:
        """Decide which weights of the first layer a step touches: see `IN_PLACE_NONZEROS`."""
        n_features = int(self.model.layout.fan_in[0])
        n_nonzeros = len(features.indices) / n_samples * self.batch_size
        if features.constant != 0:
            return
        if self.solver.code == updates.SGD and self.rule.alpha == 0:
            in_place = n_nonzeros <= IN_PLACE_NONZEROS * n_features
            self.features = features._replace(in_place=bool(in_place))
        elif n_nonzeros <= TOUCHED_NONZEROS * n_features:
            longest = int(np.diff(features.indptr).max(initial=0))
            most = max(1, min(n_features, longest * self.batch_size))
            self.rows = make_touched_rows(self.model, self.solver, most, n_threads)

    def _compile(self) -> Callable[..., bool]:
        """Compile the kernel, or load it from the cache."""
        nothing = np.empty(0, np.intp)
        rates, losses = np.empty(0, self.model.packed.dtype), np.empty(0)
        arguments = self._arguments(0, np.zeros(1, np.int64), 1, nothing, rates, (0, 0), losses)
        entry = samples.run_samples if self.by_sample else steps.run_steps
        kernel: Callable[..., bool] = specialise(entry, *arguments)
        return kernel

    @property
    def state(self) -> Array:
        """The solver's memory, of shape (n_slots, n_parameters)."""
        return self.model.state()

    def run_epoch(
        self, permutation: NDArray[np.intp], rates: Array, report: Report
    ) -> NDArray[np.float64]:
        """Train on every sample once; see `contract.Trainer.run_epoch`."""
        losses = np.empty(n_batches(len(permutation), self.batch_size))
        self.model.load()
        try:
            first = 0
            while first < len(losses):
                last = min(len(losses), first + self.pace.choose())
                self._run_slice(permutation, rates, first, last, losses)
                first = last
                report(last)
        finally:
            self.model.unload(self.by_sample)
        return losses

    def _run_slice(
        self, permutation: NDArray[np.intp], rates: Array, first: int, last: int, losses: Array
    ) -> None:
        """Train on the batches from one to another, exclusive."""
        start, n_threads = time.perf_counter(), self.pace.n_threads
        run_together(
            n_threads,
            lambda thread, places: self.kernel(
                *self._arguments(
                    thread, places, n_threads, permutation, rates, (first, last), losses
                )
            ),
        )
        if self.rule.alpha > 0:
            squares = self.workspace.penalties[:, :, : last - first].sum(axis=(0, 1))
            sizes = self._batch_sizes((first, last), len(permutation))
            losses[first:last] += 0.5 * self.rule.alpha / sizes * squares
            self.workspace.penalties[...] = 0
        self.pace.record(last - first, time.perf_counter() - start)

    def _arguments(
        self, thread: int, places: Array, n_threads: int, permutation: NDArray[np.intp],
        rates: Array, span: tuple[int, int], losses: Array,
    ) -> tuple[Any, ...]:  # fmt: skip
        """Put together what one thread's part of some batches needs."""
        team = tasks.Team(thread, n_threads, places)
        batches = tasks.Batches(
            self.features, self.targets, read_only(permutation), self.batch_size, read_only(rates)
        )
        task = self.model.task(self.solver, batches, self.workspace, team)
        extra = self.space if self.by_sample else self._rows_of_slice(rates, span, len(permutation))
        return (task, extra, *span, losses)

    def _rows_of_slice(self, rates: Array, span: tuple[int, int], n_samples: int) -> Any:
        """Give the rows that updates touch the rates and penalties of a piece of an epoch."""
        if self.rows is None:
            return ()
        strengths = self.rule.alpha / self._batch_sizes(span, n_samples)
        return self.rows._replace(
            rates=read_only(rates[slice(*span)]),
            strengths=read_only(strengths.astype(rates.dtype)),
        )

    def _batch_sizes(self, span: tuple[int, int], n_samples: int) -> Array:
        """Count the samples of each batch of a piece of an epoch."""
        ends = np.minimum(np.arange(span[0] + 1, span[1] + 1) * self.batch_size, n_samples)
        return np.asarray(ends - np.arange(*span) * self.batch_size)


def make_sample_workspace(
    layout: Layout, parameters: Parameters, n_threads: int
) -> samples.SampleWorkspace:
    """Allocate what a sample is computed in."""
    dtype, width, outputs = parameters.dtype, int(layout.widths[0]), int(layout.widths[1])
    masks = zeros(width, dtype)
    masks[: layout.fan_out[0]] = 1
    return samples.SampleWorkspace(
        units=zeros(width, dtype),
        masks=masks,
        shared_rows=zeros(width, dtype),
        row_sums=zeros(width, dtype),
        partial_logits=zeros(2 * int(layout.n_panels[0]) * outputs, dtype),
        # A line between one thread's and the next one's: they would be fetched in pairs.
        outputs=zeros((n_threads, 3 * outputs + 32), dtype),
    )

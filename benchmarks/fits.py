"""Whole fits of every cell of the grid: time, memory, seconds an iteration, what was learned."""

import json
from pathlib import Path

import numpy as np

import fastmlp

from .common import (
    COMPARED,
    TIMED,
    count_samples,
    make_data,
    test_set,
    train_arguments,
    training_set,
    warm_up,
)
from .grid import PARAM_NAME, Cell, chosen_labels, parse

PACED_EPOCHS = 5
"""The fastest of so many shows how long an iteration takes."""


class _Cells:
    """asv starts a process for each combination of parameters: the cell's label is the only one."""

    params = chosen_labels()
    param_names = (PARAM_NAME,)

    def setup_cache(self):
        """Draw the data once for all, and compile, so that memory to compile is not a fit's."""
        data = make_data()
        for label in self.params:
            cell = parse(label)
            if cell.backend == "numba":
                try:
                    warm_up(cell, data)
                except NotImplementedError as error:
                    print(error)
        return data

    setup_cache.timeout = 1800


class Fit(_Cells):
    """From arrays in memory to the trained model: checks, packing and the start of threads too."""

    # A fit is long: a few of them show its time. With fewer than six samples asv's test cannot call
    # a difference significant; these come in two rounds, between which --interleave-rounds changes
    # commits.
    number = 1
    repeat = (4, 20, 1.0)
    rounds = 2
    warmup_time = 0

    cell = None

    def setup(self, data, label):
        """Bring the data into the cell's form and warm up, once for all samples of a process."""
        if self.cell is None:
            self.cell = parse(label)
            self.arguments = train_arguments(self.cell)
            self.amount = TIMED[self.cell.backend]
            self.n_samples = count_samples(self.cell.shape, self.amount)
            self.X, self.y = training_set(data, self.cell.shape, self.n_samples)
            warm_up(self.cell, data)

    def time_fit(self, data, label):
        """Time a fit of few epochs."""
        self._fit(self.amount.epochs)

    def peakmem_fit(self, data, label):
        """Measure the memory of the process that fits."""
        self._fit(self.amount.epochs)

    def peakmem_without_fit(self, data, label):
        """Measure what of it is not the fit's: imports, kernels and data."""

    def track_seconds_an_iteration(self, data, label):
        """Track the best epoch of a few, by the history: updates alone."""
        n_iterations = self.n_samples // self.cell.shape.batch_size
        return min(self._fit(PACED_EPOCHS).history.seconds) / n_iterations

    track_seconds_an_iteration.unit = "seconds"

    def _fit(self, epochs):
        return fastmlp.train(self.X, self.y, epochs=epochs, **self.arguments)


class Learning(_Cells):
    """What is learned in a few epochs, by all backends from the same weights and samples."""

    def setup(self, data, label):
        """Train the cell, if no other of these benchmarks has done so."""
        self.cell = parse(label)
        self.learned = _learn(self.cell, data)

    def track_loss(self, data, label):
        """Track the loss of the last epoch."""
        return self.learned["loss"][-1]

    track_loss.unit = "nats"

    def track_error_rate(self, data, label):
        """Track the share of the test samples that are put into the wrong class."""
        return self.learned["error_rate"]

    track_error_rate.unit = "of the test samples"

    def track_deviation(self, data, label):
        """Track how far the loss curve is from the reference's, relative to its largest entry."""
        if self.cell.backend == "reference":
            return float("nan")  # not applicable
        reference = Cell("reference", self.cell.shape._replace(n_threads=1))
        expected = np.array(_learn(reference, data)["loss"])
        return float(np.max(np.abs(self.learned["loss"] - expected)) / np.max(expected))

    track_deviation.unit = "relative"


def _learn(cell, data):
    """Train a cell on what all backends are compared by, or read what came of it.

    asv runs the benchmarks that share a `setup_cache` in one folder: there it is kept.
    """
    kept = Path(f"{cell.label}.json")
    if not kept.exists():
        warm_up(cell, data)
        n_samples = count_samples(cell.shape, COMPARED, fewest_batches=2)
        X, y = training_set(data, cell.shape, n_samples)
        result = fastmlp.train(X, y, epochs=COMPARED.epochs, **train_arguments(cell))
        error_rate = 1 - result.model.score(*test_set(data, cell.shape))
        learned = {"loss": result.history.loss, "error_rate": error_rate}
        kept.write_text(json.dumps(learned), encoding="utf-8")
    return json.loads(kept.read_text(encoding="utf-8"))

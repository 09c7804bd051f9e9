"""Runs a row: everybody prepares, runs in turn, and is evaluated."""

import statistics
from contextlib import nullcontext
from dataclasses import dataclass, field

from .competitors import FASTMLP, Competitor
from .data import load
from .evaluation import accuracy_of, final_loss
from .neighbour import half_busy
from .rows import Row
from .tasks import Fitted, Task, n_coefs
from .worker import Worker, WorkerError

ACCURACY_MARGIN = 2e-4
"""The evaluation, in float64, may find so little less than a competitor found: two samples."""


@dataclass
class Entry:
    """One competitor's results in a row.

    Parameters
    ----------
    competitor : Competitor
    task : Task
        The part of the row's that it runs.
    factor : float
        What its times are multiplied by.
    """

    competitor: Competitor
    task: Task
    factor: float
    prepare_seconds: float | None = None
    seconds: list[float] = field(default_factory=list)
    """Of each run, multiplied to the whole."""
    loss: float | None = None
    accuracy: float | None = None
    """On the test samples, where the row asks for it."""
    epochs: int | None = None
    n_coefs: int | None = None
    """Number of weights of the network that was returned."""
    problem: str | None = None
    """Why there is no time."""

    @property
    def request(self):
        """What its worker is told."""
        return self.task, self.competitor.variant, self.competitor.n_threads


@dataclass
class RowResult:
    """The results of a row.

    Parameters
    ----------
    row : Row
    entries : list of Entry
    n_samples : int
    flops : float or None
        Useful floating-point operations of the row: six a weight and sample; None where inputs
        are sparse, or it is not a training of given length.
    """

    row: Row
    entries: list[Entry]
    n_samples: int
    flops: float | None


class Race:
    """All rows, with the processes that are kept from one to the next.

    Parameters
    ----------
    report : callable
        Told in a line what is being done.
    """

    def __init__(self, report):
        self.report = report
        self.workers = {}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for worker in self.workers.values():
            worker.stop()

    def run(self, row, repeats):
        """Run a row.

        Parameters
        ----------
        row : Row
        repeats : int
            Rounds in which everybody runs once.

        Returns
        -------
        RowResult
        """
        data = load(row.task)
        n_samples = data.X.shape[0]
        entries = [
            Entry(competitor, *competitor.part_of(row.task, n_samples))
            for competitor in row.competitors
        ]
        for entry in entries:
            self._attempt(self._prepare, entry, f"{row.name}: {entry.competitor.label}, preparing")
        with half_busy() if row.neighbour else nullcontext():
            self._take_turns(entries, row, data, repeats)
        self._evaluate(entries, row, data)
        for worker in self.workers.values():
            self._forget(worker)
        return RowResult(row, entries, n_samples, _flops(row.task, entries, n_samples))

    def _take_turns(self, entries, row, data, repeats):
        """Let everyone run once, and then everyone again."""
        for number in range(1, repeats + 1):
            for entry in entries:
                text = f"{row.name}: {entry.competitor.label}, run {number} of {repeats}"
                self._attempt(lambda entry: self._run(entry, row, data), entry, text)

    def _attempt(self, action, entry, text):
        """Do something for an entry that has no problem, and note the problem that it meets."""
        if entry.problem is None:
            self.report(text)
            try:
                action(entry)
            except WorkerError as error:
                entry.problem = str(error)

    def _forget(self, worker):
        """Let a worker drop what it prepared; one that died is replaced when it is needed."""
        try:
            worker.ask("forget")
        except WorkerError:
            self.workers = {key: kept for key, kept in self.workers.items() if kept is not worker}

    def _worker(self, competitor):
        """Find a competitor's process, or start it; fastmlp sets its threads itself."""
        n_threads = None if competitor.module == "with_fastmlp" else competitor.n_threads
        key = competitor.module, n_threads
        if key not in self.workers:
            self.workers[key] = Worker(*key)
        return self.workers[key]

    def _prepare(self, entry):
        """Let an entry compile and warm up."""
        worker = self._worker(entry.competitor)
        entry.prepare_seconds = worker.ask("prepare", *entry.request)

    def _run(self, entry, row, data):
        """Let an entry run once; what it returns the first time is evaluated."""
        outcome = self._worker(entry.competitor).ask("run", *entry.request)
        entry.seconds.append(outcome.seconds * entry.factor)
        if entry.loss is None:
            entry.loss = final_loss(row.task, data, outcome.answer)
            if isinstance(outcome.answer, Fitted):
                entry.epochs, entry.n_coefs = outcome.answer.epochs, n_coefs(outcome.answer)
            if row.task.kind == "reach":
                entry.accuracy = accuracy_of(row.task, data, outcome.answer)

    def _evaluate(self, entries, row, data):
        """Take the times from those whose results are not what they must be."""
        finished = [entry for entry in entries if entry.problem is None]
        if row.task.kind == "reach":
            for entry in finished:
                if entry.accuracy < row.task.goal - ACCURACY_MARGIN:
                    entry.problem = f"reached {entry.accuracy:.2%} in {entry.epochs} epochs"
            return
        for task in {entry.task for entry in finished}:
            same = [entry for entry in finished if entry.task == task]
            losses = [entry.loss for entry in same + self._extra(same, row, data)]
            for entry in same:
                entry.problem = _disagreement(entry.loss, losses, row.tolerance)

    def _extra(self, entries, row, data):
        """Let fastmlp do a task once more that it does not itself compete in: a part."""
        if any(entry.competitor.group == "fastmlp" for entry in entries):
            return []
        extra = Entry(FASTMLP[0], entries[0].task, 1.0)
        for action in (self._prepare, lambda entry: self._run(entry, row, data)):
            self._attempt(action, extra, f"{row.name}: fastmlp on a part, to compare losses")
        return [extra] if extra.problem is None else []


def _flops(task, entries, n_samples):
    """Count the useful operations of a whole row, by the networks that were returned."""
    if task.kind != "fit" or task.form == "sparse" or task.solver == "lbfgs":
        return None
    counts = [entry.n_coefs for entry in entries if entry.n_coefs is not None]
    return 6.0 * counts[0] * n_samples * task.epochs if counts else None


def _disagreement(loss, losses, tolerance):
    """Say how a loss differs from the median of all; None if it does not, or not by much."""
    if len(losses) < 2:
        return "there is nobody to compare its loss with"
    median = statistics.median(losses)
    if abs(loss - median) <= tolerance * abs(median):
        return None
    return f"its loss is {loss:.6g}, the median {median:.6g}"

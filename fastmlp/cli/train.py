"""`fastmlp train`."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click

import fastmlp
from fastmlp._errors import invalid
from fastmlp.base_model import BaseModel
from fastmlp.cli.arguments import (
    PARAMETERS,
    file_option,
    given,
    load_or_open,
    plot_option,
    target_option,
    train_options,
)
from fastmlp.cli.failures import FAILED, check_output, check_plot, one_line, write_each
from fastmlp.cli.interruptions import interruptions
from fastmlp.cli.ranks import mpi_options, one_voice, world
from fastmlp.cli.resuming import held
from fastmlp.cli.streams import say
from fastmlp.data.parts import part
from fastmlp.data.source import Source
from fastmlp.datasets import Dataset
from fastmlp.distributed import open_ranks
from fastmlp.history import DivergenceError, EpochReport, History
from fastmlp.inputs import Scale
from fastmlp.model import Model, RegressionModel
from fastmlp.progress import on_terminal
from fastmlp.training_run import TrainingInterrupted, TrainResult

Data = Dataset | Source

FEW_EPOCHS = 12
"""So many losses are printed in full; of more, the first and last few."""

SCORES: dict[type[BaseModel], str] = {Model: "test accuracy", RegressionModel: "test R2"}
"""What the score of a model on the test samples is called."""


class Files(NamedTuple):
    """Where results are written."""

    save: Path | None
    history: Path | None
    plot: Path | None

    def check(self, checkpoint: str | Path | None) -> None:
        """Make sure before the training that they can be written, beside the checkpoint."""
        check_plot(self.plot)
        check_output("--history", self.history)
        check_output("--save", self.save)
        if checkpoint is None:
            return
        check_output("--checkpoint", Path(checkpoint))
        if self.save is not None and self.save.resolve() == Path(checkpoint).resolve():
            raise invalid("--save", "another file than the checkpoint", str(self.save))


@click.command()
@train_options()
@target_option
@click.option("--article", is_flag=True, help="Repeat the article's run; other options override it")
@plot_option
@file_option("--history", "Write a line an epoch into this .csv")
@file_option(
    "--save", "Write the model into this .safetensors, for fastmlp predict and fastmlp.load"
)
@file_option(
    "--resume",
    "Go on with this checkpoint; a file that it was trained on is given again by --dataset",
)
@mpi_options
@one_line
def train(target: str | None, article: bool, resume: Path | None, **options: Any) -> None:
    """Train a network and print how well it does on the test samples.

    DATASET is digits28, digits, mnist, a .npz, .csv, .tsv or .parquet file, or a folder of .parquet
    files that need not fit in memory.
    """
    comm = world(options)
    files = Files(*(options.pop(name) for name in Files._fields))
    arguments = (fastmlp.ARTICLE if article else {}) | given(options)
    with one_voice(comm) as first:
        if not first:
            files, arguments = Files(None, None, None), arguments | {"progress": False}
        with open_ranks(comm) as ranks:
            (begin, data, arguments), _ = ranks.collect(
                lambda: _prepare(files, arguments, (target, resume), first)
            )
            own = data
            if comm is not None and isinstance(data, Source):
                own, _ = ranks.collect(lambda: part(data, ranks.rank, ranks.size))
        given_as = {"X" if isinstance(data, Source) else "dataset": own}
        _run(partial(begin, **given_as, comm=comm, **arguments), files, data if first else None)


def _prepare(
    files: Files, arguments: dict[str, Any], given_beside: tuple[str | None, Path | None],
    first: bool,
) -> tuple[Callable[..., TrainResult], Data, dict[str, Any]]:  # fmt: skip
    """Check the files, load the data, and choose whether to begin or to go on."""
    target, resume = given_beside
    if first:
        files.check(arguments.get("checkpoint") if resume is None else resume)
    arguments = {"progress": on_terminal(sys.stderr)} | arguments
    begin: Callable[..., TrainResult] = fastmlp.train
    loss, dataset = arguments.get("loss"), arguments.pop("dataset", None)
    if resume is not None:
        loss, dataset, arguments = held(resume, dataset, arguments)
        begin = partial(fastmlp.resume, resume)
    name = PARAMETERS["dataset"].default if dataset is None else dataset
    return begin, load_or_open(name, target, loss, first), arguments


def _run(begin: Callable[..., TrainResult], files: Files, data: Data | None) -> None:
    """Train, and write what was learned, however it ends; nothing is scored without data."""
    try:
        result = begin(callbacks=[_end_of_interruptions])
    except TrainingInterrupted as interruption:
        _write(interruption.result.history, files, interruption.result, data)
        raise
    except DivergenceError as error:
        _write(error.history, files)
        raise
    if not _write(result.history, files, result, data):
        raise SystemExit(FAILED)


def _end_of_interruptions(report: EpochReport) -> None:
    """Put signals off from the last epoch on: what is learned must not be lost on the way here."""
    if report.epoch == report.epochs:
        interruptions.put_off()


def _write(
    history: History, files: Files, result: TrainResult | None = None, data: Data | None = None
) -> bool:
    """Write the files that were asked for and print the summary, where there is one."""
    outputs: dict[str, Callable[[], object]] = {}
    save, path, plot = files.save, files.history, files.plot
    if save is not None and result is not None:
        outputs[f"--save {save}"] = lambda: result.model.save(save)
    if path is not None:
        outputs[f"--history {path}"] = lambda: history.to_csv(path)
    if result is not None and data is not None:
        outputs["the summary"] = lambda: say(summary(result, data))
    if plot is not None and history.loss:
        outputs[f"--plot {plot}"] = lambda: history.plot(plot)
    return write_each(outputs)


def summary(result: TrainResult, data: Data) -> str:
    """Sum a training up.

    Parameters
    ----------
    result : TrainResult
    data : Dataset or Source
        The test samples of a data set are scored.

    Returns
    -------
    str
        Several lines.
    """
    model, history = result
    sizes = "-".join(map(str, model.parameters.network.layer_sizes))
    seconds = sum(history.seconds)
    steps = sum(
        speed * time
        for speed, time in zip(history.iterations_per_second, history.seconds, strict=True)
    )
    speed = f"{steps / seconds:,.0f} it/s" if seconds else "no epoch was finished"
    loading = f"{history.compile_seconds:.2f} s to load or compile"
    lines = [
        f"network        {sizes}, {model.parameters.dtype.name}, backend {model.backend}",
        f"data           {_counted(data)}, {scaled(model.input_scale)}",
        f"loss           {_losses(history.loss)}",
        *_scored(result, data),
        f"time           {seconds:.2f} s for {len(history.loss)} epochs, {speed}; {loading}",
    ]
    return "\n".join(lines)


def _counted(data: Data) -> str:
    """Name the data, and count the samples."""
    if isinstance(data, Source):
        return f"{data.n_samples:,} rows in {len(data.lengths):,} blocks"
    return f"{data.name}: {len(data.X_train):,} to train, {len(data.X_test):,} to test"


def _scored(result: TrainResult, data: Data) -> list[str]:
    """Score the test samples; of a source, show how the last validation ended."""
    model, history = result
    name = SCORES[type(model)]
    if not isinstance(data, Source):
        return [f"{name:<15}{model.score(data.X_test, data.y_test):.4f}"]
    name = name.replace("test", "val.")
    return [f"{name:<15}{score:.4f}" for score in history.val_score[-1:]]


def scaled(scale: Scale) -> str:
    """Write what is done to values as they are read.

    Parameters
    ----------
    scale : Scale
    """
    if scale == Scale(1.0, 0.0):
        return "not scaled"
    return f"x * {scale.scale:g}" + (f" {scale.shift:+g}" if scale.shift else "")


def _losses(losses: list[float]) -> str:
    """Write the loss of each epoch."""
    texts = [f"{loss:.4f}" for loss in losses]
    if len(texts) > FEW_EPOCHS:
        texts = [*texts[:3], "...", *texts[-3:]]
    return " ".join(texts) or "-"

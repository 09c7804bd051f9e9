"""`fastmlp train`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

import fastmlp
from fastmlp.cli.arguments import PARAMETERS, given, load, plot_option, target_option, train_options
from fastmlp.cli.failures import FAILED, check_output, check_plot, one_line, write_each
from fastmlp.cli.interruptions import interruptions
from fastmlp.cli.streams import say
from fastmlp.datasets import Dataset
from fastmlp.history import DivergenceError, EpochReport, History
from fastmlp.inputs import Scale
from fastmlp.progress import on_terminal
from fastmlp.training_run import TrainingInterrupted, TrainResult

FEW_EPOCHS = 12
"""So many losses are printed in full; of more, the first and last few."""


@click.command()
@train_options()
@target_option
@click.option("--article", is_flag=True, help="Repeat the article's run; other options override it")
@plot_option
@click.option(
    "--history",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a line an epoch into this .csv",
)
@one_line
def train(
    target: str | None, article: bool, plot: Path | None, history: Path | None, **options: Any
) -> None:
    """Train a network and print how well it does on the test samples.

    DATASET is digits28, digits, mnist, or a .npz, .csv, .tsv or .parquet file.
    """
    check_plot(plot)
    check_output("--history", history)
    arguments = (fastmlp.ARTICLE if article else {}) | given(options)
    arguments.setdefault("progress", on_terminal(sys.stderr))
    data = load(arguments.pop("dataset", PARAMETERS["dataset"].default), target)
    try:
        result = fastmlp.train(dataset=data, callbacks=[_end_of_interruptions], **arguments)
    except TrainingInterrupted as interruption:
        _write(interruption.result.history, history, plot, interruption.result, data)
        raise
    except DivergenceError as error:
        _write(error.history, history, plot)
        raise
    if not _write(result.history, history, plot, result, data):
        raise SystemExit(FAILED)


def _end_of_interruptions(report: EpochReport) -> None:
    """Put signals off from the last epoch on: what is learned must not be lost on the way here."""
    if report.epoch == report.epochs:
        interruptions.put_off()


def _write(
    history: History,
    path: Path | None,
    plot: Path | None,
    result: TrainResult | None = None,
    data: Dataset | None = None,
) -> bool:
    """Write the files that were asked for and print the summary, where there is one."""
    outputs: dict[str, Callable[[], object]] = {}
    if path is not None:
        outputs[f"--history {path}"] = lambda: history.to_csv(path)
    if result is not None and data is not None:
        outputs["the summary"] = lambda: say(summary(result, data))
    if plot is not None and history.loss:
        outputs[f"--plot {plot}"] = lambda: history.plot(plot)
    return write_each(outputs)


def summary(result: TrainResult, data: Dataset) -> str:
    """Sum a training up.

    Parameters
    ----------
    result : TrainResult
    data : Dataset
        The test samples are scored.

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
    n_train, n_test, scaled = len(data.X_train), len(data.X_test), _scaled(model.input_scale)
    loading = f"{history.compile_seconds:.2f} s to load or compile"
    lines = [
        f"network        {sizes}, {model.parameters.dtype.name}, backend {model.backend}",
        f"data           {data.name}: {n_train:,} to train, {n_test:,} to test, {scaled}",
        f"loss           {_losses(history.loss)}",
        f"test accuracy  {model.score(data.X_test, data.y_test):.4f}",
        f"time           {seconds:.2f} s for {len(history.loss)} epochs, {speed}; {loading}",
    ]
    return "\n".join(lines)


def _scaled(scale: Scale) -> str:
    """Write what was done to the values as they were read."""
    if scale == Scale(1.0, 0.0):
        return "not scaled"
    return f"x * {scale.scale:g}" + (f" {scale.shift:+g}" if scale.shift else "")


def _losses(losses: list[float]) -> str:
    """Write the loss of each epoch."""
    texts = [f"{loss:.4f}" for loss in losses]
    if len(texts) > FEW_EPOCHS:
        texts = [*texts[:3], "...", *texts[-3:]]
    return " ".join(texts) or "-"

"""`fastmlp compare`."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

import fastmlp
from fastmlp.backends import BACKENDS
from fastmlp.cli.arguments import PARAMETERS, given, load, plot_option, target_option, train_options
from fastmlp.cli.failures import FAILED, check_plot, one_line, write_each
from fastmlp.cli.streams import say
from fastmlp.history import History
from fastmlp.progress import on_terminal

CHAOS = 1e-4
"""Largest relative deviation of two float32 loss curves in a training that is stable."""

NOT_COMPARED = ("backend", "progress", "checkpoint", "checkpoint_seconds")
OPTIONS = [name for name in PARAMETERS if name not in NOT_COMPARED]


@click.command()
@train_options(OPTIONS)
@target_option
@click.option("--samples", type=click.IntRange(min=2), default=5000, show_default=True,
              help="Samples that each backend trains on: the reference is slow")  # fmt: skip
@plot_option
@one_line
def compare(target: str | None, samples: int, plot: Path | None, **options: Any) -> None:
    """Train the three backends from equal weights in equal order; print speeds and deviations.

    The random state is 0 if it is not given.
    """
    check_plot(plot)
    arguments = {"random_state": 0} | given(options)
    data = load(arguments.pop("dataset", PARAMETERS["dataset"].default), target, options["loss"])
    arguments.setdefault("input_scale", data.input_scale)
    X, y = data.X_train[:samples], data.y_train[:samples]
    histories = {
        name: fastmlp.train(X, y, backend=name, **arguments).history
        for name in sorted(BACKENDS, key=lambda name: name != "reference")
    }
    title = f"{data.name}, {len(X):,} samples"
    outputs: dict[str, Callable[[], object]] = {
        "the comparison": lambda: say("\n".join(_report(title, histories)))
    }
    if plot is not None:
        from fastmlp.plots import plot_comparison

        outputs[f"--plot {plot}"] = lambda: plot_comparison(histories, plot)
    if not write_each(outputs):
        raise SystemExit(FAILED)


def deviation(history: History, reference: History) -> float:
    """Compute the largest relative difference between two loss curves.

    Parameters
    ----------
    history, reference : History
    """
    expected = np.array(reference.loss)
    return float(np.max(np.abs(np.array(history.loss) - expected) / np.abs(expected)))


def _report(title: str, histories: dict[str, History]) -> Iterator[str]:
    """Word the comparison."""
    yield f"{title}, {len(histories['reference'].loss)} epochs"
    yield _table(histories)
    largest = max(deviation(history, histories["reference"]) for history in histories.values())
    if largest > CHAOS:
        yield (
            "The curves part: at this learning rate training is unstable, and rounding errors grow "
            "from step to step. Compare with a smaller --learning-rate-init."
        )
    compiling = histories["numba"].compile_seconds
    yield f"numba took {compiling:.2f} s more, once, to load or compile its kernels."


def _table(histories: dict[str, History]) -> str:
    """Lay out a row for each backend."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE)
    table.add_column("backend")
    for heading in ("it/s", "seconds", "speed-up", "final loss", "largest deviation"):
        table.add_column(heading, justify="right")
    reference = histories["reference"]
    for name, history in histories.items():
        speed = max(history.iterations_per_second)
        ratio = speed / max(reference.iterations_per_second)
        table.add_row(
            name,
            f"{speed:,.0f}",
            f"{sum(history.seconds):.3f}",
            f"{ratio:.1f}x",
            f"{history.loss[-1]:.6f}",
            "-" if history is reference else f"{deviation(history, reference):.1e}",
        )
    # A pipe has no width; the table needs this much.
    console = Console(highlight=False, width=None if on_terminal(sys.stdout) else 100)
    with console.capture() as capture:
        console.print(table)
    return capture.get().removesuffix("\n")

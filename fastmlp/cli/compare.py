"""`fastmlp compare`."""

import sys
from pathlib import Path
from typing import Any

import click
import numpy as np

import fastmlp
from fastmlp.backends import BACKENDS
from fastmlp.cli.arguments import PARAMETERS, given, load, plot_option, target_option, train_options
from fastmlp.cli.failures import check_plot, one_line
from fastmlp.history import History

CHAOS = 1e-4
"""Largest relative deviation of two float32 loss curves in a training that is stable."""

OPTIONS = [name for name in PARAMETERS if name not in ("backend", "progress")]


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
    data = load(arguments.pop("dataset", PARAMETERS["dataset"].default), target)
    arguments.setdefault("input_scale", data.input_scale)
    X, y = data.X_train[:samples], data.y_train[:samples]
    histories = {
        name: fastmlp.train(X, y, backend=name, **arguments).history
        for name in sorted(BACKENDS, key=lambda name: name != "reference")
    }
    n_epochs = len(histories["reference"].loss)
    click.echo(f"{data.name}, {len(X):,} samples, {n_epochs} epochs")
    _print_table(histories)
    _warn_of_chaos(histories)
    compiling = histories["numba"].compile_seconds
    click.echo(f"numba took {compiling:.2f} s more, once, to load or compile its kernels.")
    if plot is not None:
        from fastmlp.plots import plot_comparison

        plot_comparison(histories, plot)


def deviation(history: History, reference: History) -> float:
    """Compute the largest relative difference between two loss curves.

    Parameters
    ----------
    history, reference : History
    """
    expected = np.array(reference.loss)
    return float(np.max(np.abs(np.array(history.loss) - expected) / np.abs(expected)))


def _warn_of_chaos(histories: dict[str, History]) -> None:
    """Say what a large deviation means."""
    largest = max(deviation(history, histories["reference"]) for history in histories.values())
    if largest > CHAOS:
        click.echo(
            "The curves part: at this learning rate training is unstable, and rounding errors grow "
            "from step to step. Compare with a smaller --learning-rate-init."
        )


def _print_table(histories: dict[str, History]) -> None:
    """Print a row for each backend."""
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
    width = None if sys.stdout.isatty() else 100
    Console(highlight=False, width=width).print(table)

"""The command: ``python -m benchmarks.peers``."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from .machine import describe, sgemm_peak
from .race import Race
from .report import EXPLANATION, machine_text, row_text, to_json, verdict
from .rows import ROWS

QUICK_SAMPLES = 512
QUICK_GOAL = 0.5
"""With so few samples no contestant comes to 98 %."""

output = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--only", multiple=True, type=click.Choice([row.name for row in ROWS]),
              help="Run this row; may be given several times")  # fmt: skip
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--samples", type=click.IntRange(min=QUICK_SAMPLES), help="Train on so many samples")
@click.option("--dataset", type=click.Choice(["mnist", "digits28"]), default="mnist",
              show_default=True)  # fmt: skip
@click.option("--quick", is_flag=True, help="Few samples, one run, nothing compiled by PyTorch: to "
              "see that it works; the times mean nothing")  # fmt: skip
@click.option("--json", "json_path", type=output, help="Write all numbers into this file")
@click.option("--plot", "plot_path", type=output, help="Draw into this .png, .svg, .pdf")
def main(only, repeats, samples, dataset, quick, json_path, plot_path):
    """Time fastmlp beside scikit-learn, PyTorch, JAX and loops in NumPy."""
    if quick:
        repeats, samples = 1, samples or QUICK_SAMPLES
    rows = [_adapted(row, dataset, samples, quick) for row in ROWS if not only or row.name in only]
    machine = describe()
    peaks = {n: sgemm_peak(n, calls=2 if quick else 10) for n in (1, machine["cores"])}
    click.echo(machine_text(machine, peaks))
    results = []
    with Race(repeats, _progress) as race:
        for row in rows:
            results.append(race.run(row))
            _progress("")
            click.echo("\n" + row_text(results[-1], peaks))
            if json_path is not None:
                to_json(json_path, machine, peaks, results)
    click.echo("\n" + EXPLANATION)
    click.echo(_count(results))
    if plot_path is not None:
        from .plot import plot

        plot(results, plot_path)


def _adapted(row, dataset, samples, quick):
    """Change a row as the options say."""
    task = replace(row.task, dataset=dataset)
    if samples is not None:
        task = replace(task, n_samples=min(samples, task.n_samples or samples))
    contestants = row.contestants
    if quick:
        task = replace(task, goal=min(task.goal, QUICK_GOAL))
        contestants = tuple(one for one in contestants if one.variant != "compiled")
    return replace(row, task=task, contestants=contestants)


def _progress(text):
    """Show what is being done, on a line that is written over; only on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _count(results):
    """Count the targets that were reached."""
    verdicts = [verdict(result, group) for result in results for group in result.row.targets]
    missing = verdicts.count("-")
    text = f"{verdicts.count('reached')} of {len(verdicts)} targets reached"
    return text + (f", {missing} not measured" if missing else "")


if __name__ == "__main__":
    main()

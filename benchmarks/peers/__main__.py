"""The command: ``python -m benchmarks.peers``."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click

from benchmarks.machine import describe, sgemm_peak
from fastmlp.threads import n_cores

from . import records
from .isa import HELD, held_to
from .race import Race
from .report import EXPLANATION, count_text, machine_text, row_text
from .rows import ROWS, ROWS_AVX2
from .sweeps import MOST_REPEATS, sweeps

QUICK_SAMPLES = 512
QUICK_GOAL = 0.5
"""With so few samples no competitor comes to 98 %."""

SWEEPS = {sweep.name: sweep for sweep in sweeps(n_cores())}
TABLE = {row.name: row for row in ROWS}

output = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--only", multiple=True, type=click.Choice([*TABLE, *SWEEPS]),
              help="Run this row or sweep; may be given several times")  # fmt: skip
@click.option("--sweeps/--no-sweeps", "with_sweeps", default=False,
              help="Beside the table, what everything costs as sizes vary")  # fmt: skip
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True,
              help=f"Runs of a row; of a point of a sweep at most {MOST_REPEATS}")  # fmt: skip
@click.option("--samples", type=click.IntRange(min=QUICK_SAMPLES), help="Train on so many samples")
@click.option("--dataset", type=click.Choice(["mnist", "digits28"]), default="mnist",
              show_default=True)  # fmt: skip
@click.option("--quick", is_flag=True, help="Few samples, one run, nothing compiled by PyTorch: to "
              "see that it works; the times mean nothing")  # fmt: skip
@click.option("--json", "json_path", type=output, help="Write all numbers into this file; what is "
              "in it already and not measured again is kept")  # fmt: skip
@click.option("--isa", type=click.Choice(["own", *HELD]), default="own", show_default=True,
              help="Hold everybody to these instructions")  # fmt: skip
@click.option("--plot", "plot_path", type=output, help="Draw into this .png, .svg, .pdf")
def main(only, with_sweeps, repeats, samples, dataset, quick, json_path, isa, plot_path):
    """Time fastmlp beside scikit-learn, PyTorch, JAX and loops in NumPy."""
    if not held_to(isa):
        sys.exit(subprocess.run([sys.executable, "-m", "benchmarks.peers", *sys.argv[1:]],
                                env=os.environ | HELD[isa]).returncode)  # fmt: skip
    table = _table(isa, only)
    if quick:
        repeats, samples = 1, samples or QUICK_SAMPLES
    chosen = only or [*table, *(SWEEPS if with_sweeps else ())]
    machine = describe()
    content = _begin(json_path, machine, quick)
    click.echo(machine_text(machine, content["sgemm_flops_per_second"]))
    with Race(_progress) as race:

        def measure(row, repeats=repeats):
            row = _adapted(row, dataset, samples, quick)
            record = records.row_record(_run(race, row, repeats)) | {"date": machine["date"]}
            _progress("")
            click.echo("\n" + row_text(record, content["sgemm_flops_per_second"]))
            return record

        for name in chosen:
            if name in table:
                content["rows"][name] = measure(table[name])
            else:
                content["sweeps"][name] = _sweep_record(
                    SWEEPS[name], lambda row: measure(row, min(repeats, MOST_REPEATS))
                )
            if json_path is not None:
                records.write(json_path, content | {"rows": _in_order(content["rows"], table)})
    click.echo("\n" + EXPLANATION)
    measured = [content["rows"][name] for name in table if name in chosen]
    click.echo(count_text(measured))
    if plot_path is not None:
        from .plot import plot

        plot(measured, plot_path)


def _table(isa, only):
    """Find the rows that are raced with these instructions, which those asked for must be among."""
    table = {row.name: row for row in ROWS_AVX2} if isa == "avx2" else TABLE
    unknown = [name for name in only if name not in (*table, *SWEEPS)]
    if unknown:
        rule = f"with --isa {isa} --only must be one of {', '.join((*table, *SWEEPS))}"
        raise click.UsageError(f"{rule}; got {', '.join(unknown)}.")
    return table


def _begin(json_path, machine, quick):
    """Read what the file has already, and describe the machine anew."""
    try:
        content = records.read(json_path, machine) if json_path else {"rows": {}, "sweeps": {}}
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    calls = 2 if quick else 10
    peaks = {str(n): sgemm_peak(n, calls=calls) for n in sorted({1, machine["cores"]})}
    return content | {"machine": machine, "sgemm_flops_per_second": peaks}


def _run(race, row, repeats):
    """Run a row; its data may have to be downloaded."""
    try:
        return race.run(row, repeats)
    except ConnectionError as error:
        remedy = "Or pass --dataset digits28."
        raise click.ClickException(f"{error} {remedy}") from None


def _in_order(rows, table):
    """Put the rows in the table's order, whichever was measured last."""
    return {name: rows[name] for name in [*table, *rows] if name in rows}


def _sweep_record(sweep, measure):
    """Run a sweep; two rows with equal tasks, such as one a number of threads, are two rows."""
    points = [{"value": value, "row": measure(row)} for value, row in sweep.points.items()]
    about = {"name": sweep.name, "title": sweep.title, "axis": sweep.axis}
    return about | {"measure": sweep.measure, "points": points}


def _adapted(row, dataset, samples, quick):
    """Change a row as the options say."""
    task = replace(row.task, dataset=dataset)
    if samples is not None:
        task = replace(task, n_samples=min(samples, task.n_samples or samples))
    competitors = row.competitors
    if quick:
        task = replace(task, goal=min(task.goal, QUICK_GOAL))
        task = replace(task, batch_size=min(task.batch_size, task.n_samples))
        competitors = tuple(one for one in competitors if one.variant != "compiled")
    return replace(row, task=task, competitors=competitors)


def _progress(text):
    """Show what is being done, on a line that is written over; only on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

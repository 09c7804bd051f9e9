"""The command: ``python -m benchmarks.instructions``."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from . import record
from .callgrind import count, extract, require_machine


@click.command()
@click.option("--update", is_flag=True, help="Write the counts into the record")
@click.option("--check", is_flag=True, help="Compare with the record; status 1 where more is "
              "executed than it may")  # fmt: skip
@click.option("--against", metavar="REV", help="Compare with the library at another commit, "
              "counted here as well; status 1 as with --check")  # fmt: skip
def main(update, check, against):
    """Count the instructions that the kernels execute, for each of a table of workloads."""
    if update + check + (against is not None) > 1:
        raise click.UsageError("one of --update, --check and --against may be given.")
    require_machine()
    if check:
        sys.exit(_check())
    if against is not None:
        sys.exit(_compare(_count_revision(against), against))
    _show(update)


def _show(update):
    """Count, and write the record where that is wanted."""
    counts = _count("the library as it is here")
    for name, instructions in counts.items():
        click.echo(f"{instructions:14,}  {name}")
    if update:
        record.write(counts)
        click.echo(f"Written into {record.PATH}.")


def _check():
    """Compare with the record, where the same code is compiled; return the exit status."""
    recorded = record.read()
    differences = record.differences(recorded["versions"], record.versions())
    if differences:
        click.echo(f"not comparable: {differences}. Use --against, or --update the record.")
        return 0
    return _compare(recorded["instructions"], "recorded", f" Is that meant? {record.COMMAND}")


def _count_revision(revision):
    """Count the library at another commit."""
    with TemporaryDirectory() as folder:
        extract(revision, Path(folder))
        return _count(f"the library at {revision}", folder=Path(folder), may_lack=True)


def _compare(before, title, advice=""):
    """Count, print both, and return status 1 where more is executed than may be."""
    rows = record.compare(before, _count("the library as it is here"))
    click.echo(record.table(rows, title) + "\n")
    sentences, failed = record.sum_up(rows, title)
    for sentence in sentences:
        click.echo(sentence + advice)
    if not sentences:
        click.echo(f"All within {record.TOLERANCE:g} % of {title}.")
    return int(failed)


def _count(what, **arguments):
    """Count, and say what is waited for."""
    click.echo(f"counting {what}, compiled for AVX2 anew ...", err=True)
    return count(**arguments)


if __name__ == "__main__":
    main()

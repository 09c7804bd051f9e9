"""Compares two commits in iterations per second, from asv's results.

``python -m benchmarks.compare BASE HEAD`` prints, for every cell that either has been timed on,
what ``asv compare`` shows as seconds: iterations per second before and after, and beside them the
loss and how far its curve is from the reference's.
"""

import math
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.table import Table

CONFIG = Path(__file__).parents[1] / "asv.conf.json"

SECONDS = "fits.Fit.track_seconds_an_iteration"
LOSS = "fits.Learning.track_loss"
DEVIATION = "fits.Learning.track_deviation"

WIDTH = 140
"""Columns of the table where it is not shown on a terminal."""


class Row(NamedTuple):
    """A cell before and after; what was not measured or does not apply is NaN."""

    label: str
    before: float
    after: float
    """Iterations per second."""
    loss_before: float
    loss_after: float
    deviation: float
    """Of the later commit."""

    @property
    def ratio(self):
        """How many times as many iterations per second there are after."""
        return self.after / self.before


def rows(before, after):
    """Put what two commits measured side by side.

    Parameters
    ----------
    before, after : dict of str to dict of str to float
        As `read_values` returns them.

    Returns
    -------
    list of Row
        In the order of the later commit's cells, then what only the earlier one has.
    """

    def value(values, benchmark, label):
        return values.get(benchmark, {}).get(label, math.nan)

    labels = dict.fromkeys([*after.get(SECONDS, {}), *before.get(SECONDS, {})])
    return [
        Row(
            label,
            1 / value(before, SECONDS, label),
            1 / value(after, SECONDS, label),
            value(before, LOSS, label),
            value(after, LOSS, label),
            value(after, DEVIATION, label),
        )
        for label in labels
    ]


def read_values(results):
    """Take the values of the three benchmarks from the results of one commit.

    Parameters
    ----------
    results : asv.results.Results

    Returns
    -------
    dict of str to dict of str to float
        By benchmark and label; cells that failed or do not apply are left out.
    """
    found = {}
    for name in {SECONDS, LOSS, DEVIATION}.intersection(results.get_all_result_keys()):
        (labels,) = results.get_result_params(name)
        values = results.get_result_value(name, [labels])
        found[name] = {
            label.strip("'"): value
            for label, value in zip(labels, values, strict=True)
            if value is not None and not math.isnan(value)
        }
    return found


def read_commit(config, repo, commit, machine):
    """Read what was measured on a commit, in every environment.

    Parameters
    ----------
    config : asv.config.Config
    repo : asv.repo.Repo
    commit : str
        A name that git knows.
    machine : str

    Returns
    -------
    dict of str to dict
        By environment, as `read_values` returns it.

    Raises
    ------
    click.ClickException
        If git does not know the commit, or it has not been measured.
    """
    from asv.repo import NoSuchNameError
    from asv.results import iter_results_for_machine_and_hash

    try:
        commit_hash = repo.get_hash_from_name(commit)
    except NoSuchNameError:
        raise click.ClickException(
            f"BASE and HEAD must be commits; git knows no {commit!r}. See: git log"
        ) from None
    found = {
        results.env_name: read_values(results)
        for results in iter_results_for_machine_and_hash(config.results_dir, machine, commit_hash)
    }
    found = {name: values for name, values in found.items() if SECONDS in values}
    if not found:
        raise click.ClickException(
            f"{commit} must have been measured; there are no results of {commit_hash[:8]} on "
            f"{machine}. Run: asv run --machine {machine} --bench fits {commit_hash[:8]}^!"
        )
    return found


def choose_machine(results_dir, machine):
    """Choose the machine whose results are compared.

    Parameters
    ----------
    results_dir : path-like
    machine : str or None

    Returns
    -------
    str

    Raises
    ------
    click.ClickException
        If it has no results, or is not named where there are several.
    """
    known = sorted(path.parent.name for path in Path(results_dir).glob("*/machine.json"))
    if machine is None and len(known) == 1:
        return known[0]
    if machine in known:
        return machine
    if not known:
        raise click.ClickException(f"{results_dir} must hold results; it holds none. Run: asv run")
    raise click.ClickException(
        f"--machine must be one that has results, {', '.join(known)}; got {machine!r}."
    )


def table(name, compared):
    """Draw the rows of an environment.

    Parameters
    ----------
    name : str
    compared : list of Row

    Returns
    -------
    rich.table.Table
    """
    drawn = Table(title=name, title_justify="left", box=None, pad_edge=False)
    drawn.add_column("cell", no_wrap=True)
    for heading in ("it/s before", "it/s after", "ratio", "loss before", "loss after", "deviation"):
        drawn.add_column(heading, justify="right", no_wrap=True)
    for row in compared:
        drawn.add_row(
            row.label,
            *(_text(speed, ",.0f" if speed >= 100 else ".3g") for speed in (row.before, row.after)),
            _text(row.ratio, ".2f"),
            _text(row.loss_before, ".6g"),
            _text(row.loss_after, ".6g"),
            _text(row.deviation, ".1e"),
        )
    return drawn


def _text(value, form):
    """Write a number; nothing where there is none."""
    return "" if math.isnan(value) else format(value, form)


@click.command()
@click.argument("base")
@click.argument("head")
@click.option("--machine", help="Whose results, where there are those of several")
@click.option("--config", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              default=CONFIG, help="The file asv.conf.json, by default this project's")  # fmt: skip
def main(base, head, machine, path):
    """Compare commits BASE and HEAD in iterations per second; a ratio above 1 is faster."""
    try:
        config, repo = _open(path)
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f'asv must be installed; {error}. Run: pip install -e ".[bench]"'
        ) from None
    machine = choose_machine(config.results_dir, machine)
    before, after = (read_commit(config, repo, commit, machine) for commit in (base, head))
    common = sorted(before.keys() & after.keys())
    if not common:
        raise click.ClickException(
            f"{base} and {head} must have been measured in one environment; the first was in "
            f"{', '.join(before)}, the second in {', '.join(after)}."
        )
    console = Console()
    console = console if console.is_terminal else Console(width=WIDTH)
    for name in common:
        console.print(table(name, rows(before[name], after[name])))


def _open(path):
    """Open asv's configuration and the repository, both named from the configuration's folder."""
    from asv.config import Config
    from asv.repo import get_repo
    from asv.util import UserError

    folder = path.resolve().parent
    try:
        config = Config.load(str(path))
        config.results_dir = str(folder / config.results_dir)
        config.repo = str(folder / config.repo)
        return config, get_repo(config)
    except UserError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()

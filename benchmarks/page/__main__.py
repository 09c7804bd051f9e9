"""The command: ``python -m benchmarks.page``."""

import json
import shlex
import subprocess
import sys

import click

from benchmarks import roofline

from . import COMMANDS, PICTURES, PUBLISHED, ROOT
from .markdown import page, readme
from .pictures import draw_sweep


def read_results():
    """Read the published JSON.

    Returns
    -------
    dict of str to dict
        By the names of `COMMANDS`.

    Raises
    ------
    ClickException
        If one of them has not been measured.
    """
    paths = {name: PUBLISHED / f"{name}.json" for name in COMMANDS}
    for name, path in paths.items():
        if not path.exists():
            raise click.ClickException(f"{path} is missing. Run: {COMMANDS[name]}")
    return {name: json.loads(path.read_text()) for name, path in paths.items()}


def measure():
    """Run every command that measures, one after the other; they replace what is published."""
    for name in ("peers", "avx2"):
        (PUBLISHED / f"{name}.json").unlink(missing_ok=True)
    for command in COMMANDS.values():
        click.echo(f"\n$ {command}")
        arguments = [sys.executable, *shlex.split(command)[1:]]
        if subprocess.run(arguments, cwd=ROOT).returncode:
            raise click.ClickException(f"this failed, and nothing was written: {command}")


def draw(results):
    """Draw every picture.

    Parameters
    ----------
    results : dict of str to dict
    """
    folder = PUBLISHED / PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    for sweep in results["peers"]["sweeps"].values():
        draw_sweep(sweep, folder / f"{sweep['name']}.png")
    roofline.plot(results["roofline"], folder / "roofline.png")


@click.command()
@click.option("--measure", "measuring", is_flag=True, help="Measure everything anew before")
def main(measuring):
    """Make BENCHMARKS.md, its pictures and the README's table from the published JSON."""
    if measuring:
        measure()
    results = read_results()
    draw(results)
    (ROOT / "BENCHMARKS.md").write_text(page(results))
    path = ROOT / "README.md"
    path.write_text(readme(path.read_text(), results))
    click.echo("written: BENCHMARKS.md, its pictures, and the table of README.md")


if __name__ == "__main__":
    main()

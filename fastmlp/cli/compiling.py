"""`fastmlp compile`."""

from pathlib import Path

import click

import fastmlp
from fastmlp._cache import cache_dir
from fastmlp.cli.failures import one_line
from fastmlp.cli.streams import say


@click.command("compile")
@click.option("--for", "model", type=click.Path(path_type=Path), metavar="MODEL",
              help="A saved model: compile what predicting with it needs")  # fmt: skip
@click.option("--case", "cases", multiple=True, metavar="CASE",
              help="Without --for: one of the usual cases, such as 'classifier float32'; all where "
              "none is named")  # fmt: skip
@click.option("--folder", type=click.Path(path_type=Path), help="Where to keep what is compiled; "
              "by default the cache in use")  # fmt: skip
@one_line
def compile_kernels(model: Path | None, cases: tuple[str, ...], folder: Path | None) -> None:
    """Compile kernels into a folder, for images and homes that can only be read."""
    seconds = fastmlp.compile(model, folder, cases or None)
    for name, time in seconds.items():
        say(f"{name}: {time:.1f} s")
    say(f"kept in {cache_dir() if folder is None else folder}: set FASTMLP_CACHE_DIR to it")

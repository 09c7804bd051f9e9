"""The command line: train, compare, info."""

import click

import fastmlp
from fastmlp.cli.compare import compare
from fastmlp.cli.info import info
from fastmlp.cli.train import train


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(fastmlp.__version__, prog_name="fastmlp")
def main() -> None:
    """Train multilayer perceptrons on a CPU."""


for command in (train, compare, info):
    main.add_command(command)

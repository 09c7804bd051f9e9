"""The command line: train, predict, compare, compile, info."""

import click

import fastmlp
from fastmlp.cli.compare import compare
from fastmlp.cli.compiling import compile_kernels
from fastmlp.cli.failures import FAILED
from fastmlp.cli.info import info
from fastmlp.cli.predict import predict
from fastmlp.cli.streams import complain, prepare, settle
from fastmlp.cli.train import train


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(fastmlp.__version__, prog_name="fastmlp")
def main() -> None:
    """Train multilayer perceptrons on a CPU."""


for command in (train, predict, compare, compile_kernels, info):
    main.add_command(command)


def run() -> None:
    """Run the command line as a process of its own, which ends here."""
    prepare()
    status = 0
    try:
        main(prog_name="fastmlp")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0
    except OSError as error:  # of help, version and usage, which click prints
        complain(f"the answer could not be printed: {error.strerror}")
        status = FAILED
    printed = settle()
    raise SystemExit(status if printed else status or FAILED)

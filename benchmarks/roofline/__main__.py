"""The command: ``python -m benchmarks.roofline``."""

import json
from pathlib import Path

import click

from . import measure, plot, table
from .report import notes, peaks_text

output = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--quick", is_flag=True, help="Few samples and repetitions, to see that it works: "
              "the numbers mean nothing")  # fmt: skip
@click.option("--json", "json_path", type=output, help="Write all numbers into this file")
@click.option("--plot", "plot_path", type=output, help="Draw into this .png, .svg, .pdf")
def main(quick, json_path, plot_path):
    """Compare what fastmlp's kernels reach with what the machine can."""
    try:
        result = measure(quick)
    except RuntimeError as error:
        raise click.ClickException(str(error)) from None
    click.echo("\n\n".join((peaks_text(result), table(result), notes(result))))
    if json_path is not None:
        json_path.write_text(json.dumps(result, indent=1) + "\n")
    if plot_path is not None:
        plot(result, plot_path)


if __name__ == "__main__":
    main()

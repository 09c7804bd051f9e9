"""What an installation holds: its packages and megabytes, in a fresh environment each.

``python -m benchmarks.install`` installs this checkout and what it is compared with, as ``pip``
brings them, and writes a Markdown table. It needs a network.
"""

import os
import subprocess
import tempfile
import venv
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]

CASES = {
    "`fastmlp`": f"{ROOT}",
    "`fastmlp[cli]`": f"{ROOT}[cli]",
    "`scikit-learn`": "scikit-learn",
    "`torch`": "torch",
}
"""What is installed, by what the table calls it."""


def measure(requirement):
    """Install something into a new environment, and weigh it.

    Parameters
    ----------
    requirement : str
        As pip takes it.

    Returns
    -------
    n_packages : int
        Those that it needs included.
    megabytes : float
        Of files, before byte code is written.
    """
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / ("Scripts" if os.name == "nt" else "bin") / "python"
        pip = [str(python), "-I", "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--no-compile", requirement], check=True)
        subprocess.run([*pip, "uninstall", "--yes", "setuptools", "pip"], check=True)
        packages = next(path for path in Path(folder).rglob("site-packages") if path.is_dir())
        files = [path for path in packages.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files if path.suffix != ".pyc")
        return len(list(packages.glob("*.dist-info"))), size / 1e6


@click.command()
@click.option("--torch", default="torch", show_default=True, help="Which PyTorch: the newest for "
              "graphics cards on some systems, or torch==VERSION+cpu")  # fmt: skip
def main(torch):
    """Write the table."""
    click.echo("| installed | packages | MB |\n|---|---:|---:|")
    for name, requirement in (CASES | {"`torch`": torch}).items():
        n_packages, megabytes = measure(requirement)
        click.echo(f"| {name} | {n_packages} | {megabytes:.0f} |")


if __name__ == "__main__":
    main()

"""``python -m benchmarks.scaling`` draws, and writes tables; ``--measure`` measures before."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import click
import numpy as np

from benchmarks.machine import describe
from benchmarks.scaling import report

PUBLISHED = Path(__file__).parents[1] / "published"
RESULTS, PICTURE = PUBLISHED / "scaling.json", PUBLISHED / "pictures" / "scaling.png"
ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}  # fmt: skip
TABLES = (
    report.measured_table, report.steps_table, report.accuracy_table, report.efficiency_table,
    report.needed_table,
)  # fmt: skip


def measure(accuracy):
    """Run the job of two processes, and time an addition.

    Parameters
    ----------
    accuracy : bool
        Whether to train on MNIST, too, which takes minutes.

    Returns
    -------
    dict
    """
    mpiexec = shutil.which("mpiexec", path=sysconfig.get_path("scripts")) or "mpiexec"
    command = [mpiexec, "-n", "2", sys.executable, "-m", "benchmarks.scaling.job"]
    command += ["--accuracy"] if accuracy else []
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ | ENVIRONMENT
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return {"machine": describe(), "gamma": seconds_a_byte()} | found


def seconds_a_byte():
    """Time the addition of two arrays of 4 MB, for each of their bytes."""
    total, one, best = np.ones(1 << 20, np.float32), np.ones(1 << 20, np.float32), np.inf
    for _ in range(50):
        begin = time.perf_counter()
        np.add(total, one, out=total)
        best = min(best, time.perf_counter() - begin)
    return best / total.nbytes


@click.command()
@click.option("--measure", "measuring", is_flag=True, help="Measure anew, and keep the results")
@click.option("--accuracy/--no-accuracy", default=True, help="Train on MNIST, too (minutes)")
def main(measuring, accuracy):
    """Write the tables and draw the picture."""
    if measuring:
        results = measure(accuracy)
        if not accuracy and RESULTS.exists():
            results["accuracy"] = json.loads(RESULTS.read_text())["accuracy"]
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    results = json.loads(RESULTS.read_text())
    report.draw(results, PICTURE)
    for table in TABLES:
        click.echo(table(results) + "\n")


if __name__ == "__main__":
    main()

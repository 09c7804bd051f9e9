"""True jobs of MPI, more processes than processors."""

import csv
import os
import shutil
import subprocess
import sys
import sysconfig
import time

import pytest

import fastmlp

MPIEXEC = shutil.which("mpiexec", path=sysconfig.get_path("scripts")) or shutil.which("mpiexec")
pytest.importorskip("mpi4py")
if MPIEXEC is None:
    pytest.skip("there is no mpiexec", allow_module_level=True)

ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}  # fmt: skip


def run(size, *arguments):
    """Run a module in so many processes; return what is done and the seconds that it took."""
    command = [MPIEXEC, "-n", str(size), sys.executable, "-m", *map(str, arguments)]
    start = time.monotonic()
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=os.environ | ENVIRONMENT,
        check=False,
    )  # fmt: skip
    return done, time.monotonic() - start


def test_processes_learn_what_one_does_and_ordered_sums_are_the_same_bits():
    printed = [run(size, "tests.distributed.job", "compares")[0].stdout.split() for size in (2, 3)]
    assert printed[0][:2] == printed[1][:2] == ["True", "True"]
    assert printed[0][2] == printed[1][2]


def test_the_command_trains_on_shares_of_a_data_set(tmp_path):
    """The first process alone prints and writes."""
    options = ["--dataset", "digits", "--backend", "numpy", "--epochs", 2, "--random-state", 0]
    files = ["--history", tmp_path / "h.csv", "--save", tmp_path / "m.safetensors"]
    done, _ = run(3, "fastmlp", "train", "--mpi", *options, *files)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("test accuracy") == 1
    with (tmp_path / "h.csv").open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    alone = fastmlp.train(dataset="digits", backend="numpy", epochs=2, random_state=0)
    assert losses == pytest.approx(alone.history.loss, rel=1e-4)
    assert fastmlp.load(tmp_path / "m.safetensors").n_features_in_ == 64


@pytest.mark.parametrize(
    ("what", "text"),
    [("raises", "rank 1 ended: MemoryError: no room"), ("hangs", "no sign of rank 1 for 2 sec"),
     ("is killed", "")],
)  # fmt: skip
def test_a_mishap_of_one_ends_all_and_names_it(what, text):
    """Of a process that is killed mpiexec tells, at once."""
    done, seconds = run(2, "tests.distributed.job", what)
    assert done.returncode != 0
    assert text in done.stderr
    assert seconds < 20  # 2 to wait, and the start of Python among others' work

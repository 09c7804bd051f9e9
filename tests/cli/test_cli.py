"""The commands, as a user calls them."""

import csv
import inspect
import os
import re
import signal
import subprocess
import sys

import click
import numpy as np
import pytest

import fastmlp
from fastmlp.cli import main
from fastmlp.cli.arguments import NOT_OPTIONS
from tests.cli.calling import run


@pytest.fixture
def data_file(tiny, tmp_path):
    """Write a small data set."""
    path = tmp_path / "tiny.npz"
    np.savez(path, X=np.tile(tiny.X, (5, 1)), y=np.tile(tiny.y, 5))
    return str(path)


SMALL = ("--backend", "numpy", "--epochs", "3", "--random-state", "0", "--batch-size", "8")


def test_every_argument_of_train_is_an_option_of_its_name():
    options = {parameter.name for parameter in main.commands["train"].params}
    arguments = set(inspect.signature(fastmlp.train).parameters) - set(NOT_OPTIONS)
    assert arguments <= options
    own = {"target", "article", "plot", "history", "save", "resume"}
    assert options - arguments == own | {"mpi", "reduction", "sync_every", "timeout"}


def test_help_shows_what_the_docstring_says():
    shown = " ".join(run("train", "--help").output.split())
    assert "--learning-rate-init" in shown
    assert "0.5 for sgd and 0.001 for the others" in shown
    assert "[default: 64]" in shown
    for option in main.commands["train"].params:
        assert isinstance(option, click.Option)
        assert option.help


def test_train_sums_up_on_stdout_and_is_quiet_otherwise(data_file):
    result = run("train", "--dataset", data_file, *SMALL)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert re.search(r"test accuracy  [01]\.\d{4}", result.stdout)
    assert "6-100-3, float32, backend numpy" in result.stdout
    assert "tiny: 80 to train, 20 to test" in result.stdout
    assert "it/s" in result.stdout


def test_options_reach_train(data_file, tmp_path):
    path = tmp_path / "run.csv"
    run(
        "train", "--dataset", data_file, *SMALL, "--hidden-layer-sizes", "7,4", "--activation",
        "tanh,relu", "--solver", "adam", "--no-shuffle", "--input-scale", "0.5,1",
        "--learning-rate", "cosine", "--dtype", "float64", "--history", str(path),
    )  # fmt: skip
    data = fastmlp.datasets.load_file(data_file)
    expected = fastmlp.train(
        data.X_train, data.y_train, X_val=data.X_test, y_val=data.y_test, backend="numpy", epochs=3,
        random_state=0, batch_size=8, hidden_layer_sizes=(7, 4), activation=("tanh", "relu"),
        solver="adam", shuffle=False, input_scale=(0.5, 1), learning_rate="cosine", dtype="float64",
    ).history  # fmt: skip
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == expected.loss
    assert [float(row["val_score"]) for row in rows] == expected.val_score


@pytest.mark.parametrize("nothing", ["", "()"])
def test_a_network_without_hidden_layers_can_be_asked_for(nothing, data_file):
    result = run("train", "--dataset", data_file, *SMALL, "--hidden-layer-sizes", nothing)
    assert "6-3, float32" in result.stdout


def test_article_options_can_be_overridden(data_file):
    result = run("train", "--article", "--dataset", data_file, *SMALL)
    assert "6-100-3, float64, backend numpy" in result.stdout


def test_pictures_are_drawn(data_file, tmp_path):
    path = tmp_path / "loss.png"
    assert run("train", "--dataset", data_file, *SMALL, "--plot", str(path)).exit_code == 0
    assert path.read_bytes().startswith(b"\x89PNG")


def test_progress_lines_go_to_stderr(data_file):
    result = run("train", "--dataset", data_file, *SMALL, "--progress")
    assert result.stderr.count("it/s") == 3


ERRORS = {
    "unknown dataset": (["--dataset", "minst"], "dataset must be .*Did you mean 'mnist'"),
    "missing file": (["--dataset", "no.csv"], "there is no file no.csv"),
    "unknown name": (["--solver", "sdg"], "solver must be .*Did you mean 'sgd'"),
    "bad number": (["--epochs", "0"], "epochs must be a whole number of at least 1; got 0"),
    "target of a named data set": (["--target", "y"], "--target is for files"),
    "folder that is not there": (["--history", "no/run.csv"], "no/run.csv: No such file"),
    "picture of unknown kind": (["--plot", "loss.xyz"], "--plot must be a file that ends in .png"),
    "divergence": (
        ["--learning-rate-init", "1e30", "--activation", "relu", "--input-scale", "1e4,0"],
        "training diverged in epoch 1",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_one_line_and_status_2(name):
    options, message = ERRORS[name]
    result = run("train", "--dataset", "digits", "--backend", "numpy", *options)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert re.search(message, result.stderr)
    assert len(result.stderr.splitlines()) == 1


def test_an_option_that_is_no_number_is_refused():
    result = run("train", "--hidden-layer-sizes", "ten")
    assert result.exit_code == 2
    assert "'ten' is not a list of whole numbers such as 100,50" in result.stderr


def test_a_checked_output_file_is_not_left_behind(tmp_path):
    path = tmp_path / "run.csv"
    run("train", "--dataset", "digits", "--epochs", "0", "--history", str(path))
    assert not path.exists()


def test_compare_prints_a_table_and_draws_a_picture(data_file, tmp_path):
    path = tmp_path / "p.png"
    result = run(
        "compare", "--dataset", data_file, "--samples", "50", "--epochs", "2", "--batch-size", "8",
        "--plot", str(path),
    )  # fmt: skip
    assert result.exit_code == 0
    assert "50 samples, 2 epochs" in result.stdout
    table = [line.split() for line in result.stdout.splitlines() if line.startswith("  ")]
    rows = {cells[0]: cells for cells in table if cells}
    assert rows["reference"][3] == "1.0x"
    for backend in ("numpy", "numba"):
        assert float(rows[backend][5]) < 1e-4
        assert rows[backend][4] == rows["reference"][4]
    assert path.read_bytes().startswith(b"\x89PNG")


def test_info_names_versions_and_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTMLP_CACHE_DIR", str(tmp_path))
    result = run("info")
    assert result.exit_code == 0
    for text in (f"fastmlp {fastmlp.__version__}", "numba ", "openblas", "cores", str(tmp_path)):
        assert text in result.stdout


def start(*arguments):
    """Start the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "fastmlp", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ),
    )  # fmt: skip


def test_ctrl_c_ends_with_what_was_learned(tmp_path):
    path = tmp_path / "run.csv"
    process = start(
        "train", "--dataset", "digits", "--backend", "numpy", "--epochs", "100000", "--progress",
        "--history", str(path),
    )  # fmt: skip
    for _ in range(3):
        process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    assert "test accuracy" in out
    assert len(path.read_text().splitlines()) >= 3


def test_a_closed_pipe_is_no_traceback(data_file):
    process = start("train", "--dataset", data_file, *SMALL)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)
    assert "Traceback" not in err


def test_version_is_printed():
    process = start("--version")
    out, _ = process.communicate(timeout=60)
    assert out.strip() == f"fastmlp, version {fastmlp.__version__}"

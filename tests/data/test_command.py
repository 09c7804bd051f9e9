"""Folders of Parquet files on the command line."""

import numpy as np
import pytest

from tests.cli.calling import assert_fails, run
from tests.data.test_tables import as_table

parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def folder(files, tmp_path):
    """Two files in a folder."""
    folder = tmp_path / "flowers"
    folder.mkdir()
    for name, rows in (("a", slice(0, 60)), ("b", slice(60, 97))):
        parquet.write_table(as_table(files, rows), folder / f"{name}.parquet", row_group_size=10)
    return folder


SMALL = ("--hidden-layer-sizes", "5", "--epochs", "2", "--backend", "numpy", "--random-state", "0")


def test_a_folder_is_trained_on_and_predicted(folder, tmp_path):
    saved, checkpoint = tmp_path / "m.safetensors", tmp_path / "run"
    done = run(
        "train", "--dataset", folder, "--target", "species", *SMALL, "--early-stopping",
        "--save", saved, "--checkpoint", checkpoint,
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert "97 rows in 10 blocks, not scaled" in done.stdout
    assert "val. accuracy" in done.stdout
    assert "the label" not in done.stderr
    labels = run("predict", saved, folder).stdout.split()
    assert len(labels) == 97 and set(labels) <= {"setosa", "versicolor", "virginica"}
    written = tmp_path / "out.csv"
    assert run("predict", saved, folder, "--proba", "--output", written).exit_code == 0
    lines = written.read_text().splitlines()
    assert lines[0] == "setosa,versicolor,virginica" and len(lines) == 98
    assert np.isclose(sum(map(float, lines[1].split(","))), 1)
    assert run("train", "--resume", checkpoint, "--dataset", folder).exit_code == 0


def test_the_last_column_is_the_label(folder):
    done = run("train", "--dataset", folder, *SMALL)
    assert "flowers: the label is the last column; target names another: 'species'" in done.stderr
    assert done.exit_code == 0


def test_an_empty_folder_is_told(tmp_path):
    for command in ("train", "compare"):
        message = "must be a file; got a folder. None of it can be read."
        assert_fails(run(command, "--dataset", tmp_path), message)

"""Models that are saved, and trainings that are resumed, from the shell."""

import csv
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import fastmlp
from tests.cli.calling import assert_fails, run

SMALL = (
    "--backend", "numpy", "--epochs", 6, "--batch-size", 8, "--hidden-layer-sizes", 5,
    "--solver", "adam", "--random-state", 0,
)  # fmt: skip
TABLE = ("--dataset", "table.csv", "--target", "kind")
SIZES = ("--dataset", "sizes.csv", "--target", "size")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a folder of the test's own, with two tables in it."""
    monkeypatch.chdir(tmp_path)
    X = np.random.default_rng(0).normal(size=(100, 3)).round(3)
    table = pd.DataFrame(X, columns=["a", "b", "c"])
    table.assign(kind=np.where(X[:, 0] > 0, "yes", "no")).to_csv("table.csv", index=False)
    table.assign(size=(X @ [1, -2, 0.5]).round(3)).to_csv("sizes.csv", index=False)


def losses(path):
    """Read the losses of a history."""
    with Path(path).open() as file:
        return [row["loss"] for row in csv.DictReader(file)]


def break_off(monkeypatch, *options):
    """Train with a checkpoint until Ctrl-C in the third epoch."""

    def interrupt(report):
        if report.epoch == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["fastmlp.cli.train"], "_end_of_interruptions", interrupt)
        result = run(
            "train", *options, *SMALL, "--checkpoint", "run.safetensors",
            "--checkpoint-seconds", 1e-9,
        )  # fmt: skip
    assert result.exit_code == 130
    return result


def test_save_writes_the_model_that_the_summary_is_about():
    result = run("train", *TABLE, *SMALL, "--save", "model.safetensors")
    model, data = fastmlp.load("model.safetensors"), fastmlp.datasets.load_file("table.csv")
    assert f"test accuracy  {model.score(data.X_test, data.y_test):.4f}" in result.stdout
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]


def test_save_writes_what_was_learned_until_an_interruption(monkeypatch):
    break_off(monkeypatch, *TABLE, "--save", "model.safetensors", "--history", "run.csv")
    assert len(losses("run.csv")) == 3
    assert fastmlp.load("model.safetensors").classes_.tolist() == ["no", "yes"]


@pytest.mark.parametrize("option", ["--save", "--checkpoint"])
def test_what_cannot_be_written_is_told_before_the_training(option):
    result = run("train", *TABLE, *SMALL, "--epochs", 10**9, option, "no/model.safetensors")
    assert_fails(result, "no/model.safetensors: No such file or directory")


def test_the_model_and_the_checkpoint_are_two_files():
    files = ("--save", "run.safetensors", "--checkpoint", "./run.safetensors")
    assert_fails(run("train", *TABLE, *SMALL, *files), "--save must be another file than the")


@pytest.mark.parametrize(
    ("data", "options"), [(TABLE, ()), (SIZES, ("--loss", "huber"))], ids=["classes", "numbers"]
)
def test_a_resumed_training_ends_as_one_that_was_not_broken_off(data, options, monkeypatch):
    files = ("--history", "whole.csv", "--save", "whole.safetensors")
    whole = run("train", *data, *options, *SMALL, *files)
    break_off(monkeypatch, *data, *options)
    resumed = run(
        "train", "--resume", "run.safetensors", *data, "--history", "resumed.csv",
        "--save", "resumed.safetensors",
    )  # fmt: skip
    assert resumed.exit_code == 0
    assert losses("resumed.csv") == losses("whole.csv")
    ours, theirs = (fastmlp.load(f"{name}.safetensors").coefs_ for name in ("resumed", "whole"))
    assert all(map(np.array_equal, ours, theirs))
    ours, theirs = (result.stdout.partition("\ntime  ")[0] for result in (resumed, whole))
    assert ours == theirs


def test_a_named_data_set_need_not_be_named_again(monkeypatch):
    break_off(monkeypatch, "--dataset", "digits")
    result = run("train", "--resume", "run.safetensors")
    assert result.exit_code == 0
    assert "data           digits: " in result.stdout


def test_options_that_say_the_same_may_be_repeated(monkeypatch):
    break_off(monkeypatch, *TABLE)
    result = run(
        "train", "--resume", "run.safetensors", *TABLE, *SMALL, "--checkpoint", "./run.safetensors"
    )
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.filterwarnings("ignore:batch_size=1000 is larger")
def test_a_batch_that_was_cut_to_the_data_may_be_repeated(monkeypatch):
    batch = ("--batch-size", 1000)
    run("train", *TABLE, *SMALL, *batch, "--checkpoint", "run.safetensors")
    assert run("train", "--resume", "run.safetensors", *TABLE, *batch).exit_code == 0


OTHERS = {
    "epochs": (("--epochs", 7), "--epochs must be as in run.safetensors: 6; got 7. Leave it out"),
    "sizes": (("--hidden-layer-sizes", "5,2"), "as in run.safetensors: 5; got 5,2."),
    "seed": (("--random-state", 1), "--random-state must be as in run.safetensors: 0; got 1."),
    "not given": (("--n-threads", 1), "as in run.safetensors: not given; got 1."),
    "checkpoint": (("--checkpoint", "other"), "--checkpoint must be as in run.safetensors: "),
    "article": (("--article",), "must be as in run.safetensors: "),
    "data": (SIZES, "y_train must be class labels"),
    "other values": (("--dataset", "other.csv"), "X and y must be the data of run.safetensors"),
    "no data": ((), "--dataset must be the file that run.safetensors was trained on; got none."),
}


@pytest.mark.parametrize("name", OTHERS)
def test_an_option_that_says_something_else_is_refused(name, monkeypatch):
    break_off(monkeypatch, *TABLE)
    table = pd.read_csv("table.csv")
    table.assign(a=table.a + 1).to_csv("other.csv", index=False)
    options, message = OTHERS[name]
    result = run("train", "--resume", "run.safetensors", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr.splitlines()[-1]


def test_what_is_no_checkpoint_is_refused():
    assert_fails(run("train", "--resume", "no.safetensors"), "no.safetensors: No such file")
    run("train", *TABLE, *SMALL, "--save", "model.safetensors")
    result = run("train", "--resume", "model.safetensors")
    assert_fails(result, "must be a checkpoint that train has written; got a saved Model.")


def test_numbers_of_a_file_are_learned():
    result = run(
        "train", *SIZES, "--loss", "squared_error", "--backend", "numpy", "--solver", "adam",
        "--learning-rate-init", 0.01, "--epochs", 60, "--batch-size", 8, "--activation", "tanh",
        "--random-state", 0,
    )  # fmt: skip
    assert result.exit_code == 0
    assert float(result.stdout.partition("test R2        ")[2].split()[0]) > 0.9


def test_numbers_are_split_as_they_come_and_classes_in_their_shares():
    table = pd.DataFrame({"a": np.arange(100) % 7, "y": np.repeat([0, 1], [90, 10])})
    table.to_csv("counts.csv", index=False)
    n_ones = {
        regression: fastmlp.datasets.load_file("counts.csv", regression=regression).y_test.sum()
        for regression in (True, False)
    }
    assert n_ones[False] == 2
    assert n_ones[True] != 2


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_numbers_may_be_written_as_texts_and_decimals(ending):
    table = pd.read_csv("sizes.csv")
    texts = [f"{size:07.3f}" for size in table["size"]]
    table["size"] = texts if ending == "csv" else list(map(Decimal, texts))
    path = f"texts.{ending}"
    table.to_csv(path, index=False) if ending == "csv" else table.to_parquet(path)
    printed = [
        run("train", "--dataset", file, "--target", "size", "--loss", "huber", *SMALL).stdout
        for file in ("sizes.csv", path)
    ]
    scores = [text.partition("test R2")[2].split()[0] for text in printed]
    assert scores[0] == scores[1]


def test_a_checkpoint_of_arrays_is_compared_like_any_other():
    X, y = np.zeros((20, 3)), np.arange(20) % 2
    sizes = {"hidden_layer_sizes": np.array([5, 2]), "batch_size": 5}
    fastmlp.train(X, y, backend="numpy", epochs=1, checkpoint="run", **sizes)
    result = run("train", "--resume", "run", *TABLE, "--hidden-layer-sizes", "5,2")
    assert_fails(result, "must be the data of run; got")
    result = run("train", "--resume", "run", *TABLE, "--hidden-layer-sizes", "5,3")
    assert_fails(result, "--hidden-layer-sizes must be as in run: 5,2; got 5,3.")


def test_labels_are_no_numbers():
    result = run("train", *TABLE, "--loss", "squared_error", *SMALL)
    assert_fails(result, "y_train must be numbers, none missing; got dtype <U3.")

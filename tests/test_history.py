"""The history as a table and as a picture."""

import csv

import pytest

import fastmlp


@pytest.fixture(scope="module")
def history(tiny):
    return fastmlp.train(
        *tiny, backend="numpy", batch_size=6, epochs=4, X_val=tiny.X, y_val=tiny.y, random_state=0
    ).history


def test_csv_holds_a_line_an_epoch(history, tmp_path):
    history.to_csv(tmp_path / "run.csv")
    with (tmp_path / "run.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4]
    assert [float(row["loss"]) for row in rows] == history.loss
    assert [float(row["val_score"]) for row in rows] == history.val_score


def test_csv_leaves_out_what_was_not_recorded(tiny, tmp_path):
    result = fastmlp.train(*tiny, backend="numpy", batch_size=6, epochs=1)
    result.history.to_csv(tmp_path / "run.csv")
    header = (tmp_path / "run.csv").read_text().splitlines()[0]
    assert header == "epoch,loss,seconds,iterations_per_second"


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_plot_writes_a_picture(history, ending, tmp_path):
    path = tmp_path / f"loss.{ending}"
    history.plot(path)
    beginning = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending]
    assert path.read_bytes().startswith(beginning)


def test_plot_without_matplotlib_says_what_to_install(history, monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'fastmlp\[plot\]'"):
        history.plot(tmp_path / "loss.png")

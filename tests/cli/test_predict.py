"""Predictions, and what a model is, from the shell."""

import numpy as np
import pandas as pd
import pytest

import fastmlp
from tests.cli.calling import assert_fails, run

X = np.random.default_rng(0).normal(size=(60, 3)).round(3)
FRAME = pd.DataFrame(X, columns=["a", "b", "c"])
KINDS = np.where(X[:, 0] > 0, "yes, it is", "no")
SMALL = {"backend": "numpy", "random_state": 0}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a folder of the test's own, with a table and the model that is trained on it."""
    monkeypatch.chdir(tmp_path)
    FRAME.assign(kind=KINDS).to_csv("table.csv", index=False)
    data = fastmlp.datasets.load_file("table.csv")
    fastmlp.train(dataset=data, epochs=3, **SMALL).model.save("model.safetensors")


def predicted(*arguments):
    """Return the lines that the command prints."""
    result = run("predict", *arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout.splitlines()


def test_a_line_a_row_is_printed_whether_the_target_is_there_or_not():
    kinds = fastmlp.load("model.safetensors").predict(FRAME)
    expected = [f'"{kind}"' if "," in kind else kind for kind in kinds]
    assert predicted("model.safetensors", "table.csv") == expected
    FRAME.to_csv("new.csv", index=False)
    result = run("predict", "model.safetensors", "new.csv")
    assert (result.stdout.splitlines(), result.stderr) == (expected, "")


WRITERS = {
    "csv": lambda frame: frame.to_csv("new.csv", index=False),
    "csv.gz": lambda frame: frame.to_csv("new.csv.gz", index=False),
    "tsv": lambda frame: frame.to_csv("new.tsv", index=False, sep="\t"),
    "parquet": lambda frame: frame.to_parquet("new.parquet"),
}


@pytest.mark.parametrize("ending", WRITERS)
def test_another_order_of_columns_is_put_right(ending):
    WRITERS[ending](FRAME.assign(x=0.5, kind="?")[["kind", "c", "x", "a", "b"]])
    result = run("predict", "model.safetensors", f"new.{ending}", "--target", "kind")
    assert result.stdout.splitlines() == predicted("model.safetensors", "table.csv")
    assert result.stderr == f"new.{ending}: not used: 'x'\n"


def test_output_is_a_table_with_a_header():
    assert predicted("model.safetensors", "table.csv", "--output", "out.csv") == []
    expected = fastmlp.load("model.safetensors").predict(FRAME)
    assert pd.read_csv("out.csv").prediction.tolist() == expected.tolist()
    predicted("model.safetensors", "table.csv", "--output", "out.csv", "--proba")
    table = pd.read_csv("out.csv", dtype=np.float32)
    assert table.columns.tolist() == ["no", "yes, it is"]
    expected = fastmlp.load("model.safetensors").predict_proba(FRAME)
    np.testing.assert_array_equal(table, expected)


def test_probabilities_are_printed_in_the_order_of_the_classes():
    lines = predicted("model.safetensors", "table.csv", "--proba")
    expected = fastmlp.load("model.safetensors").predict_proba(FRAME)
    actual = np.array([line.split(",") for line in lines], np.float32)
    np.testing.assert_array_equal(actual, expected)


LBFGS = {"solver": "lbfgs", "max_iter": 20, "hidden_layer_sizes": (4,), **SMALL}
TARGETS = {
    "numbers": (fastmlp.MLPRegressor, X[:, 0]),
    "two numbers": (fastmlp.MLPRegressor, X[:, :2]),
    "classes": (fastmlp.MLPClassifier, KINDS),
    "several labels": (fastmlp.MLPClassifier, (X[:, :2] > 0).astype(int)),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", TARGETS)
def test_estimators_predict(name):
    kind, y = TARGETS[name]
    model = kind(**LBFGS).fit(FRAME, y)
    model.save("estimator.safetensors")
    FRAME[["b", "c", "a"]].to_csv("new.csv", index=False)
    result = run("predict", "estimator.safetensors", "new.csv", "--output", "out.csv")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    actual, expected = pd.read_csv("out.csv", dtype=str), model.predict(FRAME)
    names = ["prediction"] if expected.ndim == 1 else ["prediction_0", "prediction_1"]
    assert actual.columns.tolist() == names
    printed = actual.to_numpy(str).reshape(expected.shape)
    np.testing.assert_array_equal(printed, expected.astype(str))


def test_columns_are_taken_as_they_stand_where_the_model_knows_no_names():
    model = "unnamed.safetensors"
    fastmlp.train(X, KINDS, epochs=3, **SMALL).model.save(model)
    FRAME.to_csv("new.csv")  # with an index
    FRAME.assign(kind=KINDS).to_parquet("new.parquet")
    np.savez("new.npz", X=X, y=KINDS)
    expected = predicted(model, "new.npz")
    assert len(expected) == 60
    assert predicted("model.safetensors", "new.npz") == predicted("model.safetensors", "table.csv")
    assert predicted(model, "new.csv") == expected
    assert predicted(model, "new.parquet", "--target", "kind") == expected
    assert predicted(model, "new.npz", "--target", "y") == expected


def test_columns_too_many_are_told_with_what_to_do():
    model = "unnamed.safetensors"
    fastmlp.train(X, KINDS, epochs=1, **SMALL).model.save(model)
    result = run("predict", model, "table.csv")
    assert_fails(result, "must be of 3 columns, the features of the model, which knows no names")
    assert "got 4. If one of them is the target, name it: --target NAME." in result.stderr
    FRAME[["a", "b"]].to_csv("new.csv", index=False)
    result = run("predict", model, "new.csv")
    assert_fails(result, "got 2.")
    assert "--target" not in result.stderr
    np.savez("new.npz", X=X[:, :2])
    assert_fails(run("predict", model, "new.npz"), "must be of shape (n_samples, 3)")


def test_one_column_is_enough_and_a_missing_line_of_names_is_told():
    fastmlp.train(X[:, :1], KINDS, epochs=1, **SMALL).model.save("one.safetensors")
    FRAME[["a"]].to_csv("new.csv", index=False)
    assert len(predicted("one.safetensors", "new.csv")) == 60
    FRAME[["a"]].to_csv("new.csv", index=False, header=False)
    result = run("predict", "one.safetensors", "new.csv")
    assert_fails(result, "the first line of new.csv must be the names of the columns; got numbers")


ERRORS = {
    "no model": (("no.safetensors", "table.csv"), "no.safetensors: No such file"),
    "no data": (("model.safetensors", "no.csv"), "there is no file no.csv"),
    "data for a model": (("table.csv", "table.csv"), "table.csv must be a file saved by fastmlp"),
    "other kind": (("model.safetensors", "model.safetensors"), "must be a file that ends in .npz"),
    "target": (("model.safetensors", "table.csv", "--target", "kin"), "Did you mean 'kind'?"),
    "array": (("model.safetensors", "new.npz", "--target", "z"), "the array z of new.npz must"),
    "output": (("model.safetensors", "table.csv", "--output", "x.txt"), "ends in .csv; got x.txt"),
    "folder": (("model.safetensors", "table.csv", "--output", "no/x.csv"), "no/x.csv: No such"),
    "missing": (
        ("model.safetensors", "missing.csv"),
        "must be of the columns the model was trained on; got none called 'a', 'b'.",
    ),
    "twice": (("model.safetensors", "twice.csv"), "got several called 'a'. Rename them."),
    "text": (("model.safetensors", "text.csv"), "column 'b' in line 2 of text.csv must be a numb"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_one_line(name):
    FRAME[["c", "c"]].to_csv("missing.csv", index=False)
    FRAME[["a", "b", "c", "a"]].to_csv("twice.csv", index=False)
    FRAME.assign(b="x").to_csv("text.csv", index=False)
    np.savez("new.npz", X=X)
    arguments, message = ERRORS[name]
    assert_fails(run("predict", *arguments), message)


def test_what_is_no_classifier_has_no_probabilities():
    fastmlp.train(FRAME, X[:, 0], loss="squared_error", epochs=1, **SMALL).model.save("r")
    assert_fails(run("predict", "r", "table.csv", "--proba"), "--proba must be left out where r")


def test_a_checkpoint_is_told_from_a_model():
    fastmlp.train(X, KINDS, epochs=1, checkpoint="run", **SMALL)
    assert_fails(run("predict", "run", "table.csv"), "got a checkpoint. fastmlp.resume goes on")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_info_says_what_a_model_is():
    lines = run("info", "model.safetensors").stdout.splitlines()
    assert lines == [
        "model      Model, float32",
        "network    3-100-2",
        "units      logistic, softmax",
        "features   a, b, c",
        "classes    no, yes, it is",
        "input      not scaled",
    ]
    bytes_, y = np.arange(60, dtype=np.uint8).reshape(20, 3), np.arange(20) % 2
    for scale, said in ((None, "not scaled"), ("symmetric", "x * 0.00784314 -1")):
        fastmlp.MLPClassifier(**LBFGS, input_scale=scale).fit(bytes_, y).save("estimator")
        shown = run("info", "estimator").stdout
        assert f"input      {said}\n" in shown
        assert "network    3-4-1\n" in shown
        assert "features   without names\n" in shown
    assert_fails(run("info", "no.safetensors"), "no.safetensors: No such file")

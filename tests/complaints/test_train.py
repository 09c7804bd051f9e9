"""What users of other libraries hit with labels, batches, rates and names."""

import re
import warnings
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from click.testing import CliRunner
from sklearn.exceptions import DataConversionWarning

import fastmlp
from fastmlp.cli import main

BACKENDS = ["reference", "numpy", "numba"]
SMALL = {"hidden_layer_sizes": (4,), "batch_size": 4, "epochs": 3, "random_state": 0}
N = 12
Y = np.arange(N) % 3
NUMBERS = np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)
FLAGS = np.arange(N) % 2 == 1
FRAME = pd.DataFrame(NUMBERS, columns=["a", "b", "c"])


def train(X, y=Y, **arguments):
    return fastmlp.train(X, y, **{**SMALL, "backend": "numpy", **arguments})


# Labels from pyarrow and pandas' extension arrays (pandas #51844, xgboost #10454).

NAMES = np.array(["a", "b", "c"])[Y]
LABELS = {
    "pyarrow strings": (pa.array(NAMES), NAMES),
    "pyarrow dictionary": (pa.array(NAMES).dictionary_encode(), NAMES),
    "pyarrow chunks": (pa.chunked_array([NAMES[:5], NAMES[5:]]), NAMES),
    "pyarrow bool": (pa.array(FLAGS), FLAGS),
    "string": (pd.Series(NAMES, dtype="string[pyarrow]"), NAMES),
    "category": (pd.Series(NAMES, dtype="category"), NAMES),
    "Int64": (pd.Series(Y, dtype="Int64"), Y),
    "boolean": (pd.array(FLAGS, "boolean"), FLAGS),
    "int8[pyarrow]": (pd.Series(Y, dtype="int8[pyarrow]"), Y.astype("i1")),
    "polars": (pl.Series(NAMES, dtype=pl.Categorical), NAMES),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_come_back_as_what_they_are(name):
    given, plain = LABELS[name]
    model = train(NUMBERS, given).model
    assert model.classes_.tolist() == np.unique(plain).tolist()
    assert model.classes_.dtype == (object if plain.dtype.kind == "U" else plain.dtype)
    assert model.score(NUMBERS, given) == model.score(NUMBERS, plain)


@pytest.mark.parametrize(
    "y",
    [
        pd.Series(pd.array([1, None, 2] * 4, "Int64")),
        pd.Series(["a", None, "b"] * 4, dtype="string"),
        pa.array(["a", None, "b"] * 4),
        pl.Series(["a", None, "b"] * 4),
        pd.Series([True, None, False] * 4, dtype="boolean"),
    ],
    ids=lambda y: str(getattr(y, "dtype", "pyarrow")),
)
def test_a_missing_label_is_named(y):
    with pytest.raises(
        ValueError, match=r"y must be class labels: .*none missing; got .* at row 1"
    ):
        train(NUMBERS, y)


# A column of a frame as y, of shape (n, 1), was an error (amore-labs/gama #63, elapid #48).

COLUMNS = {
    "array": Y[:, np.newaxis],
    "pandas": pd.DataFrame({"y": Y}),
    "nullable": pd.DataFrame({"y": pd.array(Y, "Int64")}),
    "polars": pl.DataFrame({"y": Y}),
    "pyarrow": pa.table({"y": Y}),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_of_labels_is_a_vector_with_scikit_learns_warning(name):
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed") as caught:
        result = train(NUMBERS, COLUMNS[name])
    assert len(caught) == 1
    assert result.history.loss == train(NUMBERS).history.loss
    assert result.model.classes_.dtype == Y.dtype


def test_several_columns_of_classes_are_refused():
    with pytest.raises(ValueError, match=r"y must be 1-D .*, or a matrix of 0 and 1 .*; got 2 at"):
        train(NUMBERS, np.stack([Y, Y], axis=1))


# What is no data yet: a lazy frame got advice on reshaping (scikit-learn #34258).


class Loader:
    """Like PyTorch's DataLoader."""

    dataset, batch_size = [0], 2

    def __iter__(self):
        yield NUMBERS, Y


def lazy():
    return pl.DataFrame({"a": [1.0]}).lazy()


UNREAD = {
    "LazyFrame": (lazy, r"a lazy frame.* X\.collect\(\)"),
    "generator": (lambda: (row for row in NUMBERS), r"a generator, .* list\(X\)"),
    "map": (lambda: map(float, [1]), r"a map, .* list\(X\)"),
    "dict": (lambda: {"a": [1]}, r"a dict. .*pandas\.DataFrame\(X\)"),
    "values": (lambda: {"a": [1]}.values(), r"a dict_values, .* list\(X\)"),
    "set": (lambda: {1, 2}, r"a set, .* list\(X\)"),
    "DataLoader": (Loader, "a Loader, which yields batches. Put them together first"),
    "name": (lambda: "digits", "'digits'. A data set is named by dataset="),
    "path": (lambda: Path("a.csv"), ".*a.csv.*load_file"),
    "object": (object, "a object"),
}


@pytest.mark.parametrize("name", UNREAD)
def test_what_is_no_data_yet_is_refused_with_the_way_to_the_data(name):
    make, message = UNREAD[name]
    rule = "must be an array, a sparse matrix or a data frame; got "
    with pytest.raises(ValueError, match=f"^X {rule}{message}"):
        train(make())
    if name != "object":
        with pytest.raises(ValueError, match=f"^X {rule}{message}"):
            train(make(), None)
    with pytest.raises(ValueError, match=f"^y {rule}"):
        train(NUMBERS, make())
    model = train(NUMBERS).model
    with pytest.raises(ValueError, match=f"^X {rule}{message}"):
        model.predict(make())


# A target of regression, without a word on what is wrong (causalml #499, scikit-learn #26281).


def test_numbers_with_fractions_are_named_a_target_of_regression():
    message = r"y must be class labels.*got 0.5 at row 0.*regression.*fastmlp.MLPRegressor"
    with pytest.raises(ValueError, match=message):
        train(NUMBERS, Y + 0.5)
    for kind in (object, "f4"):
        with pytest.raises(ValueError, match=message):
            train(NUMBERS, (Y + 0.5).astype(kind))
    with pytest.raises(ValueError, match=message):
        train(NUMBERS, [Decimal("0.5"), *[Decimal(1)] * 11])
    with pytest.raises(ValueError, match=r"got nan at row 0\.$"):
        train(NUMBERS, np.full(N, np.nan))


def test_many_different_whole_numbers_are_named_a_target_of_regression():
    X, y = np.tile(NUMBERS, (3, 1)), np.arange(36.0) // 1.5
    with pytest.warns(
        UserWarning, match=r"y has 24 different numbers in 36 .*MLPRegressor"
    ) as found:
        train(X, y)
    assert found[0].filename == __file__
    with pytest.raises(ValueError, match=r"y_val must be of the classes seen.*MLPRegressor"):
        train(X, y, X_val=X, y_val=y + 100)
    train(X, y.astype(str))  # many names are classes


def test_a_part_of_a_file_is_not_said_to_be_given(tmp_path):
    FRAME.assign(y=np.arange(N)).to_csv(tmp_path / "a.csv", index=False)
    data = fastmlp.datasets.load_file(tmp_path / "a.csv", "y")
    with pytest.raises(ValueError, match=r"^y_test must be of the classes seen in training"):
        fastmlp.train(dataset=data, backend="numpy", epochs=1)
    with pytest.raises(ValueError, match=r"^dataset must be one of 'digits28'.*; got 3"):
        fastmlp.train(dataset=3)


def test_a_data_set_that_is_loaded_is_trained_on_as_by_its_name():
    data = fastmlp.datasets.load("digits")
    arguments = {"backend": "numpy", "epochs": 1, "random_state": 0}
    named, loaded = (fastmlp.train(dataset=one, **arguments) for one in ("digits", data))
    assert loaded.history.loss == named.history.loss
    assert loaded.history.val_score == named.history.val_score
    assert loaded.model.input_scale == (1 / 16, 0.0)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.arange(N) * 10.5, "fastmlp: y_train must be class labels.*regression.*MLPRegressor"),
        (np.arange(N)[::-1], "fastmlp: y_test must be of the classes seen in training"),
    ],
)
def test_the_command_line_says_what_a_target_of_regression_looks_like(y, message, tmp_path):
    path = str(tmp_path / "a.csv")
    FRAME.assign(y=y).to_csv(path, index=False)
    options = ["--target", "y", "--backend", "numpy", "--epochs", "1"]
    done = CliRunner().invoke(main, ["train", "--dataset", path, *options])
    assert done.exit_code == 2
    assert re.fullmatch(f"{message}.*\n", done.stderr)


# The default batch was larger than small data, which was an error (scikit-learn #5670).


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_default_batch_is_cut_to_small_data(backend):
    arguments = {**SMALL, "backend": backend}
    del arguments["batch_size"]
    cut = fastmlp.train(NUMBERS, Y, **arguments)
    whole = fastmlp.train(NUMBERS, Y, **arguments, batch_size=N)
    assert cut.history.loss == whole.history.loss


@pytest.mark.parametrize("batch_size", [N + 1, 64])
def test_a_batch_of_the_users_that_is_too_large_is_cut_with_a_warning(batch_size):
    with pytest.warns(
        UserWarning, match=f"^batch_size={batch_size} is larger than .*, 12"
    ) as found:
        result = train(NUMBERS, batch_size=batch_size)
    assert found[0].filename == __file__
    assert result.history.loss == train(NUMBERS, batch_size=N).history.loss


def test_the_command_line_warns_in_a_line_of_its_own(tmp_path):
    path = str(tmp_path / "a.csv")
    FRAME.assign(y=Y).to_csv(path, index=False)
    options = ["--target", "y", "--backend", "numpy", "--epochs", "1", "--batch-size", "50"]
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        done = CliRunner().invoke(main, ["train", "--dataset", path, *options])
    assert done.exit_code == 0
    line = "fastmlp: batch_size=50 is larger than the number of samples, 9: all of them make one"
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1


# Small batches with a rate made for large ones learn nothing (NVIDIA/DIGITS #51).


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("activation", ["logistic", "relu"])
@pytest.mark.parametrize("batch_size", [1, 8, 64])
def test_the_default_rate_learns_whatever_the_batch(batch_size, activation, momentum):
    data = fastmlp.datasets.load("digits")
    model = fastmlp.train(
        data.X_train[:500], data.y_train[:500], input_scale=data.input_scale, backend="numpy",
        batch_size=batch_size, activation=activation, momentum=momentum, epochs=10, random_state=0,
    ).model  # fmt: skip
    score = model.score(data.X_test, data.y_test)
    assert score > 0.5


@pytest.mark.parametrize(
    ("batch_size", "rate"), [(1, 0.5 / 64), (16, 0.125), (64, 0.5), (200, 0.5)]
)
def test_the_default_rate_grows_with_the_batch_up_to_64(batch_size, rate):
    arguments = {"dataset": "digits", "backend": "numpy", "batch_size": batch_size, "epochs": 1}
    default = fastmlp.train(**arguments, random_state=0)
    given = fastmlp.train(**arguments, random_state=0, learning_rate_init=rate)
    assert default.history.loss == given.history.loss


# Names that other libraries use (mila-iqia/blocks #617: is it sigmoid or logistic?).

NAMES_ELSEWHERE = [
    ("activation", "sigmoid", "logistic"),
    ("activation", "Sigmoid", "logistic"),
    ("activation", "linear", "identity"),
    ("activation", "swish", "silu"),
    ("activation", "SiLU", "silu"),
    ("activation", "GELU", "gelu"),
    ("activation", "Leaky-ReLU", "leaky_relu"),
    ("solver", "momentum", "sgd"),
    ("init", "xavier", "glorot_uniform"),
    ("init", "kaiming_normal", "he_normal"),
    ("learning_rate", "onecycle", "one_cycle"),
    ("backend", "jit", "numba"),
]


@pytest.mark.parametrize(("parameter", "name", "ours"), NAMES_ELSEWHERE)
def test_names_from_elsewhere_lead_to_ours(parameter, name, ours):
    with pytest.raises(
        ValueError, match=f"^{parameter} must be .*; got '{name}'. Did you mean '{ours}'"
    ):
        train(NUMBERS, **{parameter: name})


@pytest.mark.parametrize(
    ("estimator", "arguments", "ours"),
    [
        (fastmlp.MLPClassifier, {"activation": "sigmoid"}, "logistic"),
        (fastmlp.MLPClassifier, {"activation": ["sigmoid"]}, "logistic"),
        (fastmlp.MLPClassifier, {"solver": "l-bfgs"}, "lbfgs"),
        (fastmlp.MLPClassifier, {"learning_rate": "cosine_annealing"}, "cosine"),
        (fastmlp.MLPRegressor, {"loss": "mse"}, "squared_error"),
        (fastmlp.MLPRegressor, {"loss": "mae"}, "absolute_error"),
        (fastmlp.MLPRegressor, {"loss": "smooth_l1"}, "huber"),
    ],
)
def test_estimators_lead_to_our_names_too(estimator, arguments, ours):
    (name,) = arguments
    message = f"{name}.* must be .*[gG]ot '.*Did you mean '{ours}'"
    with pytest.raises(ValueError, match=message):
        estimator(hidden_layer_sizes=(4,), backend="numpy", **arguments).fit(NUMBERS, Y)

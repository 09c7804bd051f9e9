"""What is handed to the estimators as y: integers kept exact, and told what it is otherwise."""

import datetime
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X = np.eye(4)[np.arange(40) % 4] + np.random.default_rng(0).normal(scale=0.1, size=(40, 4))
FIRST = 2**53
LARGE = FIRST + 1 + np.arange(4)  # as floats, 2 of 4
CODES = np.arange(40) % 4
SMALL = {"hidden_layer_sizes": (8,), "backend": "numpy", "random_state": 0, "max_iter": 30}
SMALL |= {"learning_rate_init": 0.05}
FORMS = {
    "int64": lambda y: y.astype(np.int64),
    "uint64": lambda y: y.astype(np.uint64),
    "list": lambda y: y.tolist(),
    "objects": lambda y: y.astype(object),
    "Int64": lambda y: pd.Series(y, dtype="Int64"),
    "UInt64": lambda y: pd.Series(y, dtype="UInt64"),
    "Arrow": lambda y: pd.Series(y, dtype="int64[pyarrow]"),
    "category": lambda y: pd.Series(y).astype("category"),
    "polars": lambda y: pl.Series(y, dtype=pl.UInt64),
}


@pytest.mark.parametrize("form", FORMS)
def test_labels_above_2_to_the_53_stay_apart(form):
    """Integers of two types become floats (numpy #5745), and four classes two: accuracy 0.45.

    Nullable integers of pandas became floats on their own.
    """
    model = MLPClassifier(**SMALL).fit(X, FORMS[form](LARGE[CODES]))
    assert model.classes_.tolist() == LARGE.tolist()
    assert model.predict(X).tolist() == LARGE[CODES].tolist()
    assert model.score(X, LARGE[CODES].astype(np.uint64)) == 1.0


@pytest.mark.parametrize("seen", ["int64", "uint64", "list", "UInt64"])
@pytest.mark.parametrize("known", ["int64", "uint64", "list", "UInt64"])
def test_labels_of_one_type_are_found_among_classes_of_another(known, seen):
    """`partial_fit` with classes of one integer type and y of another."""
    model = MLPClassifier(**SMALL)
    for _ in range(60):
        model.partial_fit(X, FORMS[seen](LARGE[CODES]), classes=FORMS[known](LARGE))
    assert model.predict(X).tolist() == LARGE[CODES].tolist()
    other = LARGE[CODES].copy()
    other[7] = FIRST  # as a float, one of the classes
    with pytest.raises(ValueError, match="has classes not in"):
        model.partial_fit(X, FORMS[seen](other))


def test_validation_and_warm_starts_tell_large_labels_apart():
    """Wherever y comes in: `y_val`, and a fit that goes on."""
    signed, unsigned = LARGE[CODES], LARGE[CODES].astype(np.uint64)
    model = MLPClassifier(warm_start=True, **SMALL).fit(X, signed, X_val=X, y_val=unsigned)
    assert model.validation_scores_[-1] == 1.0
    assert model.fit(X, unsigned).score(X, signed) == 1.0
    with pytest.raises(ValueError, match="warm_start can only be used where"):
        model.fit(X, unsigned - 1)


@pytest.mark.parametrize("kind", [list, tuple])
def test_lists_on_both_sides_of_2_to_the_63_stay_whole(kind):
    """NumPy makes floats of a list with numbers above and below 2^63: numpy #18875."""
    labels = [2**63 + 1, 2**63 + 2, 7, 8]
    model = MLPClassifier(**SMALL).fit(X, kind(labels[code] for code in CODES))
    assert model.classes_.tolist() == sorted(labels)
    assert model.predict(X).tolist() == [labels[code] for code in CODES]
    with pytest.raises(ValueError, match="y must be labels that 64 bits hold; got -1 to 9223372"):
        MLPClassifier(**SMALL).fit(X, [[-1, 2**63][code % 2] for code in CODES])


def test_small_integers_and_booleans_of_all_types_mix():
    """Of types that agree in a common one nothing changes."""
    model = MLPClassifier(**SMALL).partial_fit(X, CODES.astype(np.int8), classes=np.arange(4.0))
    for dtype in (np.uint8, np.int32, np.uint64, np.float32):
        model.partial_fit(X, CODES.astype(dtype))
    assert model.classes_.dtype == np.float64
    model = MLPClassifier(**SMALL).fit(X, (CODES > 1).astype(object))
    assert model.classes_.tolist() == [False, True]


def column(values):
    """Repeat some values as an array of objects."""
    found = np.empty(40, object)
    found[:] = [values[row % len(values)] for row in range(40)]
    return found


DAYS = np.array(["2026-01-01", "2026-01-02"], "M8[D]")
MISSING = {
    "None": (column([0, 1, None]), "got None at row 2"),
    "text and None": (column(["a", None]), "got None at row 1"),
    "text and NaN": (column(["a", "b", float("nan")]), "got nan at row 2"),
    "text and NA": (pd.Series(["a", "b", None, "c"] * 10, dtype="string"), "got .* at row 2"),
    "integers and NA": (column([3, pd.NA]), "got <NA> at row 1"),
    "no date": (np.append(DAYS, np.datetime64("NaT"))[np.arange(40) % 3], "got NaT at row 2"),
    "a mask": (np.ma.array(CODES, mask=CODES == 3), "got a masked value at row 3"),
    "a list": ([1, None, 2, 1] * 10, "got None at row 1"),
}


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_label_is_told_with_its_row(name):
    """`Unknown label type: unknown`, `boolean value of NA is ambiguous`, or NaT as a class."""
    y, message = MISSING[name]
    rule = "must be class labels: whole numbers, strings or booleans, none missing; "
    with pytest.raises(ValueError, match="y " + rule + message):
        MLPClassifier(**SMALL).fit(X, y)
    with pytest.raises(ValueError, match="y " + rule + message):
        MLPClassifier(**SMALL).partial_fit(X, y, classes=["a", "b", "c"])
    known = ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="y_val " + rule + message):
        MLPClassifier(**SMALL).fit(X, [known[code] for code in CODES], X_val=X, y_val=y)


def test_train_tells_a_date_that_is_none():
    """NaT was a class of its own in `train` as well."""
    y, message = MISSING["no date"]
    with pytest.raises(ValueError, match="y must be class labels: .*, none missing; " + message):
        fastmlp.train(X, y, backend="numpy", batch_size=10)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", 1], "got 1 at row 1"),
        ([1, "a"], "got 'a' at row 1"),
        ([datetime.date(2026, 1, 1)], "got datetime.date.* at row 0"),
        ([decimal.Decimal(1)], "got Decimal.* at row 0"),
    ],
)
def test_labels_that_are_none_are_shown(values, message):
    """Dates, decimals and mixtures: `'<' not supported between ...`, `Unknown label type`."""
    with pytest.raises(ValueError, match="and of one type; " + message):
        MLPClassifier(**SMALL).fit(X, column(values))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (column(["yes", "no"]), "got 'yes' at row 0. Class labels are for MLPClassifier"),
        (np.array(["1", "no"] * 20), "got 'no' at row 1"),
        (column([1.5, None]), "got None at row 1"),
        (column([1.5, pd.NA]), "got <NA> at row 1"),
        (np.ma.array(X[:, 0], mask=X[:, 0] == X[2, 0]), "got a masked value at row 2"),
        ([1.0, None] * 20, "got None at row 1"),
        (pd.Series(["a", "b"] * 20, dtype="category"), "got 'a' at row 0"),
        (DAYS[CODES % 2], r"got dtype datetime64\[D\]. Turn times into a number first"),
        (pd.Series(DAYS[CODES % 2]), "got dtype datetime64"),
        (DAYS[CODES % 2] - DAYS[0], "got dtype timedelta64"),
        (column([datetime.date(2026, 1, 1)]), "got datetime.date"),
        (np.stack([column([1]), column([1, "x"])], axis=1), "got 'x' at row 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_true_values_that_are_none_are_shown(y, message):
    """`could not convert string to float: 'yes'` (jupyter/notebook #2835); worse, dates and None.

    Dates were learned from as nanoseconds, a loss of 1e30; None ended as non-finite weights.
    """
    with pytest.raises(ValueError, match="y must be numbers, none missing; " + message):
        MLPRegressor(**SMALL).fit(X, y)
    with pytest.raises(ValueError, match="y_val must be numbers, none missing; " + message):
        MLPRegressor(**SMALL).fit(X, X[:, 0], X_val=X, y_val=y)


def test_numbers_said_otherwise_are_learned():
    """Objects, decimals and text that say numbers are these numbers."""
    expected = MLPRegressor(**SMALL).fit(X, CODES.astype(float)).coefs_[0]
    for y in (column([0, 1, 2, 3]), CODES.astype(str), pd.Series(CODES, dtype="Float64"),
              column([decimal.Decimal(code) for code in range(4)])):  # fmt: skip
        np.testing.assert_array_equal(MLPRegressor(**SMALL).fit(X, y).coefs_[0], expected)


def test_large_labels_come_back_from_a_file(tmp_path):
    """What is learned is kept: the labels are still the same integers."""
    model = MLPClassifier(**SMALL).fit(X, LARGE[CODES])
    model.save(tmp_path / "model")
    assert fastmlp.load(tmp_path / "model").predict(X).tolist() == LARGE[CODES].tolist()

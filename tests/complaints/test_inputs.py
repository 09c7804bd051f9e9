"""What users of other libraries hit with the data they hand over: here it is right, or refused."""

import datetime
import warnings
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.validation import _check_feature_names

import fastmlp
from fastmlp.inputs import Scale, as_features
from fastmlp.model import Model
from tests.tolerances import assert_close

BACKENDS = ["reference", "numpy", "numba"]
SMALL = {"hidden_layer_sizes": (4,), "batch_size": 4, "epochs": 3, "random_state": 0}
N = 12
Y = np.arange(N) % 3
NUMBERS = np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)
BYTES = np.random.default_rng(1).integers(0, 256, (N, 3)).astype(np.uint8)
FLAGS = BYTES % 2 == 1


def train(X, y=Y, **arguments):
    return fastmlp.train(X, y, **{**SMALL, "backend": "numpy", **arguments})


def read(X, dtype="float32"):
    """What a backend reads of X, as it lies."""
    return as_features(X, Scale(1.0, 0.0), np.dtype(dtype)).values


# Two entries of one place are their sum, even if the sum is beyond their type: two bytes of 200
# made 144 in two of three backends (scipy #5807 asks for a rule; scipy's own sums wrap around).


class Subclass(sp.csr_matrix):
    pass


class ArraySubclass(sp.csr_array):
    pass


def doubled(kind, dtype, value):
    """Make a matrix of which two entries lie in one place, and indices are not sorted."""
    data = np.array([value, 3, value, 5, *[1] * (N - 1)], dtype)
    columns = np.array([2, 0, 2, 1, *[1] * (N - 1)])
    indptr = np.array([0, 4, *range(5, N + 4)])
    matrix = sp.csr_matrix((data, columns, indptr), shape=(N, 3))
    return kind(matrix) if issubclass(kind, sp.csr_matrix | sp.csr_array) else kind(
        (data, (np.repeat(np.arange(N), np.diff(indptr)), columns)), shape=(N, 3)
    )  # fmt: skip


SUMS = [("u1", 200, 400), ("i1", 100, 200), ("i1", -100, -200), ("u1", 20, 40), ("f4", 1.5, 3.0)]
SPARSE = [sp.csr_matrix, sp.csr_array, Subclass, ArraySubclass, sp.coo_array, sp.coo_matrix]


@pytest.mark.parametrize(("dtype", "value", "total"), SUMS)
@pytest.mark.parametrize("kind", SPARSE)
def test_entries_of_one_place_are_added_up(kind, dtype, value, total):
    matrix = doubled(kind, dtype, value)
    before = matrix.data.copy()
    actual = read(matrix)
    assert actual.toarray()[0].tolist() == [3, 5, total]
    assert actual.toarray()[1:].tolist() == [[0, 1, 0]] * (N - 1)
    np.testing.assert_array_equal(matrix.data, before)  # the user's matrix is left alone
    assert matrix.data.dtype == before.dtype
    assert actual.dtype == {400: "f8", 40: "u1"}.get(abs(total), "f8" if dtype == "i1" else "f4")


def test_flags_of_one_place_are_one_flag():
    assert read(doubled(sp.csr_array, bool, True)).toarray()[0].tolist() == [1, 1, 1]


def test_canonical_csr_is_read_as_it_lies():
    for kind in (sp.csr_matrix, sp.csr_array, Subclass):
        matrix = kind(BYTES)
        assert np.shares_memory(read(matrix).data, matrix.data)


@pytest.mark.parametrize("backend", BACKENDS)
def test_all_backends_learn_from_and_predict_with_the_sums(backend):
    matrix = doubled(sp.csr_matrix, np.uint8, 200)
    dense = np.zeros((N, 3), np.float32)
    dense[:, 1], dense[0] = 1, [3, 5, 400]
    expected = train(dense, backend="reference", input_scale=(0.01, 0.0))
    actual = train(matrix, backend=backend, input_scale=(0.01, 0.0))
    assert_close(actual.history.loss, expected.history.loss, "loss curve", "float32")
    for X in (matrix, dense):
        probabilities = expected.model.predict_proba(dense)
        assert_close(actual.model.predict_proba(X), probabilities, "loss curve", "float32")


@pytest.mark.parametrize("dtype", ["u1", "i1", bool])
@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.coo_array, sp.csc_array])
def test_estimators_learn_from_and_predict_with_the_sums(kind, dtype):
    value = {"u1": 200, "i1": 100, bool: True}[dtype]
    matrix = doubled(sp.coo_array if kind is sp.coo_array else sp.csr_matrix, dtype, value)
    if kind is sp.csc_array:
        row, column = matrix.nonzero()[0], matrix.indices
        order = np.argsort(column, kind="stable")
        indptr = np.append(0, np.cumsum(np.bincount(column, minlength=3)))
        rows = np.repeat(np.arange(N), np.diff(matrix.indptr))
        assert len(row) <= len(rows)
        matrix = sp.csc_array((matrix.data[order], rows[order], indptr), shape=(N, 3))
    dense = np.zeros((N, 3))
    dense[:, 1], dense[0] = 1, {"u1": [3, 5, 400], "i1": [3, 5, 200], bool: [1, 1, 1]}[dtype]
    arguments = {"hidden_layer_sizes": 4, "random_state": 0, "max_iter": 2, "backend": "numpy"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the number of epochs is meant
        expected = fastmlp.MLPClassifier(**arguments).fit(dense, Y)
        actual = fastmlp.MLPClassifier(**arguments).fit(matrix, Y, X_val=matrix, y_val=Y)
    assert_close(actual.loss_curve_, expected.loss_curve_, "loss curve", "float64")
    predicted = actual.predict_proba(matrix), expected.predict_proba(dense)
    assert_close(*predicted, "loss curve", "float64")


# Columns in another order gave predictions from the wrong features, without a word
# (scikit-learn #7242, xgboost #8357).

FRAME = pd.DataFrame(NUMBERS, columns=["a", "b", "c"])
MANY = [f"column {number}" for number in range(9)]
OTHERS = {
    "reordered": FRAME[["c", "a", "b"]],
    "renamed": FRAME.rename(columns={"b": "B"}),
    "one less": FRAME[["a", "b"]],
    "one more": FRAME.assign(d=0.0),
    "all others": pd.DataFrame(np.zeros((N, 9), np.float32), columns=MANY),
    "polars": pl.DataFrame(FRAME[["c", "a", "b"]].to_dict("list")),
    "pyarrow": pa.table(FRAME[["c", "a", "b"]].to_dict("list")),
}


def scikit_learns_answer(seen, given):
    """Ask scikit-learn's check itself for its error or warning, and for the message."""
    class_of_the_name = type("Model", (), {})
    judge = class_of_the_name()
    _check_feature_names(judge, seen, reset=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            _check_feature_names(judge, given, reset=False)
        except ValueError as error:
            return ValueError, str(error)
    return caught[0].category, str(caught[0].message)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_other_columns_than_in_training_are_refused_as_by_scikit_learn(backend, name):
    model = train(FRAME, backend=backend).model
    kind, message = scikit_learns_answer(FRAME, OTHERS[name])
    assert kind is ValueError
    calls = (model.predict, model.predict_proba, lambda X: model.score(X, Y))
    for call in calls:
        with pytest.raises(ValueError, match=r"^The feature names should match") as caught:
            call(OTHERS[name])
        assert str(caught.value) == message
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    same = pl.DataFrame(FRAME.to_dict("list")).cast(pl.Float32)
    np.testing.assert_array_equal(model.predict_proba(same), model.predict_proba(FRAME))


def test_a_validation_set_with_other_columns_is_refused():
    with pytest.raises(ValueError, match="must be in the same order as they were in fit"):
        train(FRAME, X_val=OTHERS["reordered"], y_val=Y)
    with pytest.warns(UserWarning, match="^X_val does not have valid feature names, but Model"):
        train(FRAME, X_val=NUMBERS, y_val=Y)


@pytest.mark.parametrize(("seen", "given"), [(FRAME, NUMBERS), (NUMBERS, FRAME)])
def test_names_on_one_side_only_are_warned_of_as_by_scikit_learn(seen, given):
    model = train(seen).model
    category, message = scikit_learns_answer(seen, given)
    for call in (model.predict, model.predict_proba, lambda X: model.score(X, Y)):
        with pytest.warns(category) as caught:
            call(given)
        assert [str(one.message) for one in caught] == [message]
        assert caught[0].filename == __file__
    assert hasattr(model, "feature_names_in_") == (seen is FRAME)


def test_names_that_are_no_strings_are_no_names():
    model = train(pd.DataFrame(NUMBERS)).model
    assert not hasattr(model, "feature_names_in_")
    model.predict(NUMBERS)
    with pytest.raises(TypeError, match="Feature names are only supported if all input features"):
        train(pd.DataFrame(NUMBERS, columns=["a", 1, 2]))


# Frames of several dtypes became arrays of objects and were refused: xgboost #10181 (get_dummies
# gives bool), xgboost #7760 (nullable types), jonkrohn/ML-foundations #14 (cast to object).


def arrow(**columns):
    kinds = {name: pd.ArrowDtype(kind) for name, (_, kind) in columns.items()}
    return pd.DataFrame({name: values for name, (values, _) in columns.items()}).astype(kinds)


A, B, C = NUMBERS.T
MIXED = {
    "get_dummies": (
        pd.get_dummies(pd.DataFrame({"a": A, "kind": list("uv" * 6)})),
        [A, np.tile([1, 0], 6), np.tile([0, 1], 6)], "f4",
    ),
    "bool and bytes": (pd.DataFrame({"a": FLAGS[:, 0], "b": BYTES[:, 1]}),
                       [FLAGS[:, 0], BYTES[:, 1]], "u1"),
    "two widths": (pd.DataFrame({"a": A, "b": BYTES[:, 1]}), [A, BYTES[:, 1]], "f4"),
    "nullable": (
        pd.DataFrame({"a": pd.array(BYTES[:, 0], "Int64"), "b": pd.array(B, "Float64"),
                      "c": pd.array(FLAGS[:, 2], "boolean")}),
        [BYTES[:, 0], B, FLAGS[:, 2]], "f8",
    ),
    "nullable bytes": (pd.DataFrame(BYTES).astype("UInt8"), BYTES.T, "u1"),
    "pyarrow": (
        arrow(a=(BYTES[:, 0], pa.uint8()), b=(B, pa.float32()), c=(FLAGS[:, 2], pa.bool_())),
        [BYTES[:, 0], B, FLAGS[:, 2]], "f4",
    ),
    "objects": (pd.DataFrame({"a": list(A), "b": [Decimal(1)] * N, "c": [True] * N}, dtype=object),
                [A, np.ones(N), np.ones(N)], "f8"),
    "categories": (pd.DataFrame({"a": pd.Categorical(Y), "b": B}), [Y, B], "f8"),
    "strided": (pd.DataFrame(np.tile(NUMBERS, 2)).iloc[:, ::2], [A, C, B], "f4"),
    "polars": (pl.DataFrame({"a": A, "b": FLAGS[:, 1], "c": BYTES[:, 2]}),
               [A, FLAGS[:, 1], BYTES[:, 2]], "f4"),
    "pyarrow table": (pa.table({"a": A, "b": FLAGS[:, 1]}), [A, FLAGS[:, 1]], "f4"),
    "pyarrow batch": (pa.record_batch({"a": A, "b": BYTES[:, 1]}), [A, BYTES[:, 1]], "f4"),
    "array of objects": (pd.get_dummies(pd.DataFrame({"a": A, "k": list("uv" * 6)})).to_numpy(),
                         [A, np.tile([1, 0], 6), np.tile([0, 1], 6)], "f8"),
}  # fmt: skip


@pytest.mark.parametrize("name", MIXED)
def test_columns_of_several_dtypes_are_read(name):
    X, columns, dtype = MIXED[name]
    expected = np.column_stack(columns)
    actual = read(X, "float64")
    np.testing.assert_array_equal(actual, expected)
    assert actual.dtype == dtype
    curves = [train(form, epochs=2).history.loss for form in (X, expected.astype("f4"))]
    assert_close(*curves, "loss curve", "float32")


# float32 and uint8 became float64 on the way in (huggingface/datasets #625, darts #572).


class Tensor:
    """Like PyTorch's: an array comes out, the dtype is not NumPy's."""

    def __init__(self, array):
        self.array, self.dtype, self.shape = array, f"torch.{array.dtype}", array.shape
        self.ndim = array.ndim

    def __array__(self, dtype=None, copy=None):
        return self.array if dtype is None else self.array.astype(dtype)

    def __len__(self):
        return len(self.array)

    def __getitem__(self, rows):
        return Tensor(self.array[rows])


NARROW = {
    "pandas": pd.DataFrame,
    "polars": lambda X: pl.DataFrame(X, schema=["a", "b", "c"]),
    "pyarrow": lambda X: pa.table(dict(zip("abc", X.T, strict=True))),
    "tensor": Tensor,
}


@pytest.mark.parametrize("values", [NUMBERS, BYTES], ids=["float32", "uint8"])
@pytest.mark.parametrize("form", NARROW)
def test_narrow_numbers_stay_narrow(form, values):
    actual = read(NARROW[form](values), "float64")
    assert actual.dtype == values.dtype
    np.testing.assert_array_equal(actual, values)
    if form in ("pandas", "tensor"):
        frame = NARROW[form](values)
        assert np.shares_memory(read(frame, "float64"), np.asarray(frame))


@pytest.mark.parametrize("form", NARROW)
def test_estimators_compute_in_the_float32_they_are_given(form):
    arguments = {"hidden_layer_sizes": 4, "random_state": 0, "max_iter": 2, "backend": "numpy"}
    X = NARROW[form](NUMBERS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the number of epochs is meant
        model = fastmlp.MLPClassifier(**arguments).fit(X, Y)
        expected = fastmlp.MLPClassifier(**arguments).fit(NUMBERS, Y)
    assert model.coefs_[0].dtype == np.float32
    np.testing.assert_array_equal(model.coefs_[0], expected.coefs_[0])
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(NUMBERS))


def test_tensors_of_pytorch_are_read_where_they_lie():
    torch = pytest.importorskip("torch")
    X = torch.from_numpy(NUMBERS)
    assert np.shares_memory(read(X), NUMBERS)
    assert train(X, torch.from_numpy(Y)).history.loss == train(NUMBERS).history.loss
    with pytest.raises(ValueError, match=r"X must be .*detach"):
        train(X.clone().requires_grad_())


# Labels from pyarrow and pandas' extension arrays (pandas #51844, xgboost #10454).

NAMES = np.array(["a", "b", "c"])[Y]
LABELS = {
    "pyarrow strings": (pa.array(NAMES), NAMES),
    "pyarrow dictionary": (pa.array(NAMES).dictionary_encode(), NAMES),
    "pyarrow chunks": (pa.chunked_array([NAMES[:5], NAMES[5:]]), NAMES),
    "pyarrow bool": (pa.array(FLAGS[:, 0]), FLAGS[:, 0]),
    "string": (pd.Series(NAMES, dtype="string[pyarrow]"), NAMES),
    "category": (pd.Series(NAMES, dtype="category"), NAMES),
    "Int64": (pd.Series(Y, dtype="Int64"), Y),
    "boolean": (pd.array(FLAGS[:, 0], "boolean"), FLAGS[:, 0]),
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


def test_several_columns_of_labels_are_refused():
    with pytest.raises(ValueError, match=r"y must be 1-D .*\(12, 2\).*MLPClassifier"):
        train(NUMBERS, np.stack([Y, Y], axis=1))


# Errors that do not say which column it is ("could not convert string to float: '2013/8/14'",
# Informer2020 #63).

TODAY = datetime.date(2024, 1, 2)
UNUSABLE = {
    "text": ({"age": A, "town": ["Rome"] * N}, "numeric; got 'Rome' at row 0, column 'town'.*text"),
    "text amid numbers": ({"age": [*A[:-1], "old"]}, "numeric; got 'old' at row 11, column 'age'"),
    "numbers as text": ({"age": ["1.5"] * N}, "numeric; got '1.5' at row 0, column 'age'.*text"),
    "dates": ({"age": A, "born": pd.to_datetime(["2024-01-02"] * N)},
              "numeric; got .*2024-01-02.* at row 0, column 'born'.*dates into numbers"),
    "days": ({"born": [TODAY] * N}, "numeric; got datetime.date.* column 'born'.*dates into"),
    "complex": ({"z": A + 1j}, "numeric; got .*j.* at row 0, column 'z'"),
    "NaN": ({"age": [*A[:-1], np.nan], "b": B}, "finite; got nan at row 11, column 'age'.*Impute"),
    "NA": ({"age": pd.array([1, None] * 6, "Int64"), "b": B},
           "(finite; got nan|missing values; got <NA>) at row 1, column 'age'.*Impute"),
    "NA flags": ({"ill": pd.array([True, None] * 6, "boolean"), "b": B},
                 "missing values; got <NA> at row 1, column 'ill'.*Impute"),
    "None": ({"age": [*A[:-1], None], "t": [1] * N}, "finite; got nan at row 11, column 'age'"),
    "None amid objects": ({"age": np.array([*A[:-1], None], object)},
                          "without missing values; got None at row 11, column 'age'"),
    "two kinds": ({"age": [*A[:-1], None], "town": ["Rome"] * N}, "numeric; got 'Rome' at row 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_is_no_number_is_named_with_its_column(name):
    columns, message = UNUSABLE[name]
    frame = pd.DataFrame(columns)
    with pytest.raises(ValueError, match=f"^X must be (without )?{message}"):
        train(frame)
    with pytest.raises(ValueError, match=f"^X_val must be (without )?{message}"):
        train(frame.notna().astype("f4"), X_val=frame, y_val=Y)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"town": ["Rome"] * N}, "X must be numeric; got 'Rome' at row 0, column 'town'"),
        # polars makes numbers of dates that lie beside numbers, silently
        ({"b": B, "born": [TODAY] * N}, "X must be numeric; got .* at row 0, column 'born'.*dates"),
        ({"a": [1, None] * 6}, "X must be finite; got nan at row 1, column 'a'"),
        ({"a": [[1.0, 2.0]] * N}, "X must be numeric; got .* at row 0, column 'a'"),
    ],
)
def test_polars_columns_that_are_no_numbers_are_named(columns, message):
    with pytest.raises(ValueError, match=message):
        train(pl.DataFrame(columns))
    with pytest.raises(ValueError, match=message):
        train(pl.DataFrame(columns).to_arrow())


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
    pd.DataFrame(NUMBERS).assign(y=np.arange(N)).to_csv(tmp_path / "a.csv", index=False)
    data = fastmlp.datasets.load_file(tmp_path / "a.csv", "y")
    with pytest.raises(ValueError, match=r"^y_test must be of the classes seen in training"):
        fastmlp.train(dataset=data, backend="numpy", epochs=1)


def test_a_data_set_that_is_loaded_is_trained_on_as_by_its_name():
    data = fastmlp.datasets.load("digits")
    arguments = {"backend": "numpy", "epochs": 1, "random_state": 0}
    named, loaded = (fastmlp.train(dataset=one, **arguments) for one in ("digits", data))
    assert loaded.history.loss == named.history.loss
    assert loaded.history.val_score == named.history.val_score
    assert loaded.model.input_scale == (1 / 16, 0.0)


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


def test_models_of_before_have_no_names():
    model = train(NUMBERS).model
    twin = Model(model.parameters, model.classes_, model.input_scale, "numpy", None)
    np.testing.assert_array_equal(twin.predict(NUMBERS), model.predict(NUMBERS))

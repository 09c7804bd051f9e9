"""What users of other libraries hit with the data they hand over: here it is right, or refused."""

import datetime
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from sklearn.utils.validation import _check_feature_names

import fastmlp
from fastmlp.base_model import Serving
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
    expected = class_of_the_name()
    _check_feature_names(expected, seen, reset=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            _check_feature_names(expected, given, reset=False)
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


def test_models_of_before_have_no_names():
    model = train(NUMBERS).model
    serving = Serving(model.input_scale, "numpy", n_threads=None)
    twin = Model(model.parameters, model.classes_, serving)
    np.testing.assert_array_equal(twin.predict(NUMBERS), model.predict(NUMBERS))


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


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.full((N, 2), "2024-01-02", "M8[D]"), "numeric; got .*2024.* column 0.*dates into num"),
        (np.zeros((N, 2), "M8[ns]"), "numeric; got .*1970.* column 0.*dates into numbers"),
        ([[1.0, np.timedelta64(1, "D")]] * N, "numeric; got .* at row 0, column 1.*dates into num"),
        (np.zeros(N, [("a", "f4"), ("b", "f4")]), "numeric; got .*structured_to_unstructured"),
        ([["a", 1.0, None]] * N, "numeric; got 'a' at row 0, column 0"),
    ],
)
def test_arrays_that_are_no_numbers_name_the_place_and_the_remedy(X, message):
    with pytest.raises(ValueError, match=f"X must be {message}"):
        train(np.array(X, dtype=object) if isinstance(X, list) else X)

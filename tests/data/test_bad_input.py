"""What cannot be trained on is told: which block, which column, and what to do."""

import functools

import numpy as np
import pytest

import fastmlp
from tests.data.test_streaming import SMALL

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
Y = np.arange(40) % 2
BUFFER = 900  # of 40 rows of 36 bytes


def blocks_of(X, y=Y, **arguments):
    """Make a source of four blocks."""

    def read(start):
        return X[start : start + 10], y[start : start + 10]

    readers = [functools.partial(read, start) for start in range(0, 40, 10)]
    return fastmlp.data.blocks(readers, **{"lengths": [10] * 4, "buffer": BUFFER, **arguments})


def with_value(value, row=25, column=1):
    """Put a value into a copy of X."""
    values = X.copy()
    values[row, column] = value
    return values


BAD = {
    "nan": (with_value(np.nan), Y, r"X in block 2 must be finite; got nan at row 5, column 1"),
    "infinity": (with_value(-np.inf), Y, r"X in block 2 must be finite; got -inf at row 5"),
    "missing label": (X, np.where(np.arange(40) == 31, np.nan, Y), r"y in block 3 must be class"),
    "one class": (X, np.zeros(40), r"the target of X must be of at least 2 classes; got 1 class"),
    "fractions": (X, Y + 0.5, r"y in block 0 must be class labels"),
}  # fmt: skip


@pytest.mark.parametrize("buffer", [BUFFER, "1GB"])
@pytest.mark.parametrize("name", BAD)
def test_bad_values_are_told_with_their_block(name, buffer):
    values, labels, message = BAD[name]
    if buffer == "1GB" and "X in" not in message:
        message = "y must be"
    with pytest.raises(ValueError, match=message):
        fastmlp.train(blocks_of(values, labels, buffer=buffer), **SMALL)


def test_blocks_of_other_widths_and_dtypes_are_told():
    parts = [(X[:10], Y[:10]), (X[10:20, :2], Y[10:20])]
    source = fastmlp.data.blocks([lambda part=part: part for part in parts], [10, 10], buffer=800)
    with pytest.raises(ValueError, match=r"X in block 1 must be of 3 columns; got shape \(10, 2\)"):
        fastmlp.train(source, **SMALL)
    parts[1] = X[10:20].astype(np.float64), Y[10:20]
    source = fastmlp.data.blocks([lambda part=part: part for part in parts], [10, 10], buffer=800)
    with pytest.raises(ValueError, match=r"X in block 1 must be of dtype float32.*got"):
        fastmlp.train(source, **SMALL)
    parts[1] = X[10:17], Y[10:17]
    source = fastmlp.data.blocks([lambda part=part: part for part in parts], [10, 10], buffer=800)
    with pytest.raises(ValueError, match=r"block 1 must be of 10 rows; got 7 rows"):
        fastmlp.train(source, **SMALL)


def test_labels_of_two_types_are_told():
    labels = np.array(["a", "b"] * 20, object)
    labels[20:] = [0, 1] * 10
    with pytest.raises(ValueError, match=r"y in block 2 must be of one type in all blocks; got"):
        fastmlp.train(blocks_of(X, labels), **SMALL)


def test_data_that_change_while_they_are_trained_on_are_told():
    values = X.copy()

    def change(report):
        values[0, 0] += 1

    with pytest.raises(ValueError, match=r"block 0 must be what it was before; got other values"):
        fastmlp.train(blocks_of(values), **SMALL, callbacks=[change])


def test_a_file_that_vanishes_is_told(tmp_path):
    path = tmp_path / "X.npy"
    np.save(path, X)
    source = fastmlp.data.npy(path, Y, block_rows=10, buffer=BUFFER)
    with pytest.raises(ValueError, match=r"block \d \(X.npy, rows .*\) must be there, and"):
        fastmlp.train(source, **SMALL, callbacks=[lambda report: path.unlink()])
    np.save(path, X)
    with pytest.raises(ValueError, match=r"must be there.* got .*X.npy ends before row"):
        fastmlp.train(source, **SMALL, callbacks=[lambda report: np.save(path, X[:5])])


def test_unknown_labels_are_told():
    model = fastmlp.train(blocks_of(X), **SMALL).model
    with pytest.raises(ValueError, match=r"of the classes seen in training \(0, 1\); got 7"):
        model.score(blocks_of(X, np.full(40, 7)))
    with pytest.raises(ValueError, match=r"y in block 0 must be of the classes seen in training"):
        fastmlp.train(blocks_of(X), **SMALL, X_val=blocks_of(X, np.full(40, 7)))


def test_what_does_not_go_with_a_source_is_told():
    source = blocks_of(X)
    with pytest.raises(ValueError, match="y must be left out where X is a source, which has its"):
        fastmlp.train(source, Y, **SMALL)
    with pytest.raises(ValueError, match="sample_weight must be left out where X is a source"):
        fastmlp.train(source, **SMALL, sample_weight=np.ones(40))
    with pytest.raises(ValueError, match="dataset must be left out where X is given"):
        fastmlp.train(source, **SMALL, dataset="digits")
    with pytest.raises(ValueError, match="class_weight must be left out where numbers are pred"):
        fastmlp.train(source, **SMALL, loss="squared_error", class_weight="balanced")
    without = fastmlp.data.memmap(X, block_rows=10, buffer=BUFFER)
    for one in (without, fastmlp.data.memmap(X)):
        with pytest.raises(ValueError, match="X must be a source with a target; got one without"):
            fastmlp.train(one, **SMALL)
    model = fastmlp.train(source, **SMALL).model
    with pytest.raises(ValueError, match="X must be of 3 columns, as in training; got a source"):
        model.predict(fastmlp.data.memmap(X[:, :2]))


def test_a_buffer_must_hold_two_blocks():
    with pytest.raises(ValueError, match=r"buffer must be at least 0\.000\d+ MB, for two of the"):
        fastmlp.train(blocks_of(X, buffer=200), **SMALL)
    for buffer in ("2 XB", "-1GB", "0GB", -1, None):
        with pytest.raises(ValueError, match="buffer must be a"):
            fastmlp.data.memmap(X, buffer=buffer)


def test_a_buffer_is_cut_to_half_of_what_is_free(monkeypatch):
    monkeypatch.setattr("fastmlp.data.memory.free_bytes", lambda: 1800)
    with pytest.warns(UserWarning, match=r"buffer=0.1 GB is more than half of the memory that"):
        whole = fastmlp.train(blocks_of(X, buffer="100MB"), **SMALL)
    monkeypatch.undo()
    assert whole.history.loss == fastmlp.train(blocks_of(X), **SMALL).history.loss


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2GB", 2 * 10**9), ("1.5 MiB", 3 << 19), ("7", 7), ("64k", 64000), (123, 123)],
)
def test_sizes_are_read(text, expected):
    assert fastmlp.data.memmap(X, buffer=text).buffer == expected


def test_files_that_are_no_arrays_are_told(tmp_path):
    path = tmp_path / "X.npy"
    path.write_text("no array")
    with pytest.raises(ValueError, match=r"X.npy must be a .npy file of numbers or text; got"):
        fastmlp.data.npy(path)
    with pytest.raises(FileNotFoundError):
        fastmlp.data.npy(tmp_path / "none.npy")
    np.save(path, X[0])
    with pytest.raises(ValueError, match=r"X in X.npy must be 2-D .*got shape \(3,\)"):
        fastmlp.data.npy(path)
    np.save(path, X[:0])
    with pytest.raises(ValueError, match=r"X.npy must be not empty; got 0 rows"):
        fastmlp.data.npy(path)
    np.save(path, X)
    with pytest.raises(ValueError, match=r"y in X.npy must be as long as X, 40 rows"):
        fastmlp.data.npy(path, Y[:7])


def test_readers_that_are_none_are_told():
    for readers in ([], [X]):
        with pytest.raises(ValueError, match="readers must be a sequence of callables, not empty"):
            fastmlp.data.blocks(readers)
    with pytest.raises(ValueError, match="lengths must be one number for each of the 1 readers"):
        fastmlp.data.blocks([lambda: (X, Y)], [1, 2])
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(ValueError, match="X in block 0 must be dense; got a sparse matrix"):
        fastmlp.data.blocks([lambda: (sparse.csr_array(X), Y)])

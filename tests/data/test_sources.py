"""What each kind of source reads."""

import itertools

import numpy as np
import pytest

import fastmlp
from tests.data.test_streaming import SMALL
from tests.test_resuming import assert_same


def rows_of(source):
    """Read all blocks."""
    chunks = [chunk for block in range(len(source.lengths)) for chunk in source.chunks(block)]
    return tuple(
        np.concatenate(arrays) for arrays in zip(*(chunk[:2] for chunk in chunks), strict=True)
    )


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["float32", "uint8", "int64"])
def test_npy_files_are_read_in_any_order_and_dtype(order, dtype, files, tmp_path):
    X = np.asarray(files.X * 10 + 50, dtype, order=order)
    np.save(tmp_path / "X.npy", X)
    source = fastmlp.data.npy(tmp_path / "X.npy", files.paths[1], block_rows=10)
    actual = rows_of(source)
    np.testing.assert_array_equal(actual[0], X)
    np.testing.assert_array_equal(actual[1], files.y)
    assert source.dtype == dtype and source.shape == (97, 6)
    mapped = fastmlp.data.memmap(np.load(tmp_path / "X.npy", mmap_mode="r"), files.y)
    np.testing.assert_array_equal(rows_of(mapped)[0], X)
    part = fastmlp.data.memmap(np.load(tmp_path / "X.npy", mmap_mode="r")[5:20], files.y[5:20])
    np.testing.assert_array_equal(rows_of(part)[0], X[5:20])


def test_text_labels_in_a_file_are_classes(files, tmp_path):
    names = np.array(["one", "two", "three"])[files.y]
    np.save(tmp_path / "y.npy", names)
    source = fastmlp.data.npy(files.paths[0], tmp_path / "y.npy", block_rows=10, buffer=1700)
    model = fastmlp.train(source, **SMALL).model
    assert model.classes_.tolist() == ["one", "three", "two"]
    assert model.score(source) == model.score(files.X, names)


class Sliced:
    """An array of a library that reads rows from a file, in chunks."""

    def __init__(self, array):
        self.array, self.shape, self.dtype, self.chunks = array, array.shape, array.dtype, (10, 3)

    def __getitem__(self, rows):
        return self.array[rows]


def test_arrays_that_are_read_by_slices_are_trained_on(files):
    source = fastmlp.data.zarr(Sliced(files.X), Sliced(files.y), buffer=1700)
    assert source.lengths == (10,) * 9 + (7,)
    assert_same(fastmlp.train(source, **SMALL), fastmlp.train(files.source(), **SMALL))


def test_zarr_arrays_are_read(files, tmp_path):
    zarr = pytest.importorskip("zarr")
    zarr.save_array(str(tmp_path / "X.zarr"), files.X, chunks=(10, 6))
    source = fastmlp.data.zarr(tmp_path / "X.zarr", files.y, block_rows=10, buffer=1700)
    assert_same(fastmlp.train(source, **SMALL), fastmlp.train(files.source(), **SMALL))


def test_blocks_of_ones_own_are_counted_and_read(files):
    readers = [lambda n=n: (files.X[n : n + 10], files.y[n : n + 10]) for n in range(0, 97, 10)]
    source = fastmlp.data.blocks(readers, buffer=1700)
    assert_same(fastmlp.train(source, **SMALL), fastmlp.train(files.source(), **SMALL))


def batches_of(files, size=9):
    """Make a factory of iterators over the rows."""
    return lambda: (
        (files.X[n : n + size], files.y[n : n + size]) for n in range(0, len(files.X), size)
    )


def test_an_iterator_is_a_shuffling_buffer(files):
    source = fastmlp.data.iterator(batches_of(files), buffer=1700)
    assert source.lengths == (9,) * 10 + (7,)
    result = fastmlp.train(source, **SMALL)
    assert result.history.loss == fastmlp.train(source, **SMALL).history.loss
    in_order = fastmlp.train(source, **SMALL, shuffle=False)
    assert_same(in_order, fastmlp.train(files.X, files.y, **SMALL, shuffle=False))
    assert in_order.model.score(source) == in_order.model.score(files.X, files.y)
    counted = fastmlp.data.iterator(batches_of(files), 97, buffer=1700)
    assert counted.lengths == source.lengths


def test_an_iterator_says_what_it_cannot(files, tmp_path):
    source = fastmlp.data.iterator(batches_of(files), buffer=1700)
    with pytest.raises(ValueError, match="checkpoint must be left out with an iterator"):
        fastmlp.train(source, **SMALL, checkpoint=tmp_path / "run")
    with pytest.raises(ValueError, match="early_stopping must be False with an iterator"):
        fastmlp.train(source, **SMALL, early_stopping=True)
    with pytest.raises(ValueError, match="factory must be a callable that returns an iterator"):
        fastmlp.data.iterator(iter([1]))
    with pytest.raises(ValueError, match="an iterator; got one of nothing"):
        fastmlp.data.iterator(lambda: iter([]))
    lengths = itertools.chain([97, 97], itertools.repeat(50))
    fewer = fastmlp.data.iterator(
        lambda: itertools.islice(batches_of(files)(), next(lengths) // 9), buffer=1700
    )
    with pytest.raises(ValueError, match=r"the iterator, rows \d+ to \d+ must be of 9 rows; got 0"):
        fastmlp.train(fewer, **SMALL)

"""A source, rewritten in random order."""

import numpy as np
import pytest

import fastmlp
from tests.data.test_sources import rows_of
from tests.data.test_streaming import SMALL, as_set
from tests.data.test_tables import NAMES, SPECIES, as_table

arrow = pytest.importorskip("pyarrow")


def sorted_table(files):
    """Sort the rows by their labels."""
    order = np.argsort(files.y, kind="stable")
    return arrow.Table.from_batches(as_table(files).take(order).to_batches(max_chunksize=5))


def test_sorted_rows_are_mixed_and_all_there(files, tmp_path):
    source = fastmlp.data.arrow(sorted_table(files), "species", buffer=3000)
    with pytest.warns(UserWarning, match="labels differ strongly from block to block"):
        fastmlp.train(source, **{**SMALL, "batch_size": 2})
    shuffled = fastmlp.data.shuffle(source, tmp_path / "new")
    assert len(list((tmp_path / "new").iterdir())) == 4  # 9,312 bytes in piles of 3,000
    X, y = rows_of(shuffled)
    assert as_set([np.column_stack([X, y == "setosa"])]) == as_set(
        [np.column_stack([files.X, SPECIES[files.y] == "setosa"])]
    )
    assert shuffled.feature_names == tuple(NAMES) and shuffled.n_targets == 1
    runs = 1 + np.count_nonzero(y[1:] != y[:-1])
    assert runs > 40  # 65 on average
    assert fastmlp.train(shuffled, **SMALL).model.classes_.tolist() == SPECIES.tolist()


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_arrays_become_columns_of_lists(dtype, files, tmp_path):
    X = (files.X * 20 + 100).astype(dtype)
    y = files.X[:, :2]
    source = fastmlp.data.memmap(X, y, block_rows=10, buffer="1GB")
    first = rows_of(fastmlp.data.shuffle(source, tmp_path / "first", random_state=1))
    assert first[0].dtype == dtype and first[1].shape == (97, 2)
    assert as_set([np.column_stack(first)]) == as_set([np.column_stack([X, y])])
    second = rows_of(fastmlp.data.shuffle(source, tmp_path / "second", random_state=1))
    np.testing.assert_array_equal(first[0], second[0])


def test_a_folder_that_is_in_use_is_told(files, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="folder must be empty, or not there yet; got"):
        fastmlp.data.shuffle(files.source(), tmp_path)
    with pytest.raises(ValueError, match="source must be one with a target; got one without"):
        fastmlp.data.shuffle(fastmlp.data.memmap(files.X), tmp_path / "new")

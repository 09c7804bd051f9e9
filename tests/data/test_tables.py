"""Parquet and Arrow files, data sets and tables, as sources."""

import numpy as np
import pytest

import fastmlp
from tests.data.test_sources import rows_of
from tests.data.test_streaming import SMALL
from tests.test_resuming import assert_same

arrow = pytest.importorskip("pyarrow")
dataset = pytest.importorskip("pyarrow.dataset")
parquet = pytest.importorskip("pyarrow.parquet")

NAMES = [f"x{number}" for number in range(6)]
SPECIES = np.array(["setosa", "versicolor", "virginica"])


def as_table(files, rows=slice(None), dtype=None):
    """Make a table of some rows, the label a text."""
    columns = {name: files.X[rows, n].astype(dtype or np.float32) for n, name in enumerate(NAMES)}
    return arrow.table(columns | {"species": SPECIES[files.y[rows]]})


@pytest.fixture(scope="module")
def folder(files, tmp_path_factory):
    """Two Parquet files, one in a folder of its own, in row groups of 10."""
    folder = tmp_path_factory.mktemp("parquet")
    (folder / "late").mkdir()
    for path, rows in (("early.parquet", slice(0, 60)), ("late/more.parquet", slice(60, 97))):
        parquet.write_table(as_table(files, rows), folder / path, row_group_size=10)
    (folder / "_metadata").write_text("no data")
    return folder


def test_a_folder_is_trained_on(folder, files):
    source = fastmlp.data.parquet(folder, "species", buffer=1700)
    assert source.lengths == (10,) * 9 + (7,) and source.shape == (97, 6)
    result = fastmlp.train(source, **SMALL)
    assert result.history.loss == fastmlp.train(files.source(), **SMALL).history.loss
    assert result.model.classes_.tolist() == SPECIES.tolist()
    assert result.model.feature_names_in_.tolist() == NAMES
    assert result.model.score(source) == result.model.score(files.X, SPECIES[files.y])
    features = fastmlp.data.parquet(folder, columns=NAMES)
    np.testing.assert_array_equal(result.model.predict(features), result.model.predict(files.X))


def test_a_folder_that_fits_is_an_array(folder, files):
    source = fastmlp.data.parquet(folder, target="species")
    whole = fastmlp.train(files.X, SPECIES[files.y], **SMALL)
    result = fastmlp.train(source, **SMALL)
    assert_same(result, whole)
    assert result.model.feature_names_in_.tolist() == NAMES


def test_tables_data_sets_and_ipc_files_are_the_same(folder, files, tmp_path):
    table = as_table(files)
    with arrow.ipc.new_file(str(tmp_path / "a.arrow"), table.schema) as writer:
        writer.write_table(table, max_chunksize=10)
    cut = arrow.Table.from_batches(table.to_batches(max_chunksize=10))
    expected = fastmlp.train(files.source(), **SMALL).history.loss
    for data in (cut, dataset.dataset(folder), [tmp_path / "a.arrow"], tmp_path):
        source = fastmlp.data.arrow(data, "species", buffer=1700)
        assert source.lengths == (10,) * 9 + (7,)
        assert fastmlp.train(source, **SMALL).history.loss == expected


DTYPES = {"uint8": "uint8", "bool": "uint8", "int32": "int32", "float64": "float64"}


@pytest.mark.parametrize("dtype", DTYPES)
def test_bytes_stay_bytes_and_other_numbers_what_they_are(dtype, files):
    table = as_table(files, dtype=dtype)
    source = fastmlp.data.arrow(table, "species")
    assert source.dtype == DTYPES[dtype]
    np.testing.assert_array_equal(rows_of(source)[0], files.X.astype(dtype))


def test_columns_of_lists_are_as_many_features(files):
    pixels = arrow.FixedSizeListArray.from_arrays(arrow.array(files.X.ravel()), 6)
    table = arrow.table({"pixels": pixels, "species": SPECIES[files.y]})
    source = fastmlp.data.arrow(table.slice(3, 50), "species")
    assert source.n_features == 6 and source.feature_names is None
    np.testing.assert_array_equal(rows_of(source)[0], files.X[3:53])


def test_columns_of_binary_values_are_bytes(files, tmp_path):
    X = (files.X * 20 + 100).astype(np.uint8)
    pixels = arrow.array([row.tobytes() for row in X], arrow.binary(6))
    parquet.write_table(arrow.table({"pixels": pixels, "y": files.y}), tmp_path / "a.parquet")
    for source in (
        fastmlp.data.parquet(tmp_path, "y"),
        fastmlp.data.arrow(arrow.table({"pixels": pixels, "y": files.y}).slice(5), "y"),
    ):
        assert source.shape[1] == 6 and source.dtype == np.uint8
        np.testing.assert_array_equal(rows_of(source)[0], X[-source.n_samples :])


def test_several_columns_are_predicted(files):
    source = fastmlp.data.arrow(as_table(files), ["x0", "x1"], ["x2", "x3"], buffer="1GB")
    settings = {**SMALL, "loss": "squared_error"}
    expected = fastmlp.train(files.X[:, 2:4], files.X[:, :2], **settings)
    assert_same(fastmlp.train(source, **settings), expected)


def test_the_index_of_a_frame_is_no_feature(files, tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(files.X, columns=NAMES, index=np.arange(97)[::-1])
    frame["species"] = pandas.Categorical(SPECIES[files.y])
    frame.to_parquet(tmp_path / "frame.parquet")
    source = fastmlp.data.parquet(tmp_path / "frame.parquet", "species")
    assert source.feature_names == tuple(NAMES)
    np.testing.assert_array_equal(rows_of(source)[1], SPECIES[files.y])


def write(path, **columns):
    """Write a Parquet file."""
    parquet.write_table(arrow.table(columns), path, row_group_size=2)


def test_bad_files_are_told(tmp_path, files, folder):
    write(tmp_path / "a.parquet", x=[1.0, 2.0, 3.0], y=[0, 1, 0])
    with pytest.raises(ValueError, match=r"target, a column of .* must be one of .*; got 'z'"):
        fastmlp.data.parquet(tmp_path, "z")
    with pytest.raises(ValueError, match=r"columns, those of .* must be one of .*; got 'w'"):
        fastmlp.data.parquet(tmp_path, "y", ["x", "w"])
    with pytest.raises(ValueError, match=r"columns must be features, neither the target nor"):
        fastmlp.data.parquet(tmp_path, "y", ["x", "y"])
    with pytest.raises(ValueError, match=r"column 'species' of .* must be numeric; got string"):
        fastmlp.data.parquet(folder, "x0")
    write(tmp_path / "b.parquet", x=[1, 2], y=[0, 1])
    with pytest.raises(ValueError, match=r"b.parquet must be of the columns of .*; got int"):
        fastmlp.data.parquet(tmp_path, "y")
    (tmp_path / "b.parquet").write_text("no Parquet")
    with pytest.raises(ValueError, match=r"b.parquet must be a whole Parquet file; got"):
        fastmlp.data.parquet(tmp_path, "y")
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none.parquet"):
        fastmlp.data.parquet([tmp_path / "none.parquet"], "y")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"empty must be a folder with files that end in .parquet"):
        fastmlp.data.parquet(tmp_path / "empty", "y")
    with pytest.raises(ValueError, match="files must be a folder, a file or several; got none"):
        fastmlp.data.parquet([], "y")


def test_missing_values_are_told_with_block_row_and_column(tmp_path):
    write(tmp_path / "a.parquet", x=[1.0, 2.0, 3.0, None], y=[0, 1, 0, 1])
    rule = r"X in block 1 \(a.parquet, row group 1\) must be without missing values"
    with pytest.raises(ValueError, match=rule + r"; got one missing at row 1, column 'x'"):
        fastmlp.train(fastmlp.data.parquet(tmp_path, "y"), **SMALL)
    write(tmp_path / "a.parquet", x=[1.0, 2.0, np.nan, 3.0], y=[0, 1, 0, None])
    with pytest.raises(ValueError, match=r"y in block 1 .* got one missing at row 1, column 'y'"):
        fastmlp.train(fastmlp.data.parquet(tmp_path, "y"), **SMALL)
    write(tmp_path / "a.parquet", x=[1.0, 2.0, np.nan, 3.0], y=[0, 1, 0, 1])
    with pytest.raises(ValueError, match=r"X in block 1 .* finite; got nan at row 0, column 'x'"):
        fastmlp.train(fastmlp.data.parquet(tmp_path, "y", buffer=150), **SMALL)


def test_a_model_reads_the_columns_of_its_training(folder, files):
    model = fastmlp.train(fastmlp.data.parquet(folder, "species"), **SMALL).model
    with pytest.raises(ValueError, match="The feature names should match"):
        model.predict(fastmlp.data.parquet(folder, "species", NAMES[::-1]))
    with pytest.raises(ValueError, match="The feature names should match"):
        fastmlp.train(
            fastmlp.data.parquet(folder, "species", buffer=1700), **SMALL,
            X_val=fastmlp.data.parquet(folder, "species", NAMES[1:]),
        )  # fmt: skip

"""The user's own files, whole and broken."""

import numpy as np
import pandas as pd
import pytest

from fastmlp.datasets import load_file
from fastmlp.datasets.files import load_features

X = np.arange(60.0).reshape(20, 3)
Y = np.arange(20) % 2


def table(**columns):
    return pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "label": Y, **columns})


def parts_together(data):
    """Put training and test samples together again, sorted."""
    X_all = np.concatenate([data.X_train, data.X_test])
    order = np.argsort(X_all[:, 0])
    return X_all[order], np.concatenate([data.y_train, data.y_test])[order]


WRITERS = {
    ".csv": lambda path: table().to_csv(path, index=False),
    ".parquet": lambda path: table().to_parquet(path),
    ".npz": lambda path: np.savez(path, X=X, y=Y),
}


@pytest.mark.parametrize("ending", WRITERS)
def test_every_sample_is_in_one_part(ending, tmp_path):
    path = tmp_path / f"table{ending}"
    WRITERS[ending](path)
    data = load_file(path)
    assert data.name == "table"
    assert len(data.X_test) == 4
    assert sorted(data.y_test) == [0, 0, 1, 1]
    X_all, y_all = parts_together(data)
    np.testing.assert_array_equal(X_all, X)
    np.testing.assert_array_equal(y_all, Y)
    assert data.input_scale is None
    again = load_file(path)
    np.testing.assert_array_equal(again.X_test, data.X_test)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_the_target_is_found_by_its_name(ending, tmp_path):
    path = tmp_path / f"table{ending}"
    frame = table()[["a", "label", "b", "c"]]
    frame["label"] = np.where(Y, "yes", "no")
    frame.to_csv(path, index=False) if ending == ".csv" else frame.to_parquet(path)
    X_all, y_all = parts_together(load_file(path, "label"))
    np.testing.assert_array_equal(X_all, X)
    assert y_all.tolist() == np.where(Y, "yes", "no").tolist()


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_features_keep_their_names(ending, tmp_path):
    path = tmp_path / f"table{ending}"
    frame = table(id=np.arange(20))[["a", "label", "id", "c", "b"]]
    frame.to_csv(path, index=False) if ending == ".csv" else frame.to_parquet(path)
    data = load_file(path, "label")
    assert data.feature_names == ("a", "c", "b")
    X_again, notes = load_features(path, 3, data.feature_names)
    np.testing.assert_array_equal(X_again, X[:, [0, 2, 1]])
    assert notes == ("not used: 'label', 'id'",)


def test_features_of_one_name_or_of_an_array_have_none(tmp_path):
    (tmp_path / "x.csv").write_text("a,a,label\n1,2,x\n3,4,y\n")
    np.savez(tmp_path / "x.npz", X=X, y=Y)
    assert load_file(tmp_path / "x.csv").feature_names is None
    assert load_file(tmp_path / "x.npz").feature_names is None


def test_bytes_are_scaled(tmp_path):
    np.savez(tmp_path / "x.npz", X=(4 * X).astype(np.uint8), y=Y)
    assert load_file(tmp_path / "x.npz").input_scale == "unit"


def test_given_parts_are_kept(tmp_path):
    np.savez(tmp_path / "x.npz", X_train=X, y_train=Y, X_test=X[:2], y_test=Y[:2])
    data = load_file(tmp_path / "x.npz")
    np.testing.assert_array_equal(data.X_train, X)
    np.testing.assert_array_equal(data.X_test, X[:2])


def test_a_class_of_one_sample_does_not_stop_the_split(tmp_path):
    np.savez(tmp_path / "x.npz", X=X, y=[5, *Y[1:]])
    assert len(load_file(tmp_path / "x.npz").X_test) == 4


CSV = "a,b,label\n1,2,x\n3,4,y\n"
BROKEN_CSV = {
    "empty": ("", "must be of at least 2 columns"),
    "only a header": ("a,b,label\n", "must be of at least one line of values; got none"),
    "no header": ("1,2,0\n3,4,1\n", "the first line of .* must be the names .* got numbers: 1, 2"),
    "one column": ("a b label\n1 2 x\n", "at least 2 columns, separated by commas"),
    "ragged": (CSV + "5,6\n", "line 4 of .* must be of 3 values, as its first line; got 2 values"),
    "text": (CSV + "5,six,x\n", "column 'b' in line 4 of .* must be a number; got 'six'"),
    "missing": (CSV + "5,,x\n", "column 'b' in line 4 of .* must be a number; got ''"),
    "missing label": (CSV + "5,6,\n", "column 'label' of .* must be a label in every line"),
    "one sample": ("a,b,label\n1,2,x\n", "X and y must be of equal length, at least 2"),
}


@pytest.mark.parametrize("name", BROKEN_CSV)
def test_a_broken_csv_file_is_refused(name, tmp_path):
    content, message = BROKEN_CSV[name]
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(ValueError, match=message):
        load_file(tmp_path / "x.csv")


def test_csv_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"a,b\n\xff\xfe\x00,1\n")
    with pytest.raises(ValueError, match="must be comma-separated text in UTF-8"):
        load_file(tmp_path / "x.csv")


def test_blank_lines_and_a_byte_order_mark_are_no_matter(tmp_path):
    (tmp_path / "x.csv").write_text("\ufeffa,b,label\n1,2,x\n\n3,4,y\n\n", encoding="utf-8")
    data = load_file(tmp_path / "x.csv", "label")
    assert len(data.X_train) + len(data.X_test) == 2


def test_an_unknown_target_is_refused_with_the_nearest(tmp_path):
    (tmp_path / "x.csv").write_text(CSV)
    with pytest.raises(ValueError, match=r"target, a column of .*Did you mean 'label'"):
        load_file(tmp_path / "x.csv", "lable")
    np.savez(tmp_path / "x.npz", X=X, labels=Y)
    with pytest.raises(ValueError, match="must be one of 'X', 'labels'; got 'y'"):
        load_file(tmp_path / "x.npz")
    assert len(load_file(tmp_path / "x.npz", "labels").X_test) == 4


@pytest.mark.parametrize("ending", [".npz", ".parquet"])
def test_a_broken_file_is_refused(ending, tmp_path):
    path = tmp_path / f"x{ending}"
    path.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="must be a whole"):
        load_file(path)


def test_pickled_objects_are_refused(tmp_path):
    np.savez(tmp_path / "x.npz", X=X, y=np.array([None] * 20, object))
    with pytest.raises(ValueError, match="Object arrays are refused"):
        load_file(tmp_path / "x.npz")


def test_parquet_with_text_or_missing_values_is_refused(tmp_path):
    table(b=["text"] * 20).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=r"column 'b' of .* must be numeric; got"):
        load_file(tmp_path / "x.parquet", "label")
    table(b=[None] + [1.5] * 19).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=r"column 'b' of .* must be without missing values"):
        load_file(tmp_path / "x.parquet", "label")


def test_lengths_must_agree(tmp_path):
    np.savez(tmp_path / "x.npz", X=X, y=Y[:5])
    with pytest.raises(ValueError, match="got 20 rows and 5 labels"):
        load_file(tmp_path / "x.npz")


def test_paths_that_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*x.csv"):
        load_file(tmp_path / "x.csv")
    with pytest.raises(ValueError, match=r"must be a file that ends in .npz, .csv, .parquet"):
        load_file(tmp_path / "x.xlsx")
    with pytest.raises(ValueError, match="test_fraction must be a number above 0 and below 1"):
        load_file(tmp_path / "x.csv", test_fraction=1.0)

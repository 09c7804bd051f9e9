"""`fastmlp predict`."""

import csv
import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

import fastmlp
from fastmlp._arrays import Array
from fastmlp._errors import invalid
from fastmlp._files import write_file
from fastmlp.cli.arguments import file_option
from fastmlp.cli.failures import FAILED, check_output, one_line, write_each
from fastmlp.cli.streams import say, tell
from fastmlp.data.tables import is_folder, parquet
from fastmlp.datasets.files import load_features


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--target", help="The column of DATA that is no feature, where it is there")
@file_option("--output", "Write into this .csv, with a line of names")
@click.option("--proba", is_flag=True, help="Predict the probability of each class")
@one_line
def predict(model: Path, data: Path, target: str | None, output: Path | None, proba: bool) -> None:
    """Print what a saved MODEL predicts, a line for each row of DATA.

    MODEL is what train --save, or save in Python, has written. DATA is a .npz, .csv, .tsv or
    .parquet file, or a folder of .parquet files, with the columns of training, in any order where
    the model knows their names.
    """
    check_output("--output", output, (".csv",))
    loaded = fastmlp.load(model)
    if proba and not hasattr(loaded, "predict_proba"):
        raise invalid("--proba", f"left out where {model} predicts numbers", "--proba")
    names = getattr(loaded, "feature_names_in_", None)
    columns = None if names is None else names.tolist()
    X: Any
    if is_folder(data):
        X = parquet(data, None if columns else target, columns)
    else:
        X, notes = load_features(data, loaded.n_features_in_, columns, target)
        for note in notes:
            tell(f"{data.name}: {note}")
    with warnings.catch_warnings():
        # The columns have been put into the order of their names.
        warnings.filterwarnings("ignore", ".*does not have valid feature names")
        predictions = loaded.predict_proba(X) if proba else loaded.predict(X)
    if output is None:
        say(as_text(predictions).removesuffix("\n"))
        return
    header = loaded.classes_ if proba else _names(predictions)
    payload = as_text(predictions, header).encode("utf-8", "surrogateescape")
    if not write_each({f"--output {output}": lambda: write_file(output, payload)}):
        raise SystemExit(FAILED)


def as_text(predictions: Array, header: Sequence[Any] | None = None) -> str:
    """Write predictions as comma-separated text, a line a sample.

    Parameters
    ----------
    predictions : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    header : sequence, optional
        What the columns are called.

    Returns
    -------
    str
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    if header is not None:
        writer.writerow(map(str, header))
    rows = np.asarray(predictions).reshape(len(predictions), -1)
    writer.writerows(map(str, row) for row in rows)
    return text.getvalue()


def _names(predictions: Array) -> list[str]:
    """Name the columns of predictions."""
    if predictions.ndim == 1:
        return ["prediction"]
    return [f"prediction_{output}" for output in range(predictions.shape[1])]

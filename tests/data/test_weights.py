"""Rows of a source that weigh more than others."""

import numpy as np
import pytest

import fastmlp
from fastmlp.distributed import in_threads
from tests.data.test_estimators import SETTINGS
from tests.data.test_streaming import SMALL
from tests.test_resuming import assert_same, break_off

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
WEIGHTS = np.random.default_rng(3).integers(0, 4, 97) / 2
IN_ORDER = {**SMALL, "shuffle": False}
BUFFERS = [2500, "1GB"]


def weighted(files, tmp_path, kind="npy", buffer=2500, weights=WEIGHTS):
    """Make a source of blocks of 10 rows, with weights."""
    given = {"block_rows": 10, "buffer": buffer}
    if kind == "npy":
        return fastmlp.data.npy(*files.paths, weight=weights, **given)
    if kind == "npy, a file":
        np.save(tmp_path / "weights.npy", weights)
        return fastmlp.data.npy(*files.paths, weight=tmp_path / "weights.npy", **given)
    if kind == "memmap":
        return fastmlp.data.memmap(files.X, files.y, weight=weights, **given)
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {f"x{number}": files.X[:, number] for number in range(6)}
    table = pyarrow.table(columns | {"w": weights, "y": files.y})
    if kind == "arrow":
        batches = pyarrow.Table.from_batches(table.to_batches(10))
        return fastmlp.data.arrow(batches, "y", weight="w", buffer=buffer)
    parquet.write_table(table, tmp_path / "all.parquet", row_group_size=10)
    return fastmlp.data.parquet(tmp_path / "all.parquet", "y", weight="w", buffer=buffer)


@pytest.mark.parametrize("buffer", BUFFERS)
@pytest.mark.parametrize("kind", ["npy", "npy, a file", "memmap", "arrow", "parquet"])
def test_rows_are_weighed(kind, buffer, files, tmp_path):
    source = weighted(files, tmp_path, kind, buffer)
    assert source.shape == (97, 6)
    for weights in (None, "balanced"):
        ours = fastmlp.train(source, **IN_ORDER, class_weight=weights)
        whole = fastmlp.train(
            files.X, files.y, sample_weight=WEIGHTS, class_weight=weights, **IN_ORDER
        )
        np.testing.assert_allclose(ours.history.loss, whole.history.loss, rtol=1e-6)
    assert ours.history.loss != fastmlp.train(files.X, files.y, **IN_ORDER).history.loss


@pytest.mark.parametrize("buffer", BUFFERS)
def test_estimators_weigh_rows(buffer, files, tmp_path):
    settings = {**SETTINGS, "shuffle": False}
    ours = fastmlp.MLPClassifier(**settings).fit(weighted(files, tmp_path, buffer=buffer))
    whole = fastmlp.MLPClassifier(**settings).fit(files.X, files.y, sample_weight=WEIGHTS)
    np.testing.assert_allclose(ours.loss_curve_, whole.loss_curve_, rtol=1e-5)
    plain = fastmlp.MLPClassifier(**settings).fit(files.source(buffer=buffer))
    assert ours.loss_curve_ != plain.loss_curve_


@pytest.mark.parametrize("buffer", BUFFERS)
def test_ranks_weigh_rows(buffer, files, tmp_path):
    def work(communicator):
        source = weighted(files, tmp_path, buffer=buffer)
        part = fastmlp.data.part(fastmlp.data.standardized(source), communicator.rank, 2)
        arguments = {**SMALL, "batch_size": 97, "epochs": 3, "dtype": "float64"}
        return fastmlp.train(part, comm=communicator, **arguments)

    first, second = in_threads(2, work, 60.0)
    scaled = fastmlp.data.standardized(fastmlp.data.memmap(files.X, files.y))
    arguments = {**SMALL, "batch_size": 97, "epochs": 3, "dtype": "float64"}
    X = scaled.transform(files.X)
    whole = fastmlp.train(X, files.y, sample_weight=WEIGHTS, **arguments)
    for result in (first, second):
        np.testing.assert_allclose(result.history.loss, whole.history.loss, rtol=1e-10)


def test_a_weighted_training_is_resumed(files, tmp_path, monkeypatch, small_pieces):
    source, path = weighted(files, tmp_path), tmp_path / "run"
    break_off(path, monkeypatch, 3, SMALL, (source,))
    assert_same(fastmlp.resume(path, source), fastmlp.train(source, **SMALL))
    with pytest.raises(ValueError, match=r"X and y must be the data of .*other values"):
        fastmlp.resume(path, weighted(files, tmp_path, weights=WEIGHTS + 1))


@pytest.mark.parametrize("buffer", BUFFERS)
def test_bad_weights_are_told(buffer, files, tmp_path):
    for bad, message in [
        (WEIGHTS - 1, r"weight.* must be finite and at least 0; got -1"),
        (0 * WEIGHTS, r"weight.* must be above 0 for some of the samples; got 0 for all"),
        (WEIGHTS + np.nan, r"weight.* must be finite and at least 0; got nan"),
    ]:
        with pytest.raises(ValueError, match=message):
            fastmlp.train(weighted(files, tmp_path, buffer=buffer, weights=bad), **SMALL)
    source = weighted(files, tmp_path, buffer=buffer)
    rule = r"sample_weight must be left out where X is a source; got weights\. A source has its"
    with pytest.raises(ValueError, match=rule):
        fastmlp.train(source, sample_weight=WEIGHTS, **SMALL)
    with pytest.raises(ValueError, match=rule):
        fastmlp.MLPClassifier(**SETTINGS).fit(source, sample_weight=WEIGHTS)


def test_weights_of_another_length_are_told(files, tmp_path):
    with pytest.raises(ValueError, match=r"weight in a memory map must be 97 numbers, one a row"):
        weighted(files, tmp_path, "memmap", weights=WEIGHTS[:96])
    with pytest.raises(ValueError, match="source must be one without weights"):
        fastmlp.data.shuffle(weighted(files, tmp_path), tmp_path / "shuffled")


def test_columns_that_weigh_are_no_features(files, tmp_path):
    weighted(files, tmp_path, "parquet")
    path = tmp_path / "all.parquet"
    with pytest.raises(ValueError, match="columns must be features, neither the target nor the w"):
        fastmlp.data.parquet(path, "y", ["x0", "w"], weight="w")
    with pytest.raises(ValueError, match="weight, a column of"):
        fastmlp.data.parquet(path, "y", weight="v")

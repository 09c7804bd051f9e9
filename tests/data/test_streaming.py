"""What is trained on, in which order, and that it can be gone on with."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

import fastmlp
from fastmlp.data.reading import Reader
from fastmlp.engine.state import State
from fastmlp.engine.streaming import Streamed
from fastmlp.inputs import Scale
from fastmlp.ranks import ALONE
from fastmlp.rng import BlockOrders
from fastmlp.training import DEFAULT_DATASET
from fastmlp.training_data import DataArguments
from fastmlp.training_source import load_source
from tests.test_resuming import assert_same, break_off

SMALL = {
    "hidden_layer_sizes": (5,), "batch_size": 8, "epochs": 2, "random_state": 0,
    "backend": "numpy",
}  # fmt: skip


def batches_of(source, epoch, per_group=2, shuffle=True, batch_size=8, done=0):
    """List the rows of each batch of an epoch, and how many batches are in each piece."""
    lengths = np.array(source.lengths)
    orders = BlockOrders(7, lengths, np.arange(len(lengths)), per_group, shuffle)
    reader = Reader(source, np.dtype(np.float32), lambda y, name: y.astype(np.intp))
    supply = Streamed(reader, orders, Scale(1.0, 0.0), None, batch_size)
    state = State(None, orders, 0.1, epoch=epoch)
    state.unfinished = supply.begin(state)
    state.unfinished.n_done = done
    rows, pieces = [], []
    for piece in supply.pieces(state):
        X = piece.problem.features.values[piece.order]
        pieces.append((piece.first, piece.last))
        rows += [X[start : start + batch_size] for start in range(0, len(X), batch_size)]
    return rows, pieces


def as_set(rows):
    """Sort rows, so that two multisets of them can be compared."""
    return sorted(map(tuple, np.concatenate(rows).tolist()))


@pytest.mark.parametrize("per_group", [1, 2, 10])
def test_every_row_comes_once_an_epoch_in_full_batches(per_group, files, small_pieces):
    seen = []
    for epoch in range(2):
        batches, pieces = batches_of(files.source(), epoch, per_group)
        assert as_set(batches) == as_set([files.X])
        assert [len(batch) for batch in batches] == [8] * 12 + [1]  # across groups of 10 and 20
        assert pieces == [(first, min(13, first + 2)) for first in range(0, 13, 2)]
        seen.append(np.concatenate(batches))
    assert not np.array_equal(*seen)


def test_blocks_come_in_any_order_and_their_rows_are_mixed_in_groups(files):
    source = files.source(block_rows=8)
    order = np.concatenate(batches_of(source, 3, per_group=3)[0])
    place = {tuple(row): number for number, row in enumerate(files.X.tolist())}
    rows = np.array([place[tuple(row)] for row in order.tolist()])
    expected = BlockOrders(7, np.array(source.lengths), np.arange(13), 3, True).groups(3)
    assert not np.array_equal(np.concatenate(expected), np.arange(13))
    first = 0
    for blocks in expected:
        group = rows[first : first + sum(source.lengths[block] for block in blocks)]
        assert set(group // 8) == set(blocks)
        assert len(group) < 8 or np.any(np.diff(group) < 0)
        first += len(group)


def test_each_group_and_each_epoch_is_mixed_in_its_own_way(files):
    place = {tuple(row): number for number, row in enumerate(files.X.tolist())}
    seen = set()
    for epoch in range(2):
        source = files.source(block_rows=10)
        rows = np.concatenate(batches_of(source, epoch, per_group=1)[0])
        within = [place[tuple(row)] % 10 for row in rows.tolist()]
        # The block of 7 rows comes somewhere among nine of 10.
        blocks = BlockOrders(7, np.array(source.lengths), np.arange(10), 1, True).groups(epoch)
        starts = np.cumsum([0] + [source.lengths[block[0]] for block in blocks])
        orders = [tuple(within[a:b]) for a, b in itertools.pairwise(starts)]
        seen.update(orders)
    assert len(seen) == 20


def test_without_shuffling_rows_come_as_they_lie(files):
    batches, _ = batches_of(files.source(), 0, shuffle=False)
    np.testing.assert_array_equal(np.concatenate(batches), files.X)


@pytest.mark.parametrize("done", range(13))
def test_an_epoch_is_gone_on_with_from_any_batch(done, files, small_pieces):
    whole, _ = batches_of(files.source(), 1)
    rest, pieces = batches_of(files.source(), 1, done=done)
    first = pieces[0][0]
    assert first <= done < pieces[0][1]
    np.testing.assert_array_equal(np.concatenate(rest), np.concatenate(whole[first:]))


def test_a_source_that_fits_is_an_array(files):
    whole = fastmlp.train(files.X, files.y, **SMALL, early_stopping=True)
    assert_same(fastmlp.train(files.source(buffer="1GB"), **SMALL, early_stopping=True), whole)


SETTINGS = {
    "sgd": {},
    "adam, dropout, cosine": {"solver": "adam", "dropout": 0.3, "learning_rate": "cosine"},
    "early stopping, weights": {"early_stopping": True, "class_weight": "balanced"},
    "accumulated": {"accumulate": 2, "momentum": 0.9},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_training_is_resumed_at_every_step(name, files, small_pieces, tmp_path, monkeypatch):
    arguments = {**SMALL, **SETTINGS[name]}
    monkeypatch.setattr("fastmlp.engine.descent.FEWEST_STEPS", 1)
    whole = fastmlp.train(files.source(), **arguments)
    n_pauses = 0
    while True:
        n_pauses += 1
        path = tmp_path / f"{n_pauses}"
        try:
            break_off(path, monkeypatch, n_pauses, arguments, (files.source(),))
        except pytest.fail.Exception:  # it was over before
            break
        assert_same(fastmlp.resume(path, files.source()), whole)
    assert n_pauses > 10


def test_compiled_kernels_go_from_piece_to_piece(files, small_pieces, tmp_path, monkeypatch):
    arguments = {**SMALL, "backend": "numba", "momentum": 0.9, "nesterov": True}
    whole = fastmlp.train(files.source(), **arguments)
    expected = fastmlp.train(files.source(), **{**arguments, "backend": "numpy"})
    np.testing.assert_allclose(whole.history.loss, expected.history.loss, rtol=1e-5)
    break_off(tmp_path / "run", monkeypatch, 5, arguments, (files.source(),))
    assert_same(fastmlp.resume(tmp_path / "run", files.source()), whole)


def test_the_bits_do_not_depend_on_the_size_of_pieces(files, monkeypatch):
    whole = fastmlp.train(files.source(), **SMALL)
    for rows in (8, 24):
        monkeypatch.setattr("fastmlp.engine.streaming.PIECE_BYTES", rows * 24)
        assert_same(fastmlp.train(files.source(), **SMALL), whole)


@pytest.mark.parametrize("arguments", [{}, {"early_stopping": True}])
def test_another_source_is_told_when_resuming(arguments, files, tmp_path, monkeypatch):
    break_off(tmp_path / "run", monkeypatch, 2, {**SMALL, **arguments}, (files.source(),))
    others = tmp_path / "X.npy"
    np.save(others, files.X + 1)
    with pytest.raises(ValueError, match=r"X and y must be the data of .*run; got .*other values"):
        fastmlp.resume(
            tmp_path / "run", fastmlp.data.npy(others, files.paths[1], block_rows=10, buffer=1700)
        )
    with pytest.raises(ValueError, match=r"X must be the data of .*run; got .*other blocks"):
        fastmlp.resume(tmp_path / "run", files.source(block_rows=9))
    with pytest.raises(ValueError, match=r"X must be the source of .*run; got a nd"):
        fastmlp.resume(tmp_path / "run", files.X, files.y)


@pytest.mark.parametrize("buffer", [1700, "1GB"])
def test_validation_in_blocks_is_validation(buffer, files):
    ours = fastmlp.train(files.source(), **SMALL, X_val=files.source(buffer=buffer))
    arrays = fastmlp.train(files.source(), **SMALL, X_val=files.X, y_val=files.y)
    np.testing.assert_allclose(ours.history.val_loss, arrays.history.val_loss, rtol=1e-6)
    assert ours.history.val_score == pytest.approx(arrays.history.val_score)
    small = fastmlp.train(files.X, files.y, **SMALL, X_val=files.source(buffer=buffer))
    assert small.history.val_score[-1] == pytest.approx(small.model.score(files.X, files.y))


def test_a_source_is_not_scored_on_what_is_trained_on(files):
    with pytest.raises(ValueError, match="scoring must be left out where X is larger than its buf"):
        fastmlp.train(files.source(), **SMALL, scoring="accuracy")
    ours = fastmlp.train(files.source(buffer="1GB"), **SMALL, scoring="accuracy")
    assert ours.history.score[-1] == ours.model.score(files.X, files.y)


def test_blocks_are_held_out_whole(files):
    settings = SimpleNamespace(dtype=np.dtype(np.float32), loss="cross_entropy")
    given = DataArguments(files.source(), None, DEFAULT_DATASET, *[None] * 5)
    data = load_source(given, settings, ALONE)
    part, blocks = data.hold_out(0.25, np.random.default_rng(0))
    held = part.validation.blocks
    assert sorted([*blocks, *held]) == list(range(10))
    rows = sum(len(targets) for _, targets in part.validation.parts())
    assert rows == sum(part.source.lengths[block] for block in held)
    assert 0.25 * 97 <= rows <= 0.25 * 97 + 10
    with pytest.raises(ValueError, match=r"validation_fraction must be a share that leaves one"):
        data.hold_out(0.95, np.random.default_rng(0))


def test_classes_are_weighed_by_all_blocks(files):
    weights = {0: 2.0, 1: 0.5, 2: 1.0}
    ours = fastmlp.train(files.source(), **SMALL, shuffle=False, class_weight=weights)
    whole = fastmlp.train(files.X, files.y, **SMALL, shuffle=False, class_weight=weights)
    assert_same(ours, whole)


def test_several_labels_a_sample_are_learned(files, tmp_path):
    labels = (files.X[:, :3] > 0).astype(np.int64)
    source = fastmlp.data.npy(files.paths[0], data_y(tmp_path, labels), block_rows=10, buffer=2200)
    arguments = {**SMALL, "shuffle": False, "class_weight": "balanced"}
    result = fastmlp.train(source, **arguments)
    assert_same(result, fastmlp.train(files.X, labels, **arguments))
    assert result.model.score(source) == pytest.approx(result.model.score(files.X, labels))
    np.testing.assert_array_equal(result.model.predict(source), result.model.predict(files.X))


def test_numbers_are_predicted(files, tmp_path):
    targets = np.stack([files.X[:, 0] * 2, files.X[:, 1] + 1], axis=1)
    np.save(tmp_path / "y.npy", targets)
    source = fastmlp.data.npy(files.paths[0], tmp_path / "y.npy", block_rows=10, buffer=2000)
    arguments = {**SMALL, "loss": "squared_error", "learning_rate_init": 0.01, "epochs": 10}
    result = fastmlp.train(source, **arguments, shuffle=False)
    assert_same(result, fastmlp.train(files.X, targets, **arguments, shuffle=False))
    assert result.model.score(source) == pytest.approx(result.model.score(files.X, targets))
    np.testing.assert_allclose(result.model.predict(source), result.model.predict(files.X))


def test_predictions_come_in_the_order_of_the_source(files):
    model = fastmlp.train(files.source(), **SMALL).model
    np.testing.assert_array_equal(model.predict(files.source()), model.predict(files.X))
    np.testing.assert_allclose(
        model.predict_proba(files.source()), model.predict_proba(files.X), rtol=1e-5
    )
    assert model.score(files.source()) == model.score(files.X, files.y)
    without = fastmlp.data.npy(files.paths[0], buffer=1700)
    np.testing.assert_array_equal(model.predict(without), model.predict(files.X))


@pytest.mark.parametrize("share", [0.01, 0.1, 1.0])
def test_sorted_labels_are_told_unless_all_fits(share, tmp_path):
    generator = np.random.default_rng(1)
    y = np.sort(np.arange(2000) % 4)
    X = (generator.normal(size=(2000, 5)) + y[:, None]).astype(np.float32)
    np.save(tmp_path / "X.npy", X)
    source = fastmlp.data.npy(
        tmp_path / "X.npy", data_y(tmp_path, y), block_rows=10, buffer=int(2 * 2000 * 36 * share)
    )
    arguments = {**SMALL, "epochs": 5, "batch_size": 20}
    if share == 1.0:
        result = fastmlp.train(source, **arguments)
        assert_same(result, fastmlp.train(X, y, **arguments))
        return
    with pytest.warns(UserWarning, match=r"labels differ strongly .*fastmlp\.data\.shuffle"):
        result = fastmlp.train(source, **arguments)
    if share == 0.1:  # 10 of 200 blocks at a time hold all classes
        assert result.model.score(source) > 0.6


def data_y(folder, y):
    """Save a target."""
    np.save(folder / "y.npy", y)
    return folder / "y.npy"


def test_an_interruption_keeps_what_was_learned(files):
    def interrupt(report):
        raise KeyboardInterrupt

    with pytest.raises(fastmlp.TrainingInterrupted) as caught:
        fastmlp.train(files.source(), **SMALL, callbacks=[interrupt])
    assert len(caught.value.result.history.loss) == 1


def test_the_next_blocks_are_read_while_some_are_trained_on():
    import threading

    readers = [lambda: (np.ones((10, 2), np.float32), np.arange(10) % 2)] * 8
    names = []

    def watched():
        names.append(threading.current_thread().name)
        return readers[0]()

    source = fastmlp.data.blocks([watched] * 8, [10] * 8, buffer=700)
    names.clear()
    fastmlp.train(source, **{**SMALL, "epochs": 1})
    assert sum(name.startswith("fastmlp-reading") for name in names) > 8

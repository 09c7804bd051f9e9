"""Ranks train on parts of a source that are larger than their buffers."""

import numpy as np
import pytest

import fastmlp
from fastmlp.distributed import in_threads
from fastmlp.engine import checkpoint
from fastmlp.engine.interleaving import batch_order, rows_before
from fastmlp.saving import file
from tests.distributed.ranks import SETTINGS, X, Y, results
from tests.distributed.streamed import BLOCKS, BORDERS, ROW_BYTES, epoch_of, in_ranks, source
from tests.test_resuming import assert_same
from tests.tolerances import assert_close

pytestmark = pytest.mark.usefixtures("small_pieces")


def train(case, ranks=None, **arguments):
    """Train on the ranks of a case."""
    given = SETTINGS | arguments
    return in_ranks(case, lambda X, comm: fastmlp.train(X, comm=comm, **given), **(ranks or {}))


@pytest.mark.parametrize("case", BLOCKS)
def test_ranks_learn_what_one_process_does_from_the_same_batches(case, seen):
    outcomes = results(train(case))
    given = {**SETTINGS, "epochs": 1, "shuffle": False, "learning_rate_init": 0.125}
    parameters, orders = {}, []
    for epoch in range(SETTINGS["epochs"]):
        rows, targets = epoch_of(seen, epoch)
        np.testing.assert_array_equal(rows[np.lexsort(rows.T)], X[np.lexsort(X.T)])
        np.testing.assert_array_equal(targets, Y[[np.argmax((row == X).all(1)) for row in rows]])
        alone = fastmlp.train(rows, targets, **given, **parameters)
        learned = alone.model.parameters
        parameters = {"coefs_init": learned.coefs, "intercepts_init": learned.intercepts}
        for outcome in outcomes:
            ours = outcome.history.loss[epoch : epoch + 1]
            assert_close(ours, alone.history.loss, "loss curve", "float64")
        orders.append(rows)
    assert not np.array_equal(orders[0], orders[1])
    for outcome in outcomes:
        np.testing.assert_array_equal(
            outcome.model.parameters.buffer, outcomes[0].model.parameters.buffer
        )


@pytest.mark.parametrize("counts", [[5], [1, 1], [3, 0, 40, 7], [0, 9], [1000, 1, 1, 1]])
def test_each_batch_has_its_share_of_every_rank(counts):
    n_rows = sum(counts)
    before = rows_before(np.arange(n_rows + 1), np.array(counts))
    assert (before.sum(axis=1) == np.arange(n_rows + 1)).all()
    assert (np.diff(before, axis=0) >= 0).all()
    assert before[-1].tolist() == counts
    even = np.arange(n_rows + 1)[:, np.newaxis] * np.array(counts) / n_rows
    assert np.abs(before - even).max() < 2
    order = batch_order(before[::2] if n_rows % 2 == 0 else before)
    np.testing.assert_array_equal(np.sort(order), np.arange(n_rows))


def test_the_rows_of_very_many_are_counted():
    counts = np.array([3 * 10**12, 10**12])
    before = rows_before(np.array([0, 4 * 10**12 - 4, 4 * 10**12]), counts)
    assert before.tolist() == [[0, 0], [3 * 10**12 - 3, 10**12 - 1], counts.tolist()]


def test_one_rank_is_one_process():
    alone = fastmlp.train(source(), **SETTINGS)
    (result,) = results(train(1))
    assert_same(result, alone)


WAYS = {
    "adam, dropout": ({"solver": "adam", "dropout": 0.3}, 3),
    "early stopping, weights": ({"early_stopping": True, "class_weight": "balanced"}, 2),
    "one without rows": ({"class_weight": "balanced"}, "one without rows"),
}


def break_off(path, monkeypatch, n_written, case, arguments):
    """Train until rank 0 has written so many times; tell whether it came to that."""
    written, write = [], checkpoint.write

    def write_and_break(*given):
        write(*given)
        written.append(given)
        if len(written) == n_written:
            raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "write", write_and_break)
        patch.setattr("fastmlp.engine.descent.FEWEST_STEPS", 1)
        outcomes = train(case, **arguments, checkpoint=path, checkpoint_seconds=1e-9)
    assert all("the disk is gone" in str(outcome) for outcome in outcomes)


@pytest.mark.parametrize("name", WAYS)
def test_a_training_is_gone_on_with_inside_an_epoch_to_the_bit(name, tmp_path, monkeypatch):
    (arguments, case), path = WAYS[name], tmp_path / "run"
    whole = results(train(case, **arguments))
    for n_written in (1, 4, 9):
        break_off(path, monkeypatch, n_written, case, arguments)
        resumed = results(in_ranks(case, lambda X, comm: fastmlp.resume(path, X, comm=comm)))
        assert_same(resumed[0], whole[0])
    size = 2 if case == 2 else 3
    for other in (1, 5 - size):
        for outcome in in_ranks(other, lambda X, comm: fastmlp.resume(path, X, comm=comm)):
            with pytest.raises(ValueError, match=rf"comm must be of {size} ranks.* got {other}\."):
                raise outcome
    with pytest.raises(ValueError, match=rf"comm must be of {size} ranks, as in .*; got 1\."):
        fastmlp.resume(path, source())


@pytest.mark.parametrize("borders", [[0, 20], [0, 9, 5, 13], [1, 13], [0.0, 13.0]])
def test_a_checkpoint_with_other_borders_does_no_harm(borders, tmp_path, monkeypatch):
    path = tmp_path / "run"
    break_off(path, monkeypatch, 1, 2, {})
    content = file.read(path)
    content.arrays["borders"] = np.array(borders)
    file.write(content, path)
    with pytest.raises(ValueError, match="run must be a whole checkpoint"):
        fastmlp.resume(path, source())


def test_a_checkpoint_of_blocks_divided_otherwise_is_told(tmp_path, monkeypatch):
    path = tmp_path / "run"
    break_off(path, monkeypatch, 1, 3, {})
    for outcome in in_ranks("one without rows", lambda X, comm: fastmlp.resume(path, X, comm=comm)):
        with pytest.raises(ValueError, match=r"X must be the data of .* divided otherwise among"):
            raise outcome


def test_held_out_blocks_of_all_ranks_are_scored():
    arguments = {"early_stopping": True, "validation_fraction": 0.3, "scoring": "f1_macro"}
    outcomes = results(train(3, **arguments))
    assert outcomes[0].history.val_score == outcomes[2].history.val_score
    assert max(outcomes[0].history.val_score) > 0.2


def test_validation_blocks_of_all_ranks_are_scored():
    def work(own, comm):
        held = source(first=2 * comm.comm.rank, last=2 * comm.comm.rank + 2)
        return fastmlp.train(own, comm=comm, **SETTINGS, X_val=held)

    first, *_ = results(in_ranks(3, work))
    held = X[: BORDERS[6]], Y[: BORDERS[6]]
    given = results(in_ranks(3, lambda own, comm: _with_arrays(own, comm, held)))[0]
    assert_close(first.history.val_loss, given.history.val_loss, "loss curve", "float64")
    assert first.history.val_score == given.history.val_score
    assert first.history.val_score[-1] == given.model.score(*held)


def _with_arrays(own, comm, held):
    """Train with a validation set of which rank 0 has all."""
    rows = slice(None) if comm.comm.rank == 0 else slice(0)
    return fastmlp.train(own, comm=comm, **SETTINGS, X_val=held[0][rows], y_val=held[1][rows])


def test_steps_apart_are_taken_on_sources():
    outcomes = results(train(2, {"sync_every": 2}, epochs=5))
    assert outcomes[0].history.loss == outcomes[1].history.loss
    assert outcomes[0].history.loss[-1] < outcomes[0].history.loss[0]


def test_numbers_are_predicted_by_ranks():
    targets = X @ np.arange(1.0, 7.0)

    def work(communicator):
        own = fastmlp.data.part(
            fastmlp.data.memmap(X, targets, block_rows=10, buffer=2 * 10 * ROW_BYTES),
            communicator.rank, 2,
        )  # fmt: skip
        given = {**SETTINGS, "loss": "squared_error", "learning_rate_init": 0.01, "epochs": 60}
        return fastmlp.train(own, comm=communicator, **given, early_stopping=True)

    first, second = results(in_threads(2, work, 60.0))
    assert first.history.loss == second.history.loss
    assert first.history.loss[-1] < 0.5 * first.history.loss[0]
    assert first.history.val_score == second.history.val_score


def refused(work, message, **ranks):
    """See that rank 0 at least is told what is wrong, and that no rank hangs."""
    outcomes = in_ranks(2, work, **ranks)
    assert any(message in str(outcome) for outcome in outcomes), outcomes
    assert all(isinstance(outcome, Exception) for outcome in outcomes)


def test_what_does_not_go_together_is_told_by_all():
    def some_arrays(own, comm):
        given = (own,) if comm.comm.rank else (X, Y)
        return fastmlp.train(*given, comm=comm, **SETTINGS)

    refused(some_arrays, "X must be a source on all ranks, or on none; got a ndarray.")

    def narrow(own, comm):
        other = fastmlp.data.memmap(X[:, :5], Y, block_rows=5, buffer=1000)
        return fastmlp.train(other if comm.comm.rank else own, comm=comm, **SETTINGS)

    refused(
        narrow, "X must be data with the same columns on all ranks; got 6 on rank 0, 5 on rank 1"
    )

    def plain(own, comm):
        return fastmlp.train(own, comm=comm, **SETTINGS)

    refused(plain, "reduction must be 'sum' where X is larger than its buffer", reduction="ordered")


def test_targets_that_are_not_alike_are_told():
    several = np.stack([Y == 0, Y == 1], axis=1).astype(int)

    def work(rows, targets, comm):
        return fastmlp.train(
            fastmlp.data.memmap(X[rows], targets[rows], block_rows=5, buffer=1000), comm=comm,
            **SETTINGS,
        )  # fmt: skip

    ones = np.ones(103, int)
    refused(lambda own, comm: work(slice(50), ones, comm), "got 1 class (1)")
    refused(
        lambda own, comm: work(slice(50), several if comm.comm.rank else Y, comm),
        "X must be data with the same number of targets on all ranks",
    )
    texts = Y.astype(str)
    refused(
        lambda own, comm: work(slice(50), texts if comm.comm.rank else Y, comm),
        "the target of X must be of one type in all blocks",
    )


def test_a_class_of_one_rank_is_known_to_all():
    def work(communicator):
        rows = np.flatnonzero(Y != 2 if communicator.rank else Y == 2)
        own = fastmlp.data.memmap(X[rows], Y[rows], block_rows=5, buffer=10 * ROW_BYTES)
        return fastmlp.train(own, comm=communicator, **SETTINGS, class_weight="balanced")

    first, second = results(in_threads(2, work, 60.0))
    assert first.model.classes_.tolist() == second.model.classes_.tolist() == [0, 1, 2]


def test_a_part_that_fits_is_read_in_blocks_where_another_does_not():
    def work(communicator):
        first, last = BLOCKS[2][communicator.rank : communicator.rank + 2]
        buffer = "1GB" if communicator.rank else 2 * 10 * ROW_BYTES
        return fastmlp.train(source(buffer, first, last), comm=communicator, **SETTINGS)

    assert_same(results(in_threads(2, work, 60.0))[0], results(train(2))[0])


def test_compiled_kernels_go_from_piece_to_piece():
    (first, _), (second, _) = (
        results(train(2, backend=backend, dtype="float32", momentum=0.9))
        for backend in ("numba", "numpy")
    )
    np.testing.assert_allclose(first.history.loss, second.history.loss, rtol=1e-5)

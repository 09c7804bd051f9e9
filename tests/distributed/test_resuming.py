"""A training of several ranks that was broken off goes on with another number of them."""

import numpy as np
import pytest

import fastmlp
from fastmlp.distributed import Ranks, in_threads
from fastmlp.distributed.steps import Picked
from fastmlp.distributed.together import Together
from tests.breaking_off import break_writes
from tests.distributed.ranks import X, Y, parts, results, train
from tests.tolerances import assert_close

WAYS = {
    "adam, dropout": {"solver": "adam", "dropout": 0.3},
    "early stopping, weights": {"early_stopping": True, "class_weight": "balanced"},
}


def break_off(path, monkeypatch, size, n_written, reduction, arguments):
    """Train until rank 0 has written so many times within epochs."""
    with monkeypatch.context() as patch:
        break_writes(patch, n_written, OSError("the disk is gone"))
        divided = parts(size, X, Y, reduction=reduction)
        file = {"checkpoint": path, "checkpoint_seconds": 1e-9}
        outcomes = train(divided, ranks={"reduction": reduction}, **arguments, **file)
    assert all("the disk is gone" in str(outcome) for outcome in outcomes)


def resume(path, size, reduction="sum", data=(X, Y), **ranks):
    """Go on with so many ranks."""

    def work(communicator):
        own = parts(size, *data, reduction=reduction)[communicator.rank]
        comm = Ranks(communicator, reduction=reduction, **ranks)
        return fastmlp.resume(path, *own, comm=comm)

    return in_threads(size, work, 60.0)


@pytest.mark.parametrize("name", WAYS)
def test_another_number_of_ranks_goes_on_within_an_epoch(name, tmp_path, monkeypatch):
    arguments, path = WAYS[name], tmp_path / "run"
    (whole,) = results(train(parts(1, X, Y), **arguments))
    for before, after in [(2, 3), (3, 1), (1, 2)]:
        break_off(path, monkeypatch, before, 2, "sum", arguments)
        for result in results(resume(path, after)):
            assert_close(result.history.loss, whole.history.loss, "loss curve", "float64")
            ours, theirs = result.model.parameters.buffer, whole.model.parameters.buffer
            assert_close(ours, theirs, "loss curve", "float64")
    break_off(path, monkeypatch, 2, 2, "sum", arguments)
    alone = fastmlp.resume(path, X, Y)
    assert_close(alone.history.loss, whole.history.loss, "loss curve", "float64")


def test_ordered_sums_go_on_to_the_same_bits(tmp_path, monkeypatch):
    arguments, path = WAYS["early stopping, weights"], tmp_path / "run"
    divided = parts(1, X, Y, reduction="ordered")
    (whole,) = results(train(divided, ranks={"reduction": "ordered"}, **arguments))
    for n_written, after in [(1, 3), (4, 2)]:
        break_off(path, monkeypatch, 2, n_written, "ordered", arguments)
        for result in results(resume(path, after, "ordered")):
            assert result.history.loss == whole.history.loss
            ours, theirs = result.model.parameters.buffer, whole.model.parameters.buffer
            np.testing.assert_array_equal(ours, theirs)
    message = r"must be 'ordered', as in .*run; got 'sum'\. Pass comm=fastmlp.distributed.Ranks"
    with pytest.raises(ValueError, match=message):
        fastmlp.resume(path, X, Y)


@pytest.mark.parametrize("ranks", [{}, {"sync_every": 3}], ids=["together", "apart"])
def test_ctrl_c_on_one_rank_leaves_a_checkpoint_of_all_that_there_is(ranks, tmp_path, monkeypatch):
    arguments, path = {**WAYS["adam, dropout"], "epochs": 3}, tmp_path / "run"
    whole = results(train(parts(2, X, Y), ranks=ranks, **arguments))
    pick, picked = Picked.rows, []

    def press_and_pick(self, step):
        picked.append(step)
        if len(picked) == n_steps:
            for rank in opened:
                rank.interruptions.wished = rank.rank == 1
        return pick(self, step)

    opened, begin = [], Together.begin
    monkeypatch.setattr(
        Together, "begin", lambda self, *a: (opened.append(self), begin(self, *a))[1]
    )
    monkeypatch.setattr(Picked, "rows", press_and_pick)
    for n_steps in (1, 5, 30):
        opened.clear(), picked.clear()
        outcomes = train(parts(2, X, Y), ranks=ranks, checkpoint=path, **arguments)
        assert [type(outcome) for outcome in outcomes] == [fastmlp.TrainingInterrupted] * 2
        n_steps = 0
        for result, expected in zip(results(resume(path, 2, **ranks)), whole, strict=True):
            assert result.history.loss == expected.history.loss
            ours, theirs = result.model.parameters.buffer, expected.model.parameters.buffer
            np.testing.assert_array_equal(ours, theirs)


def test_other_rows_are_told_on_all_ranks(tmp_path, monkeypatch):
    break_off(tmp_path / "run", monkeypatch, 2, 1, "sum", {})
    for outcome in resume(tmp_path / "run", 2, data=(X[::-1].copy(), Y)):
        assert "must be the data of" in str(outcome)
    first, second = resume(tmp_path / "none", 2)
    assert isinstance(first, FileNotFoundError) and "rank 0 ended: FileNotFound" in str(second)

"""Several ranks train what one machine would that has all rows."""

import threading
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse

import fastmlp
import fastmlp.rng
from fastmlp.distributed import RankError, Ranks, in_threads, share
from tests.distributed.ranks import SETTINGS, X, Y, parts, results, train
from tests.tolerances import assert_close

VALUES = np.stack([X[:, 0], X[:, 1] ** 2], axis=1)
WEIGHTS = np.linspace(0, 2, len(X))

CASES = {
    "plain": {},
    "adam, penalties, clipped": {"solver": "adam", "alpha": 0.1, "l1": 0.01, "max_grad_norm": 1.0},
    "dropout": {"dropout": 0.3},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 1, "tol": 9.0, "epochs": 9},
    "balanced, accumulated": {"class_weight": "balanced", "accumulate": 2, "momentum": 0.9},
    "scored": {"scoring": "balanced_accuracy"},
    "in order": {"shuffle": False, "learning_rate": "cosine"},
}
BACKENDS = {"numpy": CASES, "numba": ["dropout"], "reference": ["dropout"]}
"""Of compiled kernels two are enough: a fused one, and one that adds gradients up."""


def assert_same(outcomes, whole):
    """Compare what all ranks have learned with one machine's."""
    for result in results(outcomes):
        assert_close(result.history.loss, whole.history.loss, "loss curve", "float64")
        assert result.history.val_score == whole.history.val_score
        assert result.history.score == whole.history.score
        ours, theirs = result.model.parameters.buffer, whole.model.parameters.buffer
        assert_close(ours, theirs, "loss curve", "float64")
        np.testing.assert_array_equal(ours, outcomes[0].model.parameters.buffer)


@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize(
    ("backend", "name"), [(backend, name) for backend, names in BACKENDS.items() for name in names]
)
def test_ranks_learn_what_one_machine_does(backend, name, size):
    arguments = {"backend": backend, **CASES[name]}
    whole = fastmlp.train(X, Y, **(SETTINGS | arguments))
    assert_same(train(parts(size, X, Y), **arguments), whole)


def test_ranks_learn_several_labels_a_sample():
    labels = (X[:, :3] > 0).astype(int)
    arguments = {"backend": "numpy", "early_stopping": True, "class_weight": "balanced"}
    whole = fastmlp.train(X, labels, **(SETTINGS | arguments))
    assert_same(train(parts(3, X, labels), **arguments), whole)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_ordered_sums_have_the_same_bits_for_any_number_of_ranks(backend):
    arguments = {"backend": backend, "dropout": 0.3, "early_stopping": True}
    whole = fastmlp.train(X, Y, **(SETTINGS | arguments))
    ended = []
    for size in (1, 2, 3):
        divided = parts(size, X, Y, reduction="ordered")
        outcomes = train(divided, ranks={"reduction": "ordered"}, **arguments)
        assert_same(outcomes, whole)
        ended += [
            (one.model.parameters.buffer.tobytes(), one.history.loss, one.history.val_loss)
            for one in outcomes
        ]
    assert all(one == ended[0] for one in ended)


def test_a_rank_may_have_no_rows_and_the_only_samples_of_a_class():
    order = np.argsort(Y, kind="stable")
    borders = [0, 10, 10, 35, 103]
    divided = [(X[order][a:b], Y[order][a:b]) for a, b in pairwise(borders)]
    whole = fastmlp.train(X[order], Y[order], **SETTINGS)
    outcomes = train(divided)
    assert_same(outcomes, whole)
    assert [result.model.classes_.tolist() for result in outcomes] == [[0, 1, 2]] * 4


def test_numbers_weights_and_a_validation_set_are_divided_too():
    arguments = {"loss": "squared_error", "learning_rate_init": 0.01}
    divided = parts(3, X, VALUES, WEIGHTS, X[::-1], VALUES[::-1])
    whole = fastmlp.train(
        X, VALUES, sample_weight=WEIGHTS, X_val=X[::-1], y_val=VALUES[::-1],
        **SETTINGS | arguments,
    )  # fmt: skip

    def each(rank):
        return dict(zip(("sample_weight", "X_val", "y_val"), divided[rank][2:], strict=True))

    outcomes = results(train([part[:2] for part in divided], each=each, **arguments))
    for result in outcomes:
        assert_close(result.history.val_loss, whole.history.val_loss, "loss curve", "float64")
        np.testing.assert_allclose(result.history.loss, whole.history.loss, rtol=1e-10)
        np.testing.assert_allclose(result.history.val_score, whole.history.val_score, rtol=1e-10)


def test_sparse_rows_of_text_labels_are_divided():
    rows = scipy.sparse.csr_array(X * (np.abs(X) > 1))
    labels = np.array(["a", "bb", "ccc"])[Y]
    assert_same(train(parts(2, rows, labels)), fastmlp.train(rows, labels, **SETTINGS))


def test_a_data_set_that_all_can_read_is_divided():
    arguments = {"dataset": "digits", "epochs": 1}
    whole = fastmlp.train(**(SETTINGS | arguments))
    outcomes = results(train([(), ()], **arguments))
    assert outcomes[1].history.val_score == whole.history.val_score


def test_a_seed_that_is_not_given_is_that_of_rank_0():
    first, second = results(train(parts(2, X, Y), random_state=None))
    np.testing.assert_array_equal(first.model.parameters.buffer, second.model.parameters.buffer)


def test_callbacks_and_clocks_are_those_of_rank_0():
    seen = []

    def stop(report):
        seen.append((threading.get_ident(), report.epoch))
        return report.epoch == 2

    outcomes = results(train(parts(3, X, Y), callbacks=[stop]))
    assert [len(result.history.loss) for result in outcomes] == [2, 2, 2]
    assert [epoch for _, epoch in seen] == [1, 2]
    assert outcomes[2].history.seconds == outcomes[0].history.seconds
    late = results(train(parts(2, X, Y), each=lambda rank: {"time_budget": 1e-9}))
    assert [len(result.history.loss) for result in late] == [1, 1]


def test_all_ranks_get_the_bits_of_rank_0():
    def work(communicator):
        values = np.array([[-0.0, np.nan, 5e-324, 1.0 - communicator.rank]], np.float64)
        Ranks(communicator).open().spread(values)
        return values.tobytes()

    expected = np.array([-0.0, np.nan, 5e-324, 1.0]).tobytes()
    assert in_threads(3, work) == [expected] * 3


def test_all_ranks_diverge_together():
    divided = parts(3, X, X[:, 0])
    outcomes = train(divided, loss="squared_error", learning_rate_init=1e9, epochs=9)
    assert [type(outcome) for outcome in outcomes] == [fastmlp.DivergenceError] * 3
    assert len({str(outcome) for outcome in outcomes}) == 1


@pytest.mark.parametrize("interrupted", [0, 1])
def test_all_ranks_are_interrupted_at_the_same_step(interrupted, monkeypatch):
    """Rank 0 within its callbacks, the other by a signal that it notes in an epoch."""
    from fastmlp.distributed.steps import SharedSteps

    add, steps = SharedSteps._add, []

    def add_and_note(self, *given):
        if self.ranks.rank == 1:
            steps.append(given)
            self.ranks.interruptions.wished = interrupted == 1 and len(steps) > 9
        return add(self, *given)

    monkeypatch.setattr(SharedSteps, "_add", add_and_note)

    def interrupt(report):
        if interrupted == 0 and report.epoch == 2:
            raise KeyboardInterrupt

    outcomes = train(parts(2, X, Y), callbacks=[interrupt])
    assert [type(outcome) for outcome in outcomes] == [fastmlp.TrainingInterrupted] * 2
    first, second = (outcome.result for outcome in outcomes)
    np.testing.assert_array_equal(first.model.parameters.buffer, second.model.parameters.buffer)
    assert len(first.history.loss) == len(second.history.loss) == (2 if interrupted == 0 else 1)


WRONG = {
    "a value": (lambda rank: {}, "X must be finite; got nan at row 3"),
    "an argument": (lambda rank: {"alpha": -1.0} if rank else {}, "alpha must be a number of at"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_on_one_rank_ends_all_with_its_text(name):
    each, message = WRONG[name]
    divided = parts(2, X.copy(), Y)
    if name == "a value":
        divided[1][0][3, 0] = np.nan
    first, second = train(divided, each=each)
    assert isinstance(first, RankError) and str(first).startswith("rank 1 ended: ValueError: ")
    assert isinstance(second, ValueError)
    assert message in str(first) and message in str(second)


DIFFERENT = {
    "columns": (lambda: [(X, Y), (X[:, 1:], Y)], {}, "same columns on all ranks; got 6 on rank 0"),
    "labels": (lambda: [(X, Y), (X, Y.astype(str))], {}, "labels of one type on all ranks; got nu"),
    "a class": (lambda: [(X, Y * 0), (X, Y * 0)], {}, "at least 2 classes; got 1 class"),
    "outputs": (
        lambda: [(X, VALUES), (X, X[:, 0])], {"loss": "squared_error"}, "same numbers to predict",
    ),
    "arguments": (
        lambda: [(X, Y), (X, Y)], {"each": lambda rank: {"batch_size": 16 + rank}},
        "batch_size must be the same on all ranks; got 16 on rank 0, 17 on rank 1",
    ),
    "a solver": (
        lambda: [(X, Y), (X, Y)], {"solver": "lbfgs"}, "comm must be left out with solver='lbfgs'",
    ),
    "a score": (
        lambda: [(X, Y), (X, Y)], {"scoring": max, "early_stopping": True},
        "scoring must be the name of a score",
    ),
    "shards": (
        lambda: [(X[:50], Y[:50]), (X[50:], Y[50:])], {"ranks": {"reduction": "ordered"}},
        r"into whole sixteenths of all 103 rows .*got 50 53 rows\. fastmlp.distributed.share",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_does_not_fit_together_is_told_on_all_ranks(name):
    data, arguments, message = DIFFERENT[name]
    for outcome in train(data(), **arguments):
        assert isinstance(outcome, ValueError)
        with pytest.raises(ValueError, match=message):
            raise outcome


def test_an_error_within_a_step_ends_the_others(monkeypatch):
    from fastmlp.distributed.steps import SharedSteps

    add = SharedSteps._add

    def fail(self, *given):
        if self.ranks.rank == 1:
            raise MemoryError("no room")
        return add(self, *given)

    monkeypatch.setattr(SharedSteps, "_add", fail)
    first, second, third = train(parts(3, X, Y))
    assert isinstance(second, MemoryError)
    assert {str(first), str(third)} == {"rank 1 ended: MemoryError: no room"}


def test_a_rank_that_does_not_come_is_named():
    leave = threading.Event()

    def work(communicator):
        if communicator.rank == 1:
            leave.wait(10)
            return None
        try:
            return fastmlp.train(*parts(3, X, Y)[communicator.rank], **SETTINGS, comm=communicator)
        finally:
            leave.set()

    outcomes = in_threads(3, work, timeout=0.3)
    assert str(outcomes[0]) == "no sign of rank 1 for 0.3 seconds: it hangs, or has died."


def test_what_is_no_communicator_is_refused():
    with pytest.raises(ValueError, match="comm must be a communicator of mpi4py, such as"):
        fastmlp.train(X, Y, **SETTINGS, comm="world")
    with pytest.raises(ValueError, match="reduction must be one of 'sum', 'ordered'; got 'mean'"):
        Ranks(None, reduction="mean")
    with pytest.raises(ValueError, match="sync_every must be 1 with reduction='ordered'"):
        Ranks(None, reduction="ordered", sync_every=2)


def test_shares_are_all_rows_in_their_order():
    for reduction in ("sum", "ordered"):
        for size in (1, 3, 16):
            shares = [share(103, rank, size, reduction) for rank in range(size)]
            rows = np.concatenate([np.arange(103)[part] for part in shares])
            np.testing.assert_array_equal(rows, np.arange(103))


def average_by_hand(size, sync_every, **arguments):
    """Take the steps of `ApartSteps` by `train`, a step a call, with plain gradient descent."""
    divided = [np.arange(len(X))[share(len(X), rank, size)] for rank in range(size)]
    orders, weights = fastmlp.rng.streams(0)[1], None
    n_batches = -(-len(X) // SETTINGS["batch_size"])
    for _ in range(SETTINGS["epochs"]):
        order = orders.permutation(len(X))
        for first in range(0, n_batches, sync_every):
            ends = []
            for rows in divided:
                own = weights
                for step in range(first, min(n_batches, first + sync_every)):
                    batch = order[step * 16 : (step + 1) * 16]
                    mine = batch[np.isin(batch, rows)]
                    own = step_from(own, mine, **arguments) if len(mine) else own
                ends.append(own)
            shares = [len(rows) / len(X) for rows in divided]
            weights = [
                [sum(w * part for w, part in zip(shares, layer, strict=True))
                 for layer in zip(*(end[kind] for end in ends), strict=True)]
                for kind in (0, 1)
            ]  # fmt: skip
    return np.concatenate([array.ravel() for kind in weights for array in kind])


def step_from(weights, rows, **arguments):
    """Take one step of gradient descent from some rows, which may lack a class."""
    given = {}
    if weights is not None:
        given = {"coefs_init": weights[0], "intercepts_init": weights[1]}
    targets = np.eye(3)[Y]
    settings = SETTINGS | {"epochs": 1, "batch_size": max(1, len(rows)), "shuffle": False}
    model = fastmlp.train(X[rows], targets[rows], **(settings | arguments | given)).model
    return list(model.coefs_), list(model.intercepts_)


@pytest.mark.parametrize(("size", "sync_every"), [(2, 3), (3, 2), (1, 2)])
def test_steps_apart_are_averaged(size, sync_every):
    arguments = {"loss": "squared_error", "learning_rate_init": 0.05}
    expected = average_by_hand(size, sync_every, **arguments)
    outcomes = train(
        parts(size, X, np.eye(3)[Y]), ranks={"sync_every": sync_every}, **arguments
    )  # fmt: skip
    for result in results(outcomes):
        assert_close(result.model.parameters.buffer, expected, "loss curve", "float64")


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_steps_apart_learn(backend):
    arguments = {"dropout": 0.05, "learning_rate_init": 0.5, "epochs": 40, "backend": backend}
    labels = (X[:, 0] > 0).astype(int)
    divided = [*parts(2, X, labels), (X[:0], labels[:0])]
    outcomes = results(train(divided, ranks={"sync_every": 4}, **arguments))
    assert outcomes[0].history.loss[-1] < 0.5 * outcomes[0].history.loss[0]
    for result in outcomes:
        assert result.model.score(X, labels) > 0.9
        ours, theirs = result.model.parameters.buffer, outcomes[0].model.parameters.buffer
        np.testing.assert_array_equal(ours, theirs)

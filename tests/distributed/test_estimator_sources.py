"""Estimators that several ranks fit on parts of a source are those of one machine."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler

import fastmlp
from fastmlp.distributed import Ranks, in_threads
from tests.breaking_off import break_writes
from tests.distributed.ranks import X, Y, parts, results
from tests.distributed.streamed import BLOCKS, ROW_BYTES, epoch_of, in_ranks, source
from tests.estimators.test_resuming import assert_same
from tests.tolerances import assert_close

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("small_pieces"),
]
SETTINGS = {
    "hidden_layer_sizes": (5,), "max_iter": 3, "random_state": 0, "backend": "numpy",
    "batch_size": 16, "activation": "logistic",
}  # fmt: skip
LABELS = np.array(["a", "b", "c"])[Y]


def fit(case, kind=fastmlp.MLPClassifier, ranks=None, given=None, **arguments):
    """Fit on the ranks of a case; `given` is what `fit` is told beside."""

    def work(own, comm):
        return kind(**(SETTINGS | arguments)).fit(own, comm=comm, **(given or {}))

    return in_ranks(case, work, **(ranks or {}))


def fit_small(size, y, kind, arguments, wrap=lambda source: source, **given):
    """Fit on sources that each rank reads into arrays."""

    def work(communicator):
        own, targets = parts(size, X, y)[communicator.rank]
        rows = fastmlp.data.memmap(own, targets, block_rows=7)
        model = kind(**(SETTINGS | arguments))
        return model.fit(wrap(rows), comm=communicator, **given)

    return in_threads(size, work, 60.0)


def assert_close_fits(ours, theirs):
    """Compare what two fits have learned, to rounding."""
    assert_close(ours.loss_curve_, theirs.loss_curve_, "loss curve", "float64")
    assert_close(ours._fitted.buffer, theirs._fitted.buffer, "loss curve", "float64")
    if theirs.validation_scores_ is not None:
        scores = ours.validation_scores_, theirs.validation_scores_
        assert_close(*scores, "loss curve", "float64")


SMALL = {
    "classes": (fastmlp.MLPClassifier, LABELS, {"class_weight": "balanced", "scoring": "f1_macro"}),
    "two classes": (fastmlp.MLPClassifier, LABELS == "b", {"dropout": 0.2, "scoring": "roc_auc"}),
    "numbers": (fastmlp.MLPRegressor, X[:, 0] ** 2, {"scoring": "neg_max_error"}),
}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("size", [1, 3])
def test_what_fits_in_memory_goes_the_way_of_arrays(name, size):
    kind, y, arguments = SMALL[name]
    arguments = {**arguments, "early_stopping": True}
    whole = kind(**SETTINGS, **arguments).fit(StandardScaler().fit_transform(X), y)
    for model in results(fit_small(size, y, kind, arguments, fastmlp.data.standardized)):
        assert_close_fits(model, whole)
        assert not {"_ranks", "_known_labels"} & vars(model).keys()


@pytest.mark.parametrize("case", BLOCKS)
def test_ranks_learn_what_one_machine_does_from_the_same_batches(case, seen):
    plain = {"solver": "sgd", "momentum": 0.0, "class_weight": "balanced"}
    models = results(fit(case, **plain, learning_rate_init=0.1))
    alone, weights = None, {}
    for epoch in range(SETTINGS["max_iter"]):
        rows, _ = epoch_of(seen, epoch)
        labels = Y[[np.argmax((row == X).all(1)) for row in rows]]
        np.testing.assert_array_equal(rows[np.lexsort(rows.T)], X[np.lexsort(X.T)])
        once = SETTINGS | plain | {"max_iter": 1, "shuffle": False, "learning_rate_init": 0.1}
        alone = fastmlp.MLPClassifier(**once).fit(rows, labels, **weights)
        weights = {"coefs_init": alone.coefs_, "intercepts_init": alone.intercepts_}
        for model in models:
            ours = model.loss_curve_[epoch : epoch + 1]
            assert_close(ours, alone.loss_curve_, "loss curve", "float64")
    for model in models:
        assert_close(model._fitted.buffer, alone._fitted.buffer, "loss curve", "float64")
        np.testing.assert_array_equal(model._fitted.buffer, models[0]._fitted.buffer)
        np.testing.assert_array_equal(model.predict(source()), alone.predict(X))


def test_one_rank_is_one_process():
    arguments = {"early_stopping": True, "validation_fraction": 0.3, "scoring": "accuracy"}
    alone = fastmlp.MLPClassifier(**SETTINGS, **arguments).fit(source())
    (model,) = results(fit(1, **arguments))
    assert_same(model, alone)


def test_numbers_are_predicted_by_ranks_and_blocks_are_held_out():
    targets = X @ np.arange(1.0, 7.0)

    def work(communicator):
        rows = fastmlp.data.memmap(X, targets, block_rows=10, buffer=2 * 10 * ROW_BYTES)
        own = fastmlp.data.part(rows, communicator.rank, 2)
        settings = SETTINGS | {"max_iter": 40, "learning_rate_init": 0.01}
        model = fastmlp.MLPRegressor(**settings, early_stopping=True, scoring="r2")
        return model.fit(own, comm=communicator)

    first, second = results(in_threads(2, work, 60.0))
    assert_same(first, second)
    assert first.loss_curve_[-1] < 0.5 * first.loss_curve_[0]
    assert first.best_validation_score_ > 0.3


def test_a_class_of_one_rank_is_known_to_all_and_all_are_validated_on():
    def work(communicator):
        rows = np.flatnonzero(Y != 2 if communicator.rank else Y == 2)
        own = fastmlp.data.memmap(X[rows], LABELS[rows], block_rows=5, buffer=10 * ROW_BYTES)
        held = fastmlp.data.memmap(X[rows[:20]], LABELS[rows[:20]], block_rows=9)
        model = fastmlp.MLPClassifier(**SETTINGS, scoring="balanced_accuracy")
        return model.fit(own, X_val=held, comm=communicator)

    first, second = results(in_threads(2, work, 60.0))
    assert_same(first, second)
    assert first.classes_.tolist() == second.classes_.tolist() == ["a", "b", "c"]
    held = np.concatenate([np.flatnonzero(Y == 2)[:20], np.flatnonzero(Y != 2)[:20]])
    expected = balanced_accuracy_score(LABELS[held], first.predict(X[held]))
    assert first.validation_scores_[-1] == pytest.approx(expected)


def test_compiled_kernels_go_from_piece_to_piece():
    rounded = {"dtype": "float32", "solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False}
    compiled, _ = results(fit(2, **rounded | {"backend": "numba"}))
    first, _ = results(fit(2, **rounded))
    np.testing.assert_allclose(compiled.loss_curve_, first.loss_curve_, rtol=1e-5)


def break_off(path, monkeypatch, n_written, work):
    """Fit until rank 0 has written so many times."""
    with monkeypatch.context() as patch:
        break_writes(patch, n_written, OSError("the disk is gone"))
        outcomes = work({"checkpoint": path, "checkpoint_seconds": 1e-9})
    assert all("the disk is gone" in str(outcome) for outcome in outcomes)


@pytest.mark.parametrize("case", [2, "one without rows"])
def test_a_fit_on_blocks_is_gone_on_with_to_the_bit(case, tmp_path, monkeypatch):
    arguments, path = {"dropout": 0.2, "class_weight": "balanced", "early_stopping": True}, None
    whole = results(fit(case, **arguments))
    for n_written in (2, 6):
        path = tmp_path / f"{n_written}"
        break_off(path, monkeypatch, n_written, lambda file: fit(case, given=file, **arguments))
        resumed = results(fit(case, given={"checkpoint": path, "resume": True}, **arguments))
        for model in resumed:
            assert_same(model, whole[0])
    size = 2 if case == 2 else 3
    for outcome in fit(5 - size, given={"checkpoint": path, "resume": True}, **arguments):
        with pytest.raises(ValueError, match=rf"comm must be of {size} ranks, as in .*; got"):
            raise outcome
    with pytest.raises(ValueError, match=rf"comm must be of {size} ranks, as in .*; got 1\."):
        model.fit(source(), checkpoint=path, resume=True)


def test_another_number_of_ranks_goes_on_with_what_fits(tmp_path, monkeypatch):
    arguments, path = {"early_stopping": True, "dropout": 0.2}, tmp_path / "run"
    whole = fastmlp.MLPClassifier(**SETTINGS, **arguments).fit(X, LABELS)

    def on_ranks(size, file):
        return fit_small(size, LABELS, fastmlp.MLPClassifier, arguments, **file)

    goes_on = {"checkpoint": path, "resume": True}
    for size in (3, 1):
        break_off(path, monkeypatch, 4, lambda file: on_ranks(2, file))
        for model in results(on_ranks(size, goes_on)):
            assert_close_fits(model, whole)
            assert model.t_ == whole.t_ and model.n_iter_ == whole.n_iter_
    break_off(path, monkeypatch, 4, lambda file: on_ranks(2, file))
    rows = fastmlp.data.memmap(X, LABELS)
    assert_close_fits(fastmlp.MLPClassifier(**SETTINGS, **arguments).fit(rows, **goes_on), whole)
    for outcome in fit_small(2, LABELS[::-1], fastmlp.MLPClassifier, arguments, **goes_on):
        assert "X and y must be the data of" in str(outcome)
    goes_on["checkpoint"] = tmp_path / "none"
    first, second = on_ranks(2, goes_on)
    assert isinstance(first, FileNotFoundError) and "rank 0 ended: FileNotFound" in str(second)


class Watching:
    """A callback that counts epochs, and interrupts the third."""

    def __init__(self):
        self.n_epochs = 0

    def setup(self, estimator, context): ...
    def teardown(self, estimator, context): ...
    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(self, estimator, context):
        self.n_epochs += context.task_name == "epoch"
        if self.n_epochs == 3 and context.task_name == "epoch":
            raise KeyboardInterrupt


def test_rank_0_speaks_and_decides(capsys):
    watching = [Watching(), Watching()]

    def work(own, comm):
        settings = SETTINGS | {"max_iter": 2, "warm_start": True, "verbose": True}
        model = fastmlp.MLPClassifier(**settings, callbacks=[watching[comm.comm.rank]])
        return model.fit(own, comm=comm).fit(own, comm=comm)

    with pytest.warns(UserWarning, match="interrupted by user") as caught:
        first, second = results(in_ranks(2, work))
    assert [one.n_epochs for one in watching] == [3, 0]
    assert len(first.loss_curve_) == len(second.loss_curve_) == 3
    np.testing.assert_array_equal(first._fitted.buffer, second._fitted.buffer)
    assert capsys.readouterr().out.count("Iteration 1,") == 2
    assert sum("interrupted" in str(one.message) for one in caught) == 1
    second.set_params(callbacks=None, verbose=False).partial_fit(X, Y)
    assert len(second.loss_curve_) == 4


def broken(own, comm):
    """Fit on a block that rank 1 cannot use."""
    X_bad = X.copy()
    X_bad[3, 2] = np.nan
    bad = fastmlp.data.memmap(X_bad, Y, block_rows=10, buffer=20 * ROW_BYTES)
    return fastmlp.MLPClassifier(**SETTINGS).fit(bad if comm.comm.rank else own, comm=comm)


def narrow(own, comm):
    """Fit on one column less on rank 1."""
    held = fastmlp.data.memmap(X[:, :5], Y) if comm.comm.rank else fastmlp.data.memmap(X, Y)
    return fastmlp.MLPClassifier(**SETTINGS).fit(own, X_val=held, comm=comm)


def arrays(own, comm):
    """Fit on arrays on rank 0."""
    given = (own,) if comm.comm.rank else (X, Y)
    return fastmlp.MLPClassifier(**SETTINGS).fit(*given, comm=comm)


def by_hand(own, comm):
    """Score by a function."""
    model = fastmlp.MLPClassifier(**SETTINGS, scoring=lambda model, X, y: 1.0)
    return model.fit(own, X_val=own, comm=comm)


def by_lbfgs(own, comm):
    """Fit by a solver of one machine."""
    return fastmlp.MLPClassifier(solver="lbfgs").fit(own, comm=comm)


def ordered(own, comm):
    """Sum in the order of rows, which are not all there."""
    own_way = Ranks(comm.comm, reduction="ordered")
    return fastmlp.MLPClassifier(**SETTINGS).fit(own, comm=own_way)


def warm_on_one(own, comm):
    """Go on from a fit of rank 1 alone."""
    model = fastmlp.MLPClassifier(**SETTINGS, warm_start=True)
    return (model.fit(X, Y) if comm.comm.rank else model).fit(own, comm=comm)


REFUSED = {
    broken: "X in block 0 (a memory map, rows 0 to 9) must be finite; got nan at row 3, column 2.",
    narrow: "X_val must be of 6 columns, as in training; got a source of 5",
    arrays: "X must be the same on all ranks; got an array on rank 0, a source on rank 1",
    by_hand: "scoring must be the name of a score, or one of sklearn.metrics.make_scorer",
    by_lbfgs: "solver must be another beside comm; got 'lbfgs'.",
    ordered: "reduction must be 'sum' where X is larger than its buffer",
    warm_on_one: "a fit before, with warm_start must be the same on all ranks; got False on rank 0",
}


@pytest.mark.parametrize("work", REFUSED)
def test_what_does_not_go_is_told_by_all(work):
    for outcome in in_ranks(2, work):
        assert isinstance(outcome, Exception) and REFUSED[work] in str(outcome), outcome

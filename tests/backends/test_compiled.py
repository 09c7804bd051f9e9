"""What the compiled backend promises of threads, of interruption and of its own choices."""

import multiprocessing
import os
import threading
import time

import joblib
import numba
import numpy as np
import pytest
import scipy.sparse

import fastmlp
from fastmlp.backends.compiled import fit
from fastmlp.backends.compiled.pace import RETRY_SECONDS, TRIAL_SECONDS, Pace
from fastmlp.backends.compiled.packing import as_dense, break_even, estimate_background, pack
from fastmlp.backends.compiled.team import run_together
from fastmlp.backends.contract import Objective, Problem
from fastmlp.inputs import Scale, as_features
from fastmlp.kernels.barrier import STRIDE
from fastmlp.kernels.dense import DenseFeatures
from fastmlp.kernels.sparse import SparseFeatures
from fastmlp.losses import Loss
from fastmlp.network import Network, Parameters
from fastmlp.optimizers import SGD, Rule
from fastmlp.threads import n_cores
from tests.equivalence.test_threads import Always, paces  # noqa: F401
from tests.tolerances import assert_close

SMALL = {"hidden_layer_sizes": (150,), "batch_size": 8, "epochs": 2, "random_state": 0}


def losses_of(X, y, **arguments):
    """Train and return the loss curve; joblib must find it by name."""
    return fastmlp.train(X, y, **{**SMALL, **arguments}).history.loss


def test_trainings_in_several_python_threads_do_not_disturb_one_another(problem, paces):  # noqa: F811
    expected, curves = losses_of(*problem), []
    threads = [
        threading.Thread(target=lambda: curves.append(losses_of(*problem, n_threads=2)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert curves == [expected] * 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_trains(problem):
    expected = losses_of(*problem, n_threads=2)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(losses_of, problem, {"n_threads": 2}) == expected


def test_joblib_trains_in_processes_and_in_threads(problem):
    expected = losses_of(*problem)
    for backend in ("loky", "threading"):
        tasks = (joblib.delayed(losses_of)(*problem, n_threads=2) for _ in range(3))
        assert joblib.Parallel(n_jobs=2, backend=backend)(tasks) == [expected] * 3


@pytest.mark.parametrize("backend", ["numba", "numpy", "reference"])
def test_a_long_epoch_reports_and_can_be_interrupted(backend, problem, monkeypatch):
    X, y = (np.concatenate([part] * 400) for part in problem)
    if numba.config.DISABLE_JIT:
        X, y = X[:400], y[:400]
    untrained = fastmlp.train(X, y, **{**SMALL, "epochs": 1}, learning_rate_init=1e-30)
    seen = []

    def report(lines, epoch, n_done, n_steps):
        seen.append((epoch, n_done, n_steps, time.perf_counter()))
        if n_done > n_steps / 20:
            raise KeyboardInterrupt

    monkeypatch.setattr("fastmlp.progress.ProgressLines.within", report)
    with pytest.raises(fastmlp.TrainingInterrupted) as caught:
        fastmlp.train(X, y, **{**SMALL, "batch_size": 1}, backend=backend, progress=True)
    result = caught.value.result
    assert result.history.loss == []
    assert 0 < seen[-1][1] < len(X)
    assert seen[-1][0] == 1
    parts = (one.model.coefs_[0] for one in (result, untrained))
    assert not np.allclose(*parts, atol=1e-4)  # what was learned until then is there
    pauses = np.diff([moment for *_, moment in seen])
    assert (pauses < 0.5).all()


def test_threads_are_told_when_the_work_is_called_off():
    told = []

    def work(team):
        if team.thread == 0:
            raise KeyboardInterrupt
        while team.barrier[2 * STRIDE] == 0:
            time.sleep(0.001)
        told.append(team.thread)

    with pytest.raises(KeyboardInterrupt):
        run_together(2, work)
    assert told == [1]


def pace_of(step_seconds, most=2, rounds=400):
    """Let a pace choose where a step takes so long on 1 and on more threads; count the seconds."""
    pace, spent = Pace(most, 1, 10**6), {1: 0.0, most: 0.0}
    for _ in range(rounds):
        n_threads, n_steps = pace.n_threads, pace.choose()
        seconds = n_steps * step_seconds(n_threads, sum(spent.values()))
        spent[n_threads] += seconds
        pace.record(n_steps, seconds)
    return spent


def test_an_error_in_another_thread_comes_out_and_nobody_waits_for_it():
    def work(team):
        if team.thread == 1:
            raise ArithmeticError("in the other thread")
        while team.barrier[2 * STRIDE] == 0:
            time.sleep(0.001)

    with pytest.raises(ArithmeticError, match="in the other thread"):
        run_together(2, work)


@pytest.mark.parametrize("faster", [1, 2])
def test_the_faster_number_of_threads_does_most_of_the_work(faster):
    spent = pace_of(lambda n_threads, now: 1e-5 if n_threads == faster else 2e-5)
    assert spent[faster] > 0.98 * sum(spent.values())


@pytest.mark.parametrize(("gain", "chosen"), [(0.95, 1), (0.8, 2)])
def test_threads_that_gain_little_are_left_to_others(gain, chosen):
    spent = pace_of(lambda n_threads, now: 1e-5 if n_threads == 1 else gain * 1e-5)
    assert spent[chosen] > 0.98 * sum(spent.values())


def test_a_busy_neighbour_is_noticed_both_ways():
    # Two threads take half the time, but ten times as long while the neighbour is busy.
    def step_seconds(n_threads, now):
        return 1e-5 if n_threads == 1 else (1e-4 if 5 < now < 15 else 0.5e-5)

    spent = pace_of(step_seconds)
    assert sum(spent.values()) > 20
    assert spent[1] == pytest.approx(10, abs=2 * RETRY_SECONDS)


def test_short_trainings_start_no_threads(problem):
    pace = Pace(2, 1, 1000)
    pace.record(10, TRIAL_SECONDS / 5)
    assert pace.n_threads == 1
    assert pace.choose() == 30


def test_the_first_trial_ends_where_it_is_meant_to():
    """Without that a training of 15 ms was one thread's to its end."""
    pace, seconds = Pace(2, 1, 10**6), 0.0
    while pace.n_threads == 1:
        n_steps = pace.choose()
        pace.record(n_steps, n_steps * 4e-5)
        seconds += n_steps * 4e-5
    assert seconds < 1.1 * TRIAL_SECONDS


def features(X, scale=(1.0, 0.0)):
    return as_features(X, Scale(*scale), np.dtype("float32"))


@pytest.mark.parametrize(("share", "sparse"), [(0.0, True), (0.3, True), (0.6, False)])
@pytest.mark.parametrize("background", [0, -1])
def test_what_is_mostly_background_is_packed(background, share, sparse):
    X = np.full((100, 50), background, np.float32)
    inked = np.random.default_rng(0).random(X.shape) < share
    X[inked] = np.random.default_rng(1).normal(size=inked.sum())
    packed = pack(features(X), 1, 0.4)
    assert isinstance(packed, DenseFeatures) != sparse
    if sparse:
        rebuilt = np.full(X.shape, packed.constant)
        rows = np.repeat(np.arange(100), np.diff(packed.indptr))
        rebuilt[rows, packed.indices] += packed.values
        np.testing.assert_allclose(rebuilt, X, rtol=0, atol=1e-6)  # v - b is rounded


def test_bytes_and_csr_are_not_turned_into_floats():
    X = np.zeros((100, 50), np.uint8)
    X[::3, ::7] = 9
    assert pack(features(X), 1, 0.4).values.dtype == np.uint8
    matrix = scipy.sparse.csr_array(X.astype(np.float32))
    packed = pack(features(matrix), 1, 0.4)
    assert np.shares_memory(packed.values, matrix.data)
    assert np.shares_memory(packed.indices, matrix.indices)
    assert np.shares_memory(as_dense(features(X)).values, X)


def test_the_background_is_the_most_frequent_value():
    X = np.array([[1, 1, 1, 0], [1, 1, 5, 1]], np.float32)
    assert estimate_background(X, 0.3) == (1, 0.25)
    assert estimate_background(X * 0, 0.3) == (0, 0)


def test_the_way_of_the_first_layer_follows_from_its_costs():
    def share(n_units, batch_size, plain=True):
        return break_even(Network((784, n_units, 10), ("relu",)), np.dtype("f4"), batch_size, plain)

    # Where both ways took as long.
    measured = {(16, 64): 0.2, (64, 64): 0.31, (100, 256): 0.28, (512, 1024): 0.36, (100, 4): 0.5}
    for sizes, expected in measured.items():
        assert share(*sizes) == pytest.approx(expected, rel=0.15)
    assert share(100, 1) > 1  # single samples are packed even where nothing is zero
    assert share(100, 1, plain=False) == share(100, 10**6, plain=False) < 0.4


@pytest.mark.parametrize(("share", "kind"), [(0.1, SparseFeatures), (0.25, DenseFeatures)])
def test_narrow_layers_are_dense_sooner(share, kind):
    X = np.zeros((200, 50), np.float32)
    X[:, : int(50 * share)] = 1
    problem = Problem(features(X), np.arange(200) % 2)
    parameters = Parameters.zeros(Network((50, 8, 2), ("relu",)), np.dtype("f4"))
    trainer = fit.CompiledTrainer(
        parameters, Rule(SGD()), Objective(Loss("softmax")), problem, 100, 1
    )
    assert isinstance(trainer.features, kind)


def test_a_few_rows_are_predicted_like_many(problem):
    X, y = problem
    for hidden in ((), (7,), (33, 5, 100)):
        for activation in ("logistic", "tanh", "relu", "identity"):
            model = fastmlp.train(X, y, **{**SMALL, "hidden_layer_sizes": hidden},
                                  activation=activation).model  # fmt: skip
            expected = model.predict_proba(X)
            actual = np.concatenate([model.predict_proba(X[i : i + 1]) for i in range(20)])
            assert_close(actual, expected[:20], "operation", "float32")
            np.testing.assert_array_equal(model.predict(X[:9]), model.predict(X)[:9])
            assert_close(model.predict_proba(X[:8][::-1]), actual[7::-1], "operation", "float32")
    X[2, 3] = np.nan
    with pytest.raises(ValueError, match="X must be finite; got nan at row 2, column 3"):
        model.predict_proba(X[:5])


def test_omp_num_threads_limits_the_cores(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert n_cores() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "nonsense")
    assert n_cores() == n_cores() >= 1

import multiprocessing
from collections import Counter
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import click
import numpy as np
import pytest
from scipy.linalg import expm

import fastmlp
from benchmarks.peers import evaluation, with_estimators, with_sklearn, worker
from benchmarks.peers.__main__ import _in_order, _table
from benchmarks.peers.data import Data, load
from benchmarks.peers.neighbour import half_busy
from benchmarks.peers.race import Entry, _flops
from benchmarks.peers.rows import ROWS, ROWS_AVX2
from benchmarks.peers.tasks import Fitted, Task, n_coefs

CLASSES = Task(
    form="standard", shape=(60, 5, 3), hidden_layer_sizes=(8, 4), activation="relu", solver="adam",
    learning_rate_init=0.01, batch_size=16, epochs=3, dtype="float64",
)  # fmt: skip
VALUES = replace(
    CLASSES, loss="squared_error", form="exponentials", shape=(60, 4, 4), activation="tanh",
    batch_size=60, shuffle=False,
)  # fmt: skip
PROBABILITIES = replace(CLASSES, kind="predict", n_rows=7)
STEPS = replace(CLASSES, kind="partial_fit", batch_size=60, calls=4)
DEFAULTS = {
    "two classes": replace(CLASSES, shape=(60, 5, 2)),
    "value": replace(CLASSES, loss="squared_error", form="waves", shape=(60, 5, 1)),
    "lbfgs": replace(CLASSES, solver="lbfgs"),
}


@pytest.fixture(autouse=True)
def without_compiling(monkeypatch):
    """Let fastmlp's estimators compute in NumPy: what they return is the same."""
    estimators = {
        name: partial(getattr(fastmlp, name), backend="numpy")
        for name in ("MLPClassifier", "MLPRegressor")
    }
    monkeypatch.setitem(with_sklearn.LIBRARIES, "estimator", SimpleNamespace(**estimators))
    monkeypatch.setattr(worker, "SETTLE_SECONDS", 0)


def loss_of(module, task, variant):
    """Let a competitor do a task as its worker does, and evaluate what it returns."""
    server = worker.Server(module)
    server.prepare(task, variant, None)
    return evaluation.final_loss(task, load(task), server.run(task, variant, None).answer)


def test_one_logistic_output_is_evaluated_as_two_classes():
    logits, y = np.array([[0.0], [np.log(3)], [-np.log(3)]]), np.array([0, 1, 1])
    expected = (np.log(2) + np.log(4 / 3) + np.log(4)) / 3
    assert evaluation.cross_entropy(logits, y) == pytest.approx(expected, rel=1e-14)
    assert evaluation.cross_entropy(np.hstack([0 * logits, logits]), y) == pytest.approx(expected)


@pytest.mark.parametrize("y", [np.array([1.0, 2.0]), np.array([[1.0], [2.0]])])
def test_values_are_evaluated_by_the_mean_of_their_squared_errors(y):
    assert evaluation.squared_error(np.array([[2.0], [5.0]]), y) == 5.0


def test_network_of_values_is_evaluated_by_what_it_puts_out():
    X, y = np.array([[0.5], [-1.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    fitted = Fitted([np.array([[2.0]]), np.array([[3.0, -1.0]])], [np.zeros(1), np.ones(2)], 1)
    hidden = np.tanh(2 * X)
    expected = np.mean((hidden * [3.0, -1.0] + 1 - y) ** 2)
    task = Task(loss="squared_error", activation="tanh")
    assert evaluation.final_loss(task, Data(X, y, X, y, None, 2), fitted) == pytest.approx(expected)


def test_exponentials_are_those_of_the_matrices():
    data = load(VALUES)
    np.testing.assert_allclose(data.y[3].reshape(2, 2), expm(data.X[3].reshape(2, 2)))
    assert data.X.shape == data.y.shape == (60, 4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tables_are_standardised_in_the_task_s_dtype(dtype):
    task = replace(CLASSES, shape=(20_000, 5, 3), dtype=dtype)
    for data in (load(task), load(replace(task, form="waves", shape=(20_000, 50, 1)))):
        assert data.X.dtype == dtype
        np.testing.assert_allclose([data.X.mean(), data.X.std()], [0, 1], atol=0.01)
    assert data.y.shape == (20_000,) and data.y.std() > 0.5


@pytest.mark.parametrize("task", [CLASSES, VALUES, PROBABILITIES, STEPS])
def test_estimators_of_both_libraries_agree_from_given_weights(task):
    expected = loss_of("with_sklearn", task, "")
    assert loss_of("with_sklearn", task, "estimator") == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", DEFAULTS)
def test_estimators_of_both_libraries_agree_with_their_defaults(name):
    task = DEFAULTS[name]
    expected = loss_of("with_estimators", task, "defaults")
    assert loss_of("with_estimators", task, "estimator") == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("task", [CLASSES, VALUES, STEPS])
def test_pytorch_agrees_with_the_estimators(task):
    pytest.importorskip("torch")
    task = replace(task, dtype="float32")
    expected = loss_of("with_sklearn", task, "")
    assert loss_of("with_torch", task, "eager") == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("task", [CLASSES, VALUES, replace(CLASSES, solver="sgd")])
def test_jax_agrees_with_the_estimators(task):
    pytest.importorskip("jax")
    task = replace(task, dtype="float32")
    expected = loss_of("with_sklearn", task, "")
    assert loss_of("with_jax", task, "") == pytest.approx(expected, rel=1e-4)


def test_loop_in_numpy_agrees_with_the_estimators():
    task = replace(CLASSES, solver="sgd")
    expected = loss_of("with_sklearn", task, "")
    assert loss_of("with_numpy", task, "batch loop") == pytest.approx(expected, rel=1e-6)


def test_partial_fit_makes_a_step_a_call_and_answers_after_the_clock():
    run = with_sklearn.prepare(STEPS, load(STEPS), "", None)
    before, after = run()(), run()()
    assert isinstance(after, Fitted)
    assert evaluation.final_loss(STEPS, load(STEPS), after) <= evaluation.final_loss(
        STEPS, load(STEPS), before
    )


def test_defaults_are_those_of_the_libraries():
    fitted = with_estimators.prepare(
        DEFAULTS["two classes"], load(DEFAULTS["two classes"]), "defaults", None
    )()
    assert [coefs.shape for coefs in fitted.coefs] == [(5, 8), (8, 4), (4, 1)]
    assert n_coefs(fitted) == 76


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, 6 * 76 * 60 * 3), ({"form": "sparse"}, None), ({"solver": "lbfgs"}, None),
     ({"kind": "partial_fit"}, None)],
)  # fmt: skip
def test_operations_are_six_a_weight_and_sample(change, expected):
    task = replace(CLASSES, **change)
    entries = [Entry(None, task, 1.0), Entry(None, task, 1.0, n_coefs=76)]
    assert _flops(task, entries, 60) == expected
    assert _flops(task, entries[:1], 60) is None


def test_rows_have_names_of_their_own_and_aims_for_whom_they_race():
    assert Counter(row.name for row in ROWS).most_common(1)[0][1] == 1
    for row in (*ROWS, *ROWS_AVX2):
        groups = {competitor.group for competitor in row.competitors}
        assert {"fastmlp", *row.targets} <= groups, row.name


def test_rows_with_avx2_have_aims_of_their_own():
    aims = {row.name: row.targets for row in ROWS_AVX2}
    assert aims["batch256"] == {"NumPy": 2, "PyTorch": 2, "JAX": 2}
    assert aims["dense_784-100-10_4096"] == {"NumPy": 1.15, "PyTorch": 1.15, "JAX": 1.15}
    assert "accuracy" not in aims


def test_row_that_is_not_raced_with_avx2_is_refused_there():
    assert set(_table("avx2", ["batch64", "width"])) == {row.name for row in ROWS_AVX2}
    assert list(_table("own", ["article"])) == [row.name for row in ROWS]
    with pytest.raises(click.UsageError, match=r"--isa avx2 --only must be one of .*; got article"):
        _table("avx2", ["article"])


def test_rows_stand_in_the_table_s_order_whichever_was_measured_last():
    rows = {"gone": 1, "b": 2, "a": 3}
    assert list(_in_order(rows, ["a", "new", "b"])) == ["a", "b", "gone"]


def test_neighbour_is_there_as_long_as_it_is_wanted():
    before = multiprocessing.active_children()
    with half_busy():
        assert len(multiprocessing.active_children()) == len(before) + 1
    assert multiprocessing.active_children() == before

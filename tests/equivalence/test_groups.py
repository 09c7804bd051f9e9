"""Rows shared out among threads: near the reference, and the same bits whatever the threads."""

import numba
import numpy as np
import pytest

import fastmlp
from fastmlp.backends.compiled import fit, grouping
from fastmlp.engine.full_batch import FullBatch
from fastmlp.kernels.layout import choose_lanes, make_layout
from tests.equivalence import test_objectives as objectives
from tests.equivalence.matrix import N_SAMPLES, cases, rule, run_epoch
from tests.equivalence.test_ladder import RATES
from tests.equivalence.test_threads import Always
from tests.tolerances import assert_close

DENSE = [name for name, case in objectives.CASES.items() if not case.sparse]


@pytest.fixture
def many_groups(monkeypatch):
    """Share the rows of the smallest batches out, in blocks of one row; keep how many groups."""
    made = []

    def make_groups(layout, n_groups, n_rows, dtype):
        groups = grouping.make_groups(layout, n_groups, n_rows, dtype)
        made.append(groups._replace(block_rows=1))
        return made[-1]

    monkeypatch.setattr(grouping, "FEWEST_ROWS", 1)
    monkeypatch.setattr(fit, "make_groups", make_groups)
    return made


@pytest.mark.parametrize("batch_size", [7, N_SAMPLES])
@pytest.mark.parametrize("case", cases(backends=["numba"], batches=["all"]), ids=str)
def test_shared_rows_agree_with_the_reference(case, batch_size, tiny, many_groups):
    arguments = (case, tiny, rule(case.solver), RATES[case.solver], N_SAMPLES, batch_size)
    actual, actual_state, actual_losses = run_epoch("numba", *arguments)
    expected, expected_state, expected_losses = run_epoch("reference", *arguments)
    assert len(many_groups) == 1 and len(many_groups[0].gradients) == (4 if batch_size == 7 else 16)
    assert_close(actual.buffer, expected.buffer, "update", case.dtype)
    assert_close(actual_losses, expected_losses, "gradient", case.dtype)
    if len(expected_state):
        assert_close(actual_state, expected_state, "gradient", case.dtype)


@pytest.mark.parametrize("name", DENSE)
def test_any_objective_agrees_with_the_reference(name, many_groups):
    case = objectives.CASES[name]
    (losses, buffer), (expected_losses, expected) = (
        objectives.train(backend, case, "float64") for backend in ("numba", "reference")
    )
    clipped, single = case.rule.max_grad_norm < np.inf, case.batch_size == 1
    assert bool(many_groups) != (clipped or single)
    assert_close(losses, expected_losses, "loss curve", "float64")
    assert_close(buffer, expected, "loss curve", "float64")


SETTINGS = {
    "wide": {"hidden_layer_sizes": (150,), "activation": "tanh"},
    "deep, L2": {"hidden_layer_sizes": (20, 33), "activation": "relu", "alpha": 0.1},
    "none hidden": {"hidden_layer_sizes": (), "momentum": 0.9},
    "Adam, other slopes": {"hidden_layer_sizes": (17,), "activation": "gelu", "solver": "adam",
                           "learning_rate_init": 0.003},
}  # fmt: skip
N_ROWS = 40 if numba.config.DISABLE_JIT else 300


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", ["C", "F", "bytes"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_any_number_of_threads_gives_the_same_bits(setting, form, dtype, monkeypatch):
    monkeypatch.setattr(fit, "Pace", Always)
    monkeypatch.setattr(grouping, "FEWEST_ROWS", N_ROWS // 12)
    generator = np.random.default_rng(0)
    X, y = generator.integers(1, 256, (N_ROWS, 140)).astype(np.uint8), np.arange(N_ROWS) % 5
    X = X if form == "bytes" else np.asarray(X / 255, dtype, order=form)
    arguments = {
        "batch_size": N_ROWS // 3 * 2, "epochs": 2, "random_state": 0, "dtype": dtype,
        "input_scale": "symmetric" if form == "bytes" else None, "learning_rate_init": 0.05,
        **SETTINGS[setting],
    }  # fmt: skip
    expected = fastmlp.train(X, y, backend="reference", **arguments)
    results = [fastmlp.train(X, y, n_threads=n, **arguments) for n in (1, 2, 3, 8)]
    assert_close(results[0].history.loss, expected.history.loss, "loss curve", dtype)
    for result in results[1:]:
        assert result.history.loss == results[0].history.loss
        buffers = (one.model.parameters.buffer for one in (result, results[0]))
        np.testing.assert_array_equal(*buffers)


def test_the_gradient_at_all_samples_is_the_same(many_groups):
    case = objectives.CASES["squared_error"]
    found = []
    for backend in ("numba", "reference"):
        network = objectives.parameters(case, "float64")
        at_all = FullBatch(
            backend, network, case.rule, objectives.Objective(case.loss),
            objectives.problem(case, "float64"),
        )  # fmt: skip
        found.append(at_all(network.buffer.copy()))
    assert many_groups
    assert_close(found[0][0], found[1][0], "gradient", "float64")
    assert_close(found[0][1], found[1][1], "gradient", "float64")


@pytest.mark.parametrize(
    ("sizes", "n_rows", "n_groups"),
    [((30, 16, 2), 4096, 16), ((20, 100, 2), 200, 4), ((20, 100, 2), 32, 1),
     ((784, 100, 10), 64, 1), ((784, 100, 10), 1024, 8), ((784, 1024, 1024, 10), 256, 1)],
)  # fmt: skip
def test_shapes_decide_what_is_shared_out(sizes, n_rows, n_groups):
    lanes = choose_lanes(max(sizes[1:]), np.float32, sparse=False)
    layout = make_layout(sizes, ("relu",) * (len(sizes) - 2), lanes, lanes)
    assert grouping.choose_n_groups(layout, n_rows) == n_groups

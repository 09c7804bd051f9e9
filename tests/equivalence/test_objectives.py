"""Losses, sample weights, dropout, solvers and penalties: every backend near the reference."""

from typing import NamedTuple

import numpy as np
import pytest
import scipy.sparse

from fastmlp.backends.contract import Objective, Problem
from fastmlp.engine.descent import Descent
from fastmlp.engine.full_batch import FullBatch
from fastmlp.engine.plan import Plan
from fastmlp.engine.state import State
from fastmlp.inputs import Scale, as_features
from fastmlp.losses import LOSSES, Loss
from fastmlp.network import Network, Parameters
from fastmlp.optimizers import SGD, Adam, AdamW, Lion, NAdam, RMSprop, Rule
from fastmlp.rng import Permutations
from fastmlp.schedules import Schedule, constant
from fastmlp.threads import limit_blas
from tests.oracles import finite_differences, naive_objective
from tests.tolerances import assert_close

N_SAMPLES, N_FEATURES, N_OUTPUTS = 23, 6, 3


class Case(NamedTuple):
    """What is minimised and how, the defaults being the simplest."""

    loss: Loss = Loss("softmax")
    weighted: bool = False
    dropout: tuple[float, ...] = ()
    rule: Rule = Rule(SGD())
    activations: tuple[str, ...] = ("tanh", "relu")
    sparse: bool = False
    batch_size: int = 5


CASES = {
    **{name: Case(Loss(name)) for name in LOSSES},
    **{f"{name}, weights": Case(Loss(name), weighted=True) for name in LOSSES},
    "label smoothing": Case(Loss("softmax", label_smoothing=0.2)),
    "label smoothing of bits": Case(Loss("logistic", label_smoothing=0.2)),
    "gaussian, sparse, batch 1": Case(
        Loss("gaussian_nll"), activations=("tanh",), sparse=True, batch_size=1
    ),
    "huber, small delta": Case(Loss("huber", delta=0.3)),
    "quantile, high level": Case(Loss("quantile", level=0.9), weighted=True),
    "dropout": Case(dropout=(0.5, 0.25)),
    "dropout of one layer": Case(dropout=(0.0, 0.4), activations=("gelu", "silu")),
    "dropout, softmax by sample": Case(dropout=(0.5,), activations=("tanh",), batch_size=1),
    "smooth activations": Case(activations=("softplus", "leaky_relu")),
    "smooth activations, sparse": Case(activations=("gelu", "silu"), sparse=True),
    "weights, batch 1": Case(weighted=True, batch_size=1, activations=("tanh",), sparse=True),
    "adamw": Case(rule=Rule(AdamW(weight_decay=0.3))),
    "adamw, sparse": Case(rule=Rule(AdamW(weight_decay=0.3)), sparse=True),
    "rmsprop": Case(rule=Rule(RMSprop())),
    "rmsprop, sparse": Case(rule=Rule(RMSprop()), sparse=True),
    "rmsprop, L2, sparse": Case(rule=Rule(RMSprop(), alpha=0.1), sparse=True),
    "lion, decay, L1": Case(rule=Rule(Lion(weight_decay=0.3), l1=0.05)),
    "nadam": Case(rule=Rule(NAdam())),
    "nadam, L2, sparse": Case(rule=Rule(NAdam(), alpha=0.1), sparse=True),
    "nadam, clipped": Case(rule=Rule(NAdam(), max_grad_norm=0.1)),
    "lion, sparse": Case(rule=Rule(Lion()), sparse=True),
    "adam, L1 and L2": Case(rule=Rule(Adam(), alpha=0.1, l1=0.05)),
    "adam, L1 and L2, sparse": Case(rule=Rule(Adam(), alpha=0.1, l1=0.05), sparse=True),
    "momentum, L1, sparse": Case(rule=Rule(SGD(0.9), l1=0.05), sparse=True),
    "momentum, L2, sparse, weights": Case(weighted=True, rule=Rule(SGD(0.9), 0.1), sparse=True),
    "L1": Case(rule=Rule(SGD(), l1=0.05)),
    "clipped": Case(rule=Rule(SGD(0.9), alpha=0.1, max_grad_norm=0.1)),
    "clipped, sparse": Case(rule=Rule(Adam(), max_grad_norm=0.1), sparse=True),
    "clipped, adamw, dropout": Case(rule=Rule(AdamW(), max_grad_norm=0.1), dropout=(0.5, 0.5)),
    "clipped, none hidden": Case(rule=Rule(SGD(), max_grad_norm=0.1), activations=()),
    "everything": Case(Loss("logistic", 0.1), True, (0.3, 0.2), Rule(AdamW(), 0.1, 0.1, 0.5),
                       ("gelu", "softplus")),
}  # fmt: skip


def problem(case, dtype, n_features=N_FEATURES):
    """Draw data for a case."""
    generator = np.random.default_rng(4)
    X = generator.normal(size=(N_SAMPLES, n_features)).astype(dtype)
    if case.sparse:
        X[generator.random(X.shape) < 0.98 if n_features > 50 else X < 0.5] = 0
        X = scipy.sparse.csr_array(X)
    shape = (N_SAMPLES, N_OUTPUTS)
    targets = {
        "softmax": generator.integers(0, N_OUTPUTS, N_SAMPLES),
        "logistic": generator.integers(0, 2, shape).astype(dtype),
        "poisson": generator.poisson(1.5, shape).astype(dtype),
    }.get(case.loss.name, generator.normal(size=shape).astype(dtype))
    weights = generator.integers(0, 3, N_SAMPLES).astype(dtype) if case.weighted else None
    features = as_features(X, Scale(1.0, 0.0), np.dtype(dtype))
    return Problem(features, targets, weights)


def parameters(case, dtype, n_features=N_FEATURES):
    """Draw parameters, the biases too."""
    n_outputs = N_OUTPUTS * LOSSES[case.loss.name].outputs_per_target
    sizes = (n_features, *(7, 5)[: len(case.activations)], n_outputs)
    network = Network(sizes, case.activations)
    buffer = np.random.default_rng(5).normal(0, 0.4, network.n_parameters)
    return Parameters(network, buffer.astype(dtype))


def train(backend, case, dtype, n_features=N_FEATURES, n_threads=None):
    """Train three epochs; return the losses and the parameters."""
    network = parameters(case, dtype, n_features)
    plan = Plan(
        backend, Objective(case.loss, case.dropout), case.rule, Schedule(constant, 0.02),
        case.batch_size, 3, n_threads,
    )  # fmt: skip
    orders = Permutations(N_SAMPLES, True, np.random.default_rng(7))
    state = State(network, orders, 0.02, np.random.default_rng(6))
    descent = Descent(plan, state, problem(case, dtype, n_features))
    with limit_blas(descent.blas_threads):
        losses = [descent.run_epoch() for _ in range(3)]
    return losses, network.buffer


IN_SINGLE = ("softmax, weights", "clipped, sparse", "everything", "rmsprop, L2, sparse")
"""In float32 too; each kind of kernel is compiled for each dtype, which takes its time."""


@pytest.mark.parametrize("n_features", [N_FEATURES, 300])
@pytest.mark.parametrize(
    ("name", "dtype"),
    [(name, "float64") for name in CASES] + [(name, "float32") for name in IN_SINGLE],
)
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_objective_agrees_with_the_reference(backend, name, dtype, n_features):
    expected_losses, expected = train("reference", CASES[name], dtype, n_features)
    losses, actual = train(backend, CASES[name], dtype, n_features)
    assert_close(losses, expected_losses, "loss curve", dtype)
    adaptive = not isinstance(CASES[name].rule.solver, SGD)
    quantity = "adam parameters" if adaptive and dtype == "float32" else "loss curve"
    assert_close(actual, expected, quantity, dtype)


@pytest.mark.parametrize("name", IN_SINGLE)
def test_objective_has_the_same_bits_on_any_number_of_threads(name):
    one, two = (train("numba", CASES[name], "float32", n_threads=n) for n in (1, 2))
    assert one[0] == two[0]
    np.testing.assert_array_equal(one[1], two[1])


@pytest.mark.parametrize("backend", ["reference", "numpy", "numba"])
@pytest.mark.parametrize("name", CASES)
def test_full_gradient_agrees_with_finite_differences(name, backend):
    case = CASES[name]._replace(dropout=())
    rule = case.rule._replace(max_grad_norm=np.inf)
    data, network = problem(case, "float64"), parameters(case, "float64")
    full = FullBatch(backend, network.copy(), rule, Objective(case.loss), data)
    loss, gradient = full(network.buffer)
    X = data.features.rows(slice(None))
    # As in scikit-learn the gradient of a mean over outputs is that of the sum.
    mean = LOSSES[case.loss.name].averaged

    def objective(factor=1):
        return naive_objective(
            network.coefs, network.intercepts, case.activations, X, data.targets, data.weights,
            case.loss, (rule.alpha, rule.l1), factor,
        )  # fmt: skip

    assert loss == pytest.approx(objective(), rel=1e-12)
    expected = finite_differences(lambda: objective(N_OUTPUTS if mean else 1), network.buffer)
    # The truncation error is step^2 times a third derivative, 1e-12; the rounding error is
    # rounding unit x loss / step, 1e-10, and tens of times that for a sum of 23 squares.
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("backend", ["reference", "numpy", "numba"])
def test_a_batch_without_weight_moves_nothing(backend):
    case = Case(weighted=True, rule=Rule(SGD(), alpha=0.5), batch_size=N_SAMPLES)
    data, network = problem(case, "float64"), parameters(case, "float64")
    data = data._replace(weights=np.zeros(N_SAMPLES))
    before = network.buffer.copy()
    plan = Plan(backend, Objective(case.loss), case.rule, Schedule(constant, 0.5), N_SAMPLES, 1)
    state = State(network, Permutations(N_SAMPLES, False, np.random.default_rng(0)), 0.5)
    assert Descent(plan, state, data).run_epoch() == 0
    np.testing.assert_array_equal(network.buffer, before)


@pytest.mark.parametrize("backend", ["reference", "numpy", "numba"])
def test_a_weight_of_two_is_the_sample_twice(backend):
    case = Case(rule=Rule(SGD(), alpha=0.3))
    data, network = problem(case, "float64"), parameters(case, "float64")
    weights = np.arange(N_SAMPLES) % 3 / 1.0
    rows = np.repeat(np.arange(N_SAMPLES), weights.astype(int))
    features = as_features(data.features.values[rows], Scale(1.0, 0.0), np.dtype("float64"))
    twice = Problem(features, data.targets[rows])
    gradients = [
        FullBatch(backend, network.copy(), case.rule, Objective(case.loss), one)(network.buffer)[1]
        for one in (data._replace(weights=weights), twice)
    ]
    assert_close(*gradients, "gradient", "float64")


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5])
def test_dropout_keeps_the_expectation(rate):
    from fastmlp.backends.contract import keep_factors
    from fastmlp.rng import draw_numbers

    network = Network((2, 50, 3), ("tanh",))
    numbers = draw_numbers(np.random.default_rng(0), 50)(4000)
    (factors,) = keep_factors(
        network, Objective(Loss("softmax"), (rate,)), numbers, np.dtype("float64")
    )
    if rate == 0:
        assert factors is None
        return
    assert set(np.unique(factors)) == {0, 1 / (1 - rate)}
    # 200,000 draws: a standard error of 0.0011 for a rate of 0.5.
    assert factors.mean() == pytest.approx(1, abs=0.006)


def test_dropout_numbers_do_not_depend_on_the_pieces():
    from fastmlp.rng import draw_numbers

    whole = draw_numbers(np.random.default_rng(0), 7)(10)
    draw = draw_numbers(np.random.default_rng(0), 7)
    np.testing.assert_array_equal(np.concatenate([draw(3), draw(1), draw(6)]), whole)

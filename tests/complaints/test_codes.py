"""A solver or an activation that a kernel does not know is never passed over in silence.

Where a choice among several ends without an `else`, what is added later does nothing, and nobody is
told: the weights of a wide sparse layer, say, would miss steps.
"""

import ast
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import fastmlp
from fastmlp.activations import ACTIVATIONS
from fastmlp.kernels import activations, few, optimizers, touched
from fastmlp.kernels.simd import Lanes, load, store
from fastmlp.kernels.task import PackedWeights
from tests.kernels.calling import compiled
from tests.tolerances import assert_close

compiled = cache(compiled)
CODES = optimizers.CODES
MOVING = {name: code for name, code in CODES.items() if code != optimizers.KEEP}
"""`KEEP` is for gradients that are shortened, which are formed for all features."""
LANES = Lanes(np.float64, 8)
N_STEPS = 5


def make_solver(code, penalty):
    alpha, l1 = penalty.get("alpha", 0.0), penalty.get("l1", 0.0)
    momentum = 0.9 if code == optimizers.MOMENTUM else 0.0
    return optimizers.Solver(code, alpha, l1, momentum, momentum > 0, 0.8, 0.95, 1e-8)


def make_model(n_slots):
    generator = np.random.default_rng(0)
    slots = np.abs(generator.normal(size=(n_slots, 8)))
    return PackedWeights(generator.normal(size=8), slots, np.empty(0))


def make_rows(solver, decay):
    numbers = (solver.alpha, solver.l1, decay)
    rates = np.linspace(0.1, 0.2, N_STEPS)
    step_sizes = optimizers.StepSizes(
        rates, *(np.full(N_STEPS, number) for number in (*numbers, 0.05))
    )
    betas = np.array([solver.beta_1, solver.beta_2])
    counts, number = np.zeros((1, 8), np.int64), np.zeros((1, 1), np.int32)
    return touched.TouchedRows(
        number, number, counts, counts, np.zeros(1, np.int32), step_sizes,
        np.power.outer(betas, np.arange(N_STEPS + 1)), N_STEPS,
    )  # fmt: skip


def one_by_one(lanes, solver, rows, nothing, model, penalties):
    for step in range(penalties.size):
        stretch = optimizers.Stretch(model.parameters, model.slots, 0, 1, nothing, 0)
        numbers = optimizers.step_of(rows.step_sizes, step)
        penalties[step] += optimizers.update(lanes, solver, numbers, stretch)


@pytest.mark.parametrize("penalty", [{}, {"alpha": 0.3}, {"l1": 0.2}, {"decay": 0.1}], ids=str)
@pytest.mark.parametrize("code", [*MOVING.values(), 99], ids=[*MOVING, "not known"])
def test_steps_that_a_feature_missed_are_made_up_for_whatever_the_solver(code, penalty):
    solver = make_solver(code, penalty)
    rows = make_rows(solver, penalty.get("decay", 0.0))
    actual, expected = make_model(2), make_model(2)
    paid, due = np.zeros(N_STEPS), np.zeros(N_STEPS)
    compiled(touched.catch_up_panel)(
        LANES, solver, rows, rows.all_features, 1, np.zeros(1, np.int64), N_STEPS, 0, actual, paid
    )
    compiled(one_by_one)(LANES, solver, rows, np.zeros(8), expected, due)
    assert_close(actual.parameters, expected.parameters, "update", np.float64)
    assert_close(actual.slots, expected.slots, "update", np.float64)
    assert_close(paid, due, "update", np.float64)


def test_no_two_solvers_do_the_same():
    # One that `update` does not know would be plain gradient descent.
    gradients, step = np.linspace(-1, 1, 8), optimizers.Step(0.1, 0.0, 0.0, 0.0, 0.05)
    results = set()
    for code in CODES.values():
        model = make_model(3)
        stretch = optimizers.Stretch(model.parameters, model.slots, 0, 1, gradients, 0)
        compiled(optimizers.update)(LANES, make_solver(code, {}), step, stretch)
        results.add(np.append(model.parameters, model.slots).tobytes())
    assert len(results) == len(CODES)
    assert {optimizers.PLAIN, optimizers.KEEP} < set(CODES.values())


def activations_of(lanes, code, z, few_units, units, derivatives):
    few.activate(lanes, code, few_units)
    value, slope = activations.value_and_slope(code, load(lanes, z, 0))
    store(units, 0, value)
    store(derivatives, 0, slope)


def test_no_activation_is_taken_for_the_identity():
    assert activations.CODES.keys() == ACTIVATIONS.keys()
    z = np.linspace(-3, 3, 8)
    for name, code in activations.CODES.items():
        few_units, units, derivatives = z.copy(), np.empty(8), np.empty(8)
        compiled(activations_of)(LANES, code, z, few_units, units, derivatives)
        function, derivative = ACTIVATIONS[name][:2]
        expected = function(z)
        assert_close(few_units, expected, "update", np.float64)
        assert_close(units, expected, "update", np.float64)
        assert_close(derivatives, derivative(expected, z), "update", np.float64)


def test_no_choice_hangs_on_the_order_of_the_codes():
    # One that is added later may stand anywhere among them.
    codes = {name.upper() for table in (CODES, activations.CODES) for name in table} | {"PLAIN"}
    for path in Path(fastmlp.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.Eq | ast.NotEq):
                compared = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
                assert not compared & codes, (path, node.lineno)

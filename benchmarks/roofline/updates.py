"""The solvers' steps, and those on the rows of a sparse layer that a batch touches."""

import numpy as np

from fastmlp.backends.compiled.memory import zeros
from fastmlp.backends.compiled.translation import as_solver
from fastmlp.kernels.backward import GRADIENT_ROWS
from fastmlp.kernels.optimizers import StepSizes, Stretch, update
from fastmlp.kernels.simd import n_lanes
from fastmlp.kernels.task import PackedWeights
from fastmlp.kernels.touched import TouchedRows, catch_up_panel
from fastmlp.optimizers import SGD, Adam, Rule

from . import work
from .cases import FLOAT32, N_BATCHES, RATE, SPARSE, STEP, Case, draw
from .timing import compiled_loop

N_PARAMETERS = 800_000
VOCABULARY, N_TOUCHED, N_MISSED = 20_000, 2_900, 6
"""64 texts of 49 words each have 2,900 different ones of 20,000, and miss a word six times before
they have it again."""

SGD_NOTE = "what penalties add is computed where they are 0, too: 8 operations a parameter, not 2"
ADAM_NOTE = "the root and the division of each number take longer than its 24 bytes"


def _update(number, lanes, solver, step, parameters, slots, gradients):
    size = n_lanes(lanes)
    for start in range(0, parameters.size, gradients.size):
        n_vectors = min(gradients.size, parameters.size - start) // size
        update(lanes, solver, step, Stretch(parameters, slots, start, n_vectors, gradients, 0))


def solver_update(name, source, rule, count, note):
    """Time a solver's step, with a block of the gradient that stays in the cache.

    Parameters
    ----------
    name, source : str
    rule : object
        A solver of `fastmlp.optimizers`.
    count : callable
        Tells the work for a number of parameters.
    note : str

    Returns
    -------
    Case
    """
    parameters, gradients = draw(N_PARAMETERS), draw(GRADIENT_ROWS * SPARSE.width, seed=10)
    slots = zeros((rule.n_slots, N_PARAMETERS), np.float32)
    solver = as_solver(Rule(rule), FLOAT32)
    run = compiled_loop(_update, SPARSE, solver, STEP, parameters, slots, gradients)

    def check():
        expected, state = parameters.astype(float), slots.astype(float)
        whole = np.resize(gradients, N_PARAMETERS).astype(float)
        rule.update(expected, whole, state, float(RATE))
        run(1)
        return np.append(parameters, slots), np.append(expected, state)

    return Case(
        name, f"kernels.optimizers.{source}", f"{N_PARAMETERS:,} parameters", count(N_PARAMETERS),
        parameters.nbytes + slots.nbytes, run, check, note=note,
    )  # fmt: skip


def _catch_up(number, lanes, solver, rows, chosen, made, model, penalties):
    some = chosen[number % N_BATCHES]
    for feature in some:
        made[feature] = 0
    catch_up_panel(lanes, solver, rows, some, some.size, made, N_MISSED, 0, model, penalties)


def catch_up():
    """Time making up for missed steps of Adam on the rows of a batch's words.

    The moments are kept from shrinking, which takes them the same operations: else they would be 0
    after some hundred calls, and there were nothing to do.

    Returns
    -------
    Case
    """
    size, solver = SPARSE.width, as_solver(Rule(Adam()), FLOAT32)
    order = np.random.default_rng(11)
    chosen = np.stack([order.permutation(VOCABULARY)[:N_TOUCHED] for _ in range(N_BATCHES)])
    chosen, made = chosen.astype(np.int32), np.zeros(VOCABULARY, np.int64)
    weights, slots = draw(VOCABULARY * size), draw(2, VOCABULARY * size, seed=12)
    np.abs(slots, out=slots)
    rates = np.full(N_MISSED, RATE)
    none = np.zeros(0, np.float32)
    rows = TouchedRows(
        ranks=np.zeros((1, 1), np.int32), touched=chosen[:1], n_touched=np.zeros((1, 8), np.int64),
        steps_made=made[None], all_features=chosen[0],
        step_sizes=StepSizes(rates, none, none, none, none),
        decays=np.ones((2, N_MISSED + 1), np.float32),
        adam_steps=N_MISSED,
    )  # fmt: skip
    model, penalties = PackedWeights(weights, slots, none), np.zeros(N_MISSED)
    run = compiled_loop(_catch_up, SPARSE, solver, rows, chosen, made, model, penalties)

    def check():
        expected, (m, v) = weights.reshape(-1, size).astype(float), slots.astype(float)
        m, root = (array.reshape(-1, size)[chosen[0]] for array in (m, np.sqrt(v)))
        for step in range(1, N_MISSED + 1):
            shrunk = Adam.beta_1**step * m, np.sqrt(Adam.beta_2) ** step * root
            expected[chosen[0]] -= RATE * shrunk[0] / (shrunk[1] + Adam.epsilon)
        run(1)
        return weights.reshape(-1, size), expected

    n_parameters = N_TOUCHED * size
    return Case(
        "Adam catch-up", "kernels.touched.catch_up_panel",
        f"{N_TOUCHED:,} of {VOCABULARY:,} rows x {size}, {N_MISSED} steps",
        work.adam_catch_up(n_parameters, N_MISSED), weights.nbytes + slots.nbytes, run, check,
    )  # fmt: skip


def update_cases(images):
    """List the solvers' steps; see `forward.forward_cases`."""
    return [
        solver_update("SGD update", "sgd_update", SGD(), work.sgd, SGD_NOTE),
        solver_update("Adam update", "adam_update", Adam(), work.adam, ADAM_NOTE),
        catch_up(),
    ]

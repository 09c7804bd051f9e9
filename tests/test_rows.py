"""What is added as a row of one table is there in all others: a message says where it is missing.

An activation, a loss or an optimizer is a row of its NumPy file and has a twin of the same name in
kernels/; the tests' own oracles need a formula of their own.
"""

from dataclasses import fields

import numpy as np
import pytest

from fastmlp import MLPClassifier, MLPRegressor, train
from fastmlp.activations import ACTIVATIONS
from fastmlp.arguments import OPTIMIZER_NUMBERS
from fastmlp.kernels import activations, losses, optimizers, outputs
from fastmlp.losses import LOSSES, OUTPUT_FUNCTIONS, REGRESSION_LOSSES
from fastmlp.optimizers import OPTIMIZERS, SGD, Accumulate, AdamW
from fastmlp.predictor import NATIVE
from tests import oracles, test_activations, test_optimizers

PAIRED = [name for name, row in LOSSES.items() if row.outputs_per_target == 2]
VALUE_LOSSES = [name for name, row in LOSSES.items() if row.targets != "classes"]
MADE = [*(kind() for kind in OPTIMIZERS.values()), SGD(momentum=0.9), Accumulate()]
KERNELS = {"keep", *(optimizer.kernel for optimizer in MADE)}
TABLES = {
    "activations: kernels.activations.CODES": (ACTIVATIONS, activations.CODES),
    "activations: tests.oracles.ACTIVATIONS": (ACTIVATIONS, oracles.ACTIVATIONS),
    "activations: tests.test_activations.EXPECTED": (ACTIVATIONS, test_activations.EXPECTED),
    "losses: kernels.losses.CODES": (VALUE_LOSSES, [*losses.CODES, *losses.PAIRED]),
    "losses: kernels.losses.PAIRED": (PAIRED, losses.PAIRED),
    "losses: tests.oracles.SAMPLE_LOSSES": (VALUE_LOSSES, oracles.SAMPLE_LOSSES),
    "optimizers: kernels.optimizers.CODES": (KERNELS, optimizers.CODES),
    "output functions: kernels.outputs.OUTPUT_CODES": (NATIVE, outputs.OUTPUT_CODES),
}


@pytest.mark.parametrize("name", TABLES)
def test_every_row_has_its_twin(name):
    rows, twins = TABLES[name]
    missing, strange = set(rows) - set(twins), set(twins) - set(rows)
    assert not missing, f"{name} lacks {missing}"
    assert not strange, f"{name} has {strange}, which no row is for"


@pytest.mark.parametrize(
    "codes", [activations.CODES, losses.CODES, optimizers.CODES, outputs.OUTPUT_CODES]
)
def test_codes_are_told_apart(codes):
    assert len(set(codes.values())) == len(codes)


@pytest.mark.parametrize("name", losses.CODES)
def test_the_kernels_average_what_the_rows_average(name):
    assert (losses.CODES[name] in losses.SUMMED) != LOSSES[name].averaged


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_names_an_output_function(name):
    assert LOSSES[name].output in OUTPUT_FUNCTIONS
    assert LOSSES[name].targets in ("classes", "bits", "values")


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_keeps_shape_and_dtype(name):
    z = np.linspace(-2, 2, 6, dtype=np.float32).reshape(2, 3)
    a = ACTIVATIONS[name].function(z)
    slope = ACTIVATIONS[name].derivative(a, z)
    for found in (a, slope):
        assert (found.shape, found.dtype) == ((2, 3), np.float32)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_numbers_of_an_optimizer_are_arguments_of_the_estimators(name):
    numbers = {field.name for field in fields(OPTIMIZERS[name])}
    arguments = {OPTIMIZER_NUMBERS.get(number, number) for number in numbers}
    for estimator in (MLPClassifier(), MLPRegressor()):
        missing = arguments - estimator.get_params().keys()
        assert not missing, f"{type(estimator).__name__} lacks {missing}, which {name!r} takes"
    known = {*optimizers.Solver._fields, "weight_decay"}
    assert numbers <= known, f"kernels.optimizers.Solver lacks {numbers - known}"


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_has_a_textbook(name):
    kinds = {type(solver) for solver in test_optimizers.SOLVERS.values()}
    assert OPTIMIZERS[name] in {*kinds, AdamW}, f"tests.test_optimizers.SOLVERS lacks {name!r}"


@pytest.mark.parametrize("name", [*ACTIVATIONS, *OPTIMIZERS, *REGRESSION_LOSSES])
def test_every_choice_is_documented(name):
    for documented in (train, MLPRegressor):
        assert f'"{name}"' in documented.__doc__, f"{documented.__name__} does not name {name!r}"

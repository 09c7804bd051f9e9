"""Losses of values, a vector of rows at a time and one sample at a time, beside NumPy's."""

import numpy as np
import pytest

from fastmlp.kernels import losses as kernels
from fastmlp.kernels import values
from fastmlp.kernels.layout import choose_output_lanes
from fastmlp.kernels.products import Matrix
from fastmlp.kernels.simd import Lanes
from fastmlp.losses import Loss, loss_gradient, sample_losses
from tests.kernels.calling import compiled
from tests.tolerances import assert_close

DTYPES = [np.float32, np.float64]
LOSSES = [Loss(name, delta=0.7, level=0.8) for name in kernels.CODES]
LOSSES.append(Loss("logistic", label_smoothing=0.2))
N_SAMPLES, TOTAL = 60, 4.0


def draw(loss, n_outputs, dtype):
    """Draw logits, and values that the loss is for; some residuals are 0."""
    generator = np.random.default_rng(n_outputs)
    logits = generator.normal(0, 3, (N_SAMPLES, n_outputs)).astype(dtype)
    truth = logits + generator.integers(-1, 2, logits.shape) * generator.exponential(
        size=logits.shape
    )
    if loss.name == "logistic":
        truth = generator.integers(0, 2, logits.shape)
    elif loss.name == "poisson":
        truth = generator.poisson(2.0, logits.shape)
    return logits, truth.astype(dtype)


def targets_of(loss, truth, weights):
    """Hand values to the kernels."""
    number, code = truth.dtype.type, kernels.CODES[loss.name]
    numbers = number(loss.label_smoothing), number(loss.delta), number(loss.level)
    return kernels.ValueTargets(truth.ravel(), weights, truth.shape[1], code, *numbers)


def expected_of(loss, logits, truth):
    """Compute losses and gradients in float64, and the size of the losses' terms."""
    logits, truth = logits.astype(np.float64), truth.astype(np.float64)
    losses, gradients = sample_losses(loss, logits, truth), loss_gradient(loss, logits, truth)
    return (
        losses,
        gradients,
        max(np.abs(losses).max(), np.abs(truth * logits[:, : truth.shape[1]]).sum(axis=1).max()),
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_rows", [1, 16, 37])
@pytest.mark.parametrize("n_outputs", [1, 3, 4, 16, 40])
@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_losses_of_rows_agree_with_numpy(loss, n_outputs, n_rows, dtype):
    line, output = (
        Lanes(dtype, 64 // np.dtype(dtype).itemsize),
        choose_output_lanes(n_outputs, dtype, False),
    )
    block, size = min(line, output, key=lambda lanes: lanes.width), line.width
    width, step = -(-n_outputs // output.width) * output.width, 48
    samples, truth = draw(loss, n_outputs, dtype)
    generator = np.random.default_rng(n_rows)
    batch, weights = generator.permutation(N_SAMPLES)[:n_rows], generator.integers(0, 3, N_SAMPLES)
    logits, deltas = np.full((2, (n_rows + size) * step), np.nan, dtype)
    logits[: n_rows * step].reshape(n_rows, step)[:, :n_outputs] = samples[batch]
    targets = targets_of(loss, truth, weights.astype(dtype))
    row_losses = np.full(n_rows, np.nan)
    space = np.full(2 * (block.width + 1) * size, np.nan, dtype)
    for row in range(0, n_rows, size):
        compiled(values.value_rows)(
            line, block, targets, batch, row, width, Matrix(logits, 0, n_rows, step, 1), deltas,
            TOTAL, row_losses, space,
        )  # fmt: skip
    losses, gradients, scale = expected_of(loss, samples, truth)
    actual = deltas[: n_rows * step].reshape(n_rows, step)[:, :width]
    expected = gradients[batch] * weights[batch, None] / TOTAL
    assert_close(actual[:, :n_outputs], expected, "operation", dtype, np.abs(samples).max())
    assert not actual[:, n_outputs:].any()
    assert_close(row_losses, losses[batch] * weights[batch], "operation", dtype, 2 * scale)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_outputs", [1, 3, 40])
@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_losses_of_a_sample_agree_with_numpy(loss, n_outputs, dtype):
    lanes = choose_output_lanes(n_outputs, dtype, False)
    width = -(-n_outputs // lanes.width) * lanes.width
    samples, truth = draw(loss, n_outputs, dtype)
    targets, sample = targets_of(loss, truth, np.empty(0, dtype)), 7
    logits, deltas = np.full(width, -1e18, dtype), np.full(width, np.nan, dtype)
    logits[:n_outputs] = samples[sample]
    actual = compiled(values.value_loss)(lanes, targets, sample, logits, deltas, width, dtype(0.25))
    losses, gradients, scale = expected_of(loss, samples, truth)
    assert_close(
        deltas[:n_outputs], gradients[sample] / 4, "operation", dtype, np.abs(samples).max()
    )
    assert not deltas[n_outputs:].any()
    assert_close(actual, losses[sample], "operation", dtype, scale)


@pytest.mark.parametrize("name", kernels.CODES)
def test_a_logit_that_is_not_a_number_shows(name):
    targets = targets_of(Loss(name), np.ones((1, 1), np.float32), np.empty(0, np.float32))
    logits, deltas = np.full((2, 4), np.nan, np.float32)
    lanes = choose_output_lanes(1, np.float32, False)
    loss = compiled(values.value_loss)(lanes, targets, 0, logits, deltas, 4, np.float32(1))
    assert np.isnan([loss, deltas[0]]).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_targets", [1, 2, 3, 20])
def test_losses_of_pairs_agree_with_numpy(n_targets, dtype):
    n_outputs, n_rows = 2 * n_targets, 21
    line = Lanes(dtype, 64 // np.dtype(dtype).itemsize)
    output = choose_output_lanes(n_outputs, dtype, False)
    block, size = min(line, output, key=lambda lanes: lanes.width), line.width
    width, step = -(-n_outputs // output.width) * output.width, 48
    generator = np.random.default_rng(n_targets)
    samples = generator.normal(size=(n_rows, n_outputs)).astype(dtype)
    truth = generator.normal(size=(n_rows, n_targets)).astype(dtype)
    logits, deltas = np.full((2, (n_rows + size) * step), np.nan, dtype)
    logits[: n_rows * step].reshape(n_rows, step)[:, :n_outputs] = samples
    targets = kernels.PairTargets(np.repeat(truth, 2), np.empty(0, dtype), n_outputs)
    row_losses, space = (
        np.full(n_rows, np.nan),
        np.full(2 * (block.width + 1) * size, np.nan, dtype),
    )
    for row in range(0, n_rows, size):
        compiled(values.value_rows)(
            line, block, targets, np.arange(n_rows), row, width, Matrix(logits, 0, n_rows, step, 1),
            deltas, TOTAL, row_losses, space,
        )  # fmt: skip
    losses, gradients, scale = expected_of(Loss("gaussian_nll"), samples, truth)
    actual = deltas[: n_rows * step].reshape(n_rows, step)[:, :width]
    assert_close(actual[:, :n_outputs], gradients / TOTAL, "operation", dtype)
    assert not actual[:, n_outputs:].any()
    assert_close(row_losses, losses, "operation", dtype, 2 * scale)

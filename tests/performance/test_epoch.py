"""One epoch a round; what it computes is compared with the reference before it is timed."""

import pytest

import fastmlp
from fastmlp.backends import BACKENDS
from tests.tolerances import assert_close

SETTINGS = {"input_scale": "unit", "epochs": 1, "random_state": 0, "n_threads": 1}


@pytest.fixture(scope="module")
def reference_losses(mnist_shaped):
    """Train the reference once for each batch size."""
    return {
        batch_size: fastmlp.train(
            *mnist_shaped, **SETTINGS, batch_size=batch_size, backend="reference"
        ).history.loss
        for batch_size in (1, 64)
    }


@pytest.mark.parametrize("batch_size", [1, 64])
@pytest.mark.parametrize("backend", BACKENDS)
def test_epoch_is_right_and_then_timed(
    backend, batch_size, benchmark, mnist_shaped, reference_losses
):
    def fit():
        return fastmlp.train(*mnist_shaped, **SETTINGS, batch_size=batch_size, backend=backend)

    actual = fit().history.loss  # also compiles
    assert_close(actual, reference_losses[batch_size], "loss curve", "float32")
    benchmark.group = f"784-100-10, 2,000 samples, batch_size={batch_size}"
    benchmark.extra_info["loss"] = actual[-1]
    result = benchmark.pedantic(fit, rounds=5, warmup_rounds=1)
    assert result.history.loss == actual

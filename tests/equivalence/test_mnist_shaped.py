"""Loss curves over three epochs of 2,000 MNIST-shaped samples."""

import pytest

import fastmlp
from tests.tolerances import assert_close

SETTINGS = {
    "article, batch 1": {"batch_size": 1, "learning_rate_init": 0.01},
    "defaults, ragged batch": {"batch_size": 64},
    "two layers, large batch": {"hidden_layer_sizes": (64, 32), "batch_size": 300, "alpha": 1e-3},
    "adam, batch 16": {"solver": "adam", "batch_size": 16},
    "momentum, batch 8": {"batch_size": 8, "learning_rate_init": 0.02, "momentum": 0.9},
}


@pytest.fixture(scope="module")
def reference_curves(mnist_shaped):
    """Train the reference once for each setting and dtype."""
    kept = {}

    def curve(setting, dtype):
        if (setting, dtype) not in kept:
            kept[setting, dtype] = loss_curve(mnist_shaped, setting, dtype, "reference")
        return kept[setting, dtype]

    return curve


def loss_curve(problem, setting, dtype, backend):
    """Train three epochs and return the loss of each."""
    arguments = {"input_scale": "unit", "epochs": 3, "random_state": 2, **SETTINGS[setting]}
    arguments["batch_size"] = min(arguments["batch_size"], len(problem.y) - 3)
    return fastmlp.train(*problem, backend=backend, dtype=dtype, **arguments).history.loss


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_three_epochs_agree_with_the_reference(
    backend, setting, dtype, mnist_shaped, reference_curves
):
    actual = loss_curve(mnist_shaped, setting, dtype, backend)
    expected = reference_curves(setting, dtype)
    assert_close(actual, expected, "loss curve", dtype)
    assert actual[-1] != actual[0]

"""Every input form, on one, two and three threads: near the reference, and the same bits."""

import numba
import numpy as np
import pytest
import scipy.sparse

import fastmlp
from fastmlp.backends.compiled import fit
from tests.tolerances import assert_close


class Always:
    """A pace that always lets as many threads work as there may be, some batches at a time."""

    def __init__(self, most, unit, longest):
        self.n_threads, self.n_steps = most, min(max(unit, 3), max(unit, longest))
        self.used = []

    def choose(self):
        return self.n_steps

    def record(self, n_steps, seconds):
        self.used.append(self.n_threads)


@pytest.fixture
def paces(monkeypatch):
    """Let all threads work, and keep what decides on them."""
    made = []
    monkeypatch.setattr(fit, "Pace", lambda *sizes: made.append(Always(*sizes)) or made[-1])
    return made


# Where the kernels run as plain Python, a thousand times slower, fewer samples show the same.
N_SAMPLES = 12 if numba.config.DISABLE_JIT else 60


def _images(kind):
    generator = np.random.default_rng(7)
    X = generator.integers(1, 256, (N_SAMPLES, 40)).astype(np.uint8)
    X[generator.random(X.shape) > 0.2] = 0
    X[3], X[:, 5] = 0, 0
    return kind(X)


FORMS = {
    "dense": lambda: np.random.default_rng(8).normal(size=(N_SAMPLES, 40)),
    "mostly zeros": lambda: _images(lambda X: X / 255),
    "background": lambda: _images(lambda X: X / 127.5 - 1),
    "bytes": lambda: _images(lambda X: X),
    "dense bytes": lambda: _images(lambda X: X + np.uint8(1)),
    "CSR": lambda: scipy.sparse.csr_array(_images(lambda X: X / 255)),
    "wide CSR": lambda: scipy.sparse.random_array(
        (N_SAMPLES, 900), density=0.01, format="csr", random_state=np.random.default_rng(9)
    ),
}
SETTINGS = {
    "batch 1": {"batch_size": 1, "learning_rate_init": 0.02},
    "ragged": {"batch_size": 7, "learning_rate_init": 0.1},
    "momentum, L2": {"batch_size": 9, "momentum": 0.9, "alpha": 0.2, "learning_rate_init": 0.02},
    "Adam": {"solver": "adam", "batch_size": 9, "learning_rate_init": 0.003},
    "deep": {"hidden_layer_sizes": (200, 65, 130), "batch_size": 9, "activation": "relu",
             "learning_rate_init": 0.02},
    "none hidden": {"hidden_layer_sizes": (), "batch_size": 8, "learning_rate_init": 0.1},
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("setting", SETTINGS)
def test_any_number_of_threads_gives_the_same_bits(setting, form, dtype, paces):
    X, y = FORMS[form](), np.arange(N_SAMPLES) % 5
    scale = {"input_scale": "symmetric"} if "bytes" in form else {}
    arguments = {
        "hidden_layer_sizes": (150,), "activation": "tanh", "epochs": 2, "random_state": 0,
        "dtype": dtype, **scale, **SETTINGS[setting],
    }  # fmt: skip
    expected = fastmlp.train(X, y, backend="reference", **arguments)
    results = [fastmlp.train(X, y, n_threads=n, **arguments) for n in (1, 2, 3)]
    assert_close(results[0].history.loss, expected.history.loss, "loss curve", dtype)
    for result in results[1:]:
        assert result.history.loss == results[0].history.loss
        buffers = (one.model.parameters.buffer for one in (result, results[0]))
        np.testing.assert_array_equal(*buffers)
    # As many threads as there are panels of hidden units: 150 are three of 64, or five of 32.
    if setting != "none hidden":
        assert {n for pace in paces for n in pace.used} == {1, 2, 3}

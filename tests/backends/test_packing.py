"""What the compiled backend makes of data: packed without their background, and taken in turn."""

import llvmlite.binding
import numpy as np
import pytest

import fastmlp
from fastmlp.backends import get_backend
from fastmlp.backends.compiled import prediction
from fastmlp.backends.compiled.fit import CompiledTrainer
from fastmlp.backends.compiled.packing import LOOKED_AT_ONCE, pack
from fastmlp.backends.contract import Objective, Problem
from fastmlp.inputs import Scale, as_features
from fastmlp.kernels.sparse import SparseFeatures, pack_nonzeros
from fastmlp.losses import Loss
from fastmlp.network import Network, Parameters
from fastmlp.optimizers import Adam, Rule
from tests.complaints.scripts import run_script
from tests.kernels.calling import of_compiled_code
from tests.tolerances import assert_close


def mostly(background, dtype, n_features=67, n_samples=30):
    """Draw values of 0 to 255 of which most are the background, and rows without another."""
    generator = np.random.default_rng(n_features)
    X = generator.integers(0, 256, (n_samples, n_features)).astype(dtype)
    X[generator.random(X.shape) < 0.8] = background
    X[::7] = background
    return X


def rebuilt(packed, shape):
    """Write packed rows out again."""
    X = np.full(shape, float(packed.constant))
    rows = np.repeat(np.arange(shape[0]), np.diff(packed.indptr))
    X[rows, packed.indices] += packed.values
    return X


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("background", [0, 7, 255])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_packed_rows_are_the_data(dtype, background, order):
    for n_features in (5, 16, 67):
        X = np.asarray(mostly(background, dtype, n_features), order=order)
        packed = pack(as_features(X, Scale(1.0, 0.0), np.dtype("float32")), 2, 0.5)
        assert isinstance(packed, SparseFeatures)
        np.testing.assert_array_equal(rebuilt(packed, X.shape), X)
        np.testing.assert_array_equal(np.diff(packed.indptr), (background != X).sum(axis=1))


AVX2 = {
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+popcnt,+sse4.2",
}


@of_compiled_code
@pytest.mark.skipif(
    not llvmlite.binding.get_host_cpu_features().get("avx2"), reason="the processor has no AVX2"
)
def test_packed_rows_are_the_data_where_there_is_no_instruction_for_it():
    """AVX-512 has one; without it the lanes that come first are looked up in a table."""
    test = f"{__file__}::test_packed_rows_are_the_data"
    script = (
        f"import pytest; assert pytest.main(['-q', '-n0', '-p', 'no:cacheprovider', {test!r}]) == 0"
    )
    assert "18 passed" in run_script(script, **AVX2)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_what_another_thread_packs_is_not_written_over(dtype):
    X = mostly(0, dtype)
    indptr = np.append(0, np.cumsum((X != 0).sum(axis=1)))
    indices, packed = np.full(indptr[-1], -7, np.int32), np.full(indptr[-1], 77, dtype)
    matrix = (LOOKED_AT_ONCE, X.ravel(), 67, 1, X.dtype.type(0), 67)
    pack_nonzeros(*matrix, 0, 20, indptr, indices, packed)
    np.testing.assert_array_equal(packed[: indptr[20]], X[:20][X[:20] != 0])
    assert (indices[indptr[20] :] == -7).all()
    assert (packed[indptr[20] :] == 77).all()


def test_a_renewed_trainer_takes_the_state_it_is_given():
    X = np.random.default_rng(0).normal(size=(20, 4))
    problem = Problem(as_features(X, Scale(1.0, 0.0), np.dtype("float64")), np.arange(20) % 3)
    parameters = Parameters.zeros(Network((4, 5, 3), ("relu",)), np.dtype("float64"))
    trainer = CompiledTrainer(parameters, Rule(Adam()), Objective(Loss("softmax")), problem, 20, 1)
    state = np.random.default_rng(1).random(trainer.state.shape)
    assert trainer.release()
    assert trainer.renew(problem, state)
    np.testing.assert_array_equal(trainer.state, state)
    assert trainer.release()
    assert trainer.renew(problem, None)
    assert not trainer.state.any()


def test_white_images_train_as_black_ones_do():
    # A byte below the background, less the background, was 2^64 too large.
    X = mostly(255, np.uint8, 64, 60)
    arguments = {"hidden_layer_sizes": (8,), "epochs": 2, "random_state": 0, "batch_size": 10,
                 "dtype": "float64", "input_scale": "unit"}  # fmt: skip
    curves = [
        fastmlp.train(X, np.arange(60) % 3, backend=name, **arguments).history.loss
        for name in ("numba", "numpy")
    ]
    assert_close(*curves, "loss curve", "float64")


@pytest.mark.parametrize("background", [0, 255])
def test_predictions_skip_the_background_some_rows_at_a_time(background, monkeypatch):
    monkeypatch.setattr(prediction, "BLOCK_ROWS", 13)
    monkeypatch.setattr(prediction, "THREAD_ROWS", 10)
    monkeypatch.setattr(prediction, "SHARE_ROWS", 20)
    features = as_features(mostly(background, np.uint8), Scale(1 / 255, 0.0), np.dtype("float64"))
    network = Network((67, 20, 3), ("relu",))
    buffer = np.random.default_rng(0).normal(size=network.n_parameters)
    parameters = Parameters(network, buffer)
    actual = prediction.predict_logits(parameters, features, 2)
    expected = get_backend("numpy").predict_logits(parameters, features, 1)
    assert_close(actual, expected, "loss curve", "float64")

"""Steps one by one: those of `train`, to the bit."""

import numpy as np
import pytest

import fastmlp

BACKENDS = ["reference", "numpy", "numba"]
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(90, 5)).astype(np.float32)
LABELS = np.array(["a", "b", "c"])[np.arange(90) % 3]
NUMBERS = GENERATOR.normal(size=(90, 2)).astype(np.float32)
SMALL = {"hidden_layer_sizes": (6, 4), "activation": "tanh", "batch_size": 16, "random_state": 0}
WAYS = {
    "sgd": {"solver": "sgd", "learning_rate_init": 0.1},
    "momentum": {"solver": "sgd", "momentum": 0.9, "alpha": 0.1, "l1": 0.01},
    "adam": {"solver": "adam"},
    "adamw, clipped": {"solver": "adamw", "alpha": 0.1, "max_grad_norm": 0.1},
    "scaled": {"input_scale": (2.0, -1.0), "label_smoothing": 0.1, "dtype": "float64"},
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("way", WAYS)
def test_steps_are_those_of_train(way, backend):
    """A ragged last batch, too: 90 rows in batches of 16."""
    arguments = {**SMALL, "backend": backend, **WAYS[way]}
    whole = fastmlp.train(X, LABELS, **arguments, epochs=2, shuffle=False, n_threads=1)
    with fastmlp.OnlineTrainer(5, ["a", "b", "c"], **arguments) as trainer:
        losses = [
            trainer.step(X[start : start + 16], LABELS[start : start + 16]) * min(16, 90 - start)
            for _ in range(2)
            for start in range(0, 90, 16)
        ]
    np.testing.assert_array_equal(trainer.model.parameters.buffer, whole.model.parameters.buffer)
    assert np.sum(losses[6:]) / 90 == pytest.approx(whole.history.loss[1], rel=1e-6)
    assert trainer.predict(X).tolist() == whole.model.predict(X).tolist()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("loss", ["huber", "gaussian_nll"])
def test_numbers_are_learned_step_by_step(loss, backend):
    arguments = {**SMALL, "backend": backend, "loss": loss, "solver": "adam"}
    whole = fastmlp.train(X, NUMBERS, **arguments, epochs=1, shuffle=False, n_threads=1)
    trainer = fastmlp.OnlineTrainer(5, 2, **arguments)
    for start in range(0, 90, 16):
        trainer.step(X[start : start + 16], NUMBERS[start : start + 16])
        trainer.predict(X[:3])  # in between, as an agent does
    np.testing.assert_array_equal(trainer.predict(X), whole.model.predict(X))
    single = fastmlp.OnlineTrainer(5, 1, **arguments)
    single.step(X[:4], NUMBERS[:4, 0])
    assert single.predict(X[:4]).shape == (4,)


@pytest.mark.parametrize("backend", BACKENDS)
def test_several_labels_are_learned_step_by_step(backend, tmp_path):
    """A ragged last batch, too; labels are whole numbers or booleans."""
    labels = (NUMBERS > 0).astype(int)
    arguments = {**SMALL, "backend": backend, "solver": "adam", "label_smoothing": 0.1}
    whole = fastmlp.train(X, labels, **arguments, epochs=1, shuffle=False, n_threads=1)
    trainer = fastmlp.OnlineTrainer(5, 2, **arguments)
    losses = []
    for start in range(0, 90, 16):
        rows = slice(start, start + 16)
        losses.append(trainer.step(X[rows], labels[rows] > 0) * min(16, 90 - start))
        trainer.predict(X[:3])
    np.testing.assert_array_equal(trainer.model.parameters.buffer, whole.model.parameters.buffer)
    assert np.sum(losses) / 90 == pytest.approx(whole.history.loss[0], rel=1e-6)
    assert trainer.predict(X).tolist() == whole.model.predict(X).tolist()
    trainer.model.save(tmp_path / "model")
    np.testing.assert_array_equal(
        fastmlp.load(tmp_path / "model").predict_proba(X), whole.model.predict_proba(X)
    )


@pytest.mark.parametrize(
    ("labels", "message"),
    [(LABELS[:2], r"y must be 0 and 1, of shape \(2, 3\), .*<U1 of shape \(2,\)\. Where a row"),
     ([0, 1], r"got int64 of shape \(2,\)\. Where a row has one label, the trainer's outputs are"),
     (np.eye(3), "float64 of shape .3, 3"),
     ([[0, 1, 1], [2, 0, 1]], "must be 0 and 1, of shape .*; got 2"),
     ([[0, 1, 1], [np.nan, 0, 1]], "must be 0 and 1, of shape .*; got nan")],
)  # fmt: skip
def test_what_are_no_labels_teaches_nothing(labels, message):
    trainer = fastmlp.OnlineTrainer(5, 3, **SMALL, backend="numpy")
    before = trainer.model.parameters.buffer.copy()
    with pytest.raises(ValueError, match=message):
        trainer.step(X[:2], labels)
    np.testing.assert_array_equal(trainer.model.parameters.buffer, before)


def test_rates_go_on_where_they_were_worked_out_to(monkeypatch):
    arguments = {**SMALL, "backend": "numpy", "solver": "adam"}
    buffers = []
    for ahead in (1024, 3):
        monkeypatch.setattr("fastmlp.online.AHEAD", ahead)
        trainer = fastmlp.OnlineTrainer(5, ["a", "b", "c"], **arguments)
        for start in range(0, 80, 8):
            trainer.step(X[start : start + 8], LABELS[start : start + 8])
        buffers.append(trainer.model.parameters.buffer)
    np.testing.assert_array_equal(*buffers)


BAD = [
    ((X[:, :3], LABELS), r"X must be of shape \(n_rows, 5\), with 1 to 16 rows; got shape"),
    ((X[:17], LABELS[:17]), "got shape .17, 5.. batch_size says"),
    ((X[:0], LABELS[:0]), "with 1 to 16 rows"),
    ((X[:3].astype(str), LABELS[:3]), "X must be numeric; got dtype"),
    ((np.full((2, 5), np.nan), LABELS[:2]), "X must be finite in float32; got NaN"),
    ((np.full((2, 5), 1e300), LABELS[:2]), "X must be finite in float32; got NaN"),
    ((X[:2], LABELS[:3]), r"y must be of shape \(2,\), as long as X; got shape \(3,\)"),
    ((X[:2], ["a", "z"]), "y must be of the classes .*; got 'z'"),
]


@pytest.mark.parametrize(("data", "message"), BAD, ids=lambda value: str(value)[:30])
def test_unusable_data_teaches_nothing(data, message):
    trainer = fastmlp.OnlineTrainer(5, ["a", "b", "c"], **SMALL, backend="numba")
    trainer.step(X[:16], LABELS[:16])
    before = trainer.model.parameters.buffer.copy()
    with pytest.raises(ValueError, match=message):
        trainer.step(*data)
    np.testing.assert_array_equal(trainer.model.parameters.buffer, before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"epochs": 3}, "the argument must be one that a single step heeds: .*; got 'epochs'"),
     ({"outputs": 1}, "outputs must be at least 2 class labels, or how many labels .*; got 1"),
     ({"outputs": 2.0}, "outputs must be at least 2 class labels"),
     ({"outputs": "ab"}, "outputs must be at least 2 class labels"),
     ({"outputs": [[0, 1]]}, "outputs must be at least 2 class labels"),
     ({"outputs": ["a"]}, "outputs must be at least 2 class labels"),
     ({"loss": "huber", "outputs": ["a", "b"]}, "outputs must be a whole number"),
     ({"n_features": 0}, "n_features must be a whole number of at least 1"),
     ({"solver": "adma"}, "Did you mean 'adam'")],
)  # fmt: skip
def test_unusable_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        fastmlp.OnlineTrainer(**{"n_features": 5, "outputs": [0, 1], **SMALL, **arguments})


def test_a_step_that_diverges_is_told():
    trainer = fastmlp.OnlineTrainer(5, 2, **SMALL, loss="squared_error", learning_rate_init=1e30)
    trainer.step(X[:16], NUMBERS[:16])
    with pytest.raises(fastmlp.DivergenceError, match="training diverged in step 2"):
        trainer.step(X[:16], NUMBERS[:16])

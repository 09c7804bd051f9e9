"""What `train` promises beyond the numbers."""

import pickle

import numpy as np
import pytest

import fastmlp

BACKENDS = ["reference", "numpy", "numba"]
SMALL = {"hidden_layer_sizes": (5,), "batch_size": 6, "epochs": 3, "random_state": 0}


@pytest.mark.parametrize("backend", BACKENDS)
def test_random_state_fixes_the_bits(backend, tiny):
    first, second = (fastmlp.train(*tiny, **SMALL, backend=backend) for _ in range(2))
    assert first.history.loss == second.history.loss
    np.testing.assert_array_equal(first.model.parameters.buffer, second.model.parameters.buffer)
    other = fastmlp.train(*tiny, **{**SMALL, "random_state": 1}, backend=backend)
    assert other.history.loss != first.history.loss


def test_a_generator_gives_new_weights_each_time(tiny):
    generator = np.random.default_rng(0)
    arguments = {**SMALL, "random_state": generator, "backend": "numpy"}
    first, second = (fastmlp.train(*tiny, **arguments).history.loss for _ in range(2))
    assert first != second


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_ragged_last_batch_counts_with_its_size(backend, tiny):
    # A rate that changes nothing: the epoch's loss is then the mean over all samples.
    result = fastmlp.train(
        *tiny, **{**SMALL, "batch_size": 7}, backend=backend, dtype="float64",
        learning_rate_init=1e-300, X_val=tiny.X, y_val=tiny.y,
    )  # fmt: skip
    assert result.history.loss[0] == pytest.approx(result.history.val_loss[0], rel=1e-14)
    result = fastmlp.train(*tiny, **{**SMALL, "batch_size": 7}, backend=backend)
    speed, seconds = result.history.iterations_per_second[0], result.history.seconds[0]
    assert speed * seconds == pytest.approx(3)  # 20 samples: 7 + 7 + 6


@pytest.mark.parametrize("backend", BACKENDS)
def test_samples_are_trained_on_in_the_order_drawn(backend, tiny):
    # One long epoch in order equals the same samples permuted beforehand; and shuffling matters.
    arguments = {**SMALL, "epochs": 1, "backend": backend, "dtype": "float64"}
    plain = fastmlp.train(*tiny, **arguments, shuffle=False)
    reverse = fastmlp.train(tiny.X[::-1], tiny.y[::-1], **arguments, shuffle=False)
    shuffled = fastmlp.train(*tiny, **arguments)
    buffers = [result.model.parameters.buffer for result in (plain, reverse, shuffled)]
    assert not np.allclose(buffers[0], buffers[1], rtol=1e-6)
    assert not np.allclose(buffers[0], buffers[2], rtol=1e-6)


def test_epochs_are_shuffled_anew(tiny):
    from fastmlp.rng import Permutations, streams

    orders = Permutations(20, True, streams(0)[1])
    first, second = orders.draw(), orders.draw()
    assert sorted(first) == list(range(20))
    assert first.tolist() != second.tolist()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("labels", [["b", "a", "c"], [-3, 7, 10**12], [True, False, True]])
def test_labels_of_any_type_come_back(backend, labels, tiny):
    y = np.array(labels)[tiny.y]
    model = fastmlp.train(
        tiny.X, y, **{**SMALL, "epochs": 200, "learning_rate_init": 0.5}, backend=backend
    ).model
    predicted = model.predict(tiny.X)
    assert predicted.dtype == y.dtype
    assert model.classes_.tolist() == sorted(set(labels))
    assert model.score(tiny.X, y) == (predicted == y).mean() > 0.8


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_probabilities_sum_to_one(backend, dtype, tiny):
    probabilities = fastmlp.train(*tiny, **SMALL, backend=backend, dtype=dtype).model.predict_proba(
        tiny.X
    )
    assert probabilities.shape == (20, 3)
    assert probabilities.dtype == dtype
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


def test_initial_parameters_are_copied_not_used(tiny):
    coefs = [np.ones((6, 5)), np.ones((5, 3))]
    model = fastmlp.train(*tiny, **SMALL, backend="numpy", coefs_init=coefs).model
    assert all((array == 1).all() for array in coefs)
    assert model.n_features_in_ == 6
    assert [array.shape for array in model.coefs_] == [(6, 5), (5, 3)]
    assert [array.shape for array in model.intercepts_] == [(5,), (3,)]


def test_data_are_not_written_to(tiny):
    X, y = tiny.X.copy(), tiny.y.copy()
    for backend in BACKENDS:
        fastmlp.train(X, y, **SMALL, backend=backend)
    np.testing.assert_array_equal(X, tiny.X)
    np.testing.assert_array_equal(y, tiny.y)


def test_a_callback_sees_each_epoch_and_can_end_training(tiny):
    seen = []

    def stop_after_two(report):
        seen.append((report.epoch, report.epochs, report.loss))
        return report.epoch == 2

    result = fastmlp.train(
        *tiny, **{**SMALL, "epochs": 9}, backend="numpy", callbacks=[stop_after_two]
    )
    assert seen == [(1, 9, result.history.loss[0]), (2, 9, result.history.loss[1])]


def test_an_interrupted_training_keeps_what_was_learned(tiny):
    def interrupt(report):
        if report.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(fastmlp.TrainingInterrupted, match="after 2 epochs") as caught:
        fastmlp.train(*tiny, **SMALL, backend="numpy", callbacks=[interrupt])
    result = caught.value.result
    assert len(result.history.loss) == 2
    assert result.model.predict(tiny.X).shape == (20,)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_model_survives_pickling(backend, tiny):
    model = fastmlp.train(*tiny, **SMALL, backend=backend).model
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin.predict_proba(tiny.X), model.predict_proba(tiny.X))
    twin.coefs_[0][...] = 0  # the views are views of the new buffer
    assert (twin.parameters.buffer[:30] == 0).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_validation_is_that_of_the_model_after_the_epoch(backend, tiny):
    result = fastmlp.train(*tiny, **SMALL, backend=backend, X_val=tiny.X[:9], y_val=tiny.y[:9])
    probabilities = result.model.predict_proba(tiny.X[:9]).astype(float)
    expected = -np.log(probabilities[np.arange(9), tiny.y[:9]]).mean()
    assert result.history.val_loss[-1] == pytest.approx(expected, rel=1e-5)
    assert result.history.val_score[-1] == result.model.score(tiny.X[:9], tiny.y[:9])


def test_progress_prints_a_line_an_epoch_to_stderr(tiny, capsys):
    fastmlp.train(*tiny, **SMALL, backend="numpy", progress=True, X_val=tiny.X, y_val=tiny.y)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert len(lines) == 3
    for text in ("epoch 2/3", "loss", "val_score", "it/s", "s left"):
        assert text in lines[1]


@pytest.mark.parametrize("name", ["constant", "invscaling", "cosine", "one_cycle"])
def test_schedules_train_alike_in_all_backends(name, tiny):
    arguments = {**SMALL, "learning_rate": name, "dtype": "float64", "learning_rate_init": 0.3}
    curves = [fastmlp.train(*tiny, **arguments, backend=one).history.loss for one in BACKENDS]
    np.testing.assert_allclose(curves[1:], [curves[0]] * 2, rtol=1e-12)


def test_named_datasets_bring_their_scale_and_validation():
    result = fastmlp.train(dataset="digits", backend="numpy", epochs=30, random_state=0)
    assert result.model.input_scale == (1 / 16, 0.0)
    assert len(result.history.val_score) == 30
    assert result.history.val_score[-1] > 0.93


def test_default_run_learns_digits28():
    result = fastmlp.train(batch_size=64, random_state=0)
    assert result.history.val_score[-1] >= 0.95
    assert result.model.backend == "numba"


def test_more_rows_than_one_block_are_predicted(tiny):
    X = np.tile(tiny.X, (130, 1))  # 2,600 rows
    for backend in ("numpy", "numba"):
        model = fastmlp.train(*tiny, **SMALL, backend=backend).model
        actual = model.predict_proba(X)
        np.testing.assert_allclose(actual, np.tile(actual[:20], (130, 1)), rtol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("arguments", [{}, {"batch_size": 7, "dropout": 0.3, "solver": "adam"}])
def test_epochs_that_nobody_looks_at_are_those_that_somebody_does(backend, arguments, tiny):
    """They run several in one call; a callback makes it a call each."""
    arguments = {**SMALL, "epochs": 30, "backend": backend, **arguments}
    seen = []
    watched = fastmlp.train(
        *tiny, **arguments, callbacks=[lambda report: seen.append(report.epoch)]
    )
    unwatched = fastmlp.train(*tiny, **arguments)
    assert unwatched.history.loss == watched.history.loss
    assert len(unwatched.history.seconds) == len(seen) == 30
    np.testing.assert_array_equal(
        unwatched.model.parameters.buffer, watched.model.parameters.buffer
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_interruption_between_two_epochs_of_a_call_keeps_the_first(backend, tiny, monkeypatch):
    from fastmlp.engine import descent

    def run_epochs(self, n_epochs, record, run=descent.Descent.run_epochs):
        run_epoch = self.trainer.run_epoch

        def interrupted(epoch, report):
            losses = run_epoch(epoch, report)
            self.trainer.losses = losses[: len(losses) - 1]
            raise KeyboardInterrupt

        if n_epochs > 1:
            self.trainer.run_epoch = interrupted
        run(self, n_epochs, record)

    monkeypatch.setattr(descent.Descent, "run_epochs", run_epochs)
    with pytest.raises(fastmlp.TrainingInterrupted, match="interrupted after 4 epochs") as caught:
        fastmlp.train(*tiny, **{**SMALL, "epochs": 9}, backend=backend)
    assert len(caught.value.result.history.loss) == 4

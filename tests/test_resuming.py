"""A training that was broken off, and resumed, ends as one that was not."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse

import fastmlp
from fastmlp.engine.descent import Descent
from fastmlp.engine.interruptions import Interruptions
from fastmlp.saving import file
from tests.breaking_off import breaking_off, pressing_ctrl_c

BACKENDS = ["reference", "numpy", "numba"]
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(70, 6)).astype(np.float32)
Y = np.arange(70) % 3
SMALL = {"hidden_layer_sizes": (5,), "batch_size": 8, "epochs": 6, "random_state": 0}
SETTINGS = {
    "sgd": {},
    "momentum, shuffled": {"momentum": 0.9, "nesterov": True},
    "adam, cosine, dropout": {"solver": "adam", "learning_rate": "cosine", "dropout": 0.3},
    "adamw, warm-up, clipped": {"solver": "adamw", "alpha": 0.1, "warm_up": 2, "max_grad_norm": 1},
    "rmsprop, early stopping": {"solver": "rmsprop", "early_stopping": True, "n_iter_no_change": 2},
    "adaptive, L1": {"learning_rate": "adaptive", "tol": 9.0, "n_iter_no_change": 1, "l1": 0.01},
    "weights, in order": {"class_weight": "balanced", "shuffle": False, "epochs": 5},
    "one sample a step": {"batch_size": 1, "epochs": 3},
}


def break_off(path, monkeypatch, n_pauses, arguments, data=(X, Y)):
    """Train until the state has been written so many times, then lose everything else."""
    with breaking_off(monkeypatch, n_pauses) as written:
        fastmlp.train(*data, **arguments, checkpoint=path, checkpoint_seconds=1e-9)
    return written[-1]


def assert_same(resumed, whole):
    """Compare all that two trainings have learned."""
    assert resumed.history.loss == whole.history.loss
    assert resumed.history.val_score == whole.history.val_score
    ours, theirs = resumed.model.parameters.buffer, whole.model.parameters.buffer
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SETTINGS)
def test_a_resumed_training_ends_with_the_same_bits(name, backend, tmp_path, monkeypatch):
    arguments = {**SMALL, "backend": backend, **SETTINGS[name]}
    whole = fastmlp.train(X, Y, **arguments)
    for n_pauses in (1, 3, 8):  # within the first epoch, and further on
        path = tmp_path / f"{n_pauses}.safetensors"
        break_off(path, monkeypatch, n_pauses, arguments)
        assert_same(fastmlp.resume(path, X, Y), whole)
        assert_same(fastmlp.resume(path, X, Y), whole)  # it is over: there is nothing left to do


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_sparse_data_are_resumed(backend, tmp_path, monkeypatch):
    sparse = scipy.sparse.random_array(
        (70, 300), density=0.02, random_state=GENERATOR, format="csr"
    )
    arguments = {**SMALL, "backend": backend, "solver": "adam", "alpha": 0.1}
    whole = fastmlp.train(sparse, Y, **arguments)
    break_off(tmp_path / "run", monkeypatch, 5, arguments, (sparse, Y))
    assert_same(fastmlp.resume(tmp_path / "run", sparse, Y), whole)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_ctrl_c_leaves_a_checkpoint_of_all_that_there_is(backend, tmp_path, monkeypatch):
    arguments = {**SMALL, "backend": backend, **SETTINGS["adam, cosine, dropout"]}
    whole, path = fastmlp.train(X, Y, **arguments), tmp_path / "run"
    handler = signal.getsignal(signal.SIGINT)
    for n_pieces in (1, 5, 7):  # five are an epoch
        with (
            pressing_ctrl_c(monkeypatch, n_pieces),
            pytest.raises(fastmlp.TrainingInterrupted) as interrupted,
        ):
            fastmlp.train(X, Y, **arguments, checkpoint=path)
        assert len(interrupted.value.result.history.loss) == n_pieces // 5
        assert signal.getsignal(signal.SIGINT) is handler
        assert_same(fastmlp.resume(path, X, Y), whole)


def test_ctrl_c_is_heard_at_once_when_it_comes_again(tmp_path, monkeypatch):
    monkeypatch.setattr("fastmlp.engine.interruptions.PATIENCE", -1.0)
    with pressing_ctrl_c(monkeypatch, 3, times=2), pytest.raises(fastmlp.TrainingInterrupted):
        fastmlp.train(X, Y, **SMALL, backend="numpy", checkpoint=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_after_the_last_epoch_is_not_lost(tmp_path, monkeypatch):
    """It comes when it has been listened for after the last epoch, and is still noted."""
    hear, heard = Interruptions.hear, []

    def hear_and_press(self):
        hear(self)
        heard.append(self.wished)
        if len(heard) == SMALL["epochs"]:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Interruptions, "hear", hear_and_press)
    with pytest.raises(fastmlp.TrainingInterrupted) as interrupted:
        fastmlp.train(X, Y, **SMALL, backend="numpy", checkpoint=tmp_path / "run")
    assert len(interrupted.value.result.history.loss) == len(heard) == SMALL["epochs"]


def test_a_broken_off_training_is_resumed_where_it_was(tmp_path, monkeypatch):
    arguments = {**SMALL, "backend": "numpy"}
    epoch = break_off(tmp_path / "run", monkeypatch, 8, arguments)
    seen = []
    fastmlp.resume(tmp_path / "run", X, Y, callbacks=[lambda report: seen.append(report.epoch)])
    assert 0 < epoch < 6
    assert seen == list(range(epoch + 1, 7))


OTHERS = {
    "other values": (X + 1, Y),
    "other labels": (X, (Y + 1) % 3),
    "fewer rows": (X[:60], Y[:60]),
    "another dtype": (X.astype(np.float64), Y),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("early_stopping", [True, False])
def test_other_data_are_told(name, early_stopping, tmp_path, monkeypatch):
    arguments = {**SMALL, "backend": "numpy", "early_stopping": early_stopping}
    break_off(tmp_path / "run", monkeypatch, 2, arguments)
    with pytest.raises(ValueError, match=r"must be the data of .*run; got .*Pass what train was"):
        fastmlp.resume(tmp_path / "run", *OTHERS[name])
    with pytest.raises(ValueError, match="X and y must be those that were trained on; got none"):
        fastmlp.resume(tmp_path / "run")


@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_damaged_checkpoint_is_told(place, tmp_path, monkeypatch):
    path = tmp_path / "run"
    break_off(path, monkeypatch, 2, {**SMALL, "backend": "numpy"})
    path.write_bytes(path.read_bytes()[: 200 + place])
    with pytest.raises(ValueError, match="damaged"):
        fastmlp.resume(path, X, Y)
    with pytest.raises(FileNotFoundError):
        fastmlp.resume(tmp_path / "none", X, Y)
    model = fastmlp.MLPClassifier(backend="numpy", max_iter=300, tol=0.1).fit(X, Y)
    model.save(path)
    with pytest.raises(ValueError, match="must be a checkpoint that train has written; got a"):
        fastmlp.resume(path, X, Y)


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [("arrays", "order", np.full(70, 10**9)), ("arrays", "order", np.zeros(70, int)),
     ("arrays", "losses", np.zeros(1)), ("arrays", "slots", np.zeros((2, 3))),
     ("fitted", "generator", 3), ("fitted", "history", {"x": 1}), ("fitted", "n_samples", 10**6),
     ("settings", "hidden_layer_sizes", (7,)), ("settings", "dtype", "float64")],
)  # fmt: skip
def test_a_strangers_checkpoint_does_no_harm(part, name, value, tmp_path, monkeypatch):
    """Compiled code reads the samples in the order that the file says: it must be one."""
    path = tmp_path / "run"
    break_off(path, monkeypatch, 1, {**SMALL, "backend": "numba"})
    content = file.read(path)
    getattr(content, part)[name] = value
    file.write(content, path)
    with pytest.raises(ValueError, match="must be"):
        fastmlp.resume(path, X, Y)


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    arguments, path = {**SMALL, "backend": "numpy"}, tmp_path / "run"
    whole = fastmlp.train(X, Y, **arguments)
    break_off(path, monkeypatch, 4, arguments)
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OSError, match="full"):
            fastmlp.resume(path, X, Y, checkpoint_seconds=1e-9)
    assert path.read_bytes() == before
    assert_same(fastmlp.resume(path, X, Y), whole)


def test_an_interrupted_training_is_resumed(tmp_path):
    def interrupt(report):
        if report.epoch == 3:
            raise KeyboardInterrupt

    path, arguments = tmp_path / "run", {**SMALL, "backend": "numba"}
    with pytest.raises(fastmlp.TrainingInterrupted):
        fastmlp.train(
            X, Y, **arguments, callbacks=[interrupt], checkpoint=path, checkpoint_seconds=1e-9
        )
    assert_same(fastmlp.resume(path, X, Y), fastmlp.train(X, Y, **arguments))


def test_a_named_data_set_is_loaded_again(tmp_path):
    arguments = {"dataset": "digits", "backend": "numpy", "epochs": 2, "random_state": 0}
    whole = fastmlp.train(**arguments, checkpoint=tmp_path / "run")
    assert_same(fastmlp.resume(tmp_path / "run"), whole)


def test_a_data_set_is_given_again(tmp_path, monkeypatch):
    X_val, y_val = X[:20] + 1, Y[:20]
    data = fastmlp.datasets.Dataset("table", X, Y, X_val, y_val, (0.5, 1.0), (), tuple("abcdef"))
    path, arguments = tmp_path / "run", {**SMALL, "backend": "numpy", "dataset": data}
    whole = fastmlp.train(**arguments)
    break_off(path, monkeypatch, 8, arguments, ())
    resumed = fastmlp.resume(path, dataset=data)
    assert_same(resumed, whole)
    assert resumed.model.feature_names_in_.tolist() == list("abcdef")
    for other in (data._replace(input_scale=None), data._replace(y_test=y_val[::-1])):
        with pytest.raises(ValueError, match=r"must be the data of .*run; got"):
            fastmlp.resume(path, dataset=other)
    with pytest.raises(ValueError, match=r"got none\. Pass them again, or the Dataset\."):
        fastmlp.resume(path)
    with pytest.raises(ValueError, match="dataset must be left out where X and y are given"):
        fastmlp.resume(path, X, Y, dataset=data)


def test_a_data_set_with_a_name_is_loaded_again_though_it_was_given(tmp_path):
    arguments = {"backend": "numpy", "epochs": 2, "random_state": 0}
    data = fastmlp.datasets.load("digits")
    whole = fastmlp.train(dataset=data, **arguments, checkpoint=tmp_path / "run")
    assert_same(fastmlp.resume(tmp_path / "run"), whole)
    part = data._replace(X_train=data.X_train[:100], y_train=data.y_train[:100])
    fastmlp.train(dataset=part, **arguments, checkpoint=tmp_path / "run")
    with pytest.raises(ValueError, match="must be the data of"):
        fastmlp.resume(tmp_path / "run")


PIECES = {
    "dropout": {"dropout": 0.2, "solver": "adam"},
    "wide, adam": {"solver": "adam", "alpha": 0.1, "l1": 0.01},
    "wide, momentum": {"momentum": 0.9, "alpha": 0.1},
    "wide, rmsprop": {"solver": "rmsprop", "alpha": 0.1},
    "wide, in place": {},
    "one sample a step": {"batch_size": 1},
    "one sample a step, background": {"batch_size": 1, "input_scale": "symmetric"},
}


@pytest.mark.parametrize("name", PIECES)
def test_pieces_of_an_epoch_have_the_bits_of_the_whole(name, monkeypatch):
    """Whatever the pieces, which depend on the clock."""
    wide = scipy.sparse.random_array((700, 300), density=0.02, random_state=GENERATOR, format="csr")
    data = {"dropout": np.tile(X, (10, 1)), "wide": wide.astype(np.float32)}.get(name.split(",")[0])
    if data is None:
        data = (wide.toarray() * 255).astype(np.uint8)
    arguments = {**SMALL, "epochs": 2, **PIECES[name], "backend": "numba"}
    whole = fastmlp.train(data, np.tile(Y, 10), **arguments)
    monkeypatch.setattr(Descent, "longest_piece", 1e-9)
    for fewest in (1, 37):
        monkeypatch.setattr("fastmlp.engine.descent.FEWEST_STEPS", fewest)
        nobody = [lambda report: None]
        pieces = fastmlp.train(data, np.tile(Y, 10), **arguments, callbacks=nobody)
        assert_same(pieces, whole)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a child is a copy of this process")
def test_a_killed_training_is_resumed_to_the_same_bits(tmp_path):
    """Fifty times, at random moments, over the backends and optimizers."""
    run = [sys.executable, "-m", "tests.killed", tmp_path, "50"]
    done = subprocess.run(run, capture_output=True, text=True, timeout=600, check=True)
    assert done.stdout == "50 of 50 ended as if nobody had killed them\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"checkpoint": 3}, "checkpoint must be a path, or None; got 3"),
     ({"checkpoint_seconds": 0}, "checkpoint_seconds must be a number above 0")],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        fastmlp.train(X, Y, **SMALL, **arguments)

"""A fit that was broken off, and resumed, ends as one that was not."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.saving import file
from tests.breaking_off import breaking_off, pressing_ctrl_c

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(70, 6)).astype(np.float32)
Y = np.arange(70) % 3
SMALL = {"hidden_layer_sizes": (5,), "batch_size": 8, "max_iter": 6, "random_state": 0,
         "activation": "logistic"}  # fmt: skip
SETTINGS = {
    "adam, dropout": {"dropout": 0.3},
    "momentum, early stopping": {"solver": "sgd", "early_stopping": True, "n_iter_no_change": 2},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 9.0, "n_iter_no_change": 1},
    "invscaling, in order": {"solver": "sgd", "learning_rate": "invscaling", "shuffle": False},
    "cosine, weights": {"learning_rate": "cosine", "class_weight": "balanced"},
    "accumulated, clipped": {"accumulate": 2, "max_grad_norm": 1.0},
}
COMPILED = ("adam, dropout", "momentum, early stopping")
CASES = [(backend, name) for backend in ("reference", "numpy") for name in SETTINGS]
CASES += [("numba", name) for name in COMPILED]


def break_off(path, monkeypatch, n_pauses, model, data=(X, Y), **given):
    """Fit until the state has been written so many times, then lose everything else."""
    with breaking_off(monkeypatch, n_pauses) as written:
        model.fit(*data, **given, checkpoint=path, checkpoint_seconds=1e-9)
    return written[-1]


def assert_same(resumed, whole):
    """Compare all that two fits have learned."""
    for ours, theirs in zip(resumed.coefs_, whole.coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    names = (
        "loss_curve_", "validation_scores_", "validation_loss_curve_", "best_loss_", "t_",
        "best_validation_score_", "loss_", "n_iter_", "_no_improvement_count",
    )  # fmt: skip
    for name in names:
        assert getattr(resumed, name) == getattr(whole, name), name


@pytest.mark.parametrize(("backend", "name"), CASES)
def test_a_resumed_fit_ends_with_the_same_bits(backend, name, tmp_path, monkeypatch):
    def make():
        return MLPClassifier(**SMALL, backend=backend, **SETTINGS[name])

    whole = make().fit(X, Y)
    for n_pauses in (1, 6):  # within the first epoch, and further on
        path = tmp_path / f"{n_pauses}.safetensors"
        break_off(path, monkeypatch, n_pauses, make())
        assert_same(make().fit(X, Y, checkpoint=path, resume=True), whole)
        over = make().fit(X, Y, checkpoint=path, resume=True)
        assert_same(over, whole)
        again = make().fit(X, Y)
        for one in (over, again):
            one.set_params(early_stopping=False, class_weight=None).partial_fit(X, Y)
        assert_same(over, again)


def test_ctrl_c_leaves_a_checkpoint_of_all_that_there_is(tmp_path, monkeypatch):
    def make():
        return MLPClassifier(**SMALL, backend="numpy", **SETTINGS["momentum, early stopping"])

    whole, path = make().fit(X, Y), tmp_path / "fit"
    for n_pieces in (1, 4, 6):
        with pressing_ctrl_c(monkeypatch, n_pieces), pytest.warns(UserWarning, match="interrupted"):
            make().fit(X, Y, checkpoint=path)
        assert_same(make().fit(X, Y, checkpoint=path, resume=True), whole)


def warm(random_state):
    """Fit, and let the next fit go on from the weights, the history and a user's generator."""
    model = MLPRegressor(**SMALL | {"random_state": random_state}, backend="numpy", warm_start=True)
    return model.set_params(early_stopping=True).fit(X, Y.astype(float))


@pytest.mark.parametrize("kind", [int, np.random.RandomState])
def test_a_warm_start_is_resumed(kind, tmp_path, monkeypatch):
    y = Y.astype(float)
    whole = warm(kind(3)).fit(X, y)
    break_off(tmp_path / "run", monkeypatch, 7, warm(kind(3)), (X, y))
    fresh = MLPRegressor(
        **SMALL | {"random_state": kind(3)}, backend="numpy", early_stopping=True
    )  # a new process has no estimator to go on with
    resumed = fresh.fit(X, y, checkpoint=tmp_path / "run", resume=True)
    assert_same(resumed, whole)
    for one in (resumed, whole):
        one.set_params(early_stopping=False).partial_fit(X, y)
    np.testing.assert_array_equal(resumed.coefs_[0], whole.coefs_[0])


def test_a_fit_without_a_seed_is_resumed(tmp_path, monkeypatch):
    path, model = tmp_path / "run", MLPClassifier(**SMALL | {"random_state": None}, backend="numpy")
    np.random.seed(0)  # noqa: NPY002
    break_off(path, monkeypatch, 4, model)
    before = path.read_bytes()
    ends = []
    for _ in range(2):
        path.write_bytes(before)
        ends.append(model.fit(X, Y, checkpoint=path, resume=True).coefs_[0])
    np.testing.assert_array_equal(*ends)


def test_a_pipeline_hands_resume_on(tmp_path, monkeypatch):
    def make():
        return make_pipeline(StandardScaler(), MLPClassifier(**SMALL, backend="numpy"))

    given = {"checkpoint": tmp_path / "run", "resume": True}
    X_val, y_val = X[:20] + 1, Y[:20]
    scaled = StandardScaler().fit_transform(X)
    whole = make()[-1].fit(scaled, Y, X_val=X_val, y_val=y_val)
    break_off(tmp_path / "run", monkeypatch, 5, make()[-1], (scaled, Y), X_val=X_val, y_val=y_val)
    given = {f"mlpclassifier__{name}": value for name, value in given.items()}
    held = {"mlpclassifier__X_val": X_val, "mlpclassifier__y_val": y_val}
    assert_same(make().fit(X, Y, **given, **held)[-1], whole)


OTHERS = {
    "other values": (X + 1, Y),
    "other labels": (X, (Y + 1) % 3),
    "fewer rows": (X[:60], Y[:60]),
    "another dtype": (X.astype(np.float64), Y),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("early_stopping", [True, False])
def test_other_data_are_told(name, early_stopping, tmp_path, monkeypatch):
    model = MLPClassifier(**SMALL, backend="numpy", early_stopping=early_stopping)
    path = tmp_path / "run"
    break_off(path, monkeypatch, 2, model)
    with pytest.raises(ValueError, match=r"X and y must be the data of .*run; got .*Pass what fit"):
        model.fit(*OTHERS[name], checkpoint=path, resume=True)
    with pytest.raises(ValueError, match="y must be for 3 outputs"):
        model.fit(X, np.arange(70) % 4, checkpoint=path, resume=True)


def test_another_plan_is_told(tmp_path, monkeypatch):
    model, path = MLPClassifier(**SMALL, backend="numpy"), tmp_path / "run"
    break_off(path, monkeypatch, 2, model)
    changes = {"alpha": 0.5, "hidden_layer_sizes": (6,), "random_state": 1, "scoring": "accuracy",
               "max_iter": 7}  # fmt: skip
    for name, value in changes.items():
        other = fastmlp.MLPClassifier(**model.get_params()).set_params(**{name: value})
        with pytest.raises(ValueError, match=rf"{name} must be .*, as in .*run; got .*Set it back"):
            other.fit(X, Y, checkpoint=path, resume=True)
    model.set_params(hidden_layer_sizes=[5], n_threads=1, verbose=0, warm_start=True)
    model.fit(X, Y, checkpoint=path, resume=True)


def test_other_files_are_told(tmp_path, monkeypatch):
    model, path = MLPClassifier(**SMALL, backend="numpy"), tmp_path / "run"
    break_off(path, monkeypatch, 2, model)
    with pytest.raises(ValueError, match=r"train has written; got a checkpoint of MLPClassifier.f"):
        fastmlp.resume(path, X, Y)
    with pytest.raises(ValueError, match=r"MLPClassifier.fit\(X, y, checkpoint=path, resume=True"):
        fastmlp.load(path)
    other = MLPRegressor(**SMALL, backend="numpy")
    with pytest.raises(ValueError, match=r"that MLPRegressor\.fit has written; got a checkpoint"):
        other.fit(X, Y, checkpoint=path, resume=True)
    with pytest.raises(FileNotFoundError):
        model.fit(X, Y, checkpoint=tmp_path / "none", resume=True)
    content = file.read(path)
    content.arrays["places"] = np.full(70, 10**9)
    file.write(content, path)
    with pytest.raises(ValueError, match="a whole checkpoint; got an order of the samples"):
        model.fit(X, Y, checkpoint=path, resume=True)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ValueError, match="damaged"):
        model.fit(X, Y, checkpoint=path, resume=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [({"checkpoint": 3}, "checkpoint must be a path, or None; got 3"),
     ({"checkpoint": "x", "checkpoint_seconds": 0}, "checkpoint_seconds must be a number above 0"),
     ({"resume": True}, "checkpoint must be a path where resume is True; got None"),
     ({"resume": "yes"}, "resume must be True or False"),
     ({"checkpoint": "x", "solver": "lbfgs"}, "left out with solver='lbfgs'")],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(given, message):
    given = dict(given)
    model = MLPClassifier(**SMALL, backend="numpy", solver=given.pop("solver", "adam"))
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y, **given)


def test_a_full_disk_and_an_interrupt_leave_the_checkpoint_before(tmp_path, monkeypatch):
    model, path = MLPClassifier(**SMALL, backend="numpy"), tmp_path / "run"
    whole = MLPClassifier(**SMALL, backend="numpy").fit(X, Y)
    break_off(path, monkeypatch, 4, model)
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OSError, match="full"):
            model.fit(X, Y, checkpoint=path, checkpoint_seconds=1e-9, resume=True)
    assert path.read_bytes() == before

    class Interrupt:
        """Presses Ctrl-C after an epoch."""

        def setup(self, estimator, context): ...
        def teardown(self, estimator, context): ...
        def on_fit_task_begin(self, estimator, context): ...
        def on_fit_task_end(self, estimator, context):
            if context.task_name == "epoch":
                raise KeyboardInterrupt

    model.set_callbacks(Interrupt())
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.fit(X, Y, checkpoint=path, checkpoint_seconds=1e-9, resume=True)
    assert model.n_iter_ < 6
    assert_same(model.set_callbacks().fit(X, Y, checkpoint=path, resume=True), whole)

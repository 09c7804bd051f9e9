"""Going on from what was saved: what others' reports say was lost on the way."""

import io
import pickle

import numpy as np
import pytest

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.saving import file

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(50, 4))
Y = np.arange(50) % 3
SETTINGS = {
    "momentum": {"solver": "sgd", "momentum": 0.9, "learning_rate_init": 0.05},
    "adam": {"solver": "adam"},
    "adamw": {"solver": "adamw", "alpha": 0.1},
    "rmsprop": {"solver": "rmsprop"},
}
SCHEDULES = {
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling"},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 9.0, "n_iter_no_change": 1},
    "one_cycle": {"learning_rate": "one_cycle"},
    "step": {"learning_rate": "step", "step_size": 3},
}


class Checkpoint:
    """Copies the estimator in its own way at one moment of a fit."""

    def __init__(self, copy, hook="on_fit_task_end", epoch=2):
        self.copy, self.hook, self.epoch, self.kept = copy, hook, epoch, None

    def setup(self, estimator, context): ...

    def teardown(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context):
        self._tell("on_fit_task_begin", estimator, context)

    def on_fit_task_end(self, estimator, context):
        self._tell("on_fit_task_end", estimator, context)

    def _tell(self, hook, estimator, context):
        if (hook, context.task_name, context.task_id) == (self.hook, "epoch", self.epoch):
            self.kept = self.copy(estimator)


class FittedCheckpoint(Checkpoint):
    """Copies the estimator that a callback may ask for."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self._tell("on_fit_task_end", fitted_estimator, context)


@pytest.fixture
def through_a_file(tmp_path):
    """Make what saves and loads an estimator."""

    def copy(estimator):
        estimator.save(tmp_path / "model")
        return fastmlp.load(tmp_path / "model")

    return copy


def through_pickle(estimator):
    """Pickle an estimator, and read that back."""
    return pickle.load(io.BytesIO(pickle.dumps(estimator)))


def make(kind=MLPClassifier, **arguments):
    """Make an estimator that draws for its order and its dropout, and trains eight epochs."""
    settings = {"hidden_layer_sizes": (5,), "random_state": 0, "backend": "numpy", "max_iter": 8}
    settings |= {"batch_size": 16, "dropout": 0.2, "tol": 0.0, "n_iter_no_change": 20}
    return kind(**settings | arguments)


def assert_goes_on(checkpoint, model, n_epochs):
    """Go on from a checkpoint, and see that it ends as the fit has that was not stopped."""
    y = Y if isinstance(model, MLPClassifier) else X[:, 0]
    for _ in range(n_epochs):
        checkpoint.partial_fit(X, y)
    assert checkpoint.loss_curve_ == model.loss_curve_
    for ours, theirs in zip(checkpoint.coefs_, model.coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("setting", {**SETTINGS, **SCHEDULES})
def test_a_checkpoint_goes_on_as_the_fit_does(setting, through_a_file):
    """Adam began anew, and the order from its beginning (NVlabs/stylegan2-ada-pytorch #108)."""
    callback = Checkpoint(through_a_file)
    model = make(**{**SETTINGS, **SCHEDULES}[setting], callbacks=[callback]).fit(X, Y)
    assert_goes_on(callback.kept, model, 5)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("callback", [Checkpoint, FittedCheckpoint])
def test_a_pickle_of_a_fit_under_way_goes_on(kind, callback):
    """`joblib.dump` in a callback lost the solver's state (pytorch #35047)."""
    watching = callback(through_pickle)
    target = Y if kind is MLPClassifier else X[:, 0]
    model = make(kind).set_callbacks(watching).fit(X, target)
    assert_goes_on(watching.kept.set_callbacks(), model, 5)


def test_a_copy_that_a_callback_keeps_goes_on_after_the_fit(through_a_file):
    """What `fitted_estimator` shared with the fit went on with it (pytorch #35047)."""
    watching = FittedCheckpoint(lambda estimator: estimator)
    generator = np.random.RandomState(3)
    model = make(random_state=generator).set_callbacks(watching).fit(X, Y)
    assert_goes_on(through_a_file(watching.kept.set_callbacks()), model, 5)


def test_a_checkpoint_at_the_begin_of_an_epoch_goes_on(through_a_file):
    """Saved before an epoch, the epoch's order was drawn already."""
    watching = Checkpoint(through_a_file, "on_fit_task_begin")
    model = make().set_callbacks(watching).fit(X, Y)
    assert_goes_on(watching.kept, model, 6)


@pytest.mark.parametrize("draw", [lambda seed: None, int, np.random.RandomState])
def test_every_kind_of_random_state_goes_on(draw, through_a_file):
    """Generators could not be saved at all, and a seed began anew (civisanalytics/muffnn #16)."""
    watching = Checkpoint(through_a_file)
    model = make(random_state=draw(7)).set_callbacks(watching).fit(X, Y)
    assert_goes_on(watching.kept, model, 5)


def test_a_checkpoint_of_a_checkpoint_goes_on(through_a_file):
    """Saved after each epoch, stopped and begun again, twice."""
    watching = Checkpoint(through_a_file)
    model = make().set_callbacks(watching).fit(X, Y)
    second = through_a_file(watching.kept.partial_fit(X, Y))
    assert_goes_on(second, model, 4)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("draw", [int, np.random.RandomState])
def test_partial_fit_after_load_is_as_if_nothing_had_been_saved(setting, draw, through_a_file):
    """Weights moved otherwise, or not at all, once loaded (scikit-learn #19626)."""
    for copy in (through_a_file, through_pickle):
        model = make(**SETTINGS[setting], random_state=draw(0), max_iter=3).fit(X, Y)
        loaded = copy(model)
        for one in (model, loaded):
            one.partial_fit(X, Y).partial_fit(X[:30], Y[:30])
        assert_goes_on(loaded, model, 0)
        np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_warm_start_of_a_checkpoint_is_that_of_a_fit_that_ended_there(through_a_file):
    """It takes the weights and begins the solver anew, as it does in memory."""
    watching = Checkpoint(through_a_file)
    make().set_callbacks(watching).fit(X, Y)
    ended = make(max_iter=3).fit(X, Y)
    for one in (watching.kept, ended):
        one.set_params(warm_start=True, max_iter=4).fit(X, Y)
    assert_goes_on(watching.kept, ended, 0)


def test_scikit_learns_draws_are_kept_after_a_fit():
    """A checkpoint's generator must not outlive the fit: `partial_fit` draws from the seed."""
    watching, model = Checkpoint(through_pickle), make()
    model.set_callbacks(watching).fit(X, Y)
    plain = make().fit(X, Y)
    for one in (model, plain):
        one.partial_fit(X, Y)
    assert_goes_on(model, plain, 0)


def test_a_pickle_of_a_fit_under_way_is_in_no_fit():
    """What was left of the fit tore callbacks down that had never been set up."""
    watching, told = Checkpoint(through_pickle), []
    make().set_callbacks(watching).fit(X, Y)
    loaded = watching.kept
    for callback in loaded._skl_callbacks:
        callback.teardown = lambda estimator, context: told.append("teardown")
    with pytest.raises(ValueError, match="NaN"):
        loaded.partial_fit(np.full_like(X, np.nan), Y)
    assert not told


@pytest.mark.parametrize(
    ("name", "value"),
    [("order", np.full(50, 10**9)), ("order", np.zeros((5, 10), int)), ("random_state", 3),
     ("dropout", "none")],
)  # fmt: skip
def test_a_strangers_checkpoint_does_no_harm(name, value, through_a_file, tmp_path):
    """Compiled code reads the samples in the order that the file says: it must be one."""
    make().set_callbacks(Checkpoint(through_a_file)).fit(X, Y)
    content = file.read(tmp_path / "model")
    (content.arrays if name == "order" else content.fitted)[name] = value
    file.write(content, tmp_path / "model")
    with pytest.raises(ValueError, match="generators, or an order of the samples, that no"):
        fastmlp.load(tmp_path / "model")

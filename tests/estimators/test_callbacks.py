"""Callbacks by scikit-learn's protocol, its own and what takes its place before 1.9."""

import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

from fastmlp import MLPClassifier
from fastmlp.estimators import callbacks

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)


class Recorder:
    """Writes down what it is told, and may ask to stop."""

    def __init__(self, stop_after=None):
        self.told, self.losses, self.scores, self.stop_after = [], [], [], stop_after

    def setup(self, estimator, context):
        self.told.append("setup")

    def teardown(self, estimator, context):
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.told.append(f"begin {context.task_name} {context.task_id}")

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.told.append(f"end {context.task_name} {context.task_id}")
        self.losses.append(estimator.loss_)
        self.scores.append(fitted_estimator.score(X, Y))
        return context.task_name == "epoch" and context.task_id == self.stop_after


EXPECTED = ["setup", "begin fit 0", "begin epoch 0", "end epoch 0", "begin epoch 1", "end epoch 1",
            "end fit 0", "teardown"]  # fmt: skip


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("way", ["argument", "method"])
def test_hooks_are_called_in_order(way, backend):
    recorder = Recorder(stop_after=1)
    model = MLPClassifier(random_state=0, backend=backend, max_iter=50)
    if way == "argument":
        model.set_params(callbacks=[recorder])
    else:
        model.set_callbacks(recorder)
    model.fit(X, Y)
    assert recorder.told == EXPECTED
    assert recorder.losses == [*model.loss_curve_, model.loss_]
    assert recorder.scores[-1] == model.score(X, Y)
    assert clone(model).get_params().keys() == model.get_params().keys()


def test_iterations_of_lbfgs_are_told_and_may_be_ended():
    recorder = Recorder(stop_after=1)
    recorder.on_fit_task_end = lambda estimator, context: (
        recorder.told.append(f"end {context.task_name} {context.task_id}")
        or (context.task_name, context.task_id) == ("iteration", 1)
    )
    model = MLPClassifier(solver="lbfgs", callbacks=[recorder], backend="numpy", random_state=0)
    model.fit(X, Y)
    assert model.n_iter_ == 2
    expected = ["begin iteration 0", "end iteration 0", "begin iteration 1", "end iteration 1",
                "begin iteration 2", "end iteration 2"]  # fmt: skip
    assert recorder.told == ["setup", "begin fit 0", *expected, "end fit 0", "teardown"]


def test_what_is_no_callback_is_refused():
    with pytest.raises(TypeError, match="callbacks must be instances following the FitCallback"):
        MLPClassifier(callbacks=[print], backend="numpy").fit(X, Y)


def test_what_stands_in_before_scikit_learn_1_9_calls_the_same():
    class Estimator(callbacks.OwnCallbackSupport):
        @callbacks.own_with_callbacks
        def fit(self, failing=False):
            context = self._init_callback_context(max_subtasks=2)
            context.call_on_fit_task_begin(estimator=self)
            for _ in range(2):
                epoch = context.subcontext(task_name="epoch")
                epoch.call_on_fit_task_begin(estimator=self)
                if failing:
                    raise RuntimeError
                stopped = epoch.call_on_fit_task_end(estimator=self)
            context.call_on_fit_task_end(estimator=self)
            return stopped

    class Plain(Recorder):
        def on_fit_task_end(self, estimator, context):
            self.told.append(f"end {context.task_name} {context.task_id}")
            return context.task_id == self.stop_after

    recorder, estimator = Plain(stop_after=1), Estimator()
    assert estimator.set_callbacks(recorder).fit()
    assert recorder.told == EXPECTED
    recorder.told.clear()
    with pytest.raises(RuntimeError):
        estimator.fit(failing=True)
    assert recorder.told == [*EXPECTED[:3], "teardown"]
    with pytest.raises(TypeError, match="FitCallback"):
        estimator.set_callbacks(Plain)

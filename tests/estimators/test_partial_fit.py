"""What `partial_fit` keeps from call to call changes no bit of what it computes."""

import copy
import gc
import pickle
import threading
import warnings
import weakref

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.backends.compiled import fit

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(64, 4))
Y = np.arange(64) % 3
SMALL = {"hidden_layer_sizes": (6, 5), "random_state": 0, "n_threads": 1}


def targets(model, rows):
    """Give the labels or values of some rows."""
    return Y[rows] if isinstance(model, MLPClassifier) else X[rows, 0]


def train(n_rows=32, first=0, change=None, y=None, **arguments):
    """Make a step that trains on some rows; `change` is done to them before."""

    def step(model):
        rows = slice(first, first + n_rows)
        data = X[rows].astype(model.coefs_[0].dtype)
        data = data if change is None else change(data)
        model.partial_fit(data, targets(model, rows) if y is None else y, **arguments)

    return step


def with_value(value):
    def change(data):
        data[0, 0] = value
        return data

    return change


def write(model):
    model.coefs_[1][0, :] += 0.125


def replace(model):
    model.coefs_[0] = model.coefs_[0] + 0.125


def prune(model):
    model.coefs_[0], model.coefs_[1] = model.coefs_[0][:, 1:], model.coefs_[1][1:]
    model.intercepts_[0] = model.intercepts_[0][1:]


def forget(model):
    model.__dict__.pop("_memory", None)


def mostly_zeros(data):
    return np.where(np.arange(data.size).reshape(data.shape) % 4, 0, data)


def arguments(**values):
    return lambda model: model.set_params(**values)


def predict(model):
    model.predict(X[:1])
    model.predict(X)


WEIGHTS = np.linspace(0, 2, 32)
STEPS = {
    "32 rows": train(),
    "other 32 rows": train(first=20),
    "7 rows": train(7),
    "one row": train(1),
    "64 rows": train(64),
    "columns first": train(change=np.asfortranarray),
    "other dtype": train(change=lambda data: data.astype("f4")),
    "strided": train(change=lambda data: np.repeat(data, 2, axis=1)[:, ::2]),
    "read-only": train(change=lambda data: np.broadcast_to(data[0], data.shape)),
    "unaligned": train(
        change=lambda data: np.frombuffer(b"-" + data.tobytes(), data.dtype, offset=1).reshape(
            -1, 4
        )
    ),
    "list": train(change=np.ndarray.tolist),
    "frame": train(change=pd.DataFrame),
    "sparse": train(change=csr_array),
    "mostly zeros": train(change=mostly_zeros),
    "weights": train(sample_weight=WEIGHTS),
    "no weight": train(sample_weight=WEIGHTS * 0),
    "NaN": train(change=with_value(np.nan)),
    "too large": train(change=with_value(1e300)),
    "too narrow": train(change=lambda data: data[:, :3]),
    "too few labels": train(y=np.arange(3)),
    "unknown label": train(y=np.arange(32) + 10),
    "labels as text": train(y=[str(label) for label in Y[:32]]),
    "rate": arguments(learning_rate_init=0.01),
    "penalty": arguments(alpha=0.5),
    "Adam's betas": arguments(beta_1=0.5),
    "momentum": arguments(solver="sgd"),
    "plain": arguments(solver="sgd", momentum=0.0, alpha=0.0),
    "Adam": arguments(solver="adam"),
    "batches": arguments(batch_size=5),
    "one batch": arguments(batch_size="auto"),
    "larger batches": arguments(batch_size=50),
    "no shuffling": arguments(shuffle=False),
    "another seed": arguments(random_state=3),
    "a generator": lambda model: model.set_params(random_state=np.random.RandomState(5)),
    "other layers": arguments(hidden_layer_sizes=(3,)),
    "the same layers": arguments(hidden_layer_sizes=[6, 5]),
    "tanh": arguments(activation="tanh"),
    "no batches": arguments(batch_size=0),
    "writing": write,
    "replacing": replace,
    "pruning": prune,
    "forgetting": forget,
    "predicting": predict,
}


def attempt(step, model):
    """Make a step, and give the error and the warnings that come of it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            step(model)
            error = None
        except Exception as found:
            error = type(found), str(found)
    return error, [(warning.category, str(warning.message)) for warning in caught]


def learned(model):
    """Give all that training changes, to the bit."""
    model._parameters()  # takes over what was put in their place
    memory = vars(model).get("_memory")
    states = [] if memory is None else [np.asarray(memory.state)]
    arrays = [*model.coefs_, *model.intercepts_, *states]
    names = ("loss_curve_", "loss_", "n_iter_", "t_", "best_loss_", "_no_improvement_count")
    numbers = {name: getattr(model, name) for name in names}
    return [(array.dtype, array.shape, array.tobytes()) for array in arrays], numbers


def begun(kind, dtype, **given):
    """Make an estimator that has been trained twice, so that something is kept."""
    model, first = kind(**{**SMALL, **given}), {}
    if kind is MLPClassifier:
        first = {"classes": [0, 1, 2]}
    for _ in range(2):
        model.partial_fit(X[:32].astype(dtype), targets(model, slice(32)), **first)
    return model


OTHER_KERNELS = (
    "64 rows",
    "other dtype",
    "list",
    "unaligned",
    "sparse",
    "mostly zeros",
    "momentum",
    "plain",
)
"""Steps that kernels of their own are compiled for."""

LIKELY = [*STEPS, *["32 rows"] * len(STEPS)]
RUNS = {
    "classifier": (MLPClassifier, "float64", LIKELY),
    "regressor": (MLPRegressor, "float32", [name for name in LIKELY if name not in OTHER_KERNELS]),
}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("run", RUNS)
def test_any_sequence_is_that_of_an_estimator_that_keeps_nothing(run, seed):
    """Its twin goes through pickle before each step, which leaves nothing of what is kept."""
    kind, dtype, names = RUNS[run]
    model = begun(kind, dtype)
    twin = pickle.loads(pickle.dumps(model))
    for name in np.random.default_rng(seed).choice(names, 60):
        twin = through_pickle(twin, model)
        assert attempt(STEPS[name], model) == attempt(STEPS[name], twin), name
        assert learned(model) == learned(twin), name


def through_pickle(twin, model):
    """Pickle and load; a generator of the user's is, as the model's, the one the user has."""
    twin = pickle.loads(pickle.dumps(twin))
    if isinstance(model.random_state, np.random.RandomState):
        twin.set_params(random_state=copy.deepcopy(model.random_state))
    return twin


@pytest.mark.parametrize("name", STEPS)
def test_each_step_between_two_trainings_is_heeded(name):
    model = begun(MLPClassifier, "float64")
    twin = pickle.loads(pickle.dumps(model))
    for step in (STEPS[name], STEPS["32 rows"], STEPS["other 32 rows"]):
        twin = pickle.loads(pickle.dumps(twin))
        assert attempt(step, model) == attempt(step, twin)
        assert learned(model) == learned(twin)


def test_the_trainer_is_kept(monkeypatch):
    """Without this the tests above compare one way with itself."""
    model = begun(MLPClassifier, "float64")
    for made_once in (f"{fit.__name__}.make_workspace", "fastmlp.estimators.stochastic.make_plan"):
        monkeypatch.setattr(made_once, lambda *_: pytest.fail("made anew"))
    monkeypatch.setattr(
        "fastmlp.estimators.reading.validate_data", lambda *_: pytest.fail("checked")
    )
    for first in range(4):
        model.partial_fit(X[first : first + 32], Y[first : first + 32])
        model.partial_fit(X[first : first + 32], Y[first : first + 32], classes=[0, 1, 2])


@pytest.mark.parametrize("name", ["hidden_layer_sizes", "activation", "dropout"])
def test_an_argument_that_has_changed_in_place_is_heeded(name):
    values = {"hidden_layer_sizes": [6, 5], "activation": ["relu", "tanh"], "dropout": [0.0, 0.0]}
    model = begun(MLPClassifier, "float64", **values)
    values[name].append(values[name][0])
    with pytest.raises(ValueError, match="must be"):
        model.partial_fit(X[:32], Y[:32])


def test_arrays_of_another_dtype_are_looked_at_as_before():
    """What is kept in float64 is rounded away in float32."""
    model = begun(MLPClassifier, "float64", beta_2=1 - 1e-12)
    model.coefs_ = [coefs.astype("f4") for coefs in model.coefs_]
    model.intercepts_ = [intercepts.astype("f4") for intercepts in model.intercepts_]
    with pytest.raises(ValueError, match="beta_2 must be"):
        model.partial_fit(X[:32], Y[:32])


def test_the_solvers_memory_of_a_shallow_copy_stays():
    """It lies as the kernels have it, who go on with it: the copy has what was there."""
    model = begun(MLPClassifier, "float64")
    other, twin = copy.copy(model), copy.deepcopy(model)
    before = np.array(model._memory.state)
    model.partial_fit(X[:32], Y[:32])
    np.testing.assert_array_equal(np.asarray(other._memory.state), before)
    np.testing.assert_array_equal(np.asarray(twin._memory.state), before)
    assert (np.asarray(model._memory.state) != before).any()


def test_weights_that_an_interrupted_fit_leaves_are_finite(monkeypatch):
    model = MLPClassifier(**SMALL, backend="numpy")

    def break_off(self, *_):
        self.state.parameters.buffer[0] = np.nan
        raise KeyboardInterrupt

    monkeypatch.setattr("fastmlp.engine.descent.Descent.run_epochs", break_off)
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        model.fit(X, Y)


def test_an_output_that_is_set_by_hand_is_refused_as_before():
    model = begun(MLPClassifier, "float64")
    model.out_activation_ = "identity"
    with pytest.raises(ValueError, match="out_activation_ must be"):
        model.partial_fit(X[:32], Y[:32])


def test_other_classes_are_refused_as_before():
    model = begun(MLPClassifier, "float64")
    for classes in ([0, 1], [0, 1, 3], ["a"]):
        with pytest.raises(ValueError, match="is not the same as on last call"):
            model.partial_fit(X[:32], Y[:32], classes=classes)


def test_many_classes_are_warned_of_as_before():
    model = MLPClassifier(**SMALL, backend="numpy").partial_fit(X, Y, classes=np.arange(64))
    with pytest.warns(UserWarning, match="greater than 50%"):
        model.partial_fit(X, np.arange(64))


def test_data_are_not_kept():
    model, data = begun(MLPClassifier, "float64"), X[:32].copy()
    model.partial_fit(data, Y[:32])
    gone = weakref.ref(data)
    del data
    gc.collect()
    assert gone() is None


def test_copies_and_files_have_nothing_of_what_is_kept(tmp_path):
    model = begun(MLPClassifier, "float64")
    model.save(tmp_path / "model")
    others = (
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
        fastmlp.load(tmp_path / "model"),
    )
    assert "_kept" in vars(model)
    for other in others:
        assert "_kept" not in vars(other)
        other.partial_fit(X[:32], Y[:32])
    model.partial_fit(X[:32], Y[:32])
    for other in others:
        assert learned(other) == learned(model)


def test_attributes_that_are_copied_one_by_one_have_nothing_of_it_either():
    model, other = begun(MLPClassifier, "float64"), MLPClassifier(**SMALL)
    vars(other).update(copy.deepcopy(vars(model)))
    for each in (model, other):
        write(each)
        each.partial_fit(X[:32], Y[:32])
    assert learned(other) == learned(model)


def test_an_interruption_leaves_nothing_kept(monkeypatch):
    """The workspace may hold half a step then."""
    model = begun(MLPClassifier, "float64")

    def interrupted(self, *_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fit.CompiledTrainer, "_run_slice", interrupted)
        with pytest.warns(UserWarning, match="interrupted"):
            model.partial_fit(X[:32], Y[:32])
    assert model._kept.released is None


def test_predictions_of_other_threads_between_and_beside_change_nothing():
    model, twin = (begun(MLPClassifier, "float64") for _ in range(2))
    over = threading.Event()

    def predict_on():
        while not over.is_set():
            model.predict(X[:1])

    other = threading.Thread(target=predict_on)
    other.start()
    for _ in range(20):
        model.partial_fit(X[:32], Y[:32])
        twin.partial_fit(X[:32], Y[:32])
    over.set()
    other.join(30)
    assert learned(model) == learned(twin)


def test_a_trainer_that_is_in_use_is_nobody_elses(monkeypatch):
    """A second thread, or a callback, that trains meanwhile makes its own."""
    model, meanwhile = begun(MLPClassifier, "float64"), []
    run_epoch = fit.CompiledTrainer.run_epoch

    def noted(self, *given):
        meanwhile.append("_kept" in vars(model))
        return run_epoch(self, *given)

    monkeypatch.setattr(fit.CompiledTrainer, "run_epoch", noted)
    model.partial_fit(X[:32], Y[:32])
    assert meanwhile == [False]
    assert "_kept" in vars(model)

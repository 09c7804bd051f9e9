"""`train`: checks its arguments, makes a plan of them, and has the engine run it."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastmlp._checks import check_flag, check_rounded, check_whole
from fastmlp._errors import invalid, warn
from fastmlp.backends.contract import Objective, Problem
from fastmlp.configuration import (
    BATCH_SIZE,
    as_dtype,
    as_initial_parameters,
    as_network,
    as_rule,
    as_schedule,
)
from fastmlp.containers import refuse_unread
from fastmlp.datasets.dataset import Dataset
from fastmlp.engine.descent import Descent, NotFiniteError
from fastmlp.engine.hooks import Hook
from fastmlp.engine.loop import run
from fastmlp.engine.plan import Plan
from fastmlp.engine.state import State
from fastmlp.feature_names import check_feature_names, feature_names
from fastmlp.history import DivergenceError, EpochReport, History
from fastmlp.inputs import Features, Scale, as_features, input_scale_pair
from fastmlp.losses import Loss
from fastmlp.model import Model
from fastmlp.rng import Permutations, streams
from fastmlp.targets import REGRESSION, are_like_regression, as_targets
from fastmlp.threads import check_n_threads, limit_blas

Array = NDArray[Any]
Callback = Callable[[EpochReport], object]
Within = Callable[[int, int, int], object]
"""Is told the number of the epoch, and how many of its batches are done, and of how many."""


class TrainResult(NamedTuple):
    """What `train` returns."""

    model: Model
    """The trained network."""
    history: History
    """One entry for each epoch."""


class TrainingInterrupted(KeyboardInterrupt):
    """Training ended because of Ctrl-C.

    Attributes
    ----------
    result : TrainResult
        The model as it was then, and the epochs that were finished.
    """

    def __init__(self, result: TrainResult) -> None:
        super().__init__(f"interrupted after {len(result.history.loss)} epochs")
        self.result = result


class _DefaultName(str):
    """A default that can be told from the same string given by the user."""


class _DefaultNumber(int):
    """A default that can be told from the same number given by the user."""


DEFAULT_DATASET, DEFAULT_BATCH_SIZE = _DefaultName("digits28"), _DefaultNumber(BATCH_SIZE)


def train(
    X: Any = None,
    y: Any = None,
    *,
    dataset: str | Dataset = DEFAULT_DATASET,
    input_scale: str | tuple[float, float] | None = None,
    hidden_layer_sizes: int | Sequence[int] = (100,),
    activation: str | Sequence[str] = "logistic",
    solver: str = "sgd",
    learning_rate_init: float | None = None,
    learning_rate: str = "constant",
    momentum: float = 0.0,
    nesterov: bool = False,
    alpha: float = 0.0,
    batch_size: int = DEFAULT_BATCH_SIZE,
    epochs: int = 10,
    shuffle: bool = True,
    random_state: int | np.random.Generator | None = None,
    init: str = "glorot_uniform",
    coefs_init: Sequence[Any] | None = None,
    intercepts_init: Sequence[Any] | None = None,
    backend: str = "numba",
    dtype: DTypeLike = "float32",
    n_threads: int | None = None,
    X_val: Any = None,
    y_val: Any = None,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
) -> TrainResult:
    """Train a multilayer perceptron that classifies, with softmax and cross-entropy.

    Parameters
    ----------
    X : array_like, sparse matrix or data frame of shape (n_samples, n_features), optional
        float32, float64 or uint8 values are trained from where they lie, in any memory order; other
        numbers are converted once, and so are the columns of a data frame that are not all of one
        dtype. CSR is read as it lies if its indices are sorted and none of them comes twice in a
        row. Left out, `dataset` is trained on.
    y : array_like of shape (n_samples,) or data frame of one column, optional
        Class labels of any type that sorts.
    dataset : {"digits28", "digits", "mnist"} or Dataset
        A named data set, or one that is loaded, in place of X and y. Its test part is the
        validation set unless one is given; nothing is selected on it.
    input_scale : None, "unit", "symmetric" or (scale, shift)
        What is done to every value of X as it is read, in training and in prediction: nothing,
        x / 255, x / 127.5 - 1, or x * scale + shift. None takes the named data set's own.
    hidden_layer_sizes : int or sequence of int
        Units of each hidden layer; () is softmax regression.
    activation : str or sequence of str
        "identity", "logistic", "tanh", "relu", "leaky_relu", "gelu", "silu" or "softplus": one for
        all hidden layers, or one each.
    solver : {"sgd", "adam"}
        Stochastic gradient descent, or Adam (Kingma & Ba 2015), both in scikit-learn's form.
    learning_rate_init : float, optional
        Left out, 0.5 for sgd and 0.001 for adam; for sgd with batches of fewer than 64 samples,
        0.5 * batch_size / 64.
    learning_rate : {"constant", "invscaling", "cosine", "one_cycle"}
        The schedule of the rate.
    momentum : float
        In [0, 1), for sgd.
    nesterov : bool
        Use Nesterov's momentum.
    alpha : float
        Strength of the L2 penalty alpha / 2 * sum(w^2), which is divided by the batch's size as
        scikit-learn does.
    batch_size : int
        Samples an update, at most all of them. The loss of a batch is the mean over its samples; a
        smaller last batch is used, not dropped. 1 is the article's per-sample algorithm.
    epochs : int
        How often to go through the samples.
    shuffle : bool
        Draw a new order of the samples for each epoch.
    random_state : int, numpy.random.Generator or None
        Fixes initial weights and orders, the same for every backend. None draws a seed.
    init : {"glorot_uniform", "he_normal", "standard_normal"}
        How initial weights are drawn; the biases begin at zero.
    coefs_init, intercepts_init : sequence of ndarray, optional
        Initial weights, of shape (fan_in, fan_out) for each layer, and biases, of shape (fan_out,);
        copied. What is not given is drawn as `init` says.
    backend : {"numba", "numpy", "reference"}
        Compiled kernels; a matrix a batch; or one sample at a time.
    dtype : {"float32", "float64"}
        What is computed in.
    n_threads : int, optional
        At most so many threads compute; None takes as many as pay, of those that OMP_NUM_THREADS
        and NUMBA_NUM_THREADS leave. The numba backend takes fewer where they are found to be slower
        or cannot be had, and gives the same bits whatever their number.
    X_val, y_val : as X and y, optional
        Validation set, evaluated after each epoch.
    callbacks : sequence of callable
        Each is called after each epoch with an `EpochReport`; one that returns True ends training.
    progress : bool
        Print a line an epoch to stderr.

    Returns
    -------
    TrainResult
        The `model` and the `history`.

    Raises
    ------
    ValueError
        If an argument is not as described here, or the data frames X and X_val have not the same
        columns in the same order.
    DivergenceError
        If a loss or a parameter is no longer finite; its `history` holds the epochs before.
    TrainingInterrupted
        On Ctrl-C, a KeyboardInterrupt whose `result` holds what was learned until then.

    Warns
    -----
    UserWarning
        If `batch_size` is given and larger than the data, y looks like a regression target, or only
        one of X and X_val names its columns.

    Examples
    --------
    >>> import fastmlp
    >>> result = fastmlp.train(dataset="digits", backend="numpy", epochs=30, random_state=0)
    >>> result.history.val_score[-1] > 0.9
    True
    """
    data_type = as_dtype(dtype)
    data = _load(X, y, dataset, input_scale, X_val, y_val, data_type)
    network = as_network(
        data.features.n_features, hidden_layer_sizes, len(data.classes), activation
    )
    rule = as_rule(solver, momentum, nesterov, alpha)
    batch_size = _check_batch_size(batch_size, data.features.n_samples)
    schedule = as_schedule(learning_rate, learning_rate_init, solver, batch_size)
    check_rounded("momentum", momentum, data_type)
    check_rounded("learning_rate_init", schedule.rate, data_type)
    weights_stream, order_stream = streams(random_state)
    parameters = as_initial_parameters(
        network, init, coefs_init, intercepts_init, data_type, weights_stream
    )
    shuffle = check_flag("shuffle", shuffle)
    threads = check_n_threads(n_threads)
    checked_callbacks, within = _check_callbacks(callbacks, check_flag("progress", progress))
    epochs = check_whole("epochs", epochs)
    plan = Plan(backend, Objective(Loss("softmax")), rule, schedule, batch_size, epochs, threads)
    state = State(
        parameters, Permutations(data.features.n_samples, shuffle, order_stream), schedule.rate
    )
    descent = Descent(plan, state, Problem(data.features, data.targets))
    state.history.compile_seconds = descent.compile_seconds
    model = Model(
        parameters, data.classes, data.features.scale, backend, threads, data.feature_names
    )
    reports = _Reports(model, state, epochs, checked_callbacks, within)
    return _run(descent, [reports], data.validation, model)


class _Data(NamedTuple):
    """What is trained and validated on, checked."""

    features: Features
    targets: NDArray[np.intp]
    classes: Array
    feature_names: Array | None
    validation: tuple[Features, NDArray[np.intp]] | None


class _Given(NamedTuple):
    """Data as they were given, and what their giver calls them."""

    X: Any
    y: Any
    names: tuple[str, str]


def _load(
    X: Any,
    y: Any,
    dataset: str | Dataset,
    input_scale: Any,
    X_val: Any,
    y_val: Any,
    dtype: np.dtype[Any],
) -> _Data:
    """Take the user's arrays or the data set and check them."""
    training = _given_together(X, y, ("X", "y"))
    validation = _given_together(X_val, y_val, ("X_val", "y_val"))
    if training is None:
        from fastmlp import datasets

        named = dataset if isinstance(dataset, Dataset) else datasets.load(dataset)
        training = _Given(named.X_train, named.y_train, ("X_train", "y_train"))
        validation = validation or _Given(named.X_test, named.y_test, ("X_test", "y_test"))
        input_scale = named.input_scale if input_scale is None else input_scale
    elif not isinstance(dataset, _DefaultName):
        remedy = "Leave one of the two out."
        raise invalid("dataset", "left out where X and y are given", repr(dataset), remedy)
    return _check_data(training, validation, input_scale_pair(input_scale), dtype)


def _given_together(X: Any, y: Any, names: tuple[str, str]) -> _Given | None:
    """Return data and labels, or None where neither is given."""
    if X is None and y is None:
        return None
    refuse_unread(X, names[0])
    if X is None or y is None:
        raise invalid(" and ".join(names), "given together", "one without the other")
    return _Given(X, y, names)


def _check_data(
    training: _Given, validation: _Given | None, scale: Scale, dtype: np.dtype[Any]
) -> _Data:
    """Check the data, and the validation set against those that are trained on."""
    X_name, y_name = training.names
    columns = feature_names(training.X, X_name)
    features = as_features(training.X, scale, dtype, X_name)
    targets, classes = as_targets(training.y, features.n_samples, names=(y_name, X_name))
    checked = None
    if validation is not None:
        X_name, y_name = validation.names
        check_feature_names(columns, validation.X, X_name)
        val_features = as_features(validation.X, scale, dtype, X_name, features.n_features)
        names = y_name, X_name
        val_targets, _ = as_targets(validation.y, val_features.n_samples, classes, names)
        checked = val_features, val_targets
    if are_like_regression(classes, len(targets)):
        warn(
            f"y has {len(classes)} different numbers in {len(targets)} samples. {REGRESSION}",
        )
    return _Data(features, targets, classes, columns, checked)


def _check_batch_size(batch_size: int, n_samples: int) -> int:
    """Cut a batch to the size of the data, with a warning if the user chose it."""
    size = check_whole("batch_size", batch_size)
    if size > n_samples and not isinstance(batch_size, _DefaultNumber):
        warn(
            f"batch_size={size} is larger than the number of samples, {n_samples}: all of them "
            "make one batch.",
        )
    return min(size, n_samples)


def _check_callbacks(
    callbacks: Sequence[Callback], progress: bool
) -> tuple[list[Callback], Within]:
    """Check the callbacks, add the one that prints, and say who is told how far an epoch is."""
    if not (isinstance(callbacks, Iterable) and all(map(callable, callbacks))):
        raise invalid("callbacks", "a sequence of callables", repr(callbacks))
    if not progress:
        return list(callbacks), _say_nothing
    from fastmlp.progress import ProgressLines

    lines = ProgressLines()
    return [*callbacks, lines], lines.within


def _say_nothing(epoch: int, n_done: int, n_steps: int) -> None:
    """Take the report of how far an epoch is, and keep quiet."""


class _Reports(Hook):
    """Tells the callbacks of each epoch, and who prints how far it is."""

    def __init__(
        self, model: Model, state: State, epochs: int, callbacks: list[Callback], within: Within
    ) -> None:
        self.model, self.state, self.epochs = model, state, epochs
        self.callbacks, self.within = callbacks, within

    def within_epoch(self, n_done: int, n_steps: int) -> None:
        self.within(self.state.epoch + 1, n_done, n_steps)

    def end_epoch(self) -> bool:
        report = EpochReport(
            self.state.epoch, self.epochs, *self.state.history.last(), model=self.model
        )
        answers = [callback(report) for callback in self.callbacks]
        return any(answer is True for answer in answers)


def _run(
    descent: Descent, hooks: list[Hook], validation: tuple[Features, Array] | None, model: Model
) -> TrainResult:
    """Run the epochs, and turn what ends them early into this door's errors."""
    state = descent.state
    evaluate = None if validation is None else partial(model.evaluate, *validation)
    result = TrainResult(model, state.history)
    try:
        with limit_blas(descent.blas_threads):
            run(descent, descent.plan.epochs - state.epoch, hooks, evaluate)
    except NotFiniteError as what:
        raise DivergenceError(
            f"training diverged in epoch {state.epoch}: {what}. Try a smaller learning_rate_init, "
            "an input_scale that brings X near [-1, 1], or dtype='float64'.",
            state.history,
        ) from None
    except KeyboardInterrupt:
        raise TrainingInterrupted(result) from None
    return result

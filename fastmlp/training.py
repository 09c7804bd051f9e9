"""`train`: checks its arguments, makes a plan of them, and has the engine run it."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from fastmlp._errors import warn
from fastmlp.configuration import (
    BATCH_SIZE,
    as_initial_parameters,
    as_network,
    complete,
    loss_name,
)
from fastmlp.data.standardizing import share_means
from fastmlp.datasets.dataset import Dataset
from fastmlp.distributed import open_ranks
from fastmlp.engine.state import State
from fastmlp.network import Parameters
from fastmlp.rng import streams
from fastmlp.training_data import DataArguments, DefaultName, load
from fastmlp.training_run import (
    Data,
    TrainResult,
    read_alike,
    storable,
    train_from,
)
from fastmlp.training_source import is_streamed, load_source
from fastmlp.watching import Callback, check_watching


class _DefaultNumber(int):
    """A default that can be told from the same number given by the user."""


DEFAULT_DATASET, DEFAULT_BATCH_SIZE = DefaultName("digits28"), _DefaultNumber(BATCH_SIZE)

GIVEN = (
    "X", "y", "sample_weight", "coefs_init", "intercepts_init", "random_state", "X_val", "y_val",
    "callbacks", "progress", "checkpoint", "checkpoint_seconds", "comm",
)  # fmt: skip
"""Arguments that say with what, and not how, to train."""


def train(
    X: Any = None,
    y: Any = None,
    *,
    dataset: str | Dataset = DEFAULT_DATASET,
    input_scale: str | tuple[float, float] | None = None,
    sample_weight: Any = None,
    class_weight: dict[Any, float] | str | None = None,
    hidden_layer_sizes: int | Sequence[int] = (100,),
    activation: str | Sequence[str] = "logistic",
    loss: str = "cross_entropy",
    huber_delta: float = 1.0,
    quantile: float = 0.5,
    label_smoothing: float = 0.0,
    dropout: float | Sequence[float] = 0.0,
    solver: str = "sgd",
    learning_rate_init: float | None = None,
    learning_rate: str = "constant",
    power_t: float = 0.5,
    step_size: int = 30,
    step_factor: float = 0.1,
    warm_up: int = 0,
    momentum: float = 0.0,
    nesterov: bool = False,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
    alpha: float = 0.0,
    l1: float = 0.0,
    max_grad_norm: float | None = None,
    batch_size: int = DEFAULT_BATCH_SIZE,
    accumulate: int = 1,
    epochs: int = 10,
    early_stopping: bool = False,
    scoring: Any = None,
    validation_fraction: float = 0.1,
    n_iter_no_change: int = 10,
    tol: float = 1e-4,
    max_fun: int = 15000,
    time_budget: float | None = None,
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
    checkpoint: str | PathLike[str] | None = None,
    checkpoint_seconds: float = 60.0,
    comm: Any = None,
) -> TrainResult:
    """Train a multilayer perceptron that classifies, or predicts numbers.

    Parameters
    ----------
    X : array_like, sparse matrix, data frame or source of shape (n_samples, n_features), optional
        float32, float64 or uint8 values are trained from where they lie, in any memory order; other
        numbers are converted once, and so are the columns of a data frame that are not all of one
        dtype. CSR is read as it lies if its indices are sorted and none of them comes twice in a
        row. A source of `fastmlp.data` need not fit in memory, and has its own y. Left out,
        `dataset` is trained on.
    y : array_like of shape (n_samples,) or data frame of one column, optional
        Class labels of any type that sorts; or a matrix of 0 and 1, of shape (n_samples, n_labels),
        that says which of several labels each sample has; or, as `loss` says, numbers to predict,
        which may be of shape (n_samples, n_outputs).
    dataset : {"digits28", "digits", "mnist"} or Dataset
        A named data set, or one that is loaded, in place of X and y. Its test part is the
        validation set unless one is given; nothing is selected on it: with `early_stopping` a part
        of the training samples is held out.
    input_scale : None, "unit", "symmetric" or (scale, shift)
        What is done to every value of X as it is read, in training and in prediction: nothing,
        x / 255, x / 127.5 - 1, or x * scale + shift. None takes the named data set's own.
    sample_weight : array_like of shape (n_samples,), optional
        Weights of at least 0; None weighs all alike.
    class_weight : dict, "balanced" or None
        Weight of each class, which multiplies that of its samples; classes that a dict has not
        weigh 1.
    hidden_layer_sizes : int or sequence of int
        Units of each hidden layer; () is softmax regression.
    activation : str or sequence of str
        "identity", "logistic", "tanh", "relu", "leaky_relu", "gelu", "silu", "softplus", "elu",
        "selu" or "mish": one for all hidden layers, or one each.
    loss : str
        "cross_entropy", "squared_error", "poisson", "absolute_error", "huber", "quantile"
        or "gaussian_nll", with a mean and a variance for each target; the mean is predicted.
        Cross-entropy for class labels, by softmax, or by a logistic output for each label where a
        sample has several; or the loss for numbers to predict, as `MLPRegressor` has them.
    huber_delta : float
        Where Huber's loss turns from a parabola into lines.
    quantile : float
        Which quantile the loss "quantile" predicts, in (0, 1).
    label_smoothing : float
        Share of each label that is spread evenly over the classes, in [0, 1).
    dropout : float or sequence of float
        Probability that a hidden unit is left out of an update, for all hidden layers or one each.
    solver : {"sgd", "adam", "adamw", "nadam", "rmsprop", "lion", "lbfgs"}
        Stochastic gradient descent, Adam (Kingma & Ba 2015), both in scikit-learn's form; AdamW,
        with `alpha` as its decoupled weight decay; NAdam (Dozat 2016); RMSprop, with `beta_2` as
        its decay; Lion (Chen et al. 2023), with `alpha` as AdamW, for smaller rates; L-BFGS (Byrd
        et al. 1995), whose iterations count as epochs: each is of all samples, and needs no rate.
    learning_rate_init : float, optional
        Left out, 0.5 for sgd and 0.001 for the others; for sgd with batches of fewer than 64
        samples, 0.5 * batch_size / 64.
    learning_rate : {"constant", "invscaling", "step", "cosine", "one_cycle", "adaptive"}
        The learning-rate schedule. "adaptive" divides the rate by 5 where there is no improvement
        for `n_iter_no_change` epochs, and ends training below 1e-6.
    power_t : float
        Exponent of "invscaling".
    step_size : int
        Epochs after which "step" lowers the rate.
    step_factor : float
        By which it multiplies it.
    warm_up : int
        First epochs in which the rate rises in a straight line.
    momentum : float
        In [0, 1), for sgd.
    nesterov : bool
        Use Nesterov's momentum.
    beta_1, beta_2, epsilon : float
        Of adam and adamw; the last two of rmsprop, too.
    alpha : float
        Strength of the L2 penalty alpha / 2 * sum(w^2), which is divided by the batch's size as
        scikit-learn does.
    l1 : float
        Strength of the L1 penalty l1 * sum(abs(w)), divided as `alpha` is.
    max_grad_norm : float, optional
        A longer gradient is shortened to this norm.
    batch_size : int
        Samples an update, at most all of them. The loss of a batch is the mean over its samples; a
        smaller last batch is used, not dropped. 1 is the article's per-sample algorithm.
    accumulate : int
        An update is made for the gradients of so many batches, as if they were one.
    epochs : int
        How often to go through the samples, at most.
    early_stopping : bool
        Stop when the validation score does not improve, and keep the best weights, after a
        divergence too. Without a validation set of your own a part of the samples is held out.
    scoring : str or callable, optional
        What scores the validation set in place of the model's `score`: the name of one of
        scikit-learn's scores, one of `sklearn.metrics.make_scorer`, or a function of the model, X
        (as an array) and y, which is not for checkpoints. Without a validation set it scores the
        training data after each epoch: `history.score`.
    validation_fraction : float
        The share of the samples that is held out.
    n_iter_no_change : int
        Epochs without an improvement before training ends.
    tol : float
        What counts as an improvement; lbfgs ends where no component of the gradient is larger.
    max_fun : int
        At most so many times lbfgs computes the loss.
    time_budget : float, optional
        Seconds after which no further epoch begins; compiling does not count.
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
    checkpoint : path-like, optional
        A file that `resume` goes on from, to the same bits, whatever broke training off. It is
        written now and then, on Ctrl-C and at the end, whole or not at all; what was there before
        is replaced.
    checkpoint_seconds : float
        How often.
    comm : mpi4py.MPI.Comm or fastmlp.distributed.Ranks, optional
        Several processes train together, each with its own rows: X, y, `sample_weight`, X_val and
        y_val are this one's, a data set is divided. All else is the same on all; the batches are
        those of all rows. Rank 0 has the callbacks and writes the checkpoint.

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
        If a loss or a parameter is no longer finite; its `history` holds the epochs before. With
        `early_stopping` there is a warning instead once a score has chosen weights.
    OSError
        If the checkpoint cannot be written.
    TrainingInterrupted
        On Ctrl-C, a KeyboardInterrupt whose `result` holds what was learned until then.
    fastmlp.distributed.RankError
        If another rank cannot go on.

    Warns
    -----
    UserWarning
        If `batch_size` is given and larger than the data, y looks like a regression target, only
        one of X and X_val names its columns, or training with `early_stopping` diverges.

    Examples
    --------
    >>> import fastmlp
    >>> result = fastmlp.train(dataset="digits", backend="numpy", epochs=30, random_state=0)
    >>> result.history.val_score[-1] > 0.9
    True
    """
    arguments = {name: value for name, value in locals().items() if name not in GIVEN}
    with open_ranks(comm) as ranks:
        watching, _ = ranks.collect(
            lambda: check_watching(callbacks, progress, checkpoint, checkpoint_seconds)
        )
        settings = read_alike(arguments, ranks)
        share_means(X, X_val, ranks)
        _, streamed = ranks.collect(lambda: is_streamed(X, settings.dtype), bool)
        given = DataArguments(X, y, dataset, input_scale, X_val, y_val, sample_weight, class_weight)
        data = (load_source if any(streamed) else load)(given, settings, ranks)
        weights_stream, order_stream = ranks.agree(streams(random_state))
        rows, dropout_generator = None, None
        if settings.early_stopping or np.any(settings.dropout):
            split_stream, dropout_stream = order_stream.spawn(2)
            dropout_generator = np.random.default_rng(dropout_stream.integers(1 << 63))
        if settings.early_stopping:
            data, rows = data.hold_out(settings.validation_fraction, split_stream)
        parameters = ranks.agree(
            _draw(settings, data, (coefs_init, intercepts_init), weights_stream)
        )
        orders = data.begin_orders(rows, settings.shuffle, order_stream)
        arguments["batch_size"] = cut_batch(settings.batch_size, batch_size, orders.n_samples)
        complete(settings, arguments["batch_size"])
        state = State(parameters, orders, settings.learning_rate_init, dropout_generator)
        arguments["random_state"] = random_state
        stored = storable(arguments, X is not None, watching.file is not None)
        return train_from(state, settings, data, watching, stored, ranks)


def _draw(
    settings: Any, data: Data, given: tuple[Any, Any], generator: np.random.Generator
) -> Parameters:
    """Make the network and draw its weights, but for those that are given."""
    loss = loss_name(settings, data.targets)
    network = as_network(settings, data.n_features, data.targets.n_outputs, loss)
    return as_initial_parameters(settings, network, given, generator)


def cut_batch(batch_size: int, given: Any, n_samples: int) -> int:
    """Cut a batch to the size of the data, with a warning if it was given."""
    if batch_size > n_samples and not isinstance(given, _DefaultNumber):
        warn(
            f"batch_size={batch_size} is larger than the number of samples, {n_samples}: all of "
            "them make one batch.",
        )
    return min(batch_size, n_samples)

"""What the docstrings of the two estimators have in common."""

import re
from collections.abc import Iterable
from inspect import cleandoc
from textwrap import fill
from typing import TypeVar

from fastmlp.activations import ACTIVATIONS
from fastmlp.losses import REGRESSION_LOSSES
from fastmlp.optimizers import OPTIMIZERS

T = TypeVar("T")


class Common:
    """What both estimators have.

    <parameters>
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer.
    activation : str or sequence of str, default="relu"
    <activations>
        One for all hidden layers, or one each.
    solver : str, default="adam"
    <solvers>
        The first three as in scikit-learn. "adamw" and "lion" take `alpha` as their decoupled
        weight decay; "rmsprop" takes `beta_2` as the decay of its mean of squares. "lion" wants a
        third to a tenth of the rate of "adam", and beta_2=0.99.
    alpha : float, default=0.0001
        Strength of the L2 penalty, which is divided by the weight of the batch.
    batch_size : int or "auto", default="auto"
        Samples an update; "auto" is min(200, n_samples).
    learning_rate : str, default="constant"
        "constant", "invscaling" or "adaptive", which only "sgd" heeds, as in scikit-learn; or
        "step", "cosine", "one_cycle", for every solver but lbfgs.
    learning_rate_init : float, default=0.001
        The initial rate, or the highest of "one_cycle".
    power_t : float, default=0.5
        Exponent of "invscaling".
    max_iter : int, default=200
        At most so many epochs, or iterations of "lbfgs".
    shuffle : bool, default=True
        Draw a new order of the samples for each epoch.
    random_state : int, RandomState instance or None, default=None
        Fixes initial weights, validation split, orders and dropout. An int gives scikit-learn's
        weights and orders, and its results to rounding; where rounding is carried along over many
        epochs, or float32 is computed in, the results part.
    tol : float, default=1e-4
        What counts as an improvement.
    verbose : bool, default=False
        Print the loss of each epoch.
    warm_start : bool, default=False
        Go on from the weights of the fit before.
    momentum : float, default=0.9
        In [0, 1], for "sgd".
    nesterovs_momentum : bool, default=True
        Use Nesterov's momentum.
    early_stopping : bool, default=False
        Stop when the validation score does not improve, and keep the best weights, after a
        divergence too. A score of NaN is no improvement; where all are, the last weights are kept,
        with a warning.
    validation_fraction : float, default=0.1
        Share of the samples held out for it, unless `fit` is given a validation set.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        Of "adam" and its like; of the others what they have: "rmsprop" the last two, "lion" the
        first two.
    n_iter_no_change : int, default=10
        Epochs without an improvement before the fit ends.
    max_fun : int, default=15000
        At most so many times "lbfgs" computes the loss.
    dropout : float or sequence of float, default=0.0
        Probability that a hidden unit is left out of an update, for all hidden layers or one each.
    l1 : float, default=0.0
        Strength of the L1 penalty, divided as `alpha` is.
    max_grad_norm : float or None, default=None
        A longer gradient is shortened to this norm.
    accumulate : int, default=1
        An update is made for the gradients of so many batches, as if they were one.
    step_size : int, default=30
        Epochs after which "step" lowers the rate.
    step_factor : float, default=0.1
        By which it multiplies it.
    warm_up : int, default=0
        First epochs in which the rate rises in a straight line.
    time_budget : float or None, default=None
        Seconds after which no further epoch begins; compiling does not count.
    callbacks : sequence or None, default=None
        Called before and after the fit and each epoch of it: objects of scikit-learn's callback
        protocol (`sklearn.callback`, from 1.9 on; the same methods do before), such as its
        ProgressBar. One whose `on_fit_task_end` returns True after an epoch ends the fit.
        `set_callbacks` does the same.
    scoring : str, callable or None, default=None
        What early stopping looks at, in place of `score`: called with the estimator, X (with its
        column names, where it has some), y, and the weights, where it takes a `sample_weight`.
        Without a validation set `fit` scores the training data after each epoch: `history_.score`.
    init : {"glorot_uniform", "he_normal", "standard_normal"} or None, default=None
        How initial weights are drawn; None draws scikit-learn's.
    backend : {"numba", "numpy", "reference"}, default="numba"
        Compiled kernels; a matrix a batch; or one sample at a time.
    n_threads : int or None, default=None
        At most so many threads; None takes as many as pay, of those that OMP_NUM_THREADS and
        NUMBA_NUM_THREADS leave.
    dtype : {"float32", "float64"} or None, default=None
        What is computed in; None takes float32 where X is float32, else float64.
    input_scale : None, "unit", "symmetric" or (scale, shift), default=None
        What is done to every value of X as it is read: nothing, x / 255, x / 127.5 - 1, or
        x * scale + shift. Bytes stay bytes. What a fit began with stays.

    <attributes>
    coefs_, intercepts_ : list of ndarray
        Weights of shape (fan_in, fan_out) and biases of each layer. Others may be put in their
        place, of hidden layers of another width too, as pruned ones are.
    loss_, best_loss_ : float
        The last epoch's mean loss, and the smallest.
    loss_curve_ : list of float
        The loss of each epoch.
    history_ : History
        The same with the time and the rate of each epoch; `to_csv` and `plot` write it.
    validation_scores_, validation_loss_curve_ : list of float
        Score and loss on the validation set after each epoch, where there is one.
    best_validation_score_ : float or None
        The best of the scores, with `early_stopping`.
    n_iter_, t_ : int
        Number of epochs, and of samples seen.
    n_layers_, n_outputs_ : int
        Number of layers, the input's too, and of outputs.
    out_activation_ : str
        From logits to predictions; one of another name that is set here is used in predicting.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str
        Their names, where X has column names.
    """


def documented(estimator: type[T]) -> type[T]:
    """Put the parts that both estimators have into a class's docstring.

    Parameters
    ----------
    estimator : type
        Its docstring has `<parameters>`, `<attributes>` and the like where they go.

    Returns
    -------
    type
        The same.
    """
    if not (estimator.__doc__ and Common.__doc__):  # Python was told to leave docstrings out
        return estimator
    text = cleandoc(estimator.__doc__)
    _, parameters, attributes = re.split(
        r"\n*<(?:parameters|attributes)>\n", cleandoc(Common.__doc__)
    )
    parts = {
        "<parameters>": parameters,
        "<attributes>": attributes,
        "<activations>": list_choices(ACTIVATIONS),
        "<solvers>": list_choices(["lbfgs", *OPTIMIZERS]),
        "<losses>": list_choices(REGRESSION_LOSSES),
    }
    for place, part in parts.items():
        text = text.replace(place, part)
    estimator.__doc__ = text
    return estimator


def list_choices(names: Iterable[str]) -> str:
    """List what an argument may be, in lines of a docstring.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    str
    """
    listed = ", ".join(f'"{name}"' for name in names)
    return fill(listed + ".", 100, initial_indent="    ", subsequent_indent="    ")

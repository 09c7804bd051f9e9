"""scikit-learn's estimators, and fastmlp's of the same names, from given weights."""

import warnings

import numpy as np
import sklearn.neural_network
from sklearn.exceptions import ConvergenceWarning

import fastmlp

from .tasks import SEED, Fitted, initial_parameters, orders

LIBRARIES = {
    "": sklearn.neural_network, "defaults": sklearn.neural_network, "estimator": fastmlp,
}  # fmt: skip
"""By the variants of this module and of `with_estimators`."""
CLASSES = {"log_loss": "MLPClassifier", "squared_error": "MLPRegressor"}


def estimator_class(variant, loss):
    """Find an estimator.

    Parameters
    ----------
    variant : str
        One of `LIBRARIES`.
    loss : {"log_loss", "squared_error"}
    """
    return getattr(LIBRARIES[variant], CLASSES[loss])


class GivenShuffles(np.random.RandomState):
    """A random state that hands out shuffles that are given.

    Parameters
    ----------
    shuffles : list of ndarray of shape (n_samples,)
    """

    def __init__(self, shuffles):
        super().__init__(0)
        self.shuffles = iter(shuffles)

    def shuffle(self, x):
        """Shuffle the indices x as the next one says.

        Parameters
        ----------
        x : ndarray of shape (n_samples,)
            Overwritten.
        """
        x[...] = next(self.shuffles)


def shuffles_between(orders):
    """Find what brings the samples from each order into the next.

    The classifier shuffles what its last shuffle left.

    Parameters
    ----------
    orders : list of ndarray of shape (n_samples,)

    Returns
    -------
    list of ndarray of shape (n_samples,)
        Indices into the samples as the last epoch had them.
    """
    before = [np.arange(len(orders[0])), *orders[:-1]]
    return [np.argsort(start)[order] for start, order in zip(before, orders, strict=True)]


def prepare(task, data, variant, n_threads):
    """Let a first fit on few samples allocate everything; its weights are replaced later.

    Parameters
    ----------
    task : Task
    data : Data
    variant : {"", "estimator"}
        scikit-learn's, or fastmlp's.
    n_threads : int or None
        The threads are those of the process.

    Returns
    -------
    Run
    """
    warnings.simplefilter("ignore", ConvergenceWarning)
    estimator = estimator_class(variant, task.loss)(
        hidden_layer_sizes=task.hidden_layer_sizes, activation=task.activation, solver=task.solver,
        alpha=0.0, batch_size=task.batch_size, learning_rate_init=task.learning_rate_init,
        shuffle=task.shuffle, momentum=0.0, nesterovs_momentum=False, tol=0.0,
        n_iter_no_change=10**9, warm_start=True, max_iter=1, random_state=SEED,
    )  # fmt: skip
    few = min(max(task.batch_size, data.n_outputs), data.X.shape[0])
    every_class = np.arange(few) % data.n_outputs
    estimator.fit(data.X[:few], every_class if task.loss == "log_loss" else data.y[:few])
    estimator.set_params(max_iter=task.epochs)
    return RUNS[task.kind](task, data, estimator)


def _fit(task, data, estimator):
    """Train for all epochs."""
    coefs, intercepts = initial_parameters(task, data)
    shuffles = shuffles_between(orders(task, data))

    def run():
        estimator.coefs_ = [array.copy() for array in coefs]
        estimator.intercepts_ = [array.copy() for array in intercepts]
        estimator.random_state = GivenShuffles(shuffles)
        estimator.fit(data.X, data.y)
        return _fitted(estimator)

    return run


def _fitted(estimator):
    return Fitted(estimator.coefs_, estimator.intercepts_, estimator.n_iter_)


def _predict(task, data, estimator):
    """Train, and then predict again and again."""
    _fit(task, data, estimator)()
    X = data.X_test[: task.n_rows]
    return lambda: estimator.predict_proba(X)


def _partial_fit(task, data, estimator):
    """Train, and then go on, a step a call."""
    _fit(task, data, estimator)()
    estimator.set_params(random_state=SEED)

    def run():
        estimator.partial_fit(data.X, data.y)
        return lambda: _fitted(estimator)

    return run


RUNS = {"fit": _fit, "predict": _predict, "partial_fit": _partial_fit}

"""The estimators of fastmlp and scikit-learn, their arguments as they are by default."""

import warnings

from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from .tasks import SEED, Fitted
from .with_sklearn import estimator_class


def prepare(task, data, variant, n_threads):
    """Compile by fitting to few samples.

    Parameters
    ----------
    task : Task
        Its loss, its layers, its solver and its epochs count; the rest are the estimators'
        defaults.
    data : Data
    variant : {"estimator", "defaults"}
        fastmlp's or scikit-learn's.
    n_threads : int or None
        The threads are those of the process.

    Returns
    -------
    Run
    """
    warnings.simplefilter("ignore", ConvergenceWarning)
    estimator = estimator_class(variant, task.loss)(
        hidden_layer_sizes=task.hidden_layer_sizes, solver=task.solver, max_iter=task.epochs,
        random_state=SEED, n_iter_no_change=task.epochs,
    )  # fmt: skip
    few = min(1000, data.X.shape[0])
    clone(estimator).set_params(max_iter=1).fit(data.X[:few], data.y[:few])

    def run():
        fitted = clone(estimator).fit(data.X, data.y)
        return Fitted(fitted.coefs_, fitted.intercepts_, fitted.n_iter_)

    return run

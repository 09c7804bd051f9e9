"""scikit-learn's `MLPClassifier`."""

import numpy as np

from .tasks import Fitted, initial_parameters, orders


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
    variant : str
    n_threads : int or None
        The threads are those of the process.

    Returns
    -------
    Run
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)
    classifier = MLPClassifier(
        task.hidden_layer_sizes, activation=task.activation, solver=task.solver, alpha=0.0,
        batch_size=task.batch_size, learning_rate_init=task.learning_rate_init, momentum=0.0,
        nesterovs_momentum=False, tol=0.0, n_iter_no_change=10**9, warm_start=True, max_iter=1,
    )  # fmt: skip
    few = max(task.batch_size, data.n_classes)
    classifier.fit(data.X[:few], np.arange(min(few, data.X.shape[0])) % data.n_classes)
    classifier.set_params(max_iter=task.epochs)
    return RUNS[task.kind](task, data, classifier)


def _fit(task, data, classifier):
    """Train for all epochs."""
    coefs, intercepts = initial_parameters(task, data)
    shuffles = shuffles_between(orders(task, data))

    def run():
        classifier.coefs_ = [array.copy() for array in coefs]
        classifier.intercepts_ = [array.copy() for array in intercepts]
        classifier.random_state = GivenShuffles(shuffles)
        classifier.fit(data.X, data.y)
        return Fitted(classifier.coefs_, classifier.intercepts_, classifier.n_iter_)

    return run


def _predict(task, data, classifier):
    """Train, and then predict again and again."""
    _fit(task, data, classifier)()
    X = data.X_test[: task.n_rows]
    return lambda: classifier.predict_proba(X)


RUNS = {"fit": _fit, "predict": _predict}

"""fastmlp, by its public function."""

from dataclasses import asdict

import numpy as np

import fastmlp

from .tasks import SEED, Fitted, initial_parameters

BACKENDS = {"": "numba", "backend": "reference"}

PASSED_ON = (
    "hidden_layer_sizes", "activation", "solver", "learning_rate_init", "learning_rate",
    "batch_size", "epochs", "shuffle", "dtype",
)  # fmt: skip
"""The fields of a task that are arguments of `fastmlp.train`."""


def prepare(task, data, variant, n_threads):
    """Compile the kernels by training on few samples.

    Parameters
    ----------
    task : Task
    data : Data
    variant : {"", "backend"}
        Compiled, or the reference.
    n_threads : int or None

    Returns
    -------
    Run
    """
    coefs, intercepts = initial_parameters(task, data)
    arguments = {name: value for name, value in asdict(task).items() if name in PASSED_ON} | {
        "input_scale": data.input_scale,
        "coefs_init": coefs,
        "intercepts_init": intercepts,
        "random_state": SEED,
        "backend": BACKENDS[variant],
        "n_threads": n_threads,
    }
    few = max(512, 2 * task.batch_size)
    fastmlp.train(data.X[:few], data.y[:few], **{**arguments, "epochs": 1})
    return RUNS[task.kind](task, data, arguments)


def _fit(task, data, arguments):
    """Train for all epochs."""

    def run():
        model, history = fastmlp.train(data.X, data.y, **arguments)
        return Fitted(model.coefs_, model.intercepts_, len(history.loss))

    return run


def _reach(task, data, arguments):
    """Train until the test accuracy is reached."""
    arguments = arguments | {
        "X_val": data.X_test,
        "y_val": data.y_test,
        "callbacks": [lambda report: report.val_score >= task.goal],
    }
    return _fit(task, data, arguments)


def _predict(task, data, arguments):
    """Train, and then predict again and again."""
    model = fastmlp.train(data.X, data.y, **arguments).model
    X = data.X_test[: task.n_rows]
    return lambda: model.predict_proba(X)


def _step(task, data, arguments):
    """Make a step, and then go on, a step a call."""
    own = {"learning_rate", "epochs", "shuffle", "n_threads"}
    arguments = {name: value for name, value in arguments.items() if name not in own}
    trainer = fastmlp.OnlineTrainer(data.X.shape[1], np.unique(data.y), **arguments)
    trainer.step(data.X, data.y)

    def run():
        trainer.step(data.X, data.y)
        return lambda: Fitted(trainer.model.coefs_, trainer.model.intercepts_, task.epochs)

    return run


RUNS = {"fit": _fit, "reach": _reach, "predict": _predict, "partial_fit": _step}

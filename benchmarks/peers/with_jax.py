"""JAX: an epoch is one compiled scan over its batches, and many of one batch are one, too."""

import numpy as np

from .tasks import Fitted, in_one_batch, initial_parameters, orders


def _sgd(task, parameters, gradients, memory):
    """Go against the gradients."""
    import jax

    rate = task.learning_rate_init
    return jax.tree.map(lambda value, by: value - rate * by, parameters, gradients), memory


def _adam(task, parameters, gradients, memory):
    """Go against the gradients' running means (Kingma & Ba 2015, algorithm 1)."""
    import jax

    n_steps, first, second = memory
    n_steps = n_steps + 1
    first = jax.tree.map(lambda mean, by: BETA_1 * mean + (1 - BETA_1) * by, first, gradients)
    second = jax.tree.map(
        lambda mean, by: BETA_2 * mean + (1 - BETA_2) * by * by, second, gradients
    )
    rate = task.learning_rate_init * (1 - BETA_2**n_steps) ** 0.5 / (1 - BETA_1**n_steps)
    parameters = jax.tree.map(
        lambda value, mean, square: value - rate * mean / (square**0.5 + EPSILON),
        parameters, first, second,
    )  # fmt: skip
    return parameters, (n_steps, first, second)


BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
SOLVERS = {"sgd": _sgd, "adam": _adam}


def _log_loss(outputs, Y):
    """Compute the mean cross-entropy."""
    import jax

    return -(jax.nn.log_softmax(outputs) * Y).sum() / len(Y)


def _squared_error(outputs, Y):
    """Compute what the estimators go down: half the squared errors of a sample, in the mean."""
    return ((outputs - Y) ** 2).sum() / (2 * len(Y))


LOSSES = {"log_loss": _log_loss, "squared_error": _squared_error}


def make_epoch(task):
    """Write an epoch, or all of them where each is one batch, as a function that JAX compiles.

    Parameters
    ----------
    task : Task

    Returns
    -------
    callable
        Of the state (the parameters as a list of pairs, and the solver's memory), the batches of
        shape (n_batches, batch_size), the samples and their targets; it returns the state
        afterwards. Without batches it makes a step of all samples an epoch.
    """
    import jax

    activation = {"logistic": jax.nn.sigmoid, "relu": jax.nn.relu, "tanh": jax.numpy.tanh}[
        task.activation
    ]

    def loss(parameters, X, Y):
        for coefs, intercepts in parameters[:-1]:
            X = activation(X @ coefs + intercepts)
        coefs, intercepts = parameters[-1]
        return LOSSES[task.loss](X @ coefs + intercepts, Y)

    def epoch(state, batches, X, Y):
        def step(state, chosen):
            parameters, memory = state
            batch = (X, Y) if chosen is None else (X[chosen], Y[chosen])
            gradients = jax.grad(loss)(parameters, *batch)
            return SOLVERS[task.solver](task, parameters, gradients, memory), None

        return jax.lax.scan(step, state, batches, task.epochs if batches is None else None)[0]

    return jax.jit(epoch, donate_argnums=0)


def prepare(task, data, variant, n_threads):
    """Compile the epoch for whole batches and, if there is one, for the smaller last batch.

    Parameters
    ----------
    task : Task
        Kind "fit", solver sgd or adam.
    data : Data
    variant : str
    n_threads : int or None
        The threads are those of the process.

    Returns
    -------
    Run
    """
    import jax
    import jax.numpy as jnp

    X = jnp.asarray(data.X)
    one_hot = np.eye(data.n_outputs, dtype=task.dtype)
    Y = jnp.asarray(one_hot[data.y] if task.loss == "log_loss" else data.y)
    initial = list(zip(*initial_parameters(task, data), strict=True))
    parts = (
        [[None]]
        if in_one_batch(task, len(Y))
        else [
            [jnp.asarray(part, jnp.int32) for part in split(order, task.batch_size)]
            for order in orders(task, data)
        ]
    )

    def start():
        parameters = jax.tree.map(jnp.array, initial)
        first, second = (jax.tree.map(jnp.zeros_like, parameters) for _ in range(2))
        return parameters, (jnp.zeros(()), first, second) if task.solver == "adam" else ()

    epoch = make_epoch(task)
    compiled = [epoch.lower(start(), part, X, Y).compile() for part in parts[0]]

    def run():
        state = start()
        for batches in parts:
            for train, part in zip(compiled, batches, strict=True):
                state = train(state, part, X, Y)
        return _fitted(state[0], task.epochs)

    return run


def _fitted(parameters, epochs):
    """Return the parameters as arrays; this waits for them."""
    coefs, intercepts = zip(*parameters, strict=True)
    return Fitted(list(map(np.asarray, coefs)), list(map(np.asarray, intercepts)), epochs)


def split(order, batch_size):
    """Cut an order into its whole batches and the smaller last one.

    Parameters
    ----------
    order : ndarray of shape (n_samples,)
    batch_size : int

    Returns
    -------
    list of ndarray of shape (n_batches, size)
        One or two.
    """
    n_whole = len(order) - len(order) % batch_size
    parts = order[:n_whole].reshape(-1, batch_size), order[n_whole:].reshape(1, -1)
    return [part for part in parts if part.size]

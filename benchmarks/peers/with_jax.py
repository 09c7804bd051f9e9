"""JAX: an epoch is one compiled scan over its batches."""

import numpy as np

from .tasks import Fitted, initial_parameters, orders


def make_epoch(task):
    """Write the epoch as a function that JAX compiles.

    Parameters
    ----------
    task : Task
        Solver sgd.

    Returns
    -------
    callable
        Of the parameters (a list of pairs), the batches of shape (n_batches, batch_size), the
        samples and their one-hot targets; it returns the parameters after the epoch.
    """
    import jax

    activation = {"logistic": jax.nn.sigmoid, "relu": jax.nn.relu}[task.activation]

    def loss(parameters, X, Y):
        for coefs, intercepts in parameters[:-1]:
            X = activation(X @ coefs + intercepts)
        coefs, intercepts = parameters[-1]
        return -(jax.nn.log_softmax(X @ coefs + intercepts) * Y).sum() / len(Y)

    def epoch(parameters, batches, X, Y):
        def step(parameters, chosen):
            gradients = jax.grad(loss)(parameters, X[chosen], Y[chosen])
            rate = task.learning_rate_init
            return jax.tree.map(lambda value, by: value - rate * by, parameters, gradients), None

        return jax.lax.scan(step, parameters, batches)[0]

    return jax.jit(epoch, donate_argnums=0)


def prepare(task, data, variant, n_threads):
    """Compile the epoch for whole batches and, if there is one, for the smaller last batch.

    Parameters
    ----------
    task : Task
        Kind "fit", solver sgd.
    data : Data
    variant : str
    n_threads : int or None
        The threads are those of the process.

    Returns
    -------
    Run
    """
    import jax.numpy as jnp

    X = jnp.asarray(data.X)
    Y = jnp.asarray(np.eye(data.n_classes, dtype=task.dtype)[data.y])
    initial = list(zip(*initial_parameters(task, data), strict=True))
    parts = [
        [jnp.asarray(part, jnp.int32) for part in split(order, task.batch_size)]
        for order in orders(task, data)
    ]

    def start():
        return [tuple(jnp.array(array) for array in layer) for layer in initial]

    epoch = make_epoch(task)
    compiled = [epoch.lower(start(), part, X, Y).compile() for part in parts[0]]

    def run():
        parameters = start()
        for batches in parts:
            for train, part in zip(compiled, batches, strict=True):
                parameters = train(parameters, part, X, Y)
        return _fitted(parameters, len(parts))

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

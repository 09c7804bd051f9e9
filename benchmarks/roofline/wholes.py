"""Whole fits and predictions, whose work is the sum of their parts'."""

import numpy as np
import scipy.special

import fastmlp
from fastmlp.backends import get_backend
from fastmlp.backends.compiled.memory import zeros
from fastmlp.backends.compiled.prediction import FEW_ROWS, FewRows
from fastmlp.inputs import Features, Scale
from fastmlp.kernels.few import predict_few
from fastmlp.network import Network
from fastmlp.rng import initial_parameters
from fastmlp.threads import n_cores

from . import work
from .cases import BATCH_SIZE, FLOAT32, HIDDEN, N_CLASSES, N_FEATURES, N_HIDDEN, Case, filling
from .timing import compiled_loop

N_CHECKED = 512
"""Samples on which a fit is compared with NumPy's."""

FIT_TOLERANCE = 1e-4
"""Rounding of ten thousand steps, carried along."""

BY_SAMPLE, EPOCHS = 8_192, 5
N_PREDICTED = 10_000


def step_work(nonzeros, n_rows, value_bytes):
    """Add up what a step of plain gradient descent on sparse images must do.

    Parameters
    ----------
    nonzeros : int
        Of the batch.
    n_rows : int
        The batch size.
    value_bytes : int

    Returns
    -------
    work.Work
    """
    output = work.product(n_rows, N_HIDDEN, N_CLASSES)
    return sum(
        (
            work.logistic(n_rows, N_HIDDEN),
            output,
            work.softmax_cross_entropy(n_rows, N_CLASSES),
            work.product(n_rows, N_CLASSES, N_HIDDEN),
            work.logistic_slope(n_rows, N_HIDDEN),
            output,
            work.sgd(N_HIDDEN * N_CLASSES),
            work.sparse_update(nonzeros, n_rows, N_HIDDEN, value_bytes),
        ),
        work.sparse_product(nonzeros, n_rows, N_HIDDEN, value_bytes),
    )


def fit(images, kernel, n_samples, batch_size, n_threads):
    """Time whole fits, from the images to the trained model.

    Parameters
    ----------
    images : cases.Images
    kernel : str
    n_samples, batch_size, n_threads : int

    Returns
    -------
    Case
    """
    settings = {
        "hidden_layer_sizes": (N_HIDDEN,), "batch_size": batch_size, "input_scale": "unit",
        "random_state": 0, "epochs": EPOCHS,
    }  # fmt: skip
    X, y = images.X[:n_samples], images.y[:n_samples]

    def run(n_calls):
        for _ in range(n_calls):
            fastmlp.train(X, y, n_threads=n_threads, **settings)

    def check():
        some = X[:N_CHECKED], y[:N_CHECKED]
        return tuple(
            fastmlp.train(*some, n_threads=n_threads, backend=backend, **settings).history.loss
            for backend in ("numba", "numpy")
        )

    nonzeros = int(images.sparse.indptr[len(X)]) * batch_size // len(X)
    n_steps = EPOCHS * -(-len(X) // batch_size)
    parameters = 4 * (N_FEATURES * N_HIDDEN + N_HIDDEN * N_CLASSES)
    return Case(
        kernel, "train", f"784-100-10, batch {batch_size}, {EPOCHS} x {len(X):,} samples",
        step_work(nonzeros, batch_size, X.itemsize).times(n_steps), parameters, run, check,
        threads=n_threads, tolerance=FIT_TOLERANCE,
        note="the two sparse products take most of it, which are no nearer to the roof; packing, "
        "copying weights and starting threads count, too",
    )  # fmt: skip


def _parameters():
    """Draw the parameters of the network."""
    network = Network((N_FEATURES, N_HIDDEN, N_CLASSES), ("logistic",))
    return initial_parameters(network, "glorot_uniform", FLOAT32, np.random.default_rng(14))


def predict_many(images):
    """Time the logits of many dense rows.

    Parameters
    ----------
    images : cases.Images

    Returns
    -------
    Case
    """
    values = images.X[:N_PREDICTED].astype(np.float32) / 255
    features, n_rows = Features(values, Scale(1.0, 0.0), FLOAT32), len(values)
    numba, numpy = (get_backend(name).predict_logits for name in ("numba", "numpy"))
    parameters = _parameters()

    def run(n_calls):
        for _ in range(n_calls):
            numba(parameters, features, 1)

    def check():
        return tuple(predict(parameters, features, 1) for predict in (numba, numpy))

    layers = work.product(n_rows, N_HIDDEN, N_CLASSES) + work.logistic(n_rows, N_HIDDEN)
    return Case(
        "predict many rows", "kernels.predict.predict_rows",
        f"{n_rows:,} rows of 784-100-10, float32",
        work.product(n_rows, N_FEATURES, N_HIDDEN) + layers, values.nbytes, run, check,
        note=filling(N_HIDDEN, HIDDEN),
    )  # fmt: skip


def _predict_few(number, lanes, parameters, sizes, codes, output, X, scale, space, predictions):
    predict_few(lanes, parameters, sizes, codes, output, X, scale[0], scale[1], space, predictions)


def predict_few_rows(images):
    """Time the probabilities of a few dense rows; see `predict_many`."""
    X, parameters = images.X[:FEW_ROWS].astype(np.float32) / 255, _parameters()
    few = FewRows(parameters, Scale(1.0, 0.0), "softmax")
    predictions = zeros((FEW_ROWS, N_CLASSES), FLOAT32)
    space = np.empty(few.n_space, FLOAT32)
    run = compiled_loop(_predict_few, *few.before, X, few.scale, space, predictions)

    def check():
        run(1)
        features = Features(X, Scale(1.0, 0.0), FLOAT32)
        logits = get_backend("numpy").predict_logits(parameters, features, 1)
        return predictions, scipy.special.softmax(logits.astype(float), axis=1)

    nonzeros = int(np.count_nonzero(X))
    return Case(
        "predict few rows", "kernels.few.predict_few",
        f"{FEW_ROWS} rows of 784-100-10, {nonzeros / FEW_ROWS:.0f} nonzeros a row",
        work.few_rows(FEW_ROWS, N_FEATURES, nonzeros, N_HIDDEN, N_CLASSES),
        parameters.buffer.nbytes + X.nbytes, run, check,
        note="the 784 inputs of a row are checked, scaled and compared one at a time: rows of "
        "zeros need almost as long",
    )  # fmt: skip


def whole_cases(images):
    """List the fits and predictions; see `predict_many`."""
    cores, n_samples = n_cores(), len(images.X)
    n_by_sample = min(BY_SAMPLE, n_samples)
    return [
        predict_many(images),
        predict_few_rows(images),
        fit(images, "fit, sample by sample", n_by_sample, 1, 1),
        fit(images, "fit, one thread", n_samples, BATCH_SIZE, 1),
        fit(images, "fit, all threads", n_samples, BATCH_SIZE, cores),
    ]

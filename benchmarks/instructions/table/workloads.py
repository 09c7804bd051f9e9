"""What is counted: small pieces of work that between them run every kernel that matters.

Each is a function that brings everything along, compiled kernels too, and returns what is then run.
The data are small: valgrind executes some eight million instructions a second.

This folder is no package, so that asv, which imports all that packages hold, does not find it: in
older versions of fastmlp there is not all that is imported here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.sparse import random_array

from fastmlp.backends import compiled
from fastmlp.backends.compiled.packing import pack
from fastmlp.backends.contract import Epoch, Objective, Problem, n_batches
from fastmlp.inputs import as_features, input_scale_pair
from fastmlp.losses import Loss
from fastmlp.network import Network
from fastmlp.optimizers import SGD, Adam, Optimizer, Rule
from fastmlp.rng import draw_numbers, initial_parameters

N_CLASSES = 10


def images(n_samples, dtype, scale="unit"):
    """Draw bytes like MNIST's, of which 19 % are not zero."""
    generator = np.random.default_rng(0)
    ink = generator.random((n_samples, 784), dtype=np.float32) < 0.19
    X = ink * generator.integers(1, 256, ink.shape, dtype=np.uint8)
    return as_features(X, input_scale_pair(scale), dtype)


def article_images(n_samples, dtype):
    """Draw the same between -1 and 1, as the article scales them: their background is -1."""
    return images(n_samples, dtype, "symmetric")


def photographs(n_samples, dtype):
    """Draw floats of which none is zero."""
    X = np.random.default_rng(0).random((n_samples, 784), dtype=np.float32)
    return as_features(X.astype(dtype), input_scale_pair(None), dtype)


def tables(n_samples, dtype):
    """Draw 20 columns of measurements and 10 of 50 categories each, in 500 of zeros and ones."""
    generator = np.random.default_rng(0)
    X = np.zeros((n_samples, 520), dtype)
    X[:, :20] = generator.normal(size=(n_samples, 20))
    categories = generator.integers(0, 50, (n_samples, 10)) + np.arange(20, 520, 50)
    np.put_along_axis(X, categories, 1, axis=1)
    return as_features(X, input_scale_pair(None), dtype)


def texts(n_samples, dtype):
    """Draw CSR rows of 40 nonzeros among 10,000 features."""
    generator = np.random.default_rng(0)
    X = random_array((n_samples, 10_000), density=0.004, format="csr", random_state=generator)
    return as_features(X.astype(dtype), input_scale_pair(None), dtype)


class WholeEpoch:
    """Takes the place of `Pace`: one call an epoch, whatever a clock says under valgrind."""

    n_threads = 1

    def choose(self):
        """Choose more steps than there are."""
        return 1 << 30

    def record(self, n_steps, seconds):
        """Ignore how long they took."""


@dataclass(frozen=True)
class Training:
    """One epoch of a training.

    Parameters are those of `fastmlp.train`, but for `draw`, which draws the data.
    """

    n_samples: int
    draw: Callable = images
    batch_size: int = 64
    solver: Optimizer = SGD()  # noqa: RUF009  (it is frozen)
    hidden_layer_sizes: tuple[int, ...] = (100,)
    activation: str = "logistic"
    dtype: str = "float32"
    dropout: float = 0.0

    def __call__(self):
        """Begin the training and return what runs its next epoch."""
        dtype, generator = np.dtype(self.dtype), np.random.default_rng(0)
        features = self.draw(self.n_samples, dtype)
        depth = len(self.hidden_layer_sizes)
        sizes = (features.n_features, *self.hidden_layer_sizes, N_CLASSES)
        network = Network(sizes, (self.activation,) * depth)
        objective = Objective(Loss("softmax"), (self.dropout,) * depth if self.dropout else ())
        problem = Problem(features, np.arange(self.n_samples) % N_CLASSES)
        parameters = initial_parameters(network, "glorot_uniform", dtype, generator)
        trainer = compiled.trainer(
            parameters, Rule(self.solver), objective, problem, self.batch_size, 1
        )
        trainer.pace = WholeEpoch()
        epoch = self._epoch(generator, dtype)
        return lambda: trainer.run_epoch(epoch, lambda n_done: None)

    def _epoch(self, generator, dtype):
        """Draw the order of the samples, and the rest of what an epoch is."""
        n_steps = n_batches(self.n_samples, self.batch_size)
        rates, decays = np.full(n_steps, 0.001, dtype), np.zeros(n_steps, dtype)
        totals = np.full(n_steps, float(self.batch_size))
        draw = draw_numbers(generator, sum(self.hidden_layer_sizes)) if self.dropout else None
        return Epoch(generator.permutation(self.n_samples), rates, decays, totals, draw)


def packing(n_samples):
    """Pack images into compressed rows."""
    few, features = (images(n, np.dtype("float32")) for n in (1, n_samples))
    pack(few, 1, 0.5)
    return lambda: pack(features, 1, 0.5)


def many_rows(n_samples, draw):
    """Compute the probabilities of many rows."""
    few, features = (draw(n, np.dtype("float32")) for n in (1, n_samples))
    predict = compiled.ManyRows(_parameters(features))
    predict(few, "softmax", 1)
    return lambda: predict(features, "softmax", 1)


def one_row(n_calls):
    """Predict one row, again and again."""
    features = photographs(1, np.dtype("float32"))
    predict = compiled.FewRows(_parameters(features), features.scale, "softmax")

    def work():
        for _ in range(n_calls):
            predict(features.values)

    return work


def _parameters(features):
    """Draw the weights of the article's network."""
    network = Network((features.n_features, 100, N_CLASSES), ("logistic",))
    generator = np.random.default_rng(0)
    return initial_parameters(network, "glorot_uniform", features.dtype, generator)


WORKLOADS = {
    "sparse, in place, SGD, batch 64": Training(512),
    "sparse, in place, SGD, batch 64, float64": Training(256, dtype="float64"),
    "sparse, gradient first, SGD, batch 256": Training(512, batch_size=256),
    "sparse, Nesterov's momentum, batch 64": Training(256, solver=SGD(0.9, nesterov=True)),
    "dense columns beside sparse, SGD, batch 64": Training(1024, tables),
    "by sample, batch 1": Training(512, batch_size=1),
    "by sample, background of -1, batch 1": Training(256, article_images, batch_size=1),
    "dense, SGD, batch 64": Training(128, photographs),
    "dense, rows shared out, SGD, batch 256": Training(256, photographs, batch_size=256),
    "two hidden layers, ReLU, Adam, batch 64": Training(
        128, solver=Adam(), hidden_layer_sizes=(128, 64), activation="relu"
    ),
    "GELU, dropout, SGD, batch 64": Training(256, activation="gelu", dropout=0.2),
    "touched rows, CSR, Adam, batch 64": Training(256, texts, solver=Adam()),
    "packing bytes": partial(packing, 1024),
    "predict many rows": partial(many_rows, 192, photographs),
    "predict many rows, bytes": partial(many_rows, 768, images),
    "predict many rows, CSR": partial(many_rows, 1536, texts),
    "predict one row": partial(one_row, 100),
}
"""One row each of the table, named after the kernels it runs."""

r"""
4. A matrix a batch
===================

Take the mean gradient of a few samples before stepping. With the samples as the rows of a matrix
:math:`X` of shape (batch_size, 784), every formula keeps its shape:

.. math::
   A = \sigma(X W_1 + b_1), \quad \Delta_2 = \frac{1}{B} (P - Y), \quad
   \Delta_1 = (\Delta_2 W_2^\top) \odot A \odot (1 - A)

.. math::
   \frac{\partial L}{\partial W_2} = A^\top \Delta_2, \quad
   \frac{\partial L}{\partial W_1} = X^\top \Delta_1

A sum of outer products, one for each sample, *is* a product of matrices.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

import fastmlp

try:
    data = fastmlp.datasets.load_mnist(download=False)
except FileNotFoundError:
    data = fastmlp.datasets.load("digits28")
threadpool_limits(1)  # for matrices of this size a second thread of BLAS costs more than it gains
X = (data.X_train[:8192] / 255).astype(np.float32)
y = data.y_train[:8192]


def draw_weights(seed=0):
    """Draw small weights, and biases of zero."""
    rng = np.random.default_rng(seed)
    layers = [rng.normal(0, size[0] ** -0.5, size) for size in ((784, 100), (100, 10))]
    arrays = layers[0], np.zeros(100), layers[1], np.zeros(10)
    return [array.astype(np.float32) for array in arrays]


def step(X, targets, rate, W1, b1, W2, b2):
    """Learn from a batch; return the mean of its losses before that."""
    rows = np.arange(len(X))
    A = 1 / (1 + np.exp(-(X @ W1 + b1)))
    Z = A @ W2 + b2
    deltas_2 = np.exp(Z - Z.max(axis=1, keepdims=True))
    deltas_2 /= deltas_2.sum(axis=1, keepdims=True)
    loss = -np.log(deltas_2[rows, targets]).mean()
    deltas_2[rows, targets] -= 1
    deltas_2 /= len(X)
    deltas_1 = deltas_2 @ W2.T * A * (1 - A)
    W2 -= rate * (A.T @ deltas_2)
    b2 -= rate * deltas_2.sum(axis=0)
    W1 -= rate * (X.T @ deltas_1)
    b1 -= rate * deltas_1.sum(axis=0)
    return loss


def train(batch_size, rate, n_samples, epochs=1):
    """Train; return the losses of the epochs and the samples a second."""
    parameters = draw_weights()
    begin = time.perf_counter()
    curve = [
        np.mean([
            step(X[start : start + batch_size], y[start : start + batch_size], rate, *parameters)
            for start in range(0, n_samples, batch_size)
        ])
        for _ in range(epochs)
    ]  # fmt: skip
    return curve, epochs * n_samples / (time.perf_counter() - begin)


# %%
# Each sample costs the same arithmetic, yet takes less and less time: the calls are spread, and a
# product of matrices reads each weight once for many samples, where a product with a vector reads
# it once for each. Beyond some hundred samples nothing more is gained.

sizes = 2 ** np.arange(12)
speeds = [train(size, 0.1, 512 if size < 4 else 2048)[1] for size in sizes]

figure, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
axis.loglog(sizes, speeds, marker="o", base=2)
axis.set_yscale("log", base=10)
axis.set(xlabel="batch size", ylabel="samples a second", title="A matrix a batch, NumPy, float32")
axis.grid(alpha=0.3)

# %%
# It has a price: fewer steps in an epoch. To learn as much from as many samples, the step must be
# longer; that goes well up to a point. Here the rate grows with the batch:

figure, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
for size in (16, 64, 256, 1024):
    curve, _ = train(size, 0.5 * size / 64, 4096, epochs=6)
    axis.plot(range(1, 7), curve, marker="o", label=f"batches of {size:,}")
axis.set(xlabel="epoch", ylabel="loss (nats)", yscale="log")
_ = axis.legend()

# %%
# Batches of 64 are a good middle. What does the time go into now? Products of matrices in BLAS are
# about as fast as the machine can: what is left to be won is around them, and in not doing what is
# of no use. That is the business of :doc:`kernels <article_5_kernels>`.

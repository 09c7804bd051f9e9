r"""
5. Kernels
==========

Four things a loop of NumPy cannot do:

- **Keep numbers in registers.** NumPy writes every intermediate matrix to memory and reads it
  again. A compiled kernel adds a bias, bends by the activation and goes on while the number is
  still in a register; the gradient of a weight is subtracted from it as soon as it is known, and
  never stored.
- **Skip zeros.** Four fifths of MNIST's pixels are background. A product with zero changes no
  sum.
- **Make no calls.** A thousand batches are one call of Python's.
- **Share a batch among threads.** BLAS shares one product at a time, and a product of 64 rows is
  over before a thread is woken.
"""

import time

import matplotlib.pyplot as plt
import numba
import numpy as np
from threadpoolctl import threadpool_limits

import fastmlp

try:
    data = fastmlp.datasets.load_mnist(download=False)
except FileNotFoundError:
    data = fastmlp.datasets.load("digits28")
X = (data.X_train / 255).astype(np.float32)
print(f"{np.mean(X == 0):.0%} of the inputs are zero")

# %%
# Skipping zeros
# --------------
# A product that skips zeros is a few lines for `numba <https://numba.pydata.org>`_, which compiles
# them: for every nonzero pixel, add its row of weights, times the pixel.


@numba.njit(fastmath=True)
def multiply_nonzeros(indptr, indices, values, W, out):
    """Compute X @ W from the nonzeros of X, row after row."""
    for row in range(len(out)):
        out[row] = 0
        for place in range(indptr[row], indptr[row + 1]):
            value, feature = values[place], indices[place]
            for unit in range(W.shape[1]):
                out[row, unit] += value * W[feature, unit]


rows, columns = np.nonzero(X[:2000])
indptr = np.searchsorted(rows, np.arange(2001))
values = X[rows, columns]
W = np.random.default_rng(0).normal(size=(784, 100)).astype(np.float32)
out = np.empty((2000, 100), np.float32)
multiply_nonzeros(indptr, columns, values, W, out)  # compiles
assert np.allclose(out, X[:2000] @ W, atol=1e-3)


def fastest(call, repeats=7):
    """Time a call, the best of a few."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return min(times)


ours = fastest(lambda: multiply_nonzeros(indptr, columns, values, W, out))
with threadpool_limits(1):
    blas = fastest(lambda: np.matmul(X[:2000], W, out=out))
print(f"dense by BLAS {blas * 1e3:.2f} ms, nonzeros by our ten lines {ours * 1e3:.2f} ms")

# %%
# Both on one thread. Ten plain lines stand beside the best dense product there is, because they do
# a fifth of its work. The library's own kernel goes further: it keeps 64 units in registers while
# it goes through a row's pixels.
#
# The three backends
# ------------------
# ``train`` has the algorithm of the chapters before this as three backends. From equal weights,
# through equal batches, they draw one curve, one over the other; what differs is the speed:

settings = {"epochs": 3, "batch_size": 64, "random_state": 0, "activation": "logistic"}
images, labels = data.X_train[:6400], data.y_train[:6400]
histories = {
    backend: fastmlp.train(images, labels, input_scale="unit", backend=backend, **settings).history
    for backend in ("reference", "numpy", "numba")
}

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for (backend, history), width in zip(histories.items(), (7, 4, 1.5), strict=True):
    left.plot(range(1, 4), history.loss, linewidth=width, alpha=0.7, label=backend)
left.set(xlabel="epoch", ylabel="loss (nats)", xticks=(1, 2, 3), title="One curve")
left.legend()
speeds = [max(history.iterations_per_second) for history in histories.values()]
bars = right.bar(list(histories), speeds, color=["C0", "C1", "C2"])
right.bar_label(bars, [f"{speed:,.0f}" for speed in speeds])
right.set(yscale="log", ylabel="batches of 64 a second", title="Three speeds")
right.set_ylim(min(speeds) / 2, max(speeds) * 2)
right.minorticks_off()

# %%
# How far apart are the curves? No further than rounding in float32:
expected = np.array(histories["reference"].loss)
for backend, history in histories.items():
    print(f"{backend:>9}: {np.abs(np.array(history.loss) / expected - 1).max():.1e}")

# %%
# :doc:`The last chapter <article_6_staircase>` measures what each of these tricks buys.

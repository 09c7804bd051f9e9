"""
6. What each trick buys
=======================

One network, one algorithm, one batch size; from the plainest program to the fastest, a trick at a
time.
"""

import itertools
import math
import os
import time
import warnings

import matplotlib.pyplot as plt
import numpy as np

import fastmlp

try:
    data = fastmlp.datasets.load_mnist(download=False)
except FileNotFoundError:
    data = fastmlp.datasets.load("digits28")
X, y = (data.X_train / 255).astype(np.float32), data.y_train

# %%
# The ground floor is a program of lists and loops, without NumPy. Five samples of it are enough:


def step_by_lists(x, target, W1, W2, rate=0.01):
    """Learn from one sample, by Python's own numbers."""
    columns = list(zip(*W1, strict=True))
    a = [
        1 / (1 + math.exp(-sum(p * w for p, w in zip(x, column, strict=True))))
        for column in columns
    ]
    z = [sum(h * w for h, w in zip(a, column, strict=True)) for column in zip(*W2, strict=True)]
    exponentials = [math.exp(value - max(z)) for value in z]
    deltas_2 = [value / sum(exponentials) - (n == target) for n, value in enumerate(exponentials)]
    deltas_1 = [
        sum(d * w for d, w in zip(deltas_2, row, strict=True)) * h * (1 - h)
        for h, row in zip(a, W2, strict=True)
    ]
    for row, h in zip(W2, a, strict=True):
        row[:] = [w - rate * h * d for w, d in zip(row, deltas_2, strict=True)]
    for row, p in zip(W1, x, strict=True):
        row[:] = [w - rate * p * d for w, d in zip(row, deltas_1, strict=True)]


rng = np.random.default_rng(0)
W1, W2 = rng.normal(0, 0.04, (784, 100)).tolist(), rng.normal(0, 0.1, (100, 10)).tolist()
samples = X[:5].tolist()
begin = time.perf_counter()
for x, target in zip(samples, y, strict=False):
    step_by_lists(x, target, W1, W2)
speeds = {"lists and loops": len(samples) / (time.perf_counter() - begin)}

# %%
# The other floors are backends of the library with their tricks turned on one after the other. For
# the dense kernel, every zero becomes a tiny number, so that there is nothing to skip.

no_zeros = X + np.float32(1e-7)
n_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
FLOORS = [
    ("vectors, a sample at a time", X, 1_000, {"backend": "reference", "dtype": "float64"}),
    ("matrices, a batch at a time", X, 10_000, {"backend": "numpy", "dtype": "float64"}),
    ("float32", X, 20_000, {"backend": "numpy"}),
    ("compiled kernels", no_zeros, 60_000, {"n_threads": 1}),
    ("zeros skipped", X, 60_000, {"n_threads": 1}),
    (f"{n_threads} threads", X, 60_000, {"n_threads": n_threads}),
]

warnings.simplefilter("ignore")  # a machine of one core has no second thread
for name, images, n_samples, settings in FLOORS:
    result = fastmlp.train(
        images[:n_samples], y[:n_samples], batch_size=64, epochs=3, random_state=0, **settings
    )
    speeds[name] = n_samples / min(result.history.seconds)

# %%
figure, axis = plt.subplots(figsize=(8, 4), layout="constrained")
names, heights = list(speeds), list(speeds.values())
bars = axis.barh(names, heights, color=plt.cm.viridis(np.linspace(0.2, 0.85, len(names))))
factors = [
    "",
    *(f"  x {now / before:.1f}" for before, now in itertools.pairwise(heights)),
]
axis.bar_label(bars, [f"{h:,.0f}{f}" for h, f in zip(heights, factors, strict=True)], padding=4)
axis.invert_yaxis()
axis.set(xscale="log", xlabel="samples a second (784-100-10, batches of 64)")
axis.set_xlim(min(heights) / 2, max(heights) * 30)
axis.spines[["top", "right"]].set_visible(False)

# %%
print(f"from the bottom to the top: {heights[-1] / heights[0]:,.0f} times as fast")

# %%
# What is left? :doc:`/inside/kernels` sets each kernel beside what the machine can do.

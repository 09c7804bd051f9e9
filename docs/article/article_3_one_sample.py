r"""
3. One sample at a time
=======================

Stochastic gradient descent in its oldest form: take a sample, compute the gradient of its loss,
and step against it, :math:`W \leftarrow W - \eta\, \partial L / \partial W`. Then take the next.
"""

import time

import matplotlib.pyplot as plt
import numpy as np

import fastmlp

try:
    data = fastmlp.datasets.load_mnist(download=False)
except FileNotFoundError:
    data = fastmlp.datasets.load("digits28")
X, y = data.X_train[:4000] / 127.5 - 1, data.y_train[:4000]
rate = 0.01


def draw_weights(seed=0):
    """Draw small weights, and biases of zero."""
    rng = np.random.default_rng(seed)
    layers = [rng.normal(0, size[0] ** -0.5, size) for size in ((784, 100), (100, 10))]
    return layers[0], np.zeros(100), layers[1], np.zeros(10)


# %%
# The whole algorithm is these lines, which change the weights in place:


def step(x, target, W1, b1, W2, b2):
    """Learn from one sample; return its loss before that."""
    a = 1 / (1 + np.exp(-(x @ W1 + b1)))
    z = a @ W2 + b2
    exponentials = np.exp(z - z.max())
    delta_2 = exponentials / exponentials.sum()
    loss = -np.log(delta_2[target])
    delta_2[target] -= 1
    delta_1 = W2 @ delta_2 * a * (1 - a)
    W2 -= rate * np.outer(a, delta_2)
    b2 -= rate * delta_2
    W1 -= rate * np.outer(x, delta_1)
    b1 -= rate * delta_1
    return loss


parameters = draw_weights()
losses, speeds = [], []
for _ in range(3):
    begin = time.perf_counter()
    epoch = [step(x, target, *parameters) for x, target in zip(X, y, strict=True)]
    speeds.append(len(X) / (time.perf_counter() - begin))
    losses += epoch

# %%
# Single losses jump about; their mean over 200 samples falls.

smooth = np.convolve(losses, np.full(200, 1 / 200), "valid")
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
left.plot(losses, ",", color="silver")
left.plot(np.arange(len(smooth)) + 199, smooth)
left.set(xlabel="updates", ylabel="loss (nats)", ylim=(0, 5), title="Loss before each update")
right.bar(["1", "2", "3"], speeds)
right.set(xlabel="epoch", ylabel="iterations a second", title="Speed")

# %%
# The library has this algorithm, too: it is the backend ``"reference"``, against which the others
# are checked. From equal weights, through the same samples in the same order, it gives the same
# mean losses:

W1, b1, W2, b2 = draw_weights()
result = fastmlp.train(
    X, y, backend="reference", dtype="float64", batch_size=1, learning_rate_init=rate, epochs=1,
    shuffle=False, coefs_init=[W1, W2], intercepts_init=[b1, b2],
)  # fmt: skip
print(f"{np.mean(losses[:4000]):.12f} here")
print(f"{result.history.loss[0]:.12f} there")

# %%
# Where does the time go? A step multiplies and adds about 400,000 numbers, which a processor core
# does in some ten microseconds. But ``np.outer(x, delta_1)`` writes a matrix of 78,400 numbers into
# memory only for it to be read, scaled into a second one, read again and subtracted; and every line
# costs a call of Python's. :doc:`Batches <article_4_batches>` spread the calls over many samples.
print(f"{max(speeds):,.0f} iterations a second, {1e6 / max(speeds):.0f} microseconds each")

r"""
1. A network and its loss
=========================

A multilayer perceptron is a chain of two kinds of step: a linear map with a bias, and a curve
that bends every number by itself. Ours has one hidden layer: 784 pixels, 100 hidden units, 10
classes.
"""

import matplotlib.pyplot as plt
import numpy as np

import fastmlp

try:
    data = fastmlp.datasets.load_mnist(download=False)
except FileNotFoundError:
    data = fastmlp.datasets.load("digits28")
X = data.X_train[:5000] / 127.5 - 1  # bytes to [-1, 1], as the article has it
y = data.y_train[:5000]

figure, axes = plt.subplots(2, 8, figsize=(8, 2.2), layout="constrained")
for axis, image, label in zip(axes.flat, X, y, strict=False):
    axis.imshow(image.reshape(28, 28), cmap="gray_r")
    axis.set_title(label, fontsize=9)
    axis.axis("off")

# %%
# Forward
# -------
# With a sample :math:`x` as a row, weights of shape (fan_in, fan_out) and the logistic function
# :math:`\sigma(z) = 1 / (1 + e^{-z})`:
#
# .. math::
#    z_1 = x W_1 + b_1, \quad a = \sigma(z_1), \quad z_2 = a W_2 + b_2, \quad
#    p = \mathrm{softmax}(z_2)
#
# Softmax makes ten probabilities of ten numbers, the *logits* :math:`z_2`:
#
# .. math:: p_i = \frac{e^{z_i}}{\sum_k e^{z_k}}
#
# If a constant is subtracted from all logits, it cancels. Subtracting the largest changes nothing
# but keeps the exponential from overflowing.


def sigmoid(z):
    """Compute the logistic function."""
    return 1 / (1 + np.exp(-z))


def softmax(z):
    """Compute probabilities from logits; they may be a row or a matrix of rows."""
    exponentials = np.exp(z - z.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


rng = np.random.default_rng(0)
W1, b1 = rng.normal(0, 784**-0.5, (784, 100)), np.zeros(100)
W2, b2 = rng.normal(0, 100**-0.5, (100, 10)), np.zeros(10)

probabilities = softmax(sigmoid(X[0] @ W1 + b1) @ W2 + b2)
print(probabilities.round(2), probabilities.sum())

# %%
# The loss
# --------
# How wrong is that? The *cross-entropy* is the surprise at seeing the true class :math:`t`, in
# nats:
#
# .. math:: L = -\log p_t
#
# A network that knows nothing gives every class a tenth and is surprised by :math:`\log 10 \approx
# 2.3` each time. Ours, whose weights are drawn at random, is hardly better:

logits = sigmoid(X @ W1 + b1) @ W2 + b2
losses = -np.log(softmax(logits)[np.arange(len(y)), y])
print(f"mean loss {losses.mean():.3f}, log 10 = {np.log(10):.3f}")

figure, axis = plt.subplots(figsize=(5, 3), layout="constrained")
p = np.linspace(0.01, 1, 200)
axis.plot(p, -np.log(p))
axis.plot(0.1, np.log(10), "o", label="a tenth for each class")
axis.set(xlabel="probability given to the true class", ylabel="cross-entropy (nats)")
_ = axis.legend()

# %%
# To learn is to change the 79,510 weights and biases so that the mean of this falls. For that we
# need to know which way it falls: :doc:`the gradient <article_2_gradient>`.
print(sum(array.size for array in (W1, b1, W2, b2)))

r"""
2. The gradient, derived twice
==============================

What is :math:`\partial L / \partial z_j`, the change of the loss with each logit? There are two
ways to it. They end in the same formula, and one of them is the better program.
"""

import matplotlib.pyplot as plt
import numpy as np


def softmax(z):
    """Compute probabilities from logits."""
    exponentials = np.exp(z - z.max())
    return exponentials / exponentials.sum()


# %%
# The long way: through the Jacobian
# ----------------------------------
# With :math:`S = \sum_k e^{z_k}` and :math:`p_i = e^{z_i} / S`, the quotient rule gives
#
# .. math::
#    \frac{\partial p_i}{\partial z_j}
#    = \frac{\delta_{ij} e^{z_i} S - e^{z_i} e^{z_j}}{S^2}
#    = p_i (\delta_{ij} - p_j)
#
# where :math:`\delta_{ij}` is 1 for :math:`i = j` and 0 otherwise. The loss sees one probability
# only:
#
# .. math:: \frac{\partial L}{\partial p_i} = -\frac{\delta_{it}}{p_t}
#
# By the chain rule we sum over all ways on which :math:`z_j` acts on the loss:
#
# .. math::
#    \frac{\partial L}{\partial z_j}
#    = \sum_i \frac{\partial L}{\partial p_i} \frac{\partial p_i}{\partial z_j}
#    = -\frac{1}{p_t} p_t (\delta_{tj} - p_j)
#    = p_j - \delta_{tj}


def long_way(z, target):
    """Multiply the Jacobian of the softmax by the derivative of the logarithm."""
    p = softmax(z)
    jacobian = np.diag(p) - np.outer(p, p)
    derivative = np.zeros_like(z)
    derivative[target] = -1 / p[target]
    return jacobian.T @ derivative


# %%
# The short way: logarithm first
# ------------------------------
# The logarithm and the exponential cancel before anything is derived:
#
# .. math:: L = -\log \frac{e^{z_t}}{\sum_k e^{z_k}} = \log \sum_k e^{z_k} - z_t
#
# .. math::
#    \frac{\partial L}{\partial z_j} = \frac{e^{z_j}}{\sum_k e^{z_k}} - \delta_{tj}
#    = p_j - \delta_{tj}
#
# Prediction minus truth: nothing is divided by :math:`p_t`, and no matrix is made.


def short_way(z, target):
    """Subtract the truth from the prediction."""
    gradient = softmax(z)
    gradient[target] -= 1
    return gradient


z = np.random.default_rng(0).normal(size=10)
print(np.abs(long_way(z, 3) - short_way(z, 3)).max())

# %%
# Equal on paper, not in a program
# --------------------------------
# Where the network is sure and wrong, :math:`p_t` underflows to 0, and the long way divides by
# it. In float32 that begins at a gap of about 100 between two logits:

gaps = np.arange(0, 130, 2, dtype=np.float32)
with np.errstate(all="ignore"):
    ways = {way.__name__: [way(np.array([0, gap], np.float32), 0) for gap in gaps]
            for way in (long_way, short_way)}  # fmt: skip

figure, axis = plt.subplots(figsize=(6, 3), layout="constrained")
for (name, gradients), width in zip(ways.items(), (5, 2), strict=True):
    axis.plot(gaps, [gradient[1] for gradient in gradients], linewidth=width, label=name)
axis.set(xlabel="logit of the wrong class minus that of the true one", ylabel="gradient")
_ = axis.legend()

# %%
# Back through the layers
# -----------------------
# Let :math:`\delta_2 = p - y` be the gradient at the logits, with :math:`y` one-hot. Since
# :math:`z_2 = a W_2 + b_2`,
#
# .. math::
#    \frac{\partial L}{\partial W_2} = a^\top \delta_2, \quad
#    \frac{\partial L}{\partial b_2} = \delta_2, \quad
#    \frac{\partial L}{\partial a} = \delta_2 W_2^\top
#
# and since :math:`\sigma' = \sigma (1 - \sigma)`, the same once more for the hidden layer:
#
# .. math::
#    \delta_1 = (\delta_2 W_2^\top) \odot a \odot (1 - a), \quad
#    \frac{\partial L}{\partial W_1} = x^\top \delta_1, \quad
#    \frac{\partial L}{\partial b_1} = \delta_1


def forward(x, W1, b1, W2, b2):
    """Return the hidden units and the logits."""
    a = 1 / (1 + np.exp(-(x @ W1 + b1)))
    return a, a @ W2 + b2


def gradient(x, target, W1, b1, W2, b2):
    """Return the gradient of the loss by all weights and biases."""
    a, z = forward(x, W1, b1, W2, b2)
    delta_2 = short_way(z, target)
    delta_1 = W2 @ delta_2 * a * (1 - a)
    return np.outer(x, delta_1), delta_1, np.outer(a, delta_2), delta_2


# %%
# The check: finite differences
# -----------------------------
# Nothing of this needs to be believed. Move one weight a little to both sides, look how the loss
# changes, and divide:
#
# .. math:: \frac{\partial L}{\partial w} \approx \frac{L(w + h) - L(w - h)}{2 h}
#
# The error has two parts: the curvature's, which shrinks like :math:`h^2`, and rounding's, which
# grows like :math:`1 / h`. A right gradient shows as a V whose tip is far down; a wrong one, as a
# floor.

rng = np.random.default_rng(1)
x = rng.normal(size=20)
parameters = (
    rng.normal(0, 0.5, (20, 8)),
    rng.normal(size=8),
    rng.normal(0, 0.5, (8, 4)),
    np.zeros(4),
)


def loss_with(h):
    """Return the loss, one weight of the first layer being moved by h."""
    W1 = parameters[0].copy()
    W1[5, 2] += h
    z = forward(x, W1, *parameters[1:])[1]
    return np.log(np.exp(z).sum()) - z[1]


exact = gradient(x, 1, *parameters)[0][5, 2]
steps = np.logspace(-11, 0, 60)
errors = [abs((loss_with(h) - loss_with(-h)) / (2 * h) - exact) for h in steps]

figure, axis = plt.subplots(figsize=(6, 3), layout="constrained")
axis.loglog(steps, errors, label="our gradient")
axis.axhline(0.1 * abs(exact), color="tab:red", linestyle="--", label="one wrong by a tenth")
axis.set(xlabel="h", ylabel="difference to finite differences")
_ = axis.legend()

# %%
# That is how the library's own reference is checked, too. With a gradient in hand, we can
# :doc:`train <article_3_one_sample>`.
print(f"smallest difference {min(errors):.1e}")
assert min(errors) < 1e-9

"""Losses of a network's last layer in NumPy: one row each, with all that depends on the loss.

Every function acts on the last axis: on the logits of one sample or of a batch, a sample a row.
The compiled twin of this file is `fastmlp.kernels.losses`: a loss that is added is a row here, and
there a code with its formulas.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastmlp._arrays import Array
from fastmlp.activations import identity, sigmoid, softplus


class Loss(NamedTuple):
    """What training minimises, per sample."""

    name: str
    """A key of `LOSSES`."""
    label_smoothing: float = 0.0
    """Share of a label that is spread evenly over all classes (Szegedy et al. 2016, section 7)."""
    delta: float = 1.0
    """Where Huber's loss turns from a parabola into lines."""
    level: float = 0.5
    """Which quantile the loss of quantiles is least at."""


def softmax(logits: Array) -> Array:
    """Compute exp(z_i) / sum_j exp(z_j) over the last axis.

    The largest logit is subtracted first, which changes nothing in exact arithmetic and keeps
    exp from overflowing; the article's form gives NaN from a logit of 710 (float32: 89) on.

    Parameters
    ----------
    logits : ndarray of shape (..., n_classes), float32 or float64

    Returns
    -------
    ndarray of shape (..., n_classes)
        Probabilities, each row summing to 1.
    """
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def smooth_labels(logits: Array, targets: Any, loss: Loss) -> Array:
    """Turn class indices into (1 - s) one-hot + s / n_classes, with s the label smoothing."""
    n_classes = logits.shape[-1]
    labels = np.full_like(logits, loss.label_smoothing / n_classes)
    index = np.asarray(targets)[..., np.newaxis]
    at_target = 1 - loss.label_smoothing + loss.label_smoothing / n_classes
    np.put_along_axis(labels, index, at_target, axis=-1)
    return labels


def softmax_losses(logits: Array, targets: Any, loss: Loss) -> Array:
    """Compute -sum_j y_j log softmax(z)_j = log sum_j exp z_j - sum_j y_j z_j, without overflow."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    labels = smooth_labels(logits, targets, loss)
    # A logit of -infinity beside a label of 0 has no part in the sum.
    at_labels = np.multiply(labels, shifted, where=labels > 0, out=np.zeros_like(shifted))
    return np.asarray(np.log(np.exp(shifted).sum(axis=-1)) - at_labels.sum(axis=-1))


def softmax_gradient(logits: Array, targets: Any, loss: Loss) -> Array:
    """Compute softmax(z) - y."""
    return softmax(logits) - smooth_labels(logits, targets, loss)


def smooth_truth(targets: Array, loss: Loss) -> Array:
    """Draw 0 and 1 towards 1/2: (1 - s) y + s / 2, with s the label smoothing."""
    return np.asarray((1 - loss.label_smoothing) * targets + 0.5 * loss.label_smoothing)


def logistic_losses(logits: Array, targets: Array, loss: Loss) -> Array:
    """Sum the cross-entropies of independent outputs: log(1 + e^z) - y z."""
    return np.asarray((softplus(logits) - smooth_truth(targets, loss) * logits).sum(axis=-1))


def logistic_gradient(logits: Array, targets: Array, loss: Loss) -> Array:
    """Compute sigmoid(z) - y."""
    return sigmoid(logits) - smooth_truth(targets, loss)


def squared_losses(logits: Array, targets: Array, loss: Loss) -> Array:
    """Compute half the mean of the outputs' squared errors."""
    return np.asarray(0.5 * np.square(logits - targets).mean(axis=-1))


def squared_gradient(logits: Array, targets: Array, loss: Loss) -> Array:
    """Compute z - y: of the sum over the outputs, not of their mean, as scikit-learn does."""
    return logits - targets


def poisson_losses(logits: Array, targets: Array, loss: Loss) -> Array:
    """Sum half the outputs' Poisson deviances, y log(y / mu) - y + mu with mu = e^z."""
    logarithms = np.log(targets, where=targets > 0, out=np.zeros_like(targets))
    return np.asarray((targets * (logarithms - logits) - targets + np.exp(logits)).sum(axis=-1))


def poisson_gradient(logits: Array, targets: Array, loss: Loss) -> Array:
    """Compute mu - y."""
    return np.asarray(np.exp(logits) - targets)


def absolute_losses(logits: Array, targets: Array, loss: Loss) -> Array:
    """Compute the mean of the outputs' absolute errors."""
    return np.asarray(np.abs(logits - targets).mean(axis=-1))


def absolute_gradient(logits: Array, targets: Array, loss: Loss) -> Array:
    """Compute the sign of z - y; the sum's gradient, see `squared_gradient`."""
    return np.asarray(np.sign(logits - targets))


def huber_losses(logits: Array, targets: Array, loss: Loss) -> Array:
    """Compute the mean of r^2 / 2 where |r| <= delta, else of delta (|r| - delta / 2).

    Huber 1964, with r = z - y.
    """
    size = np.abs(logits - targets)
    line = loss.delta * (size - 0.5 * loss.delta)
    return np.asarray(np.where(size <= loss.delta, 0.5 * size * size, line).mean(axis=-1))


def huber_gradient(logits: Array, targets: Array, loss: Loss) -> Array:
    """Cut z - y to [-delta, delta]; the sum's gradient, see `squared_gradient`."""
    return np.asarray(np.clip(logits - targets, -loss.delta, loss.delta))


def quantile_gradient(logits: Array, targets: Array, loss: Loss) -> Array:
    """Compute 1 - q where z is too large, -q where it is too small, with q the level.

    0 where z = y; the sum's gradient, see `squared_gradient`.
    """
    one, level = logits.dtype.type(1), logits.dtype.type(loss.level)
    residual = logits - targets
    return np.asarray((one - level) * (residual > 0) - level * (residual < 0))


def quantile_losses(logits: Array, targets: Array, loss: Loss) -> Array:
    """Compute the mean of the outputs' pinball losses: (1 - q) r, or -q r where r = z - y < 0.

    Koenker & Bassett 1978; where it is least, a share q of the targets lies below z.
    """
    residual = logits - targets
    return np.asarray((quantile_gradient(logits, targets, loss) * residual).mean(axis=-1))


def gaussian_terms(logits: Array, targets: Array) -> tuple[Array, Array, Array]:
    """Compute m - y, (m - y) e^-s and (m - y)^2 e^-s of logits that are m, s, m, s, ...

    Parameters
    ----------
    logits : ndarray of shape (..., 2 * n_targets)
        A mean m and a logarithm s of the variance for each target.
    targets : ndarray of shape (..., n_targets)

    Returns
    -------
    residuals, scaled, squares : ndarray of shape (..., n_targets)
    """
    residuals = logits[..., ::2] - targets
    scaled = residuals * np.exp(-logits[..., 1::2])
    return residuals, scaled, residuals * scaled


def gaussian_losses(logits: Array, targets: Array, loss: Loss) -> Array:
    """Compute the mean of the targets' (s + (y - m)^2 e^-s) / 2: -log N(y; m, e^s) less a constant.

    Nix & Weigend 1994, equation 6.
    """
    squares = gaussian_terms(logits, targets)[2]
    return np.asarray(0.5 * (logits[..., 1::2] + squares).mean(axis=-1))


def gaussian_gradient(logits: Array, targets: Array, loss: Loss) -> Array:
    """Compute (m - y) e^-s and (1 - (y - m)^2 e^-s) / 2; the sum's, see `squared_gradient`."""
    _, scaled, squares = gaussian_terms(logits, targets)
    half = logits.dtype.type(0.5)
    return np.stack([scaled, half - half * squares], axis=-1).reshape(logits.shape)


def mean_of(logits: Array) -> Array:
    """Take the means of logits that are means and logarithms of variances in turn."""
    return logits[..., ::2]


class OutputFunction(NamedTuple):
    """What turns logits into predictions."""

    function: Callable[[Array], Array]
    onnx: str
    """Name of the operator that does the same."""
    every: int = 1
    """Only every so many logits become predictions."""


OUTPUT_FUNCTIONS: dict[str, OutputFunction] = {
    "identity": OutputFunction(identity, "Identity"),
    "softmax": OutputFunction(softmax, "Softmax"),
    "logistic": OutputFunction(sigmoid, "Sigmoid"),
    "exp": OutputFunction(np.exp, "Exp"),
    "mean": OutputFunction(mean_of, "Identity", every=2),
}
"""By the names that `out_activation_` has; the twins of those that take every logit are
`kernels.outputs.OUTPUT_CODES`."""


class LossFunctions(NamedTuple):
    """What belongs to one loss."""

    losses: Callable[[Array, Any, Loss], Array]
    """Each sample's loss, from logits of shape (..., n_outputs)."""
    gradient: Callable[[Array, Any, Loss], Array]
    """d loss / d logits."""
    output: str = "identity"
    """From logits to predictions: a key of `OUTPUT_FUNCTIONS`."""
    targets: str = "values"
    """What targets are: "classes", indices of shape (...,); "bits", 0 or 1, or "values", both of
    shape (..., n_outputs)."""
    least: float = -np.inf
    """The least target."""
    averaged: bool = True
    """Whether the loss is the mean over the outputs, and the gradient that of their sum."""
    in_scikit_learn: bool = False
    """Whether scikit-learn's network has it."""
    outputs_per_target: int = 1
    """How many outputs a target has, side by side."""


LOSSES: dict[str, LossFunctions] = {
    "softmax": LossFunctions(
        softmax_losses, softmax_gradient, "softmax", "classes", averaged=False,
        in_scikit_learn=True,
    ),
    "logistic": LossFunctions(
        logistic_losses, logistic_gradient, "logistic", "bits", averaged=False,
        in_scikit_learn=True,
    ),
    "squared_error": LossFunctions(squared_losses, squared_gradient, in_scikit_learn=True),
    "poisson": LossFunctions(
        poisson_losses, poisson_gradient, "exp", least=0.0, averaged=False, in_scikit_learn=True
    ),
    "absolute_error": LossFunctions(absolute_losses, absolute_gradient),
    "huber": LossFunctions(huber_losses, huber_gradient),
    "quantile": LossFunctions(quantile_losses, quantile_gradient),
    "gaussian_nll": LossFunctions(
        gaussian_losses, gaussian_gradient, "mean", outputs_per_target=2
    ),
}  # fmt: skip

REGRESSION_LOSSES = tuple(name for name, row in LOSSES.items() if row.targets == "values")


def sample_losses(loss: Loss, logits: Array, targets: Any) -> Array:
    """Compute each sample's loss.

    Parameters
    ----------
    loss : Loss
    logits : ndarray of shape (..., n_outputs)
    targets : ndarray
        See `LOSSES`.

    Returns
    -------
    ndarray of shape (...)
    """
    return LOSSES[loss.name].losses(logits, targets, loss)


def loss_gradient(loss: Loss, logits: Array, targets: Any) -> Array:
    """Compute d loss / d logits; the arguments are those of `sample_losses`."""
    return LOSSES[loss.name].gradient(logits, targets, loss)

"""Losses and their derivatives, from the logits; see `fastmlp.losses`.

Softmax with cross-entropy looks at all outputs of a sample at once: see `kernels.softmax`. The
others are formulas of one output, which `kernels.values` applies.
"""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.functions import exp, log1p
from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.kinds import is_a
from fastmlp.kernels.simd import absolute, fma, like, where_less

NAMES = ("logistic", "squared_error", "poisson", "absolute_error", "huber", "quantile")
"""The keys of `fastmlp.losses.LOSSES` but for softmax and `PAIRED`."""
LOGISTIC_LOSS, SQUARED_ERROR, POISSON, ABSOLUTE_ERROR, HUBER, QUANTILE = range(len(NAMES))
CODES = {name: code for code, name in enumerate(NAMES)}
PAIRED = ("gaussian_nll",)
"""Those with two outputs a target, which are told by their targets: `PairTargets`."""
SUMMED = (LOGISTIC_LOSS, POISSON)
"""Those whose sum over the outputs is taken; of the others it is the mean."""


class ClassTargets(NamedTuple):
    """What softmax and cross-entropy compare with."""

    classes: np.ndarray
    """(n_samples,) intp."""
    weights: np.ndarray
    """(n_samples,) float, or empty where all samples weigh alike."""
    n_classes: int
    smoothing: float


class ValueTargets(NamedTuple):
    """What the other losses compare with."""

    values: np.ndarray
    """(n_samples * n_outputs,) float."""
    weights: np.ndarray
    """(n_samples,) float, or empty where all samples weigh alike."""
    n_outputs: int
    code: int
    """One of `CODES`."""
    smoothing: float
    delta: float
    level: float


class PairTargets(NamedTuple):
    """What the loss with two outputs a target, a mean and a logarithm of a variance, compares."""

    values: np.ndarray
    """(n_samples * n_outputs,) float: each target twice."""
    weights: np.ndarray
    """(n_samples,) float, or empty where all samples weigh alike."""
    n_outputs: int


@inlined
def weight_of(targets, sample):
    """Read a sample's weight."""
    return targets.weights[sample] if targets.weights.size > 0 else targets.weights.dtype.type(1)


@inlined
def output_losses(targets, z, y):
    """Compute the losses of a vector of outputs and their derivatives.

    What no logit changes is left out: see `least_loss`.

    Parameters
    ----------
    targets : ValueTargets
    z, y : vector

    Returns
    -------
    losses, derivatives : vector
    """
    zero, one, half = like(z, 0.0), like(z, 1.0), like(z, 0.5)
    if targets.code == LOGISTIC_LOSS:
        smoothing = like(z, targets.smoothing)
        y = fma(one - smoothing, y, half * smoothing)
        small = exp(zero - absolute(z))
        probability = where_less(z, zero, small, one) / (one + small)
        return fma(zero - y, z, where_less(z, zero, zero, z)) + log1p(small), probability - y
    if targets.code == POISSON:
        mean = exp(z)
        return fma(zero - y, z, mean), mean - y
    residual = z - y
    size = absolute(residual)
    if targets.code == ABSOLUTE_ERROR:
        sign = where_less(zero, residual, one, residual)  # that of 0 is 0
        return size, where_less(residual, zero, zero - one, sign)
    if targets.code == SQUARED_ERROR:
        return half * residual * residual, residual
    if targets.code == QUANTILE:
        level = like(z, targets.level)
        slope = where_less(zero, residual, one - level, residual)  # that of 0 is 0
        slope = where_less(residual, zero, zero - level, slope)
        return slope * residual, slope
    delta = like(z, targets.delta)
    cut = where_less(delta, size, delta, size)
    return cut * fma(zero - half, cut, size), where_less(residual, zero, zero - cut, cut)


@inlined
def pair_losses(mean, log_variance, y):
    """Compute (s + (m - y)^2 e^-s) / 2 and its derivatives by the mean m and by s.

    Parameters
    ----------
    mean, log_variance, y : vector

    Returns
    -------
    losses, by_mean, by_log_variance : vector
    """
    half, residual = like(y, 0.5), mean - y
    scaled = residual * exp(like(y, 0.0) - log_variance)
    square = residual * scaled
    return half * (log_variance + square), scaled, half - half * square


@kernel
def least_loss(targets, sample):
    """Compute what no logit changes: Poisson's y log y - y, added up over the outputs."""
    total = 0.0
    if is_a(targets, PairTargets):
        return total
    if targets.code == POISSON:
        for place in range(sample * targets.n_outputs, (sample + 1) * targets.n_outputs):
            y = np.float64(targets.values[place])
            total += y * (np.log(y) - 1) if y > 0 else 0.0
    return total


@inlined
def share_of_outputs(targets):
    """Compute the factor of the sum over the outputs."""
    if is_a(targets, PairTargets):
        return 2.0 / targets.n_outputs
    return 1.0 if targets.code in SUMMED else 1.0 / targets.n_outputs

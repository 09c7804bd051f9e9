"""Losses against SciPy and scikit-learn."""

import numpy as np
import pytest
import scipy.special
from sklearn.metrics import mean_pinball_loss

from fastmlp import article
from fastmlp.losses import Loss, loss_gradient, sample_losses, softmax


def test_softmax_agrees_with_scipy():
    logits = np.random.default_rng(0).normal(0, 5, (7, 10))
    expected = scipy.special.softmax(logits, axis=1)
    np.testing.assert_allclose(softmax(logits), expected, rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_does_not_overflow(dtype):
    actual = softmax(np.array([1e4, 1e4, -1e4], dtype))
    np.testing.assert_array_equal(actual, [0.5, 0.5, 0.0])


def test_cross_entropy_from_logits_meets_no_logarithm_of_zero():
    logits = np.array([[0.0, 5000.0], [1.0, 1.0]])
    actual = article.softmax_cross_entropy(logits, np.array([0, 1]))
    np.testing.assert_allclose(actual, [5000.0, np.log(2)])


def test_cross_entropy_of_probabilities_is_that_of_logits():
    logits = np.random.default_rng(1).normal(size=10)
    expected = article.cross_entropy(softmax(logits), 3)
    assert article.softmax_cross_entropy(logits, 3) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_quantile_loss_is_scikit_learns(level):
    generator = np.random.default_rng(2)
    z, y = generator.normal(size=(2, 50, 3))
    loss = Loss("quantile", level=level)
    expected = mean_pinball_loss(y, z, alpha=level)
    assert sample_losses(loss, z, y).mean() == pytest.approx(expected, rel=1e-14)
    slopes = loss_gradient(loss, np.array([2.0, 1.0, 0.0]), np.ones(3))
    np.testing.assert_allclose(slopes, [1 - level, 0, -level])


LIKELIHOODS = [1.1556936797872228, -0.3163933476010822]
LIKELIHOOD_GRADIENTS = [
    [-1.9027972799213315, -0.16597904797246604, 1.5163266492815834, -1.3954083116019793],
    [0.6140480648084864, 0.2697319756968176, -0.7389056098930648, 0.46305471950534677],
]


def test_gaussian_likelihood_is_pytorchs():
    z = np.array([[0.3, -1.0, 2.0, 0.5], [1.0, 0.2, -0.5, -2.0]])
    y = np.array([[1.0, -0.5], [0.25, -0.4]])
    loss = Loss("gaussian_nll")
    # torch 2.13's GaussianNLLLoss, averaged over the targets, and its gradient, of the sum.
    np.testing.assert_allclose(sample_losses(loss, z, y), LIKELIHOODS, rtol=1e-14)
    np.testing.assert_allclose(loss_gradient(loss, z, y), LIKELIHOOD_GRADIENTS, rtol=1e-13)

"""Update rules, each one pass over the parameter buffer; see `fastmlp.optimizers`."""

import numpy as np

from fastmlp.kernels.jit import kernel


@kernel
def sgd_update(parameters, gradients, rate):
    """Compute w <- w - rate g.

    Parameters
    ----------
    parameters : (n_parameters,) float
        Updated in place.
    gradients : (n_parameters,) float
    rate : float
    """
    for index in range(parameters.size):
        parameters[index] -= rate * gradients[index]


@kernel
def momentum_update(parameters, gradients, velocity, rate, momentum, nesterov):
    """Compute v <- momentum v - rate g, then w <- w + v, or w + momentum v - rate g (Nesterov).

    Parameters
    ----------
    parameters : (n_parameters,) float
        Updated in place.
    gradients : (n_parameters,) float
    velocity : (n_parameters,) float
        Updated in place.
    rate : float
    momentum : float
    nesterov : bool
    """
    for index in range(parameters.size):
        step = rate * gradients[index]
        moved = momentum * velocity[index] - step
        velocity[index] = moved
        parameters[index] += momentum * moved - step if nesterov else moved


@kernel
def adam_update(parameters, gradients, moments, rate, betas, epsilon):
    """Compute one step of Adam; see `fastmlp.optimizers.Adam`.

    Parameters
    ----------
    parameters : (n_parameters,) float
        Updated in place.
    gradients : (n_parameters,) float
    moments : (2, n_parameters) float
        Mean and mean square of the gradients, updated in place.
    rate : float
        The bias correction included.
    betas : tuple of two floats
    epsilon : float
    """
    beta_1, beta_2 = betas
    one = parameters.dtype.type(1)
    mean, square = moments[0], moments[1]
    for index in range(parameters.size):
        gradient = gradients[index]
        mean[index] = beta_1 * mean[index] + (one - beta_1) * gradient
        square[index] = beta_2 * square[index] + (one - beta_2) * gradient * gradient
        parameters[index] -= rate * mean[index] / (np.sqrt(square[index]) + epsilon)


@kernel
def penalise(weights, gradients, strength):
    """Add the gradient of the L2 penalty strength / 2 * sum(w^2) and return the penalty.

    Parameters
    ----------
    weights : (n_coefs,) float
    gradients : (n_coefs,) float
        Added to.
    strength : float

    Returns
    -------
    float64
    """
    for index in range(weights.size):
        gradients[index] += strength * weights[index]
    return 0.5 * np.float64(strength) * np.float64(np.dot(weights, weights))

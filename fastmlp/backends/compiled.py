"""The same algorithm in compiled kernels: one call an epoch.

This module only packs its arguments for `fastmlp.kernels`; the functions and their arguments are
those of `reference`.
"""

from typing import Any

import numpy as np
import scipy.linalg  # noqa: F401  (the products inside the kernels are calls of scipy's BLAS)
from numpy.typing import NDArray

from fastmlp.backends.contract import Capabilities, n_batches
from fastmlp.inputs import Features
from fastmlp.kernels import epoch
from fastmlp.kernels.elementwise import ACTIVATION_CODES
from fastmlp.network import Network, Parameters
from fastmlp.optimizers import SGD, Adam, Rule

Array = NDArray[Any]

CAPABILITIES = Capabilities(
    activations=tuple(ACTIVATION_CODES), solvers=("sgd", "adam"), dtypes=("float32", "float64")
)

PREDICT_ROWS = 256
"""Rows predicted at a time: 256 rows of 784 float32 stay in the second-level cache."""


def kernel_network(network: Network) -> epoch.Network:
    """Describe a network to the kernels."""
    codes = [ACTIVATION_CODES[name] for name in network.activations]
    return epoch.Network(np.array(network.layer_sizes, np.intp), np.array(codes, np.intp))


def kernel_solver(rule: Rule, dtype: np.dtype[Any]) -> epoch.Solver:
    """Describe an update rule to the kernels, its numbers in the parameters' dtype."""
    number = dtype.type
    sgd = rule.solver if isinstance(rule.solver, SGD) else SGD()
    adam = rule.solver if isinstance(rule.solver, Adam) else Adam()
    plain = epoch.MOMENTUM if sgd.momentum > 0 else epoch.SGD
    return epoch.Solver(
        code=epoch.ADAM if isinstance(rule.solver, Adam) else plain,
        alpha=number(rule.alpha),
        momentum=number(sgd.momentum),
        nesterov=sgd.nesterov,
        betas=(number(adam.beta_1), number(adam.beta_2)),
        epsilon=number(adam.epsilon),
    )


def kernel_features(features: Features) -> tuple[tuple[Any, ...], tuple[Any, Any]]:
    """Hand the data to the kernels where it lies, with its scale and shift.

    Only a strided view that is neither C- nor Fortran-contiguous is copied.
    """
    number = features.dtype.type
    scale = (number(features.scale.scale), number(features.scale.shift))
    values = features.values
    if features.is_sparse:
        csr = (values.data, values.indices, values.indptr)
        return tuple(_read_only(array) for array in csr), scale
    n_samples, n_features = values.shape
    if values.flags.f_contiguous and not values.flags.c_contiguous:
        return (_read_only(values.T.reshape(-1)), (1, n_samples)), scale
    return (_read_only(values.reshape(-1)), (n_features, 1)), scale


def _read_only(array: Array) -> Array:
    """View an array as read-only, so that the kernels are compiled for one type."""
    view = array.view()
    view.flags.writeable = False
    return view


def prepare(parameters: Parameters, rule: Rule, features: Features) -> None:
    """Compile both kernels, or load them from the cache, by an epoch without samples."""
    nothing = np.empty(0, dtype=np.intp)
    state = np.empty((rule.solver.n_slots, parameters.buffer.size), parameters.dtype)
    rates = np.empty(0, parameters.dtype)
    run_epoch(parameters, rule, state, features, nothing, nothing, 1, rates)
    _predict(parameters, features, 0)


def run_epoch(
    parameters: Parameters,
    rule: Rule,
    state: Array,
    features: Features,
    targets: NDArray[np.intp],
    permutation: NDArray[np.intp],
    batch_size: int,
    rates: Array,
) -> NDArray[np.float64]:
    """Train on every sample once; see `fastmlp.backends.reference.run_epoch`."""
    losses = np.empty(n_batches(len(permutation), batch_size))
    epoch.run_epoch(
        parameters.buffer,
        kernel_network(parameters.network),
        kernel_solver(rule, parameters.dtype),
        state,
        *kernel_features(features),
        targets,
        permutation,
        batch_size,
        rates,
        losses,
    )
    return losses


def predict_logits(parameters: Parameters, features: Features) -> Array:
    """Compute the logits of every sample; see `fastmlp.backends.reference.predict_logits`."""
    return _predict(parameters, features, features.n_samples)


def _predict(parameters: Parameters, features: Features, n_samples: int) -> Array:
    """Compute the logits of the first samples."""
    logits = np.empty((n_samples, parameters.network.layer_sizes[-1]), parameters.dtype)
    epoch.predict_logits(
        parameters.buffer,
        kernel_network(parameters.network),
        *kernel_features(features),
        PREDICT_ROWS,
        logits,
    )
    return logits

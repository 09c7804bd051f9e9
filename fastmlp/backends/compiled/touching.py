"""Which weights of a wide sparse first layer a step touches, and what keeps count of the others."""

import numpy as np

from fastmlp.backends.compiled.memory import read_only, zeros
from fastmlp.backends.compiled.packed import PackedModel
from fastmlp.kernels.optimizers import Solver, StepSizes
from fastmlp.kernels.sparse import SparseFeatures
from fastmlp.kernels.touched import UNSEEN, TouchedRows

TOUCHED_SHARE = 0.25
"""Where a batch has up to so large a share of the features, other solvers touch only their weights:
making up for the steps that the others miss costs less than making them."""


def count_touched(features: SparseFeatures, n_samples: int, batch_size: int) -> float:
    """Estimate how many features are not 0 in all of a batch: words are far from equally frequent.

    The sum of 1 - (1 - f)^batch_size over the features, f being the share of the samples that have
    one, is at most the number of nonzeros of a batch. Dense columns are in every batch.

    Parameters
    ----------
    features : SparseFeatures
    n_samples, batch_size : int

    Returns
    -------
    float
    """
    frequencies = np.bincount(features.indices) / n_samples
    return features.n_dense + float((1 - (1 - frequencies) ** batch_size).sum())


def make_touched_rows(
    model: PackedModel, solver: Solver, most_touched: int, sizes: tuple[int, int]
) -> TouchedRows:
    """Allocate what keeps count of the steps that features miss.

    Parameters
    ----------
    model : PackedModel
    solver : Solver
    most_touched : int
        The largest number of features that a batch has.
    sizes : (int, int)
        The largest numbers of threads and of steps that may be missed.

    Returns
    -------
    TouchedRows
    """
    n_threads, n_steps = sizes
    n_features, dtype = int(model.layout.fan_in[0]), model.packed.dtype
    betas = np.array([solver.beta_1, solver.beta_2], np.float64)
    shrinking = betas[0] / np.sqrt(max(betas[1], 1e-300))
    lost = np.log(np.finfo(dtype).eps / 1000) / np.log(shrinking) if 0 < shrinking < 1 else np.inf
    return TouchedRows(
        ranks=np.full((n_threads, n_features), UNSEEN, np.int32),
        touched=np.zeros((n_threads, most_touched), np.int32),
        n_touched=zeros((n_threads, 8), np.int64),
        steps_made=np.zeros((int(model.layout.n_panels[0]), n_features), np.int64),
        all_features=np.arange(n_features, dtype=np.int32),
        step_sizes=StepSizes(*[read_only(np.empty(0, dtype))] * len(StepSizes._fields)),
        decays=read_only(np.power.outer(betas, np.arange(n_steps + 1)).astype(dtype)),
        adam_steps=int(min(lost, n_steps)),
    )

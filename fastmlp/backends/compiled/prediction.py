"""Logits by compiled kernels: blocks of rows, so that memory is bounded, on several threads."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.backends.compiled.memory import read_only
from fastmlp.backends.compiled.packed import PackedModel
from fastmlp.backends.compiled.packing import as_dense, as_sparse
from fastmlp.backends.compiled.team import Team
from fastmlp.backends.compiled.fit import as_solver, make_workspace
from fastmlp.inputs import Features
from fastmlp.kernels import predict
from fastmlp.kernels import task as tasks
from fastmlp.network import Parameters
from fastmlp.optimizers import SGD, Rule
from fastmlp.threads import n_cores

Array = NDArray[Any]

BLOCK_ROWS = 96
"""Rows predicted at a time: 96 rows of 784 float32 stay in the second-level cache."""

THREAD_ROWS = 512
"""Rows from which another thread pays: starting it takes 0.1 ms."""


def predict_logits(
    parameters: Parameters, features: Features, n_threads: int | None = None
) -> Array:
    """Compute the logits of every sample; see `fastmlp.backends.contract.Backend`."""
    n_samples = features.n_samples
    logits = np.empty((n_samples, parameters.network.layer_sizes[-1]), parameters.dtype)
    model = PackedModel(parameters, 0)
    model.load()
    data = as_sparse(features) if features.is_sparse else as_dense(features)
    solver = as_solver(Rule(SGD(), 0.0), parameters.dtype)
    nothing = read_only(np.empty(0, np.intp))
    rates = read_only(np.empty(0, parameters.dtype))
    rows = min(BLOCK_ROWS, n_samples)
    batches = tasks.Batches(data, nothing, nothing, rows, rates)

    def work(first: int, last: int) -> None:
        workspace = make_workspace(model.layout, data, rows, (1, 1, 0), parameters.dtype)
        alone = tasks.Team(0, 1, np.zeros(1, np.int64))
        task = model.task(solver, batches, workspace, alone)
        predict.predict_logits(task, data, first, last, logits)

    most = n_cores() if n_threads is None else n_threads
    team = Team(max(1, min(most, n_samples // THREAD_ROWS)))
    try:
        team.split(n_samples, work)
    finally:
        team.close()
    return logits

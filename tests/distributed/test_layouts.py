"""Ranks whose data alone would be learned from in different layouts: all take the first's."""

import numpy as np
import pytest

import fastmlp
from fastmlp.backends.compiled.fit import CompiledTrainer
from tests.distributed.ranks import SETTINGS, results, train
from tests.tolerances import assert_close

GENERATOR = np.random.default_rng(1)
DENSE = GENERATOR.normal(size=(60, 40))
SPARSE = np.where(GENERATOR.random(DENSE.shape) < 0.02, DENSE, 0.0)
MIXED = np.concatenate([DENSE[:, :4], SPARSE[:, 4:]], axis=1)[:, ::-1].copy()
LABELS = np.arange(60) % 3

CASES = {
    "dense columns": [MIXED, DENSE, DENSE[:0]],
    "sparse": [SPARSE, DENSE],
}
"""Of a third rank without rows the layout is unknown."""


@pytest.mark.parametrize("name", CASES)
def test_all_ranks_sum_in_the_layout_of_the_first(name, monkeypatch):
    monkeypatch.setattr("fastmlp.backends.compiled.columns.LEAST_SAMPLES", 1)
    frames, begin = [], CompiledTrainer.__init__

    def begin_and_note(self, *given):
        begin(self, *given)
        frames.append(self.frame)

    monkeypatch.setattr(CompiledTrainer, "__init__", begin_and_note)
    divided = [(rows, LABELS[: len(rows)]) for rows in CASES[name]]
    # More units than narrow panels hold beside a sparse first layer.
    arguments = {"hidden_layer_sizes": (30,), "solver": "adam", "alpha": 0.1}
    X, y = (np.concatenate(arrays) for arrays in zip(*divided, strict=True))
    whole = fastmlp.train(X, y, **(SETTINGS | arguments))
    outcomes = results(train(divided, backend="numba", n_threads=1, **arguments))
    assert len(frames) == 3  # that of the second rank's own data, too
    assert sum(frame.sparse for frame in frames) == 2
    assert (frames[-1].columns is not None) == (name == "dense columns")
    for result in outcomes:
        assert_close(result.history.loss, whole.history.loss, "loss curve", "float64")
        ours, theirs = result.model.parameters.buffer, whole.model.parameters.buffer
        assert_close(ours, theirs, "loss curve", "float64")

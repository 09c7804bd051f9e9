"""Ranks train on parts of a source."""

from itertools import pairwise

import numpy as np
import pytest

import fastmlp
from fastmlp.distributed import in_threads
from tests.distributed.ranks import SETTINGS, X, Y, results
from tests.tolerances import assert_close

LENGTHS = [40, 3, 10, 20, 30]
STARTS = np.cumsum([0, *LENGTHS])


def source():
    """Make a source of blocks of many lengths."""
    readers = [lambda a=a, b=b: (X[a:b], Y[a:b]) for a, b in pairwise(STARTS)]
    return fastmlp.data.blocks(readers)


@pytest.mark.parametrize("n_parts", range(1, 6))
def test_parts_are_all_blocks_in_their_order(n_parts):
    parts = [fastmlp.data.part(source(), number, n_parts) for number in range(n_parts)]
    assert [length for part in parts for length in part.lengths] == LENGTHS
    rows = [c.X for part in parts for n in range(len(part.lengths)) for c in part.chunks(n)]
    np.testing.assert_array_equal(np.concatenate(rows), X)
    assert parts[0].place(0) == "block 0"
    if n_parts == 2:
        assert [part.n_samples for part in parts] == [53, 50]


def test_ranks_train_on_their_parts():
    whole = fastmlp.train(X, Y, **SETTINGS)

    def work(communicator):
        own = fastmlp.data.part(source(), communicator.rank, communicator.size)
        return fastmlp.train(own, comm=communicator, **SETTINGS)

    for result in results(in_threads(3, work, 60.0)):
        assert_close(result.history.loss, whole.history.loss, "loss curve", "float64")


def test_a_source_of_too_few_blocks_is_refused():
    with pytest.raises(ValueError, match="source must be of at least 6 blocks, one a part; got 5"):
        fastmlp.data.part(source(), 0, 6)

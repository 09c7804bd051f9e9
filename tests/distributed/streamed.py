"""Ranks on parts of a source whose blocks are ragged, of which some are in memory at a time."""

from itertools import pairwise

import numpy as np

import fastmlp
from fastmlp.data.parts import SourcePart
from fastmlp.distributed import Ranks, in_threads
from tests.distributed.ranks import X, Y

ROW_BYTES = 6 * 8 + 16
LENGTHS = [7, 5, 10, 3, 10, 10, 8, 10, 1, 9, 10, 10, 10]
BORDERS = np.cumsum([0, *LENGTHS])
BLOCKS = {1: (0, 13), 2: (0, 9, 13), 3: (0, 5, 6, 13), "one without rows": (0, 8, 8, 13)}
"""Which blocks each rank has, by the name of the case."""


def source(buffer=2 * 10 * ROW_BYTES, first=0, last=13):
    """Make a source of ragged blocks, of which one is in memory at a time, or a part of it."""
    readers = [lambda a=a, b=b: (X[a:b], Y[a:b]) for a, b in pairwise(BORDERS)]
    return SourcePart(fastmlp.data.blocks(readers, LENGTHS, buffer=buffer), first, last)


def in_ranks(case, work, **ranks):
    """Do something on each rank of a case with its part and its communicator."""
    blocks = BLOCKS[case]

    def on_rank(communicator):
        first, last = blocks[communicator.rank : communicator.rank + 2]
        return work(source(first=first, last=last), Ranks(communicator, **ranks))

    return in_threads(len(blocks) - 1, on_rank, 60.0)


def epoch_of(seen, epoch):
    """Put the rows that the ranks have read in an epoch in the order of the batches."""
    rows, targets = [], []
    for of_ranks in zip(*(seen[rank] for rank in sorted(seen)), strict=True):
        if of_ranks[0][0] == epoch:
            order = of_ranks[0][1].order
            rows.append(np.concatenate([one[2] for one in of_ranks])[order])
            targets.append(np.concatenate([one[3] for one in of_ranks])[order])
    return np.concatenate(rows), np.concatenate(targets)

"""What the processes of one command say."""

import warnings
from types import SimpleNamespace

import pytest

from fastmlp.cli.ranks import one_voice


@pytest.mark.parametrize(("rank", "expected"), [(0, KeyboardInterrupt), (1, SystemExit)])
def test_an_interruption_of_all_ranks_is_told_by_the_first(rank, expected):
    ranks = SimpleNamespace(comm=SimpleNamespace(Get_rank=lambda: rank))
    with warnings.catch_warnings(), pytest.raises(expected) as raised, one_voice(ranks):
        raise KeyboardInterrupt
    if rank == 1:
        assert raised.value.code == 130

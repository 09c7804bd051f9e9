"""What is recorded of ranks that read in blocks."""

import pytest

from fastmlp.engine.streaming import Streamed


@pytest.fixture
def small_pieces(monkeypatch):
    """Hand some 20 to 40 rows at a time to the backend."""
    monkeypatch.setattr("fastmlp.engine.streaming.PIECE_BYTES", 20 * 48)


@pytest.fixture
def seen(monkeypatch):
    """Record the pieces of each rank, by its number."""
    found, pieces = {}, Streamed.pieces

    def recorded(self, state):
        for piece in pieces(self, state):
            copied = piece.problem.features.values.copy(), piece.problem.targets.copy()
            found.setdefault(self.ranks.rank, []).append((state.epoch, piece, *copied))
            yield piece

    monkeypatch.setattr(Streamed, "pieces", recorded)
    return found

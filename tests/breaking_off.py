"""Breaks trainings off where their state has just been written."""

from contextlib import contextmanager

import pytest

from fastmlp.engine import checkpoint


class BrokenOffError(Exception):
    """Breaks a training off."""


def break_writes(patch, n_writes, error):
    """Let the state be written so many times, then raise; return the epochs of what was written."""
    written, write = [], checkpoint.write

    def write_and_break(*given):
        write(*given)
        written.append(given[1].epoch)
        if len(written) == n_writes:
            raise error

    patch.setattr(checkpoint, "write", write_and_break)
    patch.setattr("fastmlp.engine.descent.FEWEST_STEPS", 2)
    return written


@contextmanager
def breaking_off(monkeypatch, n_pauses):
    """Lose all but the state when that has been written so many times; see `break_writes`."""
    with monkeypatch.context() as patch, pytest.raises(BrokenOffError):
        yield break_writes(patch, n_pauses, BrokenOffError)

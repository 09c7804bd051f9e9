"""Breaks trainings off where their state has just been written."""

import signal
from contextlib import contextmanager

import pytest

from fastmlp.engine import checkpoint
from fastmlp.engine.descent import Descent


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


@contextmanager
def pressing_ctrl_c(monkeypatch, n_pieces, times=1):
    """Press Ctrl-C before so many pieces of an epoch have been trained on."""
    run, begun = Descent._run_some, []

    def press_and_run(self, *given):
        begun.append(given)
        if len(begun) == n_pieces:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        run(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(Descent, "_run_some", press_and_run)
        patch.setattr(checkpoint, "MOST_SECONDS", 1e-9)
        patch.setattr("fastmlp.engine.descent.FEWEST_STEPS", 2)
        yield

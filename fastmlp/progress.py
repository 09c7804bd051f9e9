"""A line an epoch while training runs."""

import sys
from contextlib import suppress
from typing import Any

from fastmlp._clock import now, since
from fastmlp.history import EpochReport

TERMINAL_SECONDS, FILE_SECONDS = 0.5, 10.0
"""How often a long epoch reports, to a terminal and to a file."""


def on_terminal(stream: Any) -> bool:
    """Tell whether a stream is a terminal; it may be None, closed, or the user's own."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False


def show(line: str, stream: Any, end: str = "\n") -> None:
    """Print to a stream at once; a full disk, a closed pipe or no stream costs the line alone.

    Parameters
    ----------
    line : str
    stream : text stream or None
        As sys.stdout and sys.stderr are.
    end : str
    """
    # rich would end the program where the pipe is closed.
    with suppress(OSError, ValueError, AttributeError):
        stream.write(line + end)
        stream.flush()


class ProgressLines:
    """A callback that prints loss, validation score, speed and the time left to stderr."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.last = now()

    def within(self, epoch: int, n_done: int, n_steps: int) -> None:
        """Say how far a long epoch is, now and then.

        Parameters
        ----------
        epoch : int
        n_done, n_steps : int
            Number of its batches that are done, and of all.
        """
        terminal = on_terminal(sys.stderr)
        pause = TERMINAL_SECONDS if terminal else FILE_SECONDS
        if n_done < n_steps and since(self.last) >= pause:
            self.last = now()
            # On a terminal the next line takes its place.
            end = "\r" if terminal else "\n"
            show(f"epoch {epoch}: {n_done / n_steps:4.0%} of the batches", sys.stderr, end)

    def __call__(self, report: EpochReport) -> None:
        """Print one epoch."""
        self.last = now()
        self.seconds += report.seconds
        left = self.seconds / report.epoch * (report.epochs - report.epoch)
        width = len(str(report.epochs))
        parts = [f"epoch {report.epoch:{width}d}/{report.epochs}", f"loss {report.loss:.4f}"]
        if report.val_loss is not None:
            parts += [f"val_loss {report.val_loss:.4f}", f"val_score {report.val_score:.4f}"]
        if report.score is not None:
            parts += [f"score {report.score:.4f}"]
        parts += [f"{report.iterations_per_second:,.0f} it/s", f"{left:.1f} s left"]
        show("  ".join(parts), sys.stderr)

"""What looks on while `train` trains: callbacks, the progress line, checkpoints."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from fastmlp._checks import check_flag
from fastmlp._errors import invalid
from fastmlp.base_model import BaseModel
from fastmlp.engine import checkpoint
from fastmlp.engine.descent import nothing
from fastmlp.engine.hooks import Hook
from fastmlp.engine.state import State
from fastmlp.history import EpochReport

Callback = Callable[[EpochReport], object]
Within = Callable[[int, int, int], object]
"""Is told the number of the epoch, and how many of its batches are done, and of how many."""


class Watching(NamedTuple):
    """What looks on."""

    callbacks: list[Callback]
    within: Within
    file: checkpoint.File | None


UNWATCHED = Watching([], nothing, None)
"""Where rank 0 of several looks on."""


class Reports(Hook):
    """Tells the callbacks of each epoch, and the progress line how far it is.

    Parameters
    ----------
    model : Model or RegressionModel
    state : State
    epochs : int
    watching : Watching
    """

    def __init__(self, model: BaseModel, state: State, epochs: int, watching: Watching) -> None:
        self.model, self.state, self.epochs, self.watching = model, state, epochs, watching

    def within_epoch(self, n_done: int, n_steps: int) -> None:
        """Say how far the epoch is."""
        self.watching.within(self.state.epoch + 1, n_done, n_steps)

    def end_epoch(self) -> bool:
        """Report the epoch; a callback may ask to stop."""
        last = self.state.history.last()
        report = EpochReport(self.state.epoch, self.epochs, **last, model=self.model)
        answers = [callback(report) for callback in self.watching.callbacks]
        return any(answer is True for answer in answers)


def check_watching(callbacks: Any, progress: Any, path: Any, checkpoint_seconds: Any) -> Watching:
    """Check what looks on, and add what prints; see `fastmlp.train`."""
    if not (isinstance(callbacks, Iterable) and all(map(callable, callbacks))):
        raise invalid("callbacks", "a sequence of callables", repr(callbacks))
    file = checkpoint.check_file(path, checkpoint_seconds)
    if not check_flag("progress", progress):
        return Watching(list(callbacks), nothing, file)
    from fastmlp.progress import ProgressLines

    lines = ProgressLines()
    return Watching([*callbacks, lines], lines.within, file)

"""The training loop: all that trains comes here, whatever door it comes in by."""

from collections.abc import Callable, Sequence
from enum import Enum

from fastmlp.engine.descent import Descent, NotFiniteError
from fastmlp.engine.hooks import Hook
from fastmlp.history import EpochRecord

Evaluate = Callable[[], tuple[float, float]]
"""Computes the loss and the score on the validation set."""


UNWATCHED_SECONDS = 0.1
"""So long a backend may work on epochs that nobody looks at: each call costs what a small epoch
does."""

UNWATCHED_SAMPLES = 1 << 20
"""And on so many samples, whose order takes 8 bytes each."""


class Ending(Enum):
    """Why a training ended."""

    OVER = "all epochs are over"
    STOPPED = "a hook asked for it"
    DIVERGED = "a loss or a parameter was no longer finite, and there are best parameters"


def run(
    descent: Descent,
    n_epochs: int,
    hooks: Sequence[Hook] = (),
    evaluate: Evaluate | None = None,
) -> Ending:
    """Run epochs, the first of which may be one that was broken off.

    Parameters
    ----------
    descent : Descent
    n_epochs : int
        At most so many.
    hooks : sequence of Hook
        Called in this order; all are, whether or not one asks to stop.
    evaluate : callable, optional

    Returns
    -------
    Ending

    Raises
    ------
    NotFiniteError
        Where training diverges before a validation score has chosen parameters to go back to.
    """
    state = descent.state
    if not hooks and evaluate is None:
        run_unwatched(descent, n_epochs)
        return Ending.OVER
    for left in reversed(range(n_epochs)):
        for hook in hooks:
            hook.begin_epoch()
        run_epoch(descent, hooks, evaluate)
        answers = [hook.end_epoch() for hook in hooks]
        asked_to_stop = any(answers)
        state.over = state.diverged or asked_to_stop or left == 0
        for hook in hooks:
            hook.pause()
        if state.diverged:
            return Ending.DIVERGED
        if asked_to_stop:
            return Ending.STOPPED
    return Ending.OVER


def run_unwatched(descent: Descent, n_epochs: int) -> None:
    """Run epochs between which nobody looks, as many in a call as take `UNWATCHED_SECONDS`."""
    state, at_once = descent.state, 1

    def record(loss: float) -> None:
        rate = descent.n_steps / descent.seconds
        state.history.append(EpochRecord(loss, None, None, descent.seconds, rate))

    while n_epochs > 0:
        descent.run_epochs(at_once, record)
        n_epochs -= at_once
        n_samples = max(1, state.samples // state.epoch)
        fitting = min(UNWATCHED_SECONDS / descent.seconds, UNWATCHED_SAMPLES / n_samples)
        at_once = max(1, min(int(fitting), 4 * at_once, n_epochs))


def run_epoch(descent: Descent, hooks: Sequence[Hook], evaluate: Evaluate | None) -> None:
    """Run one epoch, evaluate the network after it, and record both."""
    state = descent.state

    def report(n_done: int, n_steps: int) -> None:
        for hook in hooks:
            hook.within_epoch(n_done, n_steps)

    def pause() -> None:
        for hook in hooks:
            hook.pause()

    try:
        loss = descent.run_epoch(report, pause)
    except NotFiniteError:
        if state.best.buffer is None:
            raise
        loss, state.diverged = float("nan"), True
    val_loss, val_score = (None, None) if evaluate is None else evaluate()
    seconds, n_steps = descent.seconds, descent.n_steps
    state.history.append(EpochRecord(loss, val_loss, val_score, seconds, n_steps / seconds))

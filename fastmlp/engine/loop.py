"""The training loop: all that trains comes here, whatever door it comes in by."""

from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial

from fastmlp.engine.descent import Descent, NotFiniteError
from fastmlp.engine.hooks import Hook
from fastmlp.history import UNSCORED, EpochScores

Evaluate = Callable[[], EpochScores]
"""Computes the loss and the score on the validation set, or the score on the training data."""


UNWATCHED_SECONDS = 0.1
"""So long a backend may work on epochs that nobody looks at between: each call costs as much as a
small epoch."""

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
    KeyboardInterrupt
        On Ctrl-C; where checkpoints are written, after a last one.
    """
    state, left, at_once, ranks = descent.state, n_epochs, 1, descent.ranks
    with descent.listening():
        while left > 0:
            unwatched = left if evaluate is None and descent.supply.in_memory else 0
            unwatched = int(min([unwatched, *(hook.patience() for hook in hooks)]))
            unwatched = ranks.agree(unwatched)
            if unwatched > 0 and state.unfinished is None:
                at_once = min(at_once, unwatched)
                run_unwatched(descent, at_once, hooks)
                left -= at_once
                at_once = choose_at_once(descent, at_once)
                state.over = left == 0
                continue
            left -= 1
            run_epoch(descent, hooks, evaluate)
            asked_to_stop = ranks.decide(partial(end_epoch, hooks))
            state.over = state.diverged or asked_to_stop or left == 0
            for hook in hooks:
                hook.pause()
            descent.interruptions.hear()
            if state.diverged:
                return Ending.DIVERGED
            if asked_to_stop:
                return Ending.STOPPED
    return Ending.OVER


def end_epoch(hooks: Sequence[Hook]) -> bool:
    """Tell all hooks that an epoch is over; True if one asks to stop."""
    answers = [hook.end_epoch() for hook in hooks]
    return any(answers)


def run_unwatched(descent: Descent, n_epochs: int, hooks: Sequence[Hook]) -> None:
    """Run epochs in one call of the backend; the hooks are told of all afterwards."""
    history = descent.state.history

    def record(loss: float) -> None:
        history.add(loss, descent.seconds, descent.n_steps)
        end_epoch(hooks)

    for hook in hooks:
        hook.begin_epoch()
    descent.run_epochs(n_epochs, record)


def choose_at_once(descent: Descent, at_once: int) -> int:
    """Choose how many of the next epochs may be run in one call, after so many."""
    state = descent.state
    n_samples = max(1, state.samples // max(1, state.epoch))
    fitting = min(UNWATCHED_SECONDS / descent.seconds, UNWATCHED_SAMPLES / n_samples)
    return max(1, min(int(fitting), 4 * at_once))


def run_epoch(descent: Descent, hooks: Sequence[Hook], evaluate: Evaluate | None) -> None:
    """Run one epoch, evaluate the network after it, and record both."""
    state = descent.state
    for hook in hooks:
        hook.begin_epoch()

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
    scores = UNSCORED if evaluate is None else evaluate()
    state.history.add(loss, descent.seconds, descent.n_steps, scores)

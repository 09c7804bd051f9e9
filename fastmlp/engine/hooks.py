"""What may look on while a network trains, and end it."""

from collections.abc import Callable

from fastmlp._clock import now, since
from fastmlp.engine.plan import Stopping
from fastmlp.engine.state import State

LEAST_RATE = 1e-6
"""At which the adaptive schedule stops."""

LOWERED = 5.0
"""By which the adaptive schedule divides the rate."""


class Hook:
    """Looks on, and does nothing; the others override what they need."""

    def patience(self) -> float:
        """Say of how many epochs it may be told when they are all over.

        None of them may be the one after which it asks to stop.

        Returns
        -------
        float
        """
        return 0

    def begin_epoch(self) -> None:
        """Be told that an epoch begins, or several of which it will be told afterwards."""

    def within_epoch(self, n_done: int, n_steps: int) -> None:
        """Be told how many of an epoch's batches are done; the parameters may be out of date."""

    def pause(self) -> None:
        """Be told that the state is whole: within a long epoch, and after each."""

    def end_epoch(self) -> bool:
        """Be told that an epoch is over and in the history.

        Returns
        -------
        bool
            Whether to end training.
        """
        return False


class Stop(Hook):
    """Ends training, or lowers the rate, where there is no more to be gained.

    A score of NaN or -infinity is none: it improves nothing and chooses no parameters.

    Parameters
    ----------
    stopping : Stopping
    state : State
    say : callable
        Told what is done about it.
    """

    def __init__(self, stopping: Stopping, state: State, say: Callable[[str], object]) -> None:
        self.stopping, self.state, self.say = stopping, state, say

    def patience(self) -> float:
        """Say how many epochs without improvement there may be before it matters."""
        by_score = self.stopping.by_score
        return 0 if by_score else self.stopping.patience - self.state.best.n_without

    def end_epoch(self) -> bool:
        """Count the epochs without improvement, and keep the best parameters."""
        best, history, tol = self.state.best, self.state.history, self.stopping.tol
        if self.stopping.by_score:
            score = history.val_score[-1]
            better = score > -float("inf") and score >= best.score + tol
            if score > best.score:
                best.score, best.buffer = score, self.state.parameters.buffer.copy()
        else:
            loss = history.loss[-1]
            better = loss <= best.loss - tol
            best.loss = min(best.loss, loss)
        best.n_without = 0 if better else best.n_without + 1
        waited = best.n_without > self.stopping.patience
        return waited and not self.state.diverged and self._has_converged()

    def _has_converged(self) -> bool:
        """Lower the rate if that is how it is to go on, and tell whether it is not."""
        what = "Validation score" if self.stopping.by_score else "Training loss"
        message = (
            f"{what} did not improve more than tol={self.stopping.tol:f} for "
            f"{self.stopping.patience} consecutive epochs."
        )
        going_on = self.stopping.adaptive and self.state.rate > LEAST_RATE
        if going_on:
            self.state.rate /= LOWERED
            self.state.best.n_without = 0
            message += f" Setting learning rate to {self.state.rate:f}"
        else:
            too_small = " Learning rate too small." if self.stopping.adaptive else ""
            message += f"{too_small} Stopping."
        self.say(message)
        return not going_on


class TimeBudget(Hook):
    """Ends training when its time is over.

    Parameters
    ----------
    seconds : float
        Counted from now on.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds, self.start = seconds, now()

    def end_epoch(self) -> bool:
        """Look at the clock."""
        return since(self.start) >= self.seconds

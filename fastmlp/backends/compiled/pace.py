"""How many threads work on the next piece of an epoch, and how long it is.

What is fastest depends on the network, on the data and on what else the machine does: a second
thread halves the time of large batches, and beside a busy neighbour it multiplies it, because each
waits for the other. So it is measured, now and then, in pieces of some milliseconds. The result
does not depend on it: the same additions are made in the same order.
"""

from fastmlp.backends.contract import SLICE_SECONDS

TRIAL_SECONDS = 0.006
"""How long the other number of threads is tried: starting the first takes 0.2 ms, which must not
count for much."""

RETRY_SECONDS = 1.0
"""How long the faster number is kept before the other is tried again."""

WORTHWHILE = 0.9
"""Several threads are kept where a step takes at most so much of one thread's time: what a trial of
some milliseconds shows may be chance, and each processor more is one that others have less."""


class Pace:
    """Finds the faster of one thread and several.

    One thread begins: where all is over in milliseconds, others are not even started.

    Parameters
    ----------
    most : int
        The number of threads where it is not one.
    unit : int
        Every piece is a multiple of so many steps.
    longest : int
        And of at most so many.
    """

    def __init__(self, most: int, unit: int, longest: int) -> None:
        self.most, self.unit, self.longest = most, unit, longest
        self.n_threads = 1
        self.step_seconds: dict[int, float] = {}
        self.goal = TRIAL_SECONDS
        self._start()

    def _start(self) -> None:
        """Begin to count anew."""
        self.n_steps, self.seconds = 0, 0.0

    def choose(self) -> int:
        """Choose the number of steps of the next piece; `n_threads` says who makes them.

        Returns
        -------
        int
        """
        step_seconds = self.step_seconds.get(self.n_threads) or self.step_seconds.get(1)
        if step_seconds is None:  # little is known yet: feel the way, to the goal and not beyond
            left = max(0.0, self.goal / max(self.seconds, 1e-9) - 1)
            n_steps = int(min(3, left) * self.n_steps)
        else:
            n_steps = int(min(SLICE_SECONDS, self.goal - self.seconds) / step_seconds)
        return max(self.unit, min(n_steps, self.longest) // self.unit * self.unit)

    def record(self, n_steps: int, seconds: float) -> None:
        """Take note of how long a piece took, and choose who makes the next.

        Parameters
        ----------
        n_steps : int
        seconds : float
        """
        self.n_steps += n_steps
        self.seconds += seconds
        if self.seconds < self.goal:
            return
        self.step_seconds[self.n_threads] = self.seconds / self.n_steps
        other = self.most if self.n_threads == 1 else 1
        tried = self.goal == TRIAL_SECONDS and other in self.step_seconds
        self.n_threads = self._faster() if tried else other
        self.goal = RETRY_SECONDS if tried else TRIAL_SECONDS
        self._start()

    def _faster(self) -> int:
        """Choose between the two numbers of threads, both of which have been tried."""
        one, several = self.step_seconds[1], self.step_seconds[self.most]
        return self.most if several <= WORTHWHILE * one else 1

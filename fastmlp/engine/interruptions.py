"""Ctrl-C while training: noted, and heard where all that there is can be saved."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from fastmlp._clock import now, since
from fastmlp._signals import handled

PATIENCE = 1.0
"""Seconds after which the same signal is heard at once: the place may never be reached."""


class Interruptions:
    """What this process was told while it trained.

    Parameters
    ----------
    alone : bool
        Whether no other ranks are to end with it, at the same step.

    Attributes
    ----------
    wished : bool
        Whether it is to end; set by hand where no signal can reach a rank, as in a thread.
    due : bool
        Whether it ends at the next place: all ranks know it.
    heard : bool
        Whether it has ended so.
    """

    wished = due = heard = False
    _noted: tuple[Any, int, FrameType | None] | None = None
    _time = 0.0

    def __init__(self, alone: bool) -> None:
        self.alone = alone

    @contextmanager
    def listen(self) -> Iterator[None]:
        """Note the signals that Python handles, in its main thread; at the end be interrupted."""
        with handled(self._note, callable):
            yield
            self.hear()

    def hear(self) -> None:
        """Be interrupted if it is due: training is at such a place."""
        if self.due:
            self.heard = True
            self._end()

    def _note(self, before: Any, number: int, frame: FrameType | None) -> None:
        """Note a signal; one that comes again later is heard at once."""
        if self.wished and since(self._time) > PATIENCE:
            self._end()
        if not self.wished:
            self.wished, self.due, self._time = True, self.alone, now()
            self._noted = before, number, frame

    def _end(self) -> NoReturn:
        """Be interrupted, as the handler that was there before would have it."""
        noted, self._noted, self.wished, self.due = self._noted, None, False, False
        if noted is not None:
            handler, number, frame = noted
            handler(number, frame)
        raise KeyboardInterrupt

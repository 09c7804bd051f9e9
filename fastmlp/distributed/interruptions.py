"""Ctrl-C among several ranks: noted, and heard by all at the same step."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from fastmlp._clock import now, since
from fastmlp._signals import handled

PATIENCE = 1.0
"""Seconds after which the same signal is heard at once: the others may never come to the step."""


class SharedInterruptions:
    """What this process was told while it trained with others.

    Attributes
    ----------
    wished : bool
        Whether it is to end; set by hand where no signal can reach a rank, as in a thread.
    """

    def __init__(self) -> None:
        self.wished = False
        self._noted: tuple[Any, int, FrameType | None] | None = None
        self._time = 0.0

    @contextmanager
    def listen(self) -> Iterator[None]:
        """Note the signals that Python handles, in its main thread."""
        with handled(self._note, callable):
            yield

    def hear(self) -> NoReturn:
        """Be interrupted, as the handler that was there before would have it."""
        noted, self._noted, self.wished = self._noted, None, False
        if noted is not None:
            handler, number, frame = noted
            handler(number, frame)
        raise KeyboardInterrupt

    def _note(self, before: Any, number: int, frame: FrameType | None) -> None:
        """Note a signal; one that comes again later is heard at once."""
        if self.wished and since(self._time) > PATIENCE:
            self.hear()
        if not self.wished:
            self.wished, self._time = True, now()
            self._noted = before, number, frame

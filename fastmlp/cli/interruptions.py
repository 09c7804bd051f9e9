"""Ctrl-C, SIGTERM (batch systems, `docker stop`) and SIGHUP (a closed terminal) are heard alike.

The first interrupts the training and lets what was learned be written; the next ends the process.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from fastmlp._clock import now, since
from fastmlp._signals import handled

ECHO_SECONDS = 0.1
"""`timeout`, and a terminal that closes, send one signal twice at once: the second is no other."""


class CommandInterruptions:
    """What has been heard while a command runs.

    Attributes
    ----------
    heard : bool
    status : int
        What a process that was interrupted exits with: 128 and the signal's number.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.heard, self.status = False, 128 + signal.SIGINT
        self._time, self._put_off = 0.0, False

    @contextmanager
    def listen(self) -> Iterator[None]:
        """Hear the signals that the process does not ignore (`nohup`), in its main thread."""
        self._begin()
        # None is a handler that Python did not install and could not restore.
        with handled(self._hear, lambda handler: handler not in (signal.SIG_IGN, None)):
            yield

    def put_off(self) -> None:
        """Only take note of a first signal from now on, so that results are written whole."""
        self._put_off = True

    def _hear(self, before: Any, number: int, frame: FrameType | None) -> None:
        """Interrupt, or take note, or end the process."""
        if self.heard and since(self._time) < ECHO_SECONDS:
            return
        if self.heard and self._put_off:
            os._exit(128 + number)
        self.heard, self.status, self._time = True, 128 + number, now()
        if not self._put_off:
            raise KeyboardInterrupt


interruptions = CommandInterruptions()
"""Those of this process, which has one set of signal handlers."""

"""The signals that ask a process to end, handled by others than before for a while."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@contextmanager
def handled(
    handler: Callable[[Any, int, FrameType | None], object], replaces: Callable[[Any], bool]
) -> Iterator[None]:
    """Handle signals in the main thread, where Python does; in other threads do nothing.

    Parameters
    ----------
    handler : callable
        Given what handled the signal before, the signal's number, and a frame.
    replaces : callable
        Tells by what handles a signal now whether `handler` is to do so.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
        before = {number: found for number, found in handlers.items() if replaces(found)}
    for number, found in before.items():
        signal.signal(number, partial(handler, found))
    try:
        yield
    finally:
        for number, found in before.items():
            signal.signal(number, found)

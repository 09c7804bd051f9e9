"""A process beside the race that keeps a core half busy, as others on a machine do."""

import multiprocessing
import time
from contextlib import contextmanager

TURN_SECONDS = 0.005
"""So long it computes, and so long it sleeps."""


@contextmanager
def half_busy():
    """Keep a core half busy for the length of a `with`."""
    process = multiprocessing.get_context("spawn").Process(target=_take_turns, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _take_turns():
    """Compute and sleep in turn, until the process is ended."""
    while True:
        end = time.perf_counter() + TURN_SECONDS
        while time.perf_counter() < end:
            pass
        time.sleep(TURN_SECONDS)

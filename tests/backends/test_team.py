"""Helpers that last for some pieces of work, and no longer."""

import gc
import multiprocessing
import os
import threading
import time
import weakref

import pytest

from fastmlp.backends.compiled import team
from fastmlp.backends.compiled.team import idle, run_together


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Begin without idle helpers, and let them wait for the next piece however slow a test is."""
    team.dismiss_idle()
    monkeypatch.setattr(team, "LINGER", 10.0)
    yield
    team.dismiss_idle()


def who_works(n_threads):
    """Let so many threads work, and return them."""
    seen = {}

    def work(one):
        seen[one.thread] = threading.get_native_id()

    assert run_together(n_threads, work) == n_threads
    return [seen[thread] for thread in range(n_threads)]


def test_the_next_piece_has_the_same_helpers():
    first = who_works(3)
    assert first[0] == threading.get_native_id() and len(set(first)) == 3
    for n_threads in (2, 3, 1, 3):
        assert set(who_works(n_threads)) <= set(first)
    assert len(idle) == 2
    assert len(set(who_works(4)) - set(first)) == 1


def test_helpers_end_when_nobody_asks_for_a_while(monkeypatch):
    monkeypatch.setattr(team, "LINGER", 0.01)
    who_works(3)
    helpers, limit = list(idle), time.monotonic() + 10
    while idle and time.monotonic() < limit:
        time.sleep(0.01)
    assert not idle
    assert all(helper.over.wait(10) for helper in helpers)
    assert len(who_works(2)) == 2


@pytest.mark.parametrize("thread", [0, 1])
def test_helpers_outlast_an_error(thread):
    before = who_works(2)

    def fail(one):
        if one.thread == thread:
            raise ArithmeticError("for once")

    with pytest.raises(ArithmeticError, match="for once"):
        run_together(2, fail)
    assert who_works(2) == before


def test_helpers_that_are_idle_hold_nothing():
    class Data:
        """Something large."""

    def work(one, data):
        raise ArithmeticError(str(data))

    data = Data()
    gone = weakref.ref(data)
    with pytest.raises(ArithmeticError):
        run_together(2, lambda one, data=data: work(one, data))
    del data
    gc.collect()
    assert len(idle) == 1
    assert gone() is None


def test_threads_that_work_at_the_same_time_have_helpers_of_their_own():
    meeting, teams = threading.Barrier(4), []

    def work(one):
        meeting.wait(30)

    def run():
        teams.append(run_together(2, work))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert teams == [2, 2]
    assert len(idle) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_loses_no_helper():
    who_works(2)
    assert len(idle) == 1
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert not idle
        assert len(set(pool.apply_async(who_works, (2,)).get(60))) == 2
    assert len(set(who_works(2))) == 2

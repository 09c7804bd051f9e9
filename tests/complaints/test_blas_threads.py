"""What users of other libraries met where BLAS has threads of its own, and several fits overlap."""

import os
import threading

import pytest
import scipy.linalg  # noqa: F401  (its BLAS must be there before the limits)
from threadpoolctl import ThreadpoolController, threadpool_info, threadpool_limits

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor, threads
from fastmlp.backends import batched
from fastmlp.threads import limit_blas
from tests.complaints.scripts import run_script

MANY = 3
"""Threads that BLAS is given before a test, more than any limit in it."""

SMALL = {"hidden_layer_sizes": (150,), "batch_size": 8, "epochs": 3, "random_state": 0}


@pytest.fixture
def many_blas_threads():
    """Let BLAS have many threads, and give it back its own afterwards."""
    (own,) = blas_threads()
    set_blas_threads(MANY)
    yield
    set_blas_threads(own)


def set_blas_threads(number):
    """Set BLAS as a user does who does not go back on it.

    In a thread that ends, for threadpoolctl lets no other thread set OpenBLAS before.
    """
    thread = threading.Thread(target=threadpool_limits, args=(number, "blas"))
    thread.start()
    thread.join()


def blas_threads():
    """Ask each BLAS library for its number of threads."""
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


@pytest.mark.usefixtures("many_blas_threads")
def test_limits_that_overlap_give_blas_back_its_threads():
    """Limits of several threads left the wrong number behind: threadpoolctl #176, #205."""
    first, second = limit_blas(1), limit_blas(2)
    first.__enter__()
    assert blas_threads() == {1}
    second.__enter__()
    assert blas_threads() == {1}
    first.__exit__(None, None, None)
    assert blas_threads() == {2}
    second.__exit__(None, None, None)
    assert blas_threads() == {MANY}


FAST = {"max_iter": 1, "tol": 1, "n_iter_no_change": 1, "backend": "numpy", "random_state": 0}
OVERLAPPING = {
    "train": lambda X, y, _: fastmlp.train(X, y, backend="numpy", **SMALL),
    "fit": lambda X, y, _: MLPClassifier((5,), early_stopping=True, **FAST).fit(X, y),
    "L-BFGS": lambda X, y, _: MLPRegressor(solver="lbfgs", **FAST).fit(X, y),
    "predict": lambda X, y, model: model.predict(X),
}


@pytest.mark.usefixtures("many_blas_threads")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("work", OVERLAPPING)
def test_what_overlaps_in_threads_gives_blas_back_its_threads(work, problem, monkeypatch):
    """Overlapping fits left BLAS at one thread for the rest of the process: threadpoolctl #205."""
    model = fastmlp.train(*problem, backend="numpy", **SMALL).model
    first_is_in, second_is_in, first_is_out = (threading.Event() for _ in range(3))
    forward = batched.forward

    def forward_in_turn(*arguments):
        if threading.current_thread() is first:
            first_is_in.set()
            second_is_in.wait(10)
        else:
            second_is_in.set()
            first_is_out.wait(10)
        return forward(*arguments)

    monkeypatch.setattr(batched, "forward", forward_in_turn)
    first, second = (
        threading.Thread(target=OVERLAPPING[work], args=(*problem, model)) for _ in range(2)
    )
    first.start()
    assert first_is_in.wait(30)
    second.start()
    first.join(30)
    first_is_out.set()
    second.join(30)
    assert blas_threads() == {MANY}


@pytest.mark.usefixtures("many_blas_threads")
def test_an_error_gives_blas_back_its_threads():
    with pytest.raises(KeyboardInterrupt), limit_blas(1):
        raise KeyboardInterrupt
    assert blas_threads() == {MANY}


@pytest.mark.usefixtures("many_blas_threads")
def test_no_limit_gives_blas_more_threads_than_the_user_did():
    """A user's `threadpool_limits(1)` was raised inside it by a library's own number."""
    with threadpool_limits(1, user_api="blas"):
        with limit_blas(2):
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == {MANY}


@pytest.mark.usefixtures("many_blas_threads")
def test_a_number_that_the_user_sets_meanwhile_stays():
    with limit_blas(1):
        set_blas_threads(2)
    assert blas_threads() == {2}


@pytest.mark.usefixtures("many_blas_threads")
def test_libraries_are_looked_for_once(monkeypatch):
    """Listing the libraries took longer than a small `partial_fit`: threadpoolctl #104."""
    with limit_blas(1):
        pass
    monkeypatch.setattr(ThreadpoolController, "__init__", lambda self: pytest.fail("again"))
    with limit_blas(1):
        assert {one.num_threads for one in threads._blas_limits.libraries} == {1}


def test_a_library_that_is_loaded_later_is_limited():
    """NumPy imported inside `threadpool_limits` kept all its threads: threadpoolctl #132."""
    printed = run_script(
        """
        import numpy
        from threadpoolctl import threadpool_info, threadpool_limits
        from fastmlp.threads import limit_blas
        with limit_blas(1):
            pass
        import scipy.linalg
        threadpool_limits(3, user_api="blas")
        with limit_blas(1):
            print({one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"})
        """
    )
    assert printed == "{1}\n"


class ThreadsOwn:
    """A BLAS library that has a number for each thread of Python, as MKL has."""

    filepath = "own.so"

    def __init__(self):
        self.local = threading.local()

    @property
    def num_threads(self):
        return getattr(self.local, "number", MANY)

    def set_num_threads(self, number):
        self.local.number = number


def test_a_number_for_each_thread_is_given_back_to_each(monkeypatch):
    """MKL is limited for the calling thread alone: threadpoolctl #205."""
    library, limits = ThreadsOwn(), threads.BlasLimits()
    limits.libraries = [library]
    monkeypatch.setattr(limits, "_find_libraries", lambda: None)
    seen, other_is_in, leave = [], threading.Event(), threading.Event()

    def hold():
        limits.add("other", 1)
        other_is_in.set()
        leave.wait(10)
        seen.append(library.num_threads)
        limits.lift("other")
        seen.append(library.num_threads)

    other = threading.Thread(target=hold)
    limits.add("this", 1)
    other.start()
    other_is_in.wait(10)
    limits.lift("this")
    assert library.num_threads == MANY
    leave.set()
    other.join(10)
    assert seen == [1, MANY]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_has_no_limits_of_threads_that_it_lacks():
    """A worker process that was forked beside a training stayed at one thread."""
    printed = run_script(
        """
        import os, threading, numpy
        from threadpoolctl import threadpool_info, threadpool_limits
        from fastmlp.threads import limit_blas

        def hold():
            with limit_blas(1):
                entered.set()
                leave.wait()

        user = threading.Thread(target=threadpool_limits, args=(3, "blas"))
        user.start()
        user.join()
        entered, leave = threading.Event(), threading.Event()
        threading.Thread(target=hold).start()
        entered.wait()
        if os.fork() == 0:
            with limit_blas(2):
                print(threadpool_info()[0]["num_threads"], flush=True)
            print(threadpool_info()[0]["num_threads"], flush=True)
            os._exit(0)
        os.wait()
        leave.set()
        """
    )
    assert printed == "2\n3\n"

"""What users of other libraries met with threads, forks, clocks and limits."""

import _thread
import os
import sys
import threading
import time

import numpy as np
import pytest
import scipy.linalg  # noqa: F401  (its BLAS must be there before the limits)

import fastmlp
from fastmlp import MLPClassifier
from fastmlp.backends.compiled import fit, team
from fastmlp.backends.compiled.team import run_together
from fastmlp.kernels.barrier import barrier_size
from fastmlp.threads import n_cores
from tests.complaints.scripts import run_script
from tests.equivalence.test_threads import Always

SMALL = {"hidden_layer_sizes": (150,), "batch_size": 8, "epochs": 3, "random_state": 0}


# Helpers that do not come


class Alike(Always):
    """A pace that asks for all threads every time."""

    def __init__(self, most, unit, longest):
        super().__init__(most, unit, longest)
        self.unit, self.longest = unit, longest


def never(function, arguments):
    """Take the place of `start_new_thread`, and never run the thread."""
    return 0


def refuse(function, arguments):
    """Take the place of `start_new_thread` where no thread can be started."""
    raise RuntimeError("can't start new thread")


@pytest.fixture
def none_idle():
    """End the helpers that others have left: new ones must be started."""
    team.dismiss_idle()


@pytest.mark.parametrize("start", [never, refuse])
@pytest.mark.usefixtures("none_idle")
def test_work_goes_on_without_helpers_that_do_not_come(start, monkeypatch):
    """`can't start new thread` in containers: chroma #1682; hangs beside gevent: gevent #1812."""
    monkeypatch.setattr(_thread, "start_new_thread", start)
    seen = []
    began = time.monotonic()
    assert run_together(4, seen.append) == 1
    assert time.monotonic() - began < 2
    assert [(one.thread, one.n_threads) for one in seen] == [(0, 1)]


@pytest.mark.usefixtures("none_idle")
def test_work_goes_on_with_the_helpers_that_there_are(monkeypatch):
    """A container's limit of threads was reached half-way: chroma #1682."""
    start, free, seen = _thread.start_new_thread, threading.Semaphore(1), []

    def start_one(function, arguments):
        if not free.acquire(timeout=0.2):
            raise RuntimeError("can't start new thread")
        return start(lambda: (function(*arguments), free.release()), ())

    monkeypatch.setattr(_thread, "start_new_thread", start_one)
    assert run_together(4, seen.append) == 2
    assert sorted((one.thread, one.n_threads) for one in seen) == [(0, 2), (1, 2)]
    assert {one.barrier.size for one in seen} == {barrier_size(2)}


@pytest.mark.usefixtures("none_idle")
def test_a_helper_that_comes_too_late_does_nothing(monkeypatch):
    """A thread that was scheduled after all must not work on what the others have finished."""
    late, seen = [], []
    monkeypatch.setattr(team, "PATIENCE", 0.01)
    monkeypatch.setattr(_thread, "start_new_thread", lambda function, _: late.append(function))
    assert run_together(2, seen.append) == 1
    (run,) = late
    run()
    assert len(seen) == 1


@pytest.mark.parametrize("start", [never, refuse])
def test_a_training_without_helpers_gives_the_same_bits(start, monkeypatch, problem):
    """Training asked for threads again and again, a second each, or died: chroma #1682."""
    expected = fastmlp.train(*problem, n_threads=2, **SMALL).history.loss
    asked = []
    team.dismiss_idle()
    monkeypatch.setattr(team, "PATIENCE", 0.01)
    monkeypatch.setattr(fit, "Pace", Alike)
    monkeypatch.setattr(_thread, "start_new_thread", lambda *one: asked.append(one) or start(*one))
    assert fastmlp.train(*problem, n_threads=2, **SMALL).history.loss == expected
    assert len(asked) == 3  # to count what is not 0, to pack it, and to train


@pytest.mark.parametrize("package", ["gevent", "eventlet"])
def test_training_ends_where_threads_are_patched(package, problem):
    """Training after `monkey.patch_all()` never returned, deaf to Ctrl-C: gevent #1812."""
    pytest.importorskip(package)
    patch = {
        "gevent": "from gevent import monkey; monkey.patch_all()",
        "eventlet": "import eventlet; eventlet.monkey_patch()",
    }
    script = f"""
        {patch[package]}
        import numpy as np, fastmlp
        generator = np.random.default_rng(0)
        X = generator.normal(size=(200, 30)) * (generator.random((200, 30)) < 0.2)
        result = fastmlp.train(X.astype(np.float32), np.arange(200) % 4, n_threads=2,
                               **{SMALL | {"epochs": 100}})
        print(result.history.loss[-1])
        """
    expected = fastmlp.train(*problem, **SMALL | {"epochs": 100}).history.loss[-1]
    assert run_script(script) == f"{expected}\n"


def test_work_is_done_at_the_end_of_the_interpreter():
    """A thread started at the end never ran and was waited for: cpython #113964."""
    printed = run_script(
        """
        import builtins, os
        from fastmlp.backends.compiled.team import run_together

        class Last:
            def __del__(self, run=run_together, write=os.write):
                n_threads = run(2, lambda team: write(1, b"worked "))
                write(1, b"on %d" % n_threads)

        builtins.last = Last()
        """
    )
    assert printed in ("worked on 1", "worked worked on 2")


def refused(*arguments):
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="there is no such call here")
@pytest.mark.parametrize("names", [["sched_getaffinity"], ["sched_setaffinity"],
                                   ["sched_getaffinity", "sched_setaffinity"]])  # fmt: skip
def test_the_system_may_refuse_to_bind_threads(names, monkeypatch, problem):
    """Binding a thread is forbidden in a snap: dotnet/runtime #40205."""
    expected = fastmlp.train(*problem, **SMALL).history.loss
    for name in names:
        monkeypatch.setattr(os, name, refused)
    monkeypatch.setattr(team, "current_processor", lambda: 0)
    monkeypatch.setattr(fit, "Pace", Alike)
    assert fastmlp.train(*problem, n_threads=2, **SMALL).history.loss == expected
    if "sched_getaffinity" in names:
        assert n_cores() == os.cpu_count()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="there is no such call here")
def test_numba_is_imported_where_the_system_refuses():
    """`import numba` died where asking for the processors is refused."""
    printed = run_script(
        """
        import os
        def refused(*arguments):
            raise PermissionError(1, "Operation not permitted")
        os.sched_getaffinity = refused
        import fastmlp.backends.compiled, numba
        print(numba.config.NUMBA_DEFAULT_NUM_THREADS == os.cpu_count())
        print(os.sched_getaffinity is refused)
        """
    )
    assert printed == "True\nTrue\n"


def test_a_system_without_affinity_has_its_processors(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert n_cores() == os.cpu_count()


# The end of a script

ALIKE = {"backend": "numpy", "random_state": 0}


@pytest.mark.parametrize("target", [
    "fastmlp.train(dataset='digits', epochs=1, **ALIKE).history.loss",
    "fastmlp.MLPClassifier(max_iter=20, tol=9.0, **ALIKE).fit([[0.0], [1.0]], [0, 1]).loss_",
], ids=["train", "estimator"])  # fmt: skip
def test_a_thread_trains_after_the_script_has_ended(target):
    """`can't register atexit after shutdown` from a late import: Alpaca #914, boto3 #2850."""
    expected = eval(target, {"fastmlp": fastmlp, "ALIKE": ALIKE})
    printed = run_script(
        f"""
        import threading, fastmlp
        ALIKE = {ALIKE}

        def train():
            threading.main_thread().join()
            print({target})

        threading.Thread(target=train).start()
        """
    )
    assert printed == f"{expected}\n"


# Time that stands still


@pytest.fixture(params=["as freezegun does", "all of it"])
def frozen(request, monkeypatch):
    """Stop the time."""
    names = ["time", "monotonic", "perf_counter"]
    for name in names if request.param == "as freezegun does" else [*names, "clock_gettime"]:
        monkeypatch.setattr(time, name, lambda *_: 1.0, raising=False)
    return request.param


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize("backend", ["numba", "numpy", "reference"])
def test_training_needs_no_time_to_pass(backend, problem, capsys):
    """Speeds were computed of a duration of 0: tianshou #26; time stopped by freezegun #277."""
    X, y = (part[:40] for part in problem)
    history = fastmlp.train(X, y, backend=backend, n_threads=2, progress=True, **SMALL).history
    assert len(history.loss) == SMALL["epochs"]
    assert (np.array(history.seconds) > 0).all()
    assert np.isfinite(history.iterations_per_second).all()
    assert "it/s" in capsys.readouterr().err


def test_a_time_budget_runs_out_where_a_test_has_stopped_the_time(problem, monkeypatch):
    """Where freezegun stops `perf_counter`, a budget of time never ran out: freezegun #277."""
    for name in ("time", "monotonic", "perf_counter"):
        monkeypatch.setattr(time, name, lambda: 1.0)
    model = MLPClassifier((3,), backend="numpy", time_budget=0.05, max_iter=20_000, tol=0,
                                  n_iter_no_change=20_000)  # fmt: skip
    assert model.fit(*problem).n_iter_ < 20_000


# Forks


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("busy", ["compiling", "importing"])
def test_a_child_forked_while_a_thread_compiles_says_so(busy, tmp_path):
    """A child hung for ever in a lock that another thread had at the fork: numba #5983."""
    (tmp_path / "slow.py").write_text("entered.set(); leave.wait()")
    hold = {
        "compiling": "with global_compiler_lock: entered.set(); leave.wait()",
        "importing": "fastmlp.backends.get_backend('numba')",
    }
    printed = run_script(
        f"""
        import builtins, os, threading
        import numpy as np
        import fastmlp.backends, fastmlp.training
        builtins.entered, builtins.leave = threading.Event(), threading.Event()
        if {busy!r} == "compiling":
            import fastmlp.backends.compiled
            from numba.core.compiler_lock import global_compiler_lock
        else:
            fastmlp.backends.BACKENDS["numba"] = "slow"

        def hold():
            {hold[busy]}

        threading.Thread(target=hold).start()
        entered.wait()
        if os.fork() == 0:
            for backend in ("numpy", "numba"):
                try:
                    fastmlp.train(np.eye(8), np.arange(8) % 2, batch_size=2, backend=backend)
                    print(backend, "trained", flush=True)
                except RuntimeError as error:
                    print(error, flush=True)
            os._exit(0)
        os.wait()
        leave.set()
        """,
        PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]),
    )
    trained, said = printed.splitlines()
    assert trained == "numpy trained"
    assert "forked while another thread was importing or compiling" in said


# Numbers of threads in the environment


@pytest.mark.parametrize(("omp", "expected"), [
    ("4,3,2", 4), (" 1", 1), ("1,1", 1), ("2 , 8", 2), ("16", 8), ("", 8), ("0", 8), ("-3", 8),
    ("nonsense", 8), ("²", 8), (",2", 8),
])  # fmt: skip
def test_omp_num_threads_is_read_as_openmp_reads_it(omp, expected, monkeypatch):
    """`OMP_NUM_THREADS=4,3,2` was an error or ignored: numexpr #421, #318."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8), raising=False)
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", omp)
    assert n_cores() == expected


@pytest.mark.parametrize(("omp", "numba_", "expected"), [
    ("", "3", 3), ("2", "3", 2), ("3", "2", 2), ("5", "", 5), ("5", "nonsense", 5),
])  # fmt: skip
def test_numba_num_threads_is_heeded(omp, numba_, expected, monkeypatch):
    """NUMBA_NUM_THREADS had no effect: numba #3542."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8), raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", omp)
    monkeypatch.setenv("NUMBA_NUM_THREADS", numba_)
    assert n_cores() == expected

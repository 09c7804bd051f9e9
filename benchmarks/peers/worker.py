"""Each library in a process of its own, with its threads set before it starts."""

import gc
import importlib
import multiprocessing
import os
import statistics
import time
from contextlib import contextmanager
from typing import Any, NamedTuple

from fastmlp.threads import n_cores

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")
"""What BLAS, OpenMP and (the last one) JAX read when they start."""

ONE_THREAD_JAX = "--xla_cpu_multi_thread_eigen=false"

SETTLE_SECONDS = 0.2
"""Pause before a run, in which the threads of the one before stop spinning."""


class Outcome(NamedTuple):
    """What a run gave."""

    seconds: float
    answer: Any
    """A `Fitted`, or the predicted probabilities."""


class WorkerError(Exception):
    """A competitor cannot run; the message says why."""


def environment(module, n_threads):
    """Choose the environment variables of a worker.

    Parameters
    ----------
    module : str
        fastmlp is started as users start it: it sets its threads itself.
    n_threads : int or None

    Returns
    -------
    dict of str to str
    """
    kept = {name: value for name, value in os.environ.items() if name not in THREAD_VARIABLES}
    kept |= {"JAX_PLATFORMS": "cpu", "TORCHINDUCTOR_COMPILE_THREADS": "1"}
    # What it compiled under --isa it would take from its cache without, and corrupt the heap.
    kept |= {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}
    if module == "with_fastmlp":
        return kept
    if n_threads == 1:
        kept["XLA_FLAGS"] = f"{kept.get('XLA_FLAGS', '')} {ONE_THREAD_JAX}".strip()
    return kept | dict.fromkeys(THREAD_VARIABLES, str(n_threads or n_cores()))


@contextmanager
def _environ(variables):
    """Replace the environment of this process, which a new process inherits."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Worker:
    """A process that runs one library.

    Parameters
    ----------
    module : str
        Name of a module of this package that has `prepare`.
    n_threads : int or None
        None is all cores.
    """

    def __init__(self, module, n_threads):
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, module), daemon=False)
        with _environ(environment(module, n_threads)):
            self.process.start()
        theirs.close()

    def ask(self, *request):
        """Send a request and wait for the answer.

        Parameters
        ----------
        *request
            The name of a method of `Server`, and its arguments.

        Raises
        ------
        WorkerError
            If it failed, or the process died.
        """
        try:
            self.connection.send(request)
            failed, answer = self.connection.recv()
        except (EOFError, OSError) as error:
            raise WorkerError(f"its process died: {type(error).__name__}") from None
        if failed:
            raise WorkerError(answer)
        return answer

    def stop(self):
        """End the process."""
        self.connection.close()
        self.process.join(timeout=5)
        if self.process.is_alive():
            self.process.terminate()


class Server:
    """What a worker does.

    Parameters
    ----------
    module : str
    """

    def __init__(self, module):
        self.module = importlib.import_module(f".{module}", __package__)
        self.runs = {}

    def forget(self):
        """Drop all that was prepared."""
        self.runs.clear()
        gc.collect()

    def prepare(self, task, variant, n_threads):
        """Load the data and prepare a run; return the seconds that the preparation took."""
        from .data import load

        data = load(task)
        start = time.perf_counter()
        run = self.module.prepare(task, data, variant, n_threads)
        self.runs[task, variant, n_threads] = run
        return time.perf_counter() - start

    def run(self, task, variant, n_threads):
        """Do what was prepared, and time it."""
        run = self.runs[task, variant, n_threads]
        gc.collect()
        time.sleep(SETTLE_SECONDS)
        seconds = []
        for _ in range(task.calls):
            start = time.perf_counter()
            answer = run()
            seconds.append(time.perf_counter() - start)
        answer = answer() if callable(answer) else answer
        return Outcome(statistics.median(seconds), answer)


def serve(connection, module):
    """Answer requests until the other side hangs up.

    Parameters
    ----------
    connection : multiprocessing.connection.Connection
    module : str
    """
    server = Server(module)
    while True:
        try:
            method, *arguments = connection.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            reply = False, getattr(server, method)(*arguments)
        except ModuleNotFoundError as error:
            reply = True, f"{error.name} is not installed"
        except Exception as error:  # whatever a library raises is a reason to name
            text = " ".join(str(error).split())
            reply = True, f"{type(error).__name__}: {text[:100]}"
        connection.send(reply)

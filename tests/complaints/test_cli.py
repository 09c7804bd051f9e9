"""The command line where it is stopped, cut off or started without what it expects."""

import csv
import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import fastmlp
from fastmlp.cli import interruptions as module
from fastmlp.cli import main
from fastmlp.datasets import mnist
from fastmlp.optimizers import OPTIMIZERS

SHORT = (
    "train", "--dataset", "data.npz", "--backend", "numpy", "--batch-size", "8", "--epochs", "2",
)  # fmt: skip
ENDLESS = (*SHORT[:-1], "10000000", "--progress")
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is full")


@pytest.fixture(autouse=True)
def folder(tiny, tmp_path, monkeypatch):
    """Work in a folder of the test's own, with a data set in it."""
    parts = {"X_train": tiny.X, "y_train": tiny.y, "X_test": tiny.X, "y_test": tiny.y}
    np.savez(tmp_path / "data.npz", **parts)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def start(*arguments, python=(), redirection="", **options):
    """Start the command in a process of its own, whose streams a shell may redirect."""
    command = [sys.executable, *python, "-m", "fastmlp", *arguments]
    if redirection:
        command = ["sh", "-c", f'exec "$@" {redirection}', "sh", *command]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **pipes | options)


def finish(process):
    """Wait for a process and return its exit status and what it printed."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def losses(path):
    """Read the losses of a history."""
    with Path(path).open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def test_without_docstrings_help_still_shows_choices_and_defaults():
    """`python -OO` drops docstrings: 'NoneType' has no attribute 'split' (threadpoolctl #87)."""
    status, out, err = finish(start("train", "--help", python=["-OO"]))
    assert (status, err) == (0, "")
    shown = " ".join(out.split())
    solvers = ", ".join((*OPTIMIZERS, "lbfgs"))
    assert f"--solver TEXT [choices: {solvers}] [default: sgd]" in shown
    assert "--batch-size INTEGER [default: 64]" in shown


def test_without_docstrings_commands_run():
    """As above; containers set PYTHONOPTIMIZE=2 for all they run (bitstring #321)."""
    status, out, err = finish(start(*SHORT, python=["-OO"]))
    assert (status, err) == (0, "")
    assert "test accuracy" in out


CHOICES = {
    "dataset": ["digits28", "digits", "mnist", "a file"],
    "input-scale": ["unit", "symmetric"],
    "activation": ["relu", "leaky_relu", "softplus"],
    "solver": ["sgd", "adam"],
    "learning-rate": ["constant", "invscaling", "cosine", "one_cycle"],
    "init": ["glorot_uniform", "he_normal", "standard_normal"],
    "backend": ["reference", "numpy", "numba"],
    "dtype": ["float32", "float64"],
}


@pytest.mark.parametrize("command", ["train", "compare"])
def test_help_shows_the_choices_of_each_option(command):
    """`--solver TEXT`: what may be given shows only after a wrong guess (softlayer-python #437)."""
    texts = {
        option.opts[0].removeprefix("--"): option.help for option in main.commands[command].params
    }
    for name, choices in CHOICES.items():
        if name in texts:
            assert [choice for choice in choices if choice not in texts[name]] == []


@pytest.mark.parametrize(
    ("redirection", "summarised"), [(">&-", False), ("2>&-", True), ("<&- >&- 2>&-", False)]
)
def test_closed_streams_cost_nothing_but_what_they_would_show(redirection, summarised, folder):
    """Windowed programs have no stdout or stderr: both are None (tqdm #1523, pyinstaller #7731)."""
    path = folder / "run.csv"
    process = start(*SHORT, "--history", str(path), redirection=redirection)
    status, out, err = finish(process)
    assert (status, err) == (0, "")
    assert ("test accuracy" in out) == summarised
    assert len(losses(path)) == 2


class Broken(io.StringIO):
    """A stream behind which nobody listens, or the disk is full, or which is closed."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error


@pytest.mark.parametrize(
    "stderr",
    [
        Broken(BrokenPipeError(32, "Broken pipe")),
        Broken(OSError(28, "No space left on device")),
        Broken(ValueError("I/O operation on closed file")),
        None,
    ],
)
def test_progress_that_cannot_be_printed_does_not_end_the_training(stderr, tiny, monkeypatch):
    """rich leaves the program where a pipe is closed: the training was lost (rich #3233)."""
    monkeypatch.setattr(sys, "stderr", stderr)
    result = fastmlp.train(*tiny, backend="numpy", batch_size=6, epochs=3, progress=True)
    assert len(result.history.loss) == 3


def test_verbose_lines_that_cannot_be_printed_do_not_end_the_fit(tiny, monkeypatch):
    """As above: `python script.py | head` with verbose=True (cpython #90650)."""
    monkeypatch.setattr(sys, "stdout", Broken(BrokenPipeError(32, "Broken pipe")))
    model = fastmlp.MLPClassifier(
        (5,), backend="numpy", max_iter=3, n_iter_no_change=3, verbose=True, early_stopping=True
    )
    with pytest.warns(UserWarning, match="not converged|Maximum iterations"):
        model.fit(np.tile(tiny.X, (3, 1)), np.tile(tiny.y, 3))
    assert model.n_iter_ == 3


@needs_full
def test_progress_onto_a_full_disk_costs_the_progress_alone(folder):
    """`2> log` on a full disk ended the job; the summary comes, and so does a word (nni #2317)."""
    path = folder / "run.csv"
    process = start(*SHORT, "--progress", "--history", str(path), redirection="2>/dev/full")
    status, out, _ = finish(process)
    assert status == 2
    assert "test accuracy" in out
    assert out.endswith("not all of stderr could be written: No space left on device\n")
    assert len(losses(path)) == 2


def test_progress_into_a_closed_pipe_costs_the_progress_alone():
    """As above, with a reader that has gone (cpython #90650)."""
    process = start(*SHORT, "--progress")
    process.stderr.close()
    process.stderr = None
    status, out, _ = finish(process)
    assert status == 2
    assert "test accuracy" in out
    assert "stderr could be written: Broken pipe" in out


@needs_full
@pytest.mark.parametrize("option", ["--history", "--plot"])
def test_a_full_disk_costs_one_file_alone(option, folder):
    """A disk that is full after hours of training took the summary with it (nni #2317)."""
    paths = {"--history": folder / "run.csv", "--plot": folder / "loss.png"}
    paths[option].symlink_to(FULL)
    files = [text for name, path in paths.items() for text in (name, str(path))]
    result = CliRunner().invoke(main, [*SHORT, *files])
    assert result.exit_code == 2
    message = f"{option} {paths[option]} could not be written: No space left on device"
    assert result.stderr == f"fastmlp: {message}\n"
    assert "test accuracy" in result.stdout
    other = paths["--plot" if option == "--history" else "--history"]
    assert other.stat().st_size > 0


def test_a_folder_that_is_gone_after_the_training_costs_its_file_alone(folder, monkeypatch):
    """As above: a scratch folder that a clean-up took away meanwhile."""
    scratch = folder / "scratch"
    scratch.mkdir()
    train = fastmlp.train

    def train_and_tidy(*arguments, **settings):
        result = train(*arguments, **settings)
        scratch.rmdir()
        return result

    monkeypatch.setattr(fastmlp, "train", train_and_tidy)
    result = CliRunner().invoke(main, [*SHORT, "--history", str(scratch / "run.csv")])
    assert result.exit_code == 2
    message = f"{scratch / 'run.csv'} could not be written: there is no folder {str(scratch)!r}"
    assert f"--history {message}" in result.stderr
    assert "test accuracy" in result.stdout


@needs_full
def test_a_summary_that_cannot_be_printed_is_named_and_the_files_come(folder):
    """`> result` on a full disk: 'None: No space left', and status 120 (cpython #90650)."""
    path = folder / "run.csv"
    status, _, err = finish(start(*SHORT, "--history", str(path), redirection=">/dev/full"))
    assert status == 2
    assert err == "fastmlp: the summary could not be written: No space left on device\n"
    assert len(losses(path)) == 2


@needs_full
def test_help_onto_a_full_disk_is_no_traceback():
    """As above."""
    status, _, err = finish(start("--help", redirection=">/dev/full"))
    assert (status, err.count("\n")) == (2, 1)
    assert "could not be printed: No space left on device" in err


@pytest.mark.parametrize("name", ["caf\udce9", "表"])
def test_names_that_the_terminal_cannot_say_do_not_cost_the_summary(name, folder):
    """UnicodeEncodeError: a name in Latin-1 on a UTF-8 disk, or LC_ALL=C (click #2395)."""
    path = (folder / "data.npz").rename(folder / f"{name}.npz")
    result = CliRunner(charset="ascii").invoke(main, [*SHORT, "--dataset", str(path)])
    assert result.exit_code == 0
    escaped = name.encode("ascii", "backslashreplace").decode()
    assert f"data           {escaped}: 20 to train, 20 to test" in result.stdout


def test_a_table_of_any_name_can_be_read(folder):
    """As above, before the training: 'surrogates not allowed' instead of the file's content."""
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = folder / "caf\udce9.parquet"
    with path.open("wb") as file:
        parquet.write_table(arrow.table({"size": np.arange(40.0), "kind": np.arange(40) % 2}), file)
    result = CliRunner().invoke(main, [*SHORT, "--dataset", str(path), "--target", "kind"])
    assert result.exit_code == 0
    assert "data           caf\\udce9: 32 to train, 8 to test" in result.stdout


@pytest.mark.parametrize(("name", "expected"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_to_end_ends_with_what_was_learned(name, expected, folder):
    """`docker stop` sends SIGTERM and the run was lost; only Ctrl-C was heard (unsloth #11044)."""
    path = folder / "run.csv"
    process = start(*ENDLESS, "--history", str(path))
    for _ in range(2):
        process.stderr.readline()
    process.send_signal(getattr(signal, name))
    status, out, err = finish(process)
    assert status == expected
    assert "test accuracy" in out
    assert f"interrupted after {len(losses(path))} epochs" in err.splitlines()[-1]


def test_a_signal_while_results_are_written_waits_for_them(folder):
    """As above, where the training has just ended."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    process = start(*SHORT, "--progress", "--history", str(pipe))
    for _ in range(2):
        process.stderr.readline()
    process.send_signal(signal.SIGTERM)  # nobody reads yet, so it is writing or about to
    assert len(losses(pipe)) == 2
    status, out, _ = finish(process)
    assert status == 143
    assert "test accuracy" in out


def test_a_second_signal_ends_at_once(folder):
    """As above, where a result cannot be written: nobody reads the pipe."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    process = start(*ENDLESS, "--history", str(pipe))
    process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(4 * module.ECHO_SECONDS)
    while process.poll() is None:  # the first may not have got as far as the pipe
        process.send_signal(signal.SIGTERM)
        time.sleep(2 * module.ECHO_SECONDS)
    status, out, _ = finish(process)
    assert (status, out) == (143, "")


@pytest.fixture
def heard(monkeypatch):
    """Yield what hears the signals, for which two at once are as far apart as a test is long."""
    monkeypatch.setattr(module, "ECHO_SECONDS", 3600)
    return module.interruptions


def test_one_signal_sent_twice_is_one(heard):
    """`timeout 60 fastmlp train` sends SIGTERM to the process and then to its group."""
    with heard.listen():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
    assert heard.status == 143


def test_what_is_ignored_stays_ignored_and_handlers_are_restored(heard):
    """`nohup fastmlp train` ignores SIGHUP; a program that calls a command has its own handlers."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    others = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with heard.listen():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGTERM) not in others.values()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert {number: signal.getsignal(number) for number in others} == others


def test_a_command_in_another_thread_hears_nothing(heard):
    """signal only works in main thread of the main interpreter: services call it from theirs."""
    results = []
    thread = threading.Thread(target=lambda: results.append(CliRunner().invoke(main, SHORT)))
    thread.start()
    thread.join()
    assert results[0].exit_code == 0


SLOW_IMPORT = """
import sys
import time
print("early:", "concurrent.futures.process" in sys.modules, flush=True)
try:
    time.sleep(60)
except BaseException as error:
    raise ImportError("cannot be imported") from error
"""


def test_ctrl_c_while_modules_are_imported_is_no_traceback(folder):
    """Ctrl-C in the first tenth of a second: a page of importlib's frames (trinity #1335)."""
    (folder / "click.py").write_text(SLOW_IMPORT)
    paths = os.pathsep.join([str(folder), str(Path(fastmlp.__file__).parents[1])])
    process = start("--help", env=os.environ | {"PYTHONPATH": paths})
    assert process.stdout.readline() == "early: False\n"  # it takes long, and would come first
    process.send_signal(signal.SIGINT)
    assert finish(process) == (130, "", "")


def test_the_article_without_a_network_says_in_one_line_what_works(folder, monkeypatch):
    """A page of 'Max retries exceeded with url' and no way on (danijar/sets #22)."""
    nowhere = ("http://127.0.0.1:9/a/", "http://127.0.0.1:9/b/")  # nobody listens to this port
    monkeypatch.setattr(mnist, "MIRRORS", nowhere)
    for name in ("FASTMLP_CACHE_DIR", "FASTMLP_DATA_DIR", "HOME", "KERAS_HOME"):
        monkeypatch.setenv(name, str(folder))
    result = CliRunner().invoke(main, ["train", "--article"])
    assert result.exit_code == 2
    assert result.stderr == (
        "fastmlp: MNIST could not be downloaded: no mirror answers. Without a network, choose the "
        f"data set digits28 or digits, or put MNIST's files into {folder / 'mnist'}.\n"
    )

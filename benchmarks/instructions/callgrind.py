"""Count under valgrind: what it needs, how it is called, and what it writes."""

import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from .counted import LEFT_OUT

ROOT = Path(__file__).resolve().parents[2]
TABLE = "benchmarks.instructions.table.workloads"

PINNED = {
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+popcnt,+sse4.2",
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}
"""What is counted depends on them."""

VALGRIND = (
    "valgrind", "--tool=callgrind", "--instr-atstart=no", "--compress-strings=no",
    "--compress-pos=no",
)  # fmt: skip

NO_FILE = "???"
"""What callgrind calls the file of code that was compiled while the process ran."""


class CannotCount(click.ClickException):
    """Something that counting needs is not there; the command ends with one line and status 2."""

    exit_code = 2


def require_machine():
    """Raise `CannotCount` where this machine cannot count."""
    machine = f"{platform.system()} {platform.machine()}"
    if machine != "Linux x86_64":
        raise CannotCount(f"the machine must be Linux x86_64; got {machine}. Count on another.")
    if not {"avx2", "fma"} <= set(Path("/proc/cpuinfo").read_text().split()):
        raise CannotCount("the processor must have AVX2 and FMA; it has not. Count on another.")
    for tool, package in (("valgrind", "valgrind"), ("cc", "gcc")):
        if shutil.which(tool) is None:
            raise CannotCount(f"{tool} must be on the PATH; it is not. Install {package}.")


def compile_requests(folder):
    """Compile `requests.c`.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Path
    """
    library = folder / "requests.so"
    source = Path(__file__).with_name("requests.c")
    result = _run(["cc", "-shared", "-fPIC", "-o", library, source])
    if result.returncode != 0:
        reason = result.stderr.strip().partition("\n")[0]
        raise CannotCount(
            f"cc must find <valgrind/callgrind.h>; got {reason!r}. Install valgrind's headers, "
            "which Debian has in its package valgrind."
        )
    return library


def count(folder=ROOT, table=TABLE, may_lack=False):
    """Count the instructions of the workloads of a table.

    Parameters
    ----------
    folder : Path
        The one that has the `fastmlp` to count.
    table : str
        Name of the module with the `WORKLOADS`.
    may_lack : bool
        Leave out what this fastmlp cannot run, as an older one may not.

    Returns
    -------
    dict of str to int
    """
    require_machine()
    with TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        library = compile_requests(scratch)
        python = [sys.executable, "-m", "benchmarks.instructions.counted", folder, library, table]
        valgrind = [*VALGRIND, f"--callgrind-out-file={scratch}/dump", f"--log-file={scratch}/log"]
        for command in (python, [*valgrind, *python]):  # compile, then load there
            result = _run(command, cwd=scratch, env=environment(folder, scratch / "cache"))
            left_out = result.returncode == LEFT_OUT and may_lack
            if result.returncode != 0 and not left_out:
                reason = (result.stderr.strip() or "no message").splitlines()[-1]
                raise CannotCount(f"{folder}: the workloads must run; got {reason}.")
        click.echo(result.stderr, err=True, nl=False)
        dumps = sorted(scratch.glob("dump.*"), key=lambda path: int(path.suffix[1:]))
        return dict(read_dump(path.read_text()) for path in dumps)


def environment(folder, cache):
    """Build the environment of what is counted.

    Parameters
    ----------
    folder : Path
        Where fastmlp is found first.
    cache : Path
        Where the compiled kernels are kept: none that were compiled elsewhere are counted, for the
        order in which a process compiles, and its hash seed, move the counts by a percent.

    Returns
    -------
    dict of str to str
    """
    switches = ("NUMBA_", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(switches)}
    path = [str(folder), str(ROOT), os.environ.get("PYTHONPATH", "")]
    own = {"PYTHONPATH": os.pathsep.join(filter(None, path)), "FASTMLP_CACHE_DIR": str(cache)}
    return kept | PINNED | own


def read_dump(text):
    """Add up the instructions that lie in no file.

    Parameters
    ----------
    text : str
        What callgrind writes: for each function the file that has it, and for each line of it the
        number of instructions. The line after ``calls=`` counts what the called function executes,
        which stands with that function, too.

    Returns
    -------
    name : str
        The workload's.
    instructions : int
    """
    name, place, called = "", "", False
    counts = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if line[:1].isdigit():
            if not called:
                counts[place] = counts.get(place, 0) + int(line.split()[1])
            called = False
        elif key == "ob" and equals:
            place = value
        elif key == "calls" and equals:
            called = True
        elif line.startswith("desc: Trigger: Client Request: "):
            name = line.split(": ", 3)[3]
    stated = [line.split()[1] for line in text.splitlines() if line.startswith("totals:")]
    if stated != [str(sum(counts.values()))]:
        raise CannotCount(
            f"callgrind's lines must add up to its total; got {sum(counts.values())} and {stated}. "
            "Does this valgrind write another format?"
        )
    return name, counts.get(NO_FILE, 0)


def extract(revision, folder):
    """Write the library as it is at another commit into a folder.

    Parameters
    ----------
    revision : str
        As git understands it.
    folder : Path
    """
    try:
        command = ["git", "-C", ROOT, "archive", revision, "fastmlp"]
        result = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        raise CannotCount("git must be on the PATH; it is not. Install git.") from None
    if result.returncode != 0:
        reason = result.stderr.decode().strip().partition("\n")[0]
        raise CannotCount(
            f"the revision must be one of this repository with fastmlp in it; got {revision!r} "
            f"({reason}). Name a commit, or fetch it."
        )
    with tarfile.open(fileobj=io.BytesIO(result.stdout)) as archive:
        archive.extractall(folder, filter="data")


def valgrind_version():
    """Ask valgrind for its version."""
    return _run(["valgrind", "--version"]).stdout.strip().removeprefix("valgrind-")


def _run(command, **arguments):
    """Run a command and keep what it prints."""
    return subprocess.run(command, capture_output=True, text=True, check=False, **arguments)

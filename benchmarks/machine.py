"""The machine that measures: what it is, and how fast it multiplies matrices.

``python -m benchmarks.machine`` tells asv, which keeps it beside the results.
"""

import os
import platform
import time
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click
import numpy as np

import fastmlp

PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "scikit-learn", "torch", "jax")
PREFIXES = ("OPENBLAS_", "OMP_", "MKL_", "NUMBA_", "GOTO_")
"""Environment variables that begin so change speed, and are told."""

FEATURES = (
    "sse4.2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512vl", "avx512bf16", "amx-tile",
    "neon", "dotprod", "sve", "sve2",
)  # fmt: skip
"""Of a processor, by LLVM's names: those that change how fast numbers are computed."""

CLOCK_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
UNKNOWN = "not known"


def describe():
    """Describe the machine and what is installed.

    Returns
    -------
    dict of str to (str, int or dict of str to str)
    """
    from fastmlp.threads import n_cores

    return {
        "date": date.today().isoformat(),
        "processor": _processor(),
        "cpu_features": _cpu_features(),
        "cores": n_cores(),
        "clock_source": _clock_source(),
        "load": _load(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {"fastmlp": fastmlp.__version__} | {name: _version(name) for name in PACKAGES},
        "blas": _blas(),
        "variables": {k: v for k, v in sorted(os.environ.items()) if k.startswith(PREFIXES)},
    }


def _processor():
    """Find the processor's name, which virtual machines cut short, and what LLVM calls its kind."""
    from llvmlite.binding import get_host_cpu_name

    return f"{_model_name()} ({get_host_cpu_name()})"


def _model_name():
    """Find the processor's name; only Linux keeps it in a file."""
    path = Path("/proc/cpuinfo")
    for line in path.read_text().splitlines() if path.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _load():
    """Tell how many processes were running in the last minute: others disturb."""
    return f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else UNKNOWN


def _cpu_features():
    """List what the processor can do, as the compiler of the kernels finds it."""
    from llvmlite.binding import get_host_cpu_features

    found = get_host_cpu_features()
    return " ".join(name for name in FEATURES if found.get(name))


def _clock_source():
    """Find the clock that the kernel tells time by; only Linux says."""
    return CLOCK_SOURCE.read_text().strip() if CLOCK_SOURCE.exists() else UNKNOWN


def _version(package):
    """Find the version of a package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _blas():
    """List the BLAS libraries of NumPy and SciPy, with the kernels they chose."""
    import scipy.linalg  # noqa: F401  (only libraries that are loaded are listed)
    from threadpoolctl import threadpool_info

    return {
        Path(library["filepath"]).name: " ".join(
            [
                library["internal_api"],
                str(library["version"]),
                library.get("architecture", ""),
                f"{library['num_threads']} threads",
            ]
        )
        for library in threadpool_info()
        if library["user_api"] == "blas"
    }


def sgemm_peak(n_threads, size=2048, calls=10):
    """Measure how fast NumPy multiplies float32 matrices.

    Parameters
    ----------
    n_threads : int
    size : int
        Rows and columns of both.
    calls : int
        The fastest counts.

    Returns
    -------
    float
        Floating-point operations a second.
    """
    from threadpoolctl import threadpool_limits

    A, B = np.random.default_rng(0).random((2, size, size), dtype=np.float32)
    product = np.empty_like(A)
    seconds = []
    with threadpool_limits(n_threads, user_api="blas"):
        for _ in range(calls):
            start = time.perf_counter()
            np.matmul(A, B, out=product)
            seconds.append(time.perf_counter() - start)
    return 2.0 * size**3 / min(seconds)


def facts_for_asv():
    """Choose what asv is to keep beside the results: all that stays as it is from run to run.

    Returns
    -------
    dict of str to str
        Texts, because asv's site offers each as a choice where two results differ in it.
    """
    machine = describe()
    blas = sorted(set(machine["blas"].values()))
    return {
        "cpu_features": machine["cpu_features"],
        "blas": "; ".join(blas),
        "cores": str(machine["cores"]),
        "clock_source": machine["clock_source"],
    }


def register(name=None):
    """Write the facts into asv's file of machines, with asv's own where it has none.

    Parameters
    ----------
    name : str, optional
        What results are filed under; left out, the host's name.

    Returns
    -------
    dict of str to str
        All that asv knows of the machine now.
    """
    from asv.machine import Machine, MachineCollection
    from asv.util import UserError

    name = name or Machine.get_unique_machine_name()
    try:
        known = MachineCollection.load(name)
    except UserError:
        known = Machine.get_defaults() | {"machine": name}
    machine = known | facts_for_asv()
    MachineCollection.save(machine["machine"], machine)
    return machine


@click.command()
@click.option("--name", help="What `asv run --machine` is told; by default the host's name")
def main(name):
    """Tell asv what this machine is: processor, its features, BLAS, cores, clock source."""
    try:
        machine = register(name)
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f'asv must be installed; {error}. Run: pip install -e ".[bench]"'
        ) from None
    for key, value in machine.items():
        if key != "version":
            click.echo(f"{key:14s} {value}")
    click.echo(f"Run the benchmarks with: asv run --machine {machine['machine']}")


if __name__ == "__main__":
    main()

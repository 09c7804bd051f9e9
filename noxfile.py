"""The steps of `.ci/run`, one by one, in the environment that nox is called from: ``nox -s lint``.

``nox --list`` names them. They need ``pip install -e ".[dev]"``; some need valgrind, npm or a
Chromium, too, and say so.
"""

import os
import tempfile
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "contracts", "tests"]

AVX2 = {
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+popcnt,+sse4.2",
}
ARTIFACTS = Path(os.environ.get("FASTMLP_ARTIFACTS", ".asv/artifacts"))
"""Where what is measured is left."""


@nox.session
def lint(session):
    """Style and format."""
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session):
    """Types."""
    session.run("mypy")


@nox.session
def contracts(session):
    """Who may import whom."""
    session.run("lint-imports")


@nox.session
def tests(session):
    """All tests but the gate; arguments after -- are pytest's."""
    session.run("pytest", *session.posargs)


@nox.session
def plain(session):
    """The proof suite without compiling."""
    folders = ("tests/equivalence", "tests/independent", "tests/kernels")
    session.run("pytest", "-q", *folders, env={"NUMBA_DISABLE_JIT": "1"})


@nox.session
def avx2(session):
    """The proof suite as compiled for a processor with AVX2 alone."""
    # How calls are cut and put together is no matter of registers: once is enough.
    others = [
        f"--ignore=tests/equivalence/test_{name}.py" for name in ("two_calls", "several_epochs")
    ]
    session.run("pytest", "-q", "tests/equivalence", "tests/kernels", *others, env=AVX2)


@nox.session
def gate(session):
    """The gate against lost speed: ratios within one run."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    report = str(ARTIFACTS / "benchmark.json")
    session.run("pytest", "-q", "-n", "0", "tests/performance", "--benchmark-enable",
                "--benchmark-json", report)  # fmt: skip


@nox.session
def race(session):
    """A few quick rows of the race with the libraries that are installed."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    rows = ("--only=batch64", "--only=predict_one", "--only=threads_narrow")
    session.run("python", "-m", "benchmarks.peers", "--quick", "--dataset", "digits28", *rows,
                "--json", str(ARTIFACTS / "peers.json"),
                "--plot", str(ARTIFACTS / "peers.png"))  # fmt: skip


@nox.session
def asv(session):
    """One round of every asv benchmark, in an environment of its own."""
    session.run("python", "-m", "benchmarks.machine")
    session.run("asv", "check", "--environment", "existing")
    session.run("asv", "run", "--quick", "--show-stderr", "HEAD^!",
                env={"FASTMLP_BENCHMARK_GRID": "smoke"})  # fmt: skip


@nox.session
def counts(session):
    """Instructions of the compiled kernels, by valgrind."""
    session.run("python", "-m", "benchmarks.instructions", "--check")


@nox.session
def history(session):
    """The page that asv publishes, in a browser that reaches nothing else."""
    files = [f"tests/benchmarks/test_{name}.py" for name in ("site", "machine")]
    told = session.run("pytest", "-q", "-n", "0", "-rs", *files, silent=True)
    session.log(told)
    if "SKIPPED" in told:
        session.error("nothing of this may be skipped here")


@nox.session
def docs(session):
    """The documentation: built, its code run, and looked at in a browser."""
    with tempfile.TemporaryDirectory() as folder:
        site = f"{folder}/site"
        session.run(
            "sphinx-build", "-W", "--keep-going", "-q", "-d", f"{folder}/doctrees", "docs", site
        )
        session.run(
            "pytest",
            "-q",
            "-n",
            "2",
            "--dist",
            "worksteal",
            "-rs",
            "tests/docs",
            env={"FASTMLP_SITE": site},
        )

"""`fastmlp info`."""

import platform
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import click

import fastmlp
from fastmlp._cache import cache_dir
from fastmlp.cli.failures import one_line
from fastmlp.cli.streams import say
from fastmlp.cli.train import scaled
from fastmlp.inputs import input_scale_pair
from fastmlp.saving.file import read

PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "scikit-learn", "threadpoolctl")


@click.command()
@click.argument("model", type=click.Path(path_type=Path), required=False)
@one_line
def info(model: Path | None) -> None:
    """Print versions, processor, BLAS libraries, cache folder and compiled kernels.

    Or, given a MODEL that was saved, what it is.
    """
    if model is not None:
        _print(dict(_model(model)))
        return
    _print({"versions": _versions(), "processor": _processor(), "BLAS": _blas(), "cache": _cache()})


def _print(parts: Mapping[str, Iterable[str]]) -> None:
    """Print lines under headings, which stand before the first of each."""
    for heading, lines in parts.items():
        for number, line in enumerate(lines):
            say(f"{heading if number == 0 else '':<11}{line}")


def _model(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Describe a saved model."""
    model = fastmlp.load(path)
    content = read(path)
    sizes = (model.n_features_in_, *map(len, content.intercepts))
    yield "model", [f"{type(model).__name__}, {content.coefs[0].dtype.name}"]
    yield "network", ["-".join(map(str, sizes))]
    yield "units", [", ".join((*content.activations, content.output))]
    names = getattr(model, "feature_names_in_", None)
    yield "features", ["without names"] if names is None else [", ".join(names)]
    if hasattr(model, "classes_"):
        yield "classes", [", ".join(map(str, model.classes_))]
    yield "input", [scaled(input_scale_pair(model.input_scale))]


def _versions() -> Iterator[str]:
    yield f"python {platform.python_version()} on {platform.platform()}"
    yield f"fastmlp {fastmlp.__version__}"
    for package in PACKAGES:
        yield f"{package} {version(package)}"


def _processor() -> Iterator[str]:
    import llvmlite.binding as llvm
    import numpy as np

    from fastmlp.threads import n_cores

    yield f"{_processor_name()}, known to LLVM as {llvm.get_host_cpu_name()}"
    yield f"{n_cores()} cores for this process"
    found = np.show_config(mode="dicts")["SIMD Extensions"]
    yield "vector instructions: " + " ".join(found.get("found", []) or found["baseline"])


def _processor_name() -> str:
    """Find the processor's name; only Linux keeps it in a file."""
    path = Path("/proc/cpuinfo")
    for line in path.read_text().splitlines() if path.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _blas() -> Iterator[str]:
    import numpy  # noqa: F401  (only libraries that are loaded are listed)
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_info

    for library in threadpool_info():
        if library["user_api"] == "blas":
            kind = f"{library['internal_api']} {library['version']}"
            yield f"{kind}, {library['num_threads']} threads, {Path(library['filepath']).name}"


def _cache() -> Iterator[str]:
    yield f"{cache_dir()} (FASTMLP_CACHE_DIR chooses another)"
    from fastmlp.kernels import jit

    if jit.disabled():
        yield "kernels are not compiled: NUMBA_DISABLE_JIT is set"
        return
    from fastmlp.kernels import predict, samples, steps

    for kernel in (steps.run_steps, samples.run_samples, predict.predict_rows):
        files = kernel._cache.files()
        size = sum(path.stat().st_size for path in files) / 1e6
        yield f"kernel {kernel.__name__}: {len(files)} compiled versions, {size:.1f} MB"

"""What a user waits for before anything is trained: imports, first fits, compiling.

``python -m benchmarks.first_call`` starts a new Python for every line of its table. Each imports a
library, or imports it and fits 784-100-10 to 512 samples for one epoch. fastmlp fits where nothing
has been compiled before, and where it has.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from .machine import describe

DATA = """
import numpy as np
generator = np.random.default_rng(0)
X = generator.random((512, 784), dtype=np.float32) * (generator.random((512, 784)) < 0.2)
y = np.arange(512) % 10
"""
TORCH_FIT = """
import torch
from torch import nn
network = nn.Sequential(nn.Linear(784, 100), nn.Sigmoid(), nn.Linear(100, 10))
optimiser = torch.optim.SGD(network.parameters(), 0.1)
inputs, classes = torch.from_numpy(X), torch.from_numpy(y)
for chosen in torch.randperm(512).split(64):
    optimiser.zero_grad()
    nn.functional.cross_entropy(network(inputs[chosen]), classes[chosen]).backward()
    optimiser.step()
"""
JAX_FIT = """
import jax, jax.numpy as jnp
def loss(parameters, X, y):
    W1, b1, W2, b2 = parameters
    logits = jax.nn.sigmoid(X @ W1 + b1) @ W2 + b2
    return -jax.nn.log_softmax(logits)[jnp.arange(64), y].mean()
@jax.jit
def step(parameters, X, y):
    gradients = jax.grad(loss)(parameters, X, y)
    return [value - 0.1 * by for value, by in zip(parameters, gradients)]
shapes = (784, 100), (100,), (100, 10), (10,)
parameters = [0.1 * generator.standard_normal(shape, np.float32) for shape in shapes]
for first in range(0, 512, 64):
    parameters = step(parameters, X[first:first + 64], y[first:first + 64])
jax.block_until_ready(parameters)
"""
SKLEARN_FIT = """
import warnings
from sklearn.neural_network import MLPClassifier
warnings.simplefilter("ignore")
MLPClassifier((100,), activation="logistic", solver="sgd", batch_size=64, max_iter=1).fit(X, y)
"""
FASTMLP_FIT = """
import fastmlp
fastmlp.train(X, y, batch_size=64, epochs=1)
"""

CODES = {
    "NumPy": ("import numpy", None),
    "fastmlp": ("import fastmlp, numpy", FASTMLP_FIT),
    "scikit-learn": ("import sklearn.neural_network", SKLEARN_FIT),
    "PyTorch": ("import torch", TORCH_FIT),
    "JAX": ("import jax", JAX_FIT),
}
"""What each library's import and first fit are; NumPy has no fit, but all others import it."""


def seconds_of(code, cache):
    """Time a new Python that runs some code; None where it fails, as without the library.

    Parameters
    ----------
    code : str
    cache : str
        The folder for compiled kernels.

    Returns
    -------
    float or None
    """
    # Byte code is written, as it is where users install a library.
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    variables |= {"FASTMLP_CACHE_DIR": cache, "JAX_PLATFORMS": "cpu"}
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True)
    return None if done.returncode else time.perf_counter() - start


def least_seconds(code, cache, repeats):
    """Time some code several times, after once for byte code; see `seconds_of`."""
    if seconds_of(code, cache) is None:
        return None
    return min(seconds_of(code, cache) for _ in range(repeats))


def measure(repeats=5):
    """Measure all lines.

    Parameters
    ----------
    repeats : int
        The shortest counts; compiling is done once.

    Returns
    -------
    dict
        The rows, and what compiling took and left.
    """
    with tempfile.TemporaryDirectory() as cache:
        cold = seconds_of(DATA + FASTMLP_FIT, cache)
        files = [path for path in Path(cache).rglob("*") if path.is_file()]
        cold_facts = {
            "cold_seconds": cold,
            "cache_files": len(files),
            "cache_bytes": sum(path.stat().st_size for path in files),
        }
        rows = [
            {
                "library": library,
                "import_seconds": least_seconds(importing, cache, repeats),
                "first_fit_seconds": fit and least_seconds(DATA + fit, cache, repeats),
            }
            for library, (importing, fit) in CODES.items()
        ]
    return {"fastmlp": cold_facts, "rows": rows}


def table(result):
    """Write the rows as a Markdown table.

    Parameters
    ----------
    result : dict
        As `measure` returns it.
    """

    def cell(seconds):
        return "" if seconds is None else f"{seconds:.2f} s"

    lines = ["| library | import | import and first fit |", "|---|---:|---:|"]
    for row in result["rows"]:
        seconds = cell(row["import_seconds"]), cell(row["first_fit_seconds"])
        lines.append(f"| {row['library']} | {seconds[0]} | {seconds[1]} |")
        if row["library"] == "fastmlp":
            cold = cell(result["fastmlp"]["cold_seconds"])
            lines.append(f"| fastmlp, nothing compiled before | | {cold} |")
    return "\n".join(lines)


@click.command()
@click.option("--repeats", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--json", "path", type=click.Path(path_type=Path, dir_okay=False),
              help="Write all numbers into this file")  # fmt: skip
def main(repeats, path):
    """Time imports and first fits, each in a new Python."""
    machine = describe()
    result = {"machine": machine, "date": machine["date"], **measure(repeats)}
    click.echo(table(result))
    files, size = result["fastmlp"]["cache_files"], result["fastmlp"]["cache_bytes"]
    click.echo(f"\nThe first fit left {files} compiled files of together {size / 1e6:.1f} MB.")
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""What is trained: the axes of the grid, the sample of it that is run, and the cells' labels."""

import itertools
import os
import random
from typing import NamedTuple

BACKENDS = ("numba", "numpy", "reference")

AXES = {
    "batch_size": (1, 64, 256, 1024),
    "width": (32, 100, 512),
    "depth": (1, 2, 3),
    "solver": ("sgd", "momentum", "adam"),
    "dtype": ("float32", "float64"),
    "form": ("dense", "uint8", "CSR"),
    "n_threads": (1, "best"),
}
"""The levels of each axis; best is as many threads as the backend finds to pay."""

SAMPLE_SIZE = 12
"""The least number that holds every level of every axis equally often."""

SEED = 500
"""Of the first 10,000, one whose sample holds as many pairs of levels as any: 160 of 170."""

VARIABLE = "FASTMLP_BENCHMARK_GRID"
"""Environment variable that names one of `GRIDS`."""

PARAM_NAME = "backend-batch_size-width x depth-solver-dtype-form-n_threads"


class Shape(NamedTuple):
    """One level of each axis: what all backends that can are timed on."""

    batch_size: int
    width: int
    depth: int
    solver: str
    dtype: str
    form: str
    n_threads: int | str

    @property
    def label(self):
        """Write the levels as the last parts of a cell's label."""
        return (
            f"{self.batch_size}-{self.width}x{self.depth}-{self.solver}-{self.dtype}-"
            f"{self.form}-{self.n_threads}"
        )


class Cell(NamedTuple):
    """A backend on a shape."""

    backend: str
    shape: Shape

    @property
    def label(self):
        """Write what `parse` reads."""
        return f"{self.backend}-{self.shape.label}"


def parse(label):
    """Read a cell's label.

    Parameters
    ----------
    label : str
        As `Cell.label` writes it.

    Returns
    -------
    Cell
    """
    backend, batch_size, sizes, solver, dtype, form, n_threads = label.split("-")
    width, depth = map(int, sizes.split("x"))
    threads = n_threads if n_threads == "best" else int(n_threads)
    return Cell(backend, Shape(int(batch_size), width, depth, solver, dtype, form, threads))


ARTICLE = [
    Shape(batch_size, 100, 1, "sgd", "float32", "uint8", n_threads)
    for batch_size in (1, 64)
    for n_threads in AXES["n_threads"]
]
"""784-100-10 as the article has it, and in batches."""

LARGE = [Shape(1024, 512, 2, "sgd", "float32", "uint8", n) for n in AXES["n_threads"]]
"""A net whose products are large, where every backend's threads pay."""

WIDE = [Shape(64, 100, 1, solver, "float32", "wide", 1) for solver in ("sgd", "adam")]
"""10,000 features of which a row has 40, so that most weights are in few batches."""


def sample():
    """Draw a balanced sample: every level of every axis equally often, in an order of its own.

    An axis is shuffled by its name, so that another level of one leaves the others as they are.

    Returns
    -------
    list of Shape
    """
    columns = []
    for name, levels in AXES.items():
        column = list(itertools.islice(itertools.cycle(levels), SAMPLE_SIZE))
        random.Random(f"{name} {SEED}").shuffle(column)  # NumPy's streams may change, not this one
        columns.append(column)
    return [Shape(*levels) for levels in zip(*columns, strict=True)]


def full():
    """List every combination of levels.

    Returns
    -------
    list of Shape
    """
    return [Shape(*levels) for levels in itertools.product(*AXES.values())]


FIXED = ARTICLE + LARGE + WIDE

GRIDS = {
    "smoke": lambda: ARTICLE,
    "fixed": lambda: FIXED,
    "sample": lambda: FIXED + sample(),
    "full": lambda: FIXED + full(),
}


def cells(grid):
    """List the cells of a grid, with those beside each other that are alike.

    Parameters
    ----------
    grid : {"smoke", "fixed", "sample", "full"}

    Returns
    -------
    list of Cell
        Each shape once for each backend; the reference, which knows no threads, on 1 only.
    """
    shapes = sorted(set(GRIDS[grid]()), key=_position)
    return [
        Cell(backend, shape)
        for shape in shapes
        for backend in BACKENDS
        if backend != "reference" or shape.n_threads == 1
    ]


def _position(shape):
    """Order shapes by their levels, and what is not a level last."""
    return [
        levels.index(level) if level in levels else len(levels)
        for levels, level in zip(AXES.values(), shape, strict=True)
    ]


def chosen_labels():
    """List the labels of the grid that the environment variable names, else of the sample.

    Returns
    -------
    list of str

    Raises
    ------
    SystemExit
        If there is no such grid; asv then shows this line alone.
    """
    grid = os.environ.get(VARIABLE, "sample")
    if grid not in GRIDS:
        known = ", ".join(map(repr, GRIDS))
        raise SystemExit(f"{VARIABLE} must be one of {known}; got {grid!r}. Unset it for a sample.")
    return [cell.label for cell in cells(grid)]

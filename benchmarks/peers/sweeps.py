"""The sweeps: one thing of a task varied, and what it costs everybody."""

from dataclasses import dataclass, replace

from .competitors import FASTMLP, JAX, NUMPY, SKLEARN, TORCH_EAGER, Competitor
from .rows import ADAM, ROUNDING_GROWS, Row
from .tasks import Task

MOST_REPEATS = 2
"""Runs of a point: its neighbours tell more than a third one would."""


@dataclass(frozen=True)
class Sweep:
    """Rows that differ in one thing.

    Parameters
    ----------
    name : str
        What ``--only`` takes.
    title : str
    axis : str
        What is varied, with its unit.
    points : dict of (int or float) to Row
        By the value of what is varied.
    measure : {"cost", "loss"}
        What is drawn: the time a sample against the value, or the loss against the time.
    """

    name: str
    title: str
    axis: str
    points: dict[float, Row]
    measure: str = "cost"


def _sweep(name, title, axis, tasks, competitors, measure="cost", tolerance=1e-2):
    """Make a row of each task, with the same competitors or with those of its value."""
    of_value = competitors if callable(competitors) else lambda value: competitors
    points = {
        value: Row(f"{name}={value:g}", title, task, of_value(value), tolerance=tolerance)
        for value, task in tasks.items()
    }
    return Sweep(name, title, axis, points, measure)


def _vary(task, field, values, shape=lambda value: value):
    """Make a task of each value of one of its fields."""
    return {value: replace(task, **{field: shape(value)}) for value in values}


def _on_threads(*libraries):
    """Let libraries run on as many threads as the value says."""

    def competitors(n_threads):
        return tuple(
            Competitor(group, module, variant, n_threads) for group, module, variant in libraries
        )

    return competitors


def sweeps(n_cores):
    """List the sweeps.

    Parameters
    ----------
    n_cores : int
        The last number of threads of the sweeps over threads.

    Returns
    -------
    tuple of Sweep
    """
    return (*LOSSES, *COSTS, *_over_threads(range(1, n_cores + 1)))


EVERYBODY = FASTMLP + NUMPY + SKLEARN + TORCH_EAGER + JAX
"""PyTorch is eager here: compiling each shape takes longer than what is measured. The rows of the
table have both."""
WITH_ADAM = FASTMLP + SKLEARN + TORCH_EAGER
DEEP = FASTMLP + SKLEARN + TORCH_EAGER + JAX
"""The loop in NumPy has one hidden layer."""

LOGISTIC = Task(n_samples=10_000, epochs=1, learning_rate_init=0.01)
RELU = replace(LOGISTIC, activation="relu")
EPOCHS = (1, 2, 3, 5, 8, 13, 20)

LOSSES = (
    _sweep(
        "loss_sgd", "784-100-10 logistic, SGD, batch 64, MNIST", "epochs",
        _vary(Task(), "epochs", EPOCHS), EVERYBODY, "loss", 1e-3,
    ),
    _sweep(
        "loss_adam", "784-256-10 ReLU, Adam, batch 128, MNIST", "epochs",
        _vary(ADAM, "epochs", EPOCHS[:5]), WITH_ADAM, "loss", ROUNDING_GROWS,
    ),
)  # fmt: skip

COSTS = (
    _sweep(
        "batch_size", "784-100-10 logistic, SGD", "batch size",
        _vary(LOGISTIC, "batch_size", (1, 4, 16, 64, 256, 1024, 4096)), EVERYBODY,
    ),
    _sweep(
        "width", "784-width-10 logistic, SGD, batch 64", "hidden units",
        _vary(LOGISTIC, "hidden_layer_sizes", (16, 64, 256, 1024, 4096), lambda width: (width,)),
        EVERYBODY,
    ),
    _sweep(
        "depth", "784-100-...-10 ReLU, SGD, batch 64", "hidden layers of 100 units",
        _vary(RELU, "hidden_layer_sizes", (1, 2, 3, 5, 8), lambda depth: (100,) * depth), DEEP,
    ),
    _sweep(
        "n_samples", "784-100-10 logistic, SGD, batch 64, 5 epochs", "training samples",
        _vary(replace(LOGISTIC, epochs=5), "n_samples", (300, 1000, 3000, 10_000, 60_000)),
        EVERYBODY,
    ),
    _sweep(
        "density", "784-100-10 logistic, SGD, batch 64, dense arrays",
        "share of inputs that are not 0",
        _vary(replace(LOGISTIC, form="random"), "density", (0.01, 0.03, 0.1, 0.3, 1.0)), EVERYBODY,
    ),
)  # fmt: skip


def _over_threads(counts):
    """Make the sweeps over threads, of a narrow and of a wide network."""
    libraries = (
        ("fastmlp", "with_fastmlp", ""), ("scikit-learn", "with_sklearn", ""),
        ("PyTorch", "with_torch", "eager"),
    )  # fmt: skip
    narrow, wide = (
        LOGISTIC,
        replace(ADAM, hidden_layer_sizes=(1024, 1024), batch_size=256, n_samples=10_000, epochs=1),
    )
    with_jax = _on_threads(
        *libraries, ("NumPy", "with_numpy", "batch loop"), ("JAX", "with_jax", "")
    )
    return (
        _sweep(
            "threads_narrow", "784-100-10 logistic, SGD, batch 64", "threads",
            dict.fromkeys(counts, narrow), with_jax,
        ),
        _sweep(
            "threads_wide", "784-1024-1024-10 ReLU, Adam, batch 256", "threads",
            dict.fromkeys(counts, wide), _on_threads(*libraries), tolerance=0.05,
        ),
    )  # fmt: skip

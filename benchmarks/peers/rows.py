"""The rows of the table: what is done, by whom, and how far ahead fastmlp means to be."""

from dataclasses import dataclass, field, replace

from .tasks import Task

RECIPE = {
    "hidden_layer_sizes": (256,),
    "activation": "relu",
    "solver": "adam",
    "learning_rate": "one_cycle",
    "learning_rate_init": 4e-3,
    "batch_size": 128,
    "epochs": 6,
}
"""How both contestants of the row `accuracy` train."""
GOAL = 0.98
"""The test accuracy at which they stop."""

FEWEST_SAMPLES = 256
"""A part of an epoch has at least so many samples: all classes are among them."""


@dataclass(frozen=True)
class Contestant:
    """A library in one of its settings.

    Parameters
    ----------
    group : str
        What it is called, and what the targets name: the best one of each group counts.
    module : str
        The module of this package that runs it.
    variant : str
        What that module is to run.
    n_threads : int, optional
        None is all cores; for fastmlp it is its own choice.
    part : float, optional
        The share of an epoch that it runs; the time is multiplied to the whole.
    """

    group: str
    module: str
    variant: str = ""
    n_threads: int | None = None
    part: float | None = None

    @property
    def label(self):
        """Name it, as in the table."""
        choice = "own choice" if self.group == "fastmlp" else "all threads"
        counted = {None: choice, 1: "1 thread"}
        threads = counted.get(self.n_threads, f"{self.n_threads} threads")
        return " ".join(part for part in (self.group, self.variant, threads) if part)

    def part_of(self, task, n_samples):
        """Cut a task to the part that it runs.

        Parameters
        ----------
        task : Task
        n_samples : int
            Number of training samples of the task.

        Returns
        -------
        task : Task
        factor : float
            What the time is multiplied by.
        """
        if self.part is None:
            return task, 1.0
        n_part = min(n_samples, max(FEWEST_SAMPLES, round(n_samples * self.part)))
        return replace(task, n_samples=n_part, epochs=1), n_samples * task.epochs / n_part


@dataclass(frozen=True)
class Row:
    """One row: a task, its contestants and the aims.

    Parameters
    ----------
    name : str
        What ``--only`` takes.
    title : str
    task : Task
    contestants : tuple of Contestant
    targets : dict of str to float
        For each group how many times fastmlp's best time its best time should be.
    tolerance : float
        Largest relative difference between the final losses.
    most_seconds : float, optional
        What fastmlp should take at most.
    """

    name: str
    title: str
    task: Task
    contestants: tuple[Contestant, ...]
    targets: dict[str, float] = field(default_factory=dict)
    tolerance: float = 1e-3
    most_seconds: float | None = None


def _on_one_and_all(group, module, variant=""):
    """Let a library run on one thread and on all."""
    return tuple(Contestant(group, module, variant, n_threads) for n_threads in (1, None))


def _in_part(contestants, part=0.1):
    """Let contestants run a part of an epoch."""
    return tuple(replace(contestant, part=part) for contestant in contestants)


FASTMLP = _on_one_and_all("fastmlp", "with_fastmlp")
REFERENCE = (Contestant("reference", "with_fastmlp", "backend", 1, part=0.1),)
NUMPY = _on_one_and_all("NumPy", "with_numpy", "batch loop")
NUMPY_PER_SAMPLE = (Contestant("NumPy per sample", "with_numpy", "loop", 1),)
SKLEARN = _on_one_and_all("scikit-learn", "with_sklearn")
TORCH_EAGER = _on_one_and_all("PyTorch", "with_torch", "eager")
TORCH = TORCH_EAGER + _on_one_and_all("PyTorch", "with_torch", "compiled")
JAX = _on_one_and_all("JAX", "with_jax")

ESTIMATORS = _on_one_and_all("fastmlp", "with_estimators", "estimator") + _on_one_and_all(
    "scikit-learn", "with_estimators", "defaults"
)

ROUNDING_GROWS = 0.5
"""Tolerance where training is chaotic: Adam divides by small numbers, and rectifiers switch, so
that differences of rounding grow until the losses of the last epochs, near zero, part."""

ADAM = Task(
    hidden_layer_sizes=(256,), activation="relu", solver="adam", learning_rate_init=1e-3,
    batch_size=128,
)  # fmt: skip
SPARSE = Task(form="sparse", epochs=1)
BRIEF = Task(kind="predict", n_samples=5_000, epochs=1)
DEFAULTS = Task(activation="relu", solver="adam", batch_size=200, epochs=20)

DENSE = (
    # Samples, features, hidden units, classes, batch size, epochs, and the aims for the best of the
    # three: with AVX-512, and with AVX2 alone.
    (20_000, 30, (16,), 2, 32, 20, (3, 3)),
    (20_000, 20, (100,), 2, 32, 20, (3, 2.5)),
    (20_000, 20, (100,), 2, 200, 40, (3, 2)),
    (20_480, 20, (100,), 2, 1024, 40, (2.8, 2)),
    (20_000, 54, (100,), 7, 200, 40, (2.5, 2)),
    (20_480, 54, (256, 256), 7, 256, 10, (1.7, 1.3)),
    (10_240, 100, (512, 512), 10, 512, 5, (1.35, 1.1)),
    (12_800, 784, (100,), 10, 64, 10, (1.7, 1.3)),
    (12_800, 784, (100,), 10, 256, 10, (1.4, 1.2)),
    (20_480, 784, (100,), 10, 1024, 10, (1.4, 1.2)),
    (20_480, 784, (100,), 10, 4096, 10, (1.3, 1.15)),
)
"""Standardised tables, of which no value is zero."""


def _dense_row(n_samples, n_features, hidden, n_classes, batch_size, epochs, aims, isa):
    """Make a row of `DENSE`."""
    sizes = "-".join(map(str, (n_features, *hidden, n_classes)))
    task = Task(
        form="standard", shape=(n_samples, n_features, n_classes), hidden_layer_sizes=hidden,
        activation="relu", batch_size=batch_size, epochs=epochs, learning_rate_init=0.01,
    )  # fmt: skip
    aim = aims[1 if isa == "avx2" else 0]
    return Row(
        f"dense_{sizes}_{batch_size}", f"standardised, {sizes} ReLU, SGD, batch {batch_size}", task,
        FASTMLP + NUMPY + TORCH_EAGER + JAX, dict.fromkeys(("NumPy", "PyTorch", "JAX"), aim),
        tolerance=1e-2,
    )  # fmt: skip


ROWS = (
    Row(
        "batch64", "784-100-10 logistic, SGD, batch 64, 10 epochs", Task(),
        FASTMLP + NUMPY + SKLEARN + TORCH + JAX,
        {"JAX": 4, "PyTorch": 7.5, "scikit-learn": 11, "NumPy": 4.5},
    ),
    Row(
        "one_thread", "the same, everybody on one thread", Task(), FASTMLP[:1] + NUMPY[:1],
        {"NumPy": 3},
    ),
    Row(
        "batch1", "784-100-10 logistic, SGD, batch 1, 5 epochs",
        Task(batch_size=1, epochs=5, learning_rate_init=0.01),
        FASTMLP + JAX + _in_part(NUMPY_PER_SAMPLE + SKLEARN + TORCH),
        {"NumPy per sample": 95, "JAX": 15, "PyTorch": 150, "scikit-learn": 250},
        tolerance=1e-2,
    ),
    Row(
        "article", "the article: 784-100-10 logistic, SGD, batch 1, float64, 10 epochs",
        Task(form="bytes", learning_rate_init=1e-4, batch_size=1, init="standard_normal",
             dtype="float64"),
        FASTMLP + REFERENCE, {"reference": 60}, tolerance=1e-6,
    ),
    Row(
        "no_zeros", "784-100-10 logistic, SGD, batch 64, 10 epochs, no input is zero",
        Task(form="noisy"), FASTMLP + NUMPY + JAX, {"NumPy": 2.3, "JAX": 2},
    ),
    Row(
        "adam", "784-256-10 ReLU, Adam, batch 128, 10 epochs", ADAM, FASTMLP + SKLEARN + TORCH,
        {"PyTorch": 3, "scikit-learn": 6}, tolerance=ROUNDING_GROWS,
    ),
    Row(
        "two_hidden", "784-256-128-10 ReLU, Adam, batch 128, 10 epochs",
        replace(ADAM, hidden_layer_sizes=(256, 128)), FASTMLP + TORCH, {"PyTorch": 2.5},
        tolerance=ROUNDING_GROWS,
    ),
    Row(
        "wide", "784-1024-1024-10 ReLU, Adam, batch 256, 1 epoch",
        replace(ADAM, hidden_layer_sizes=(1024, 1024), batch_size=256, epochs=1),
        FASTMLP + TORCH, {"PyTorch": 1}, tolerance=0.05,
    ),
    Row(
        "sparse_sgd", "CSR 20000 x 20000, 49 a row, 100 logistic, 20 classes, SGD, 1 epoch",
        SPARSE, FASTMLP + SKLEARN, {"scikit-learn": 60},
    ),
    Row(
        "sparse_adam", "the same with Adam",
        replace(SPARSE, solver="adam", learning_rate_init=1e-3), FASTMLP + SKLEARN,
        {"scikit-learn": 30}, tolerance=1e-2,
    ),
    Row(
        "predict_many", "predict_proba of 784-100-10, 10,000 rows",
        replace(BRIEF, n_rows=10_000, calls=20), FASTMLP + SKLEARN, {"scikit-learn": 5},
    ),
    Row(
        "predict_one", "predict_proba of 784-100-10, one row",
        replace(BRIEF, n_rows=1, calls=500), FASTMLP + SKLEARN, {"scikit-learn": 20},
    ),
    Row(
        "accuracy", f"784-256-10 to {GOAL:.1%} of test accuracy, evaluated each epoch",
        Task(kind="reach", goal=GOAL, **RECIPE), FASTMLP + TORCH_EAGER, {"PyTorch": 3},
        most_seconds=1.5,
    ),
    Row(
        "estimator_sgd", "MLPClassifier(solver='sgd') on MNIST, 20 epochs",
        replace(DEFAULTS, solver="sgd"), ESTIMATORS, {"scikit-learn": 10}, tolerance=0.05,
    ),
    Row(
        "estimator_adam", "MLPClassifier() on MNIST, 20 epochs", DEFAULTS, ESTIMATORS,
        {"scikit-learn": 6}, tolerance=ROUNDING_GROWS,
    ),
    Row(
        "estimator_sparse", "MLPClassifier() on CSR 20000 x 20000, 2 epochs",
        replace(DEFAULTS, form="sparse", epochs=2), ESTIMATORS, {"scikit-learn": 30},
        tolerance=0.05,
    ),
    Row(
        "estimator_table", "MLPClassifier() on 580000 x 54, 5 epochs",
        replace(DEFAULTS, form="table", epochs=5), ESTIMATORS, {"scikit-learn": 4},
        tolerance=ROUNDING_GROWS,
    ),
    Row(
        "estimator_digits", "MLPClassifier() on digits, 1797 x 64 in float64, 100 epochs",
        replace(DEFAULTS, form="digits", epochs=100), ESTIMATORS, {"scikit-learn": 1},
        tolerance=ROUNDING_GROWS,
    ),
    *(_dense_row(*dense, "own") for dense in DENSE),
)  # fmt: skip

ROWS_AVX2 = tuple(row for row in ROWS if row.name in ("batch64", "no_zeros")) + tuple(
    _dense_row(*dense, "avx2") for dense in DENSE
)
"""What is raced where everybody is held to AVX2."""

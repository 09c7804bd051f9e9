"""Who races: each library, in one of its settings."""

from dataclasses import dataclass, replace

FEWEST_SAMPLES = 256
"""A part of an epoch has at least so many samples: all classes are among them."""


@dataclass(frozen=True)
class Competitor:
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


def on_one_and_all(group, module, variant=""):
    """Let a library run on one thread and on all."""
    return tuple(Competitor(group, module, variant, n_threads) for n_threads in (1, None))


def in_part(competitors, part=0.1):
    """Let competitors run a part of an epoch."""
    return tuple(replace(competitor, part=part) for competitor in competitors)


FASTMLP = on_one_and_all("fastmlp", "with_fastmlp")
ALONE = "fastmlp alone"
"""The group that fastmlp's threads are compared with: its one thread."""
ON_ONE, ON_TWO = (
    Competitor(ALONE, "with_fastmlp", "", 1),
    Competitor("fastmlp", "with_fastmlp", "", 2),
)
REFERENCE = (Competitor("reference", "with_fastmlp", "backend", 1, part=0.1),)
NUMPY = on_one_and_all("NumPy", "with_numpy", "batch loop")
NUMPY_PER_SAMPLE = (Competitor("NumPy per sample", "with_numpy", "loop", 1),)
SKLEARN = on_one_and_all("scikit-learn", "with_sklearn")
TORCH_EAGER = on_one_and_all("PyTorch", "with_torch", "eager")
TORCH = TORCH_EAGER + on_one_and_all("PyTorch", "with_torch", "compiled")
JAX = on_one_and_all("JAX", "with_jax")

FASTMLP_ESTIMATOR = on_one_and_all("fastmlp", "with_sklearn", "estimator")
ESTIMATORS = on_one_and_all("fastmlp", "with_estimators", "estimator") + on_one_and_all(
    "scikit-learn", "with_estimators", "defaults"
)

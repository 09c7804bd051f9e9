"""The same algorithm in compiled kernels: many batches a call, on one thread or on several.

- `packing` brings the data into the form that the kernels read;
- `fit` holds a training's memory and threads and calls the kernels;
- `summed` makes the steps whose gradient is a sum, over batches or over machines;
- `pace` decides how many threads work, and for how long at a time;
- `prediction` predicts, a few rows or many.
"""

from fastmlp.backends.compiled.fit import CompiledTrainer
from fastmlp.backends.compiled.prediction import FewRows, ManyRows, predict_logits
from fastmlp.backends.compiled.single import SingleSteps
from fastmlp.backends.compiled.summed import SummedSteps
from fastmlp.backends.contract import BackendTrainer, Capabilities, Objective, Problem
from fastmlp.kernels import activations
from fastmlp.losses import LOSSES
from fastmlp.network import Parameters
from fastmlp.optimizers import Rule

__all__ = [
    "CAPABILITIES",
    "FewRows",
    "ManyRows",
    "SingleSteps",
    "SummedSteps",
    "predict_logits",
    "trainer",
]

CAPABILITIES = Capabilities(
    activations=tuple(activations.CODES), losses=tuple(LOSSES), dtypes=("float32", "float64")
)


def trainer(
    parameters: Parameters,
    rule: Rule,
    objective: Objective,
    problem: Problem,
    batch_size: int,
    n_threads: int | None,
) -> BackendTrainer:
    """Begin a training; see `fastmlp.backends.contract.Backend.trainer`."""
    return CompiledTrainer(parameters, rule, objective, problem, batch_size, n_threads)

"""What a training on a backend begins with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastmlp._clock import now, since
from fastmlp._errors import invalid
from fastmlp.backends import get_backend
from fastmlp.backends.contract import Backend, BackendTrainer, Capabilities, Objective, Problem
from fastmlp.backends.summed import Agree, BackendSteps, Part, SimpleSummedSteps, propose
from fastmlp.network import Parameters
from fastmlp.optimizers import Rule


def require_capable(
    capabilities: Capabilities, backend: str, parameters: Parameters, objective: Objective
) -> None:
    """Raise a `ValueError` where a backend lacks what was asked for: none falls back to another."""
    wanted = {
        "activations": parameters.network.activations,
        "losses": (objective.loss.name,),
        "dtypes": (parameters.dtype.name,),
    }
    for kind, names in wanted.items():
        for name in names:
            if name not in getattr(capabilities, kind):
                raise invalid("backend", f"one that has {name!r} among its {kind}", backend)


@dataclass(frozen=True)
class Start:
    """What a training on a backend begins with; called with an update rule and a batch size."""

    backend: str
    parameters: Parameters
    objective: Objective
    problem: Problem
    n_threads: int | None

    def __call__(self, rule: Rule, batch_size: int) -> BackendTrainer:
        """Begin on a backend that can do it; the time to import it counts as compiling."""
        module, seconds = self._open()
        trainer = module.trainer(
            self.parameters, rule, self.objective, self.problem, batch_size, self.n_threads
        )
        trainer.compile_seconds += seconds
        return trainer

    def sum_parts(
        self, rule: Rule, parts: Sequence[Part | None], agree: Agree[Any] = propose
    ) -> BackendSteps:
        """Begin steps whose gradient is a sum, of parts of the samples; see `BackendSteps`."""
        module, seconds = self._open()
        kind = getattr(module, "SummedSteps", SimpleSummedSteps)
        given = (self.parameters, rule, self.objective, parts, self.n_threads, agree)
        steps: BackendSteps = kind(module, *given)
        steps.compile_seconds += seconds
        return steps

    def _open(self) -> tuple[Backend, float]:
        """Import the backend, which takes some seconds, and see that it can do what is asked."""
        start = now()
        module = get_backend(self.backend)
        seconds = since(start)
        require_capable(module.CAPABILITIES, self.backend, self.parameters, self.objective)
        return module, seconds

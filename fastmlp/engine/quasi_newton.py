"""L-BFGS on the loss at all samples, through SciPy: an iteration counts as an epoch."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp._clock import now, since
from fastmlp.backends.contract import Objective, Problem
from fastmlp.engine.descent import NotFiniteError
from fastmlp.engine.full_batch import FullBatch
from fastmlp.engine.hooks import Hook
from fastmlp.engine.loop import Evaluate, end_epoch
from fastmlp.engine.plan import Limits
from fastmlp.engine.state import State
from fastmlp.history import UNSCORED
from fastmlp.losses import Loss
from fastmlp.optimizers import Rule


class QuasiNewton:
    """Limited-memory BFGS with bounds (Byrd et al. 1995).

    Parameters
    ----------
    backend : str
    state : State
        Updated in place.
    rule : Rule
        Its penalties count, its solver does not.
    loss : Loss
    problem : Problem
    n_threads : int or None
    limits : Limits

    Attributes
    ----------
    compile_seconds : float
    blas_threads : int
        See `contract.Trainer`.
    """

    def __init__(
        self,
        backend: str,
        state: State,
        rule: Rule,
        loss: Loss,
        problem: Problem,
        n_threads: int | None,
        limits: Limits,
    ) -> None:
        self.state, self.limits = state, limits
        self.full = FullBatch(backend, state.parameters, rule, Objective(loss), problem, n_threads)
        trainer = self.full.gradient.trainer
        self.compile_seconds, self.blas_threads = trainer.compile_seconds, trainer.blas_threads
        self.loss, self.n_calls, self.start = np.nan, 0, now()
        self.reached: Array = state.parameters.buffer.copy()

    def run(
        self, n_iterations: int, hooks: Sequence[Hook] = (), evaluate: Evaluate | None = None
    ) -> Any:
        """Run iterations; the last one that hooks are told the begin of is never run.

        Parameters
        ----------
        n_iterations : int
            At most so many.
        hooks : sequence of Hook
        evaluate : callable, optional

        Returns
        -------
        scipy.optimize.OptimizeResult

        Raises
        ------
        NotFiniteError
            If the loss is NaN or infinite at the end.
        """
        from scipy.optimize import minimize

        buffer = self.state.parameters.buffer
        limits = {"maxfun": self.limits.max_fun, "maxiter": n_iterations, "gtol": self.limits.tol}
        self._begin(hooks)
        try:
            found = minimize(
                self._loss_and_gradient,
                buffer.astype(np.float64),
                method="L-BFGS-B",
                jac=True,
                callback=lambda flat: self._end_iteration(flat, hooks, evaluate),
                options=limits,
            )
            self.reached = found.x
        finally:
            buffer[...] = self.reached
        self.state.over = True
        if not np.isfinite(found.fun):
            raise NotFiniteError(f"the loss became {found.fun}")
        return found

    def _begin(self, hooks: Sequence[Hook]) -> None:
        """Begin an iteration."""
        for hook in hooks:
            hook.begin_epoch()
        self.n_calls, self.start = 0, now()

    def _loss_and_gradient(self, flat: Array) -> tuple[float, Array]:
        """Compute both where SciPy asks for them, which may not be where the iteration ends."""
        self.loss, gradient = self.full(flat)
        self.n_calls += 1
        return self.loss, gradient.astype(np.float64)

    def _end_iteration(self, flat: Array, hooks: Sequence[Hook], evaluate: Evaluate | None) -> None:
        """Record an iteration, and stop where a hook asks to: the loss was computed there last."""
        state, seconds = self.state, since(self.start)
        self.reached = flat.copy()
        state.parameters.buffer[...] = flat
        scores = UNSCORED if evaluate is None else evaluate()
        state.epoch += 1
        state.history.add(self.loss, seconds, self.n_calls, scores)
        asked_to_stop = end_epoch(hooks)
        self._begin(hooks)
        if asked_to_stop:
            raise StopIteration

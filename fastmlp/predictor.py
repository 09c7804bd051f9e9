"""The only way to predict: parameters, and what turns X and logits into predictions."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fastmlp._arrays import Array
from fastmlp.activations import ACTIVATIONS
from fastmlp.backends import get_backend
from fastmlp.backends.contract import BackendPredictor
from fastmlp.inputs import Features, Scale
from fastmlp.losses import OUTPUT_FUNCTIONS
from fastmlp.network import Parameters

OUT_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    **{name: row.function for name, row in ACTIVATIONS.items()},
    **{name: row.function for name, row in OUTPUT_FUNCTIONS.items()},
}
"""From logits to predictions: those of the losses, and what users may set by hand."""

NATIVE = tuple(name for name, row in OUTPUT_FUNCTIONS.items() if row.every == 1)
"""Those that a backend may compute itself."""


@dataclass(eq=False)
class Predictor:
    """Predicts with one network.

    A backend that has something special for it keeps what it needs from call to call; parameters
    may be written into at any time.

    Parameters
    ----------
    parameters : Parameters
        Used, not copied.
    scale : Scale
        What a few rows are scaled by; many rows come as `Features`, which say it themselves.
    output : str
        One of `OUT_ACTIVATIONS`: what is made of the logits.
    backend : str
        Name of the backend that predicts.
    n_threads : int or None
        At most so many threads predict; None chooses.
    """

    parameters: Parameters
    scale: Scale
    output: str
    backend: str
    n_threads: int | None

    def __post_init__(self) -> None:
        self.made_for = self.output, self.backend, self.n_threads

    def __call__(self, features: Features, check: Callable[[], object] | None = None) -> Array:
        """Predict.

        Parameters
        ----------
        features : Features
        check : callable, optional
            Raises where the features are not finite, which some backends see as they read them:
            it is called unless they say that all are. None: that is known.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs), the parameters' dtype
        """
        if self.output in NATIVE:
            return self._run(features, self.output, check)
        return OUT_ACTIVATIONS[self.output](self.logits(features, check))

    def logits(self, features: Features, check: Callable[[], object] | None = None) -> Array:
        """Compute what the output function is applied to; see `__call__`."""
        return self._run(features, "identity", check)

    @cached_property
    def few(self) -> Callable[[Any], Array | None]:
        """Predict a few rows at once, an array of the parameters' dtype.

        It returns None where the backend cannot, or not for such X, or X is not finite.
        """
        kind = getattr(get_backend(self.backend), "FewRows", None)
        if kind is None or self.output not in NATIVE:
            return _cannot
        few: Callable[[Any], Array | None] = kind(self.parameters, self.scale, self.output)
        return few

    @cached_property
    def _many(self) -> BackendPredictor | None:
        """Make what predicts many rows and keeps what it needs; None where a backend has none."""
        kind = getattr(get_backend(self.backend), "ManyRows", None)
        many: BackendPredictor | None = None if kind is None else kind(self.parameters)
        return many

    def _run(self, features: Features, output: str, check: Callable[[], object] | None) -> Array:
        module = get_backend(self.backend)
        if self._many is not None:
            predictions, finite = self._many(features, output, self.n_threads)
            if check is not None and not finite:
                check()
            return predictions
        if check is not None:
            check()
        logits = module.predict_logits(self.parameters, features, self.n_threads)
        return OUT_ACTIVATIONS[output](logits)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out what a backend keeps."""
        return Predictor, (
            self.parameters, self.scale, self.output, self.backend, self.n_threads,
        )  # fmt: skip


def _cannot(X: Any) -> None:
    """Predict nothing."""

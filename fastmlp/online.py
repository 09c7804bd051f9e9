"""Training on one small batch after the other, as reinforcement learning and streams do."""

import inspect
from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp._checks import check_whole
from fastmlp._errors import invalid
from fastmlp.arguments import make_rule
from fastmlp.backends import get_backend
from fastmlp.backends.simple import SimpleSteps
from fastmlp.base_model import Serving
from fastmlp.configuration import (
    as_initial_parameters,
    as_network,
    as_objective,
    complete,
    read_settings,
)
from fastmlp.engine.start import require_capable
from fastmlp.history import DivergenceError, History
from fastmlp.inputs import input_scale_pair
from fastmlp.online_targets import as_online_targets
from fastmlp.rng import streams
from fastmlp.threads import limit_blas
from fastmlp.training import GIVEN, train

NOT_OF_A_STEP = (
    *GIVEN, "dataset", "input_scale", "class_weight", "dropout", "learning_rate", "power_t",
    "step_size", "step_factor", "warm_up", "batch_size", "accumulate", "epochs", "early_stopping",
    "validation_fraction", "n_iter_no_change", "tol", "max_fun", "scoring", "time_budget",
    "shuffle", "n_threads",
)  # fmt: skip
"""Arguments of `train` that are about many steps, or are among the trainer's own."""

DEFAULTS = {name: one.default for name, one in inspect.signature(train).parameters.items()}

AHEAD = 1024
"""Rates worked out at a time: of one alone that takes as long as the step."""


class OnlineTrainer:
    """Trains a network step by step, on data that are there for that step alone.

    A step computes what `train` does with one batch, to the bit, in a tenth of the time of
    `partial_fit`: nothing is checked but shapes, labels and that numbers are finite. It works on
    one thread.

    Parameters
    ----------
    n_features : int
        Number of columns of X.
    outputs : int or array_like of shape (n_classes,)
        The class labels, of which each row has one; or how many labels there are, of which a row
        has any number; or how many numbers are predicted, where `loss` is one for numbers.
    batch_size : int
        A step takes at most so many rows.
    input_scale : None, "unit", "symmetric" or (scale, shift)
        See `train`.
    random_state : int, numpy.random.Generator or None
        Fixes the initial weights.
    coefs_init, intercepts_init : sequence of ndarray, optional
        See `train`.
    **arguments
        Of `train`, those that a single step heeds: the network, the loss, the optimizer and its
        rate, penalties and clipping, init, backend and dtype.

    Raises
    ------
    ValueError
        If an argument is not as described.

    Examples
    --------
    >>> import fastmlp, numpy as np
    >>> generator = np.random.default_rng(0)
    >>> how = {"backend": "numpy", "solver": "adam", "learning_rate_init": 0.01}
    >>> with fastmlp.OnlineTrainer(4, [0, 1], random_state=0, **how) as trainer:
    ...     for _ in range(300):
    ...         X = generator.normal(size=(32, 4))
    ...         loss = trainer.step(X, (X[:, 0] > 0).astype(int))
    ...     labels = trainer.predict([[2.0, 0, 0, 0], [-2.0, 0, 0, 0]])
    >>> loss < 0.5, labels.tolist()
    (True, [1, 0])
    """

    def __init__(
        self,
        n_features: int,
        outputs: Any,
        *,
        batch_size: int = 32,
        input_scale: Any = None,
        random_state: Any = None,
        coefs_init: Any = None,
        intercepts_init: Any = None,
        **arguments: Any,
    ) -> None:
        self.settings = settings = _settings(arguments, batch_size)
        self.n_features = check_whole("n_features", n_features)
        self.targets = as_online_targets(outputs, settings.loss)
        n_targets, loss = self.targets.n_targets, self.targets.loss
        network = as_network(settings, self.n_features, n_targets, loss)
        generator, _ = streams(random_state)
        self.parameters = parameters = as_initial_parameters(
            settings, network, (coefs_init, intercepts_init), generator
        )
        self.rule = make_rule(settings)
        objective = as_objective(settings, len(network.activations), loss)
        scale, module = input_scale_pair(input_scale), get_backend(settings.backend)
        require_capable(module.CAPABILITIES, settings.backend, parameters, objective)
        kind, like = getattr(module, "SingleSteps", SimpleSteps), self.targets.like
        targets = like(settings.batch_size, settings.dtype)
        self.steps = kind(module, parameters, self.rule, objective, targets, scale)
        serving = Serving(scale, settings.backend, 1)
        self._model = self.targets.model(parameters, objective.loss, serving)
        self.n_steps, self.fetched = 0, True
        self._rates, self._decay = np.empty(0), 0.0
        self.limits = limit_blas(1)

    def __enter__(self) -> "OnlineTrainer":
        """Limit the threads of BLAS, which would cost more in each step than the step."""
        self.limits.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        """Lift the limit."""
        self.limits.__exit__(*error)

    def step(self, X: Any, y: Any) -> float:
        """Take one step.

        Parameters
        ----------
        X : array_like of shape (n_rows, n_features)
            At most `batch_size` rows of finite numbers.
        y : array_like of shape (n_rows,) or (n_rows, n_outputs)
            Labels among the classes; or 0 and 1, where a row may have several labels; or numbers.

        Returns
        -------
        float
            The loss before the step, penalties included.

        Raises
        ------
        ValueError
            If X or y cannot be used; nothing is learned from it.
        DivergenceError
            If the loss is no longer finite.
        """
        X = self._read(X)
        targets = self.targets.read(y, len(X))
        number = self.n_steps % AHEAD
        if number == 0:
            self._look_ahead()
        loss: float = self.steps(X, targets, self._rates[number], self._decay)
        self.n_steps, self.fetched = self.n_steps + 1, False
        if not np.isfinite(loss):
            raise DivergenceError(
                f"training diverged in step {self.n_steps}: the loss became {loss}. Try a smaller "
                "learning_rate_init, or scale X.",
                History(),
            )
        return loss

    def predict(self, X: Any) -> Array:
        """Predict labels, or numbers.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)

        Returns
        -------
        ndarray
            See `Model.predict` and `RegressionModel.predict`.
        """
        return np.asarray(self.model.predict(X))

    @property
    def model(self) -> Any:
        """The network as it is now: a `Model` or a `RegressionModel`.

        It is up to date until the next step, and again when it is asked for. What is written into
        its weights is not learned on from: begin a new trainer with them.
        """
        if not self.fetched:
            self.steps.fetch()
            self.fetched = True
        return self._model

    def _look_ahead(self) -> None:
        """Work out the rates of the next steps."""
        plain = np.full(AHEAD, self.settings.learning_rate_init)
        self._rates = self.rule.solver.rates(plain, self.n_steps)
        self._decay = float(self.rule.decays(plain[:1])[0])

    def _read(self, X: Any) -> Any:
        """Check the shape of some rows, and that they are finite."""
        X = np.asarray(X)
        most, n_features = self.settings.batch_size, self.n_features
        if X.ndim != 2 or X.shape[1] != n_features or not 0 < len(X) <= most:
            rule = f"of shape (n_rows, {n_features}), with 1 to {most} rows"
            raise invalid(
                "X", rule, f"shape {X.shape}", "batch_size says how many rows there may be."
            )
        if X.dtype.kind not in "biuf":
            raise invalid("X", "numeric", f"dtype {X.dtype}")
        with np.errstate(over="ignore", invalid="ignore"):
            rows = X.astype(self.settings.dtype, copy=False)
            if not np.isfinite(rows.sum()) and not np.isfinite(rows).all():
                raise invalid("X", f"finite in {self.settings.dtype}", "NaN or infinity")
        return rows


def _settings(arguments: dict[str, Any], batch_size: int) -> Any:
    """Read the arguments of `train` that a single step heeds."""
    heeded = [name for name in DEFAULTS if name not in NOT_OF_A_STEP]
    for name in arguments:
        if name not in heeded:
            rule = "one that a single step heeds: " + ", ".join(heeded)
            raise invalid("the argument", rule, repr(name))
    if arguments.get("solver") == "lbfgs":
        rule = "one that takes a step for each batch"
        raise invalid("solver", rule, "'lbfgs'", "Use solver='adam'.")
    settings = read_settings({**DEFAULTS, **arguments, "batch_size": batch_size})
    complete(settings, settings.batch_size)
    return settings

"""The regressor."""

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import column_or_1d

from fastmlp._arrays import Array
from fastmlp._errors import invalid
from fastmlp.estimators.base import BaseMLP
from fastmlp.estimators.callbacks import with_callbacks
from fastmlp.estimators.documentation import documented
from fastmlp.estimators.fitting import FitsAndScores
from fastmlp.estimators.options import CONSTRAINTS, is_stochastic, keep_arguments
from fastmlp.estimators.targets import plain_numbers
from fastmlp.estimators.task import FitArguments
from fastmlp.losses import LOSSES, REGRESSION_LOSSES, Loss


@documented
class MLPRegressor(FitsAndScores, RegressorMixin, BaseMLP):  # type: ignore[misc]
    """Multilayer perceptron for regression, with scikit-learn's interface.

    Everything scikit-learn's class of this name takes means the same here; what comes after
    `max_fun` it does not have. As there, the gradient for several outputs is that of the sum of
    their squared errors, while `loss_` is half the mean.

    Parameters
    ----------
    loss : str, default="squared_error"
    <losses>
        The predictions for "poisson", whose targets are at least 0, are exponentials.
        "gaussian_nll" learns a mean and a variance for each target, of about unit scale: `predict`
        gives the mean, and with `return_std` the standard deviation; the network has two outputs
        for each, the mean and the logarithm of the variance.
    <parameters>
    huber_delta : float, default=1.0
        Where Huber's loss turns from a parabola into lines.
    quantile : float, default=0.5
        Which quantile the loss "quantile" predicts, in (0, 1): 0.9 is above nine tenths of the
        targets.

    Attributes
    ----------
    <attributes>

    Examples
    --------
    >>> import warnings
    >>> import fastmlp
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X, y = StandardScaler().fit_transform(X), y / 100
    >>> warnings.simplefilter("ignore")  # the number of epochs is meant
    >>> settings = {"backend": "numpy", "random_state": 0, "max_iter": 100, "batch_size": 32}
    >>> fastmlp.MLPRegressor(**settings).fit(X, y).score(X, y) > 0.5
    True
    >>> fastmlp.MLPRegressor("absolute_error", **settings).fit(X, y).score(X, y) > 0.4
    True
    >>> fastmlp.MLPRegressor("huber", huber_delta=0.5, **settings).fit(X, y).score(X, y) > 0.4
    True
    >>> fastmlp.MLPRegressor("poisson", dropout=0.1, **settings).fit(X, y).score(X, y) > 0.4
    True
    >>> model = fastmlp.MLPRegressor(early_stopping=True, **settings)
    >>> model = model.fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
    >>> len(model.validation_loss_curve_) == model.n_iter_
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **CONSTRAINTS,
        "loss": [StrOptions(set(REGRESSION_LOSSES))],
        "huber_delta": [Interval(Real, 0, None, closed="neither")],
        "quantile": [Interval(Real, 0, 1, closed="neither")],
    }
    _y_options: ClassVar[dict[str, Any]] = {"y_numeric": True}

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | Sequence[str] = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: float | Sequence[float] = 0.0,
        l1: float = 0.0,
        max_grad_norm: float | None = None,
        accumulate: int = 1,
        step_size: int = 30,
        step_factor: float = 0.1,
        warm_up: int = 0,
        time_budget: float | None = None,
        callbacks: Sequence[Any] | None = None,
        scoring: Any = None,
        init: str | None = None,
        backend: str = "numba",
        n_threads: int | None = None,
        dtype: str | None = None,
        input_scale: str | tuple[float, float] | None = None,
        huber_delta: float = 1.0,
        quantile: float = 0.5,
    ) -> None:
        keep_arguments(self, locals())

    @available_if(is_stochastic)  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    @with_callbacks  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> "MLPRegressor":
        """Train one epoch on some data, going on from where the last call ended.

        Arguments that were set in between are heeded; another solver begins without a memory.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        MLPRegressor
            The estimator itself.
        """
        return self._fit(FitArguments(X, y, sample_weight), True)  # type: ignore[no-any-return]

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predict values.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame of shape (n_samples, n_features)
        return_std : bool
            Return the standard deviations, too, which the loss "gaussian_nll" learns.

        Returns
        -------
        predictions : ndarray of shape (n_samples,) or (n_samples, n_targets)
        deviations : ndarray of the same shape
            Only with `return_std`.

        Raises
        ------
        ValueError
            If X is not as in the fit, or the loss has no standard deviations.
        """
        if not return_std:
            return _flat(self._predictions(X))
        if LOSSES[self.loss].outputs_per_target == 1:
            rule = f"False with loss={self.loss!r}, which learns no standard deviation"
            raise invalid("return_std", rule, return_std, "Fit with loss='gaussian_nll'.")
        logits = self._logits(X)
        return _flat(logits[:, ::2]), _flat(np.exp(0.5 * logits[:, 1::2]))

    _plain_targets = staticmethod(plain_numbers)

    def _read_targets(self, y: Any, first: bool, incremental: bool) -> Array:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        least = LOSSES[self.loss].least
        if least > -np.inf and (y < least).any():
            raise invalid("y", f"at least {least:g} with loss={self.loss!r}", float(y.min()))
        return np.asarray(y)

    def _encode(self, y: Array, dtype: np.dtype[Any]) -> Array:
        return y.astype(dtype).reshape(len(y), -1)

    def _loss(self) -> Loss:
        return Loss(self.loss, delta=float(self.huber_delta), level=float(self.quantile))

    def _count_outputs(self, y: Array) -> int:
        n_targets = 1 if y.ndim == 1 else y.shape[1]
        return int(n_targets * LOSSES[self.loss].outputs_per_target)

    def _score_predictions(self, y: Array, predictions: Array, weights: Array | None) -> float:
        values = y.reshape(len(y), -1)
        return float(r2_score(values, predictions, sample_weight=weights))

    def __sklearn_tags__(self) -> Any:
        """Describe the estimator to scikit-learn."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _flat(values: Array) -> Array:
    """Turn a matrix of one column into a vector."""
    return values.ravel() if values.shape[1] == 1 else values

"""What the classifier and the regressor share."""

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from fastmlp._errors import invalid
from fastmlp.backends import get_backend
from fastmlp.backends.contract import Objective, Problem
from fastmlp.estimators import options
from fastmlp.estimators.callbacks import CallbackSupportMixin
from fastmlp.estimators.exports import Exports
from fastmlp.estimators.quasi_newton import minimise
from fastmlp.estimators.stochastic import NOT_FINITE, Stochastic, Validation
from fastmlp.inputs import Features, Scale
from fastmlp.losses import OUTPUTS, Loss
from fastmlp.network import Network, Parameters
from fastmlp.rng import INITIALISATIONS

Array = NDArray[Any]

X_DTYPES = (np.float64, np.float32, np.uint8)
"""Learned from as they lie; other numbers become float64."""

FEW_ROWS = 16


class BaseMLP(Exports, CallbackSupportMixin, BaseEstimator):  # type: ignore[misc]
    """The common part of `MLPClassifier` and `MLPRegressor`.

    A subclass says what its targets are (`_read_targets`), which loss it has (`_loss`), and how
    it is scored (`_validation_score`).
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = options.CONSTRAINTS
    _y_options: ClassVar[dict[str, Any]] = {}

    @abstractmethod
    def _read_targets(self, y: Any, first: bool, incremental: bool) -> Array:
        """Check `y`, as validated together with X, and return labels or true values."""

    @abstractmethod
    def _encode(self, y: Array, dtype: np.dtype[Any]) -> Array:
        """Turn labels or true values into the engine's targets."""

    @abstractmethod
    def _loss(self) -> Loss:
        """Describe the loss of the fitted network."""

    @abstractmethod
    def _count_outputs(self, y: Array) -> int:
        """Count the network's outputs."""

    @abstractmethod
    def _score_predictions(self, y: Array, predictions: Array, weights: Array | None) -> float:
        """Score the network's predictions as `score` does."""

    def _sample_weights(
        self, y: Array, sample_weight: Array | None, incremental: bool
    ) -> Array | None:
        """Put all that weighs the samples together."""
        return sample_weight

    def _stratification(self, targets: Array) -> Array | None:
        """Return what the validation split keeps the shares of."""
        return None

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, X_val: Any, y_val: Any, incremental: bool
    ) -> Any:
        """Fit, or go on with a fit."""
        if self.callbacks is not None:
            self.set_callbacks(*self.callbacks)
        sizes = self._hidden_sizes()
        names = options.layer_activations(self.activation, len(sizes))
        dropout = options.layer_dropout(self.dropout, len(sizes))
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=X_DTYPES,
            reset=first, **self._y_options,
        )  # fmt: skip
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        y = self._read_targets(y, first, incremental)
        weights = self._sample_weights(y, sample_weight, incremental)
        dtype = self._compute_dtype(X)
        self.n_outputs_ = self._count_outputs(y)
        self._random_state = check_random_state(self.random_state)
        network = Network((X.shape[1], *sizes, self.n_outputs_), names)
        if first:
            self._initialise(network, dtype)
        parameters = self._parameters(network)
        problem = Problem(
            wrap(X, parameters.dtype),
            self._encode(y, parameters.dtype),
            None if weights is None else weights.astype(parameters.dtype),
        )
        given = self._given_validation(X_val, y_val, parameters.dtype)
        rule, objective = options.make_rule(self), Objective(self._loss(), dropout)
        if self.solver == "lbfgs":
            self._refuse_with_lbfgs(dropout, given)
            minimise(self, parameters, rule, Objective(objective.loss), problem)
        else:
            rows, validation = self._split(X, y, problem, given, incremental)
            Stochastic(
                self, parameters, rule, objective, problem, rows, validation, incremental
            ).run()
        if not np.isfinite(parameters.buffer).all():
            raise ValueError(NOT_FINITE)
        return self

    def _reconstruction_attributes(self) -> dict[str, Any]:
        """Copy what an estimator that predicts is made of."""
        copied = {name: value for name, value in vars(self).items() if name.endswith("_")}
        copied |= {name: vars(self)[name] for name in ("_labels",) if name in vars(self)}
        parameters = self._fitted.copy()
        return copied | {
            "_fitted": parameters,
            "coefs_": list(parameters.coefs),
            "intercepts_": list(parameters.intercepts),
        }

    def _hidden_sizes(self) -> tuple[int, ...]:
        """Read `hidden_layer_sizes`."""
        sizes = self.hidden_layer_sizes
        sizes = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
        if np.any(np.array(sizes) <= 0):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
        return tuple(int(size) for size in sizes)

    def _compute_dtype(self, X: Any) -> np.dtype[Any]:
        """Choose what is computed in: `dtype`, or what X is."""
        if self.dtype is not None:
            return np.dtype(self.dtype)
        return np.dtype(np.float32 if X.dtype == np.float32 else np.float64)

    def _initialise(self, network: Network, dtype: np.dtype[Any]) -> None:
        """Draw the initial weights, and set the attributes of a fit that begins."""
        self.n_iter_, self.t_ = 0, 0
        self.n_layers_ = len(network.layer_sizes)
        self.out_activation_ = OUT_ACTIVATIONS[self._loss().name]
        parameters = Parameters.zeros(network, dtype)
        draw_parameters(parameters, self.init, self._random_state)
        self._keep(parameters)
        for name in ("_memory", "_few"):
            self.__dict__.pop(name, None)
        if self.solver == "lbfgs":
            return
        self.loss_curve_: list[float] = []
        self._no_improvement_count = 0
        self.validation_loss_curve_: list[float] = []
        self.validation_scores_: list[float] | None = None
        self.best_validation_score_ = -np.inf if self.early_stopping else None
        self.best_loss_ = None if self.early_stopping else np.inf

    def _keep(self, parameters: Parameters) -> None:
        """Make parameters the fitted ones."""
        self._fitted = parameters
        self.coefs_ = list(parameters.coefs)
        self.intercepts_ = list(parameters.intercepts)

    def _parameters(self, network: Network) -> Parameters:
        """Return the fitted parameters, and take over arrays that were put in their place."""
        fitted = self._fitted
        pairs = zip(
            (*self.coefs_, *self.intercepts_), (*fitted.coefs, *fitted.intercepts), strict=True
        )
        if fitted.network == network and all(one is other for one, other in pairs):
            return fitted
        arrays = (*self.coefs_, *self.intercepts_)
        dtype = np.result_type(*arrays)
        buffer = np.concatenate([np.asarray(array, dtype).ravel() for array in arrays])
        if buffer.size != network.n_parameters:
            shapes = [array.shape for array in self.coefs_]
            rule = f"weights for layers of {network.layer_sizes} units, as the arguments say"
            raise invalid("coefs_", rule, f"shapes {shapes}", "Fit without warm_start.")
        self._keep(Parameters(network, buffer))
        self.__dict__.pop("_few", None)
        return self._fitted

    def _given_validation(self, X: Any, y: Any, dtype: np.dtype[Any]) -> Validation | None:
        """Check a validation set of the user's own."""
        if (X is None) != (y is None):
            raise invalid("X_val and y_val", "given together", "one without the other")
        if X is None:
            return None
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=X_DTYPES,
            reset=False, **self._y_options,
        )  # fmt: skip
        y = self._read_targets(y, False, True)
        return Validation(Problem(wrap(X, dtype), self._encode(y, dtype)), X, y)

    def _split(
        self, X: Any, y: Array, problem: Problem, given: Validation | None, incremental: bool
    ) -> tuple[NDArray[np.intp], Validation | None]:
        """Choose the samples to train and those to validate on."""
        if self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        rows = np.arange(X.shape[0])
        if given is not None and not hasattr(self.validation_scores_, "append"):
            self.validation_scores_ = []
        if given is not None or not self.early_stopping:
            return rows, given
        if self.validation_scores_ is None:
            self.validation_scores_ = []
        train, held_out = train_test_split(
            rows,
            random_state=self._random_state,
            test_size=self.validation_fraction,
            stratify=self._stratification(problem.targets),
        )
        if len(held_out) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                "your dataset."
            )
        weights = None if problem.weights is None else problem.weights[held_out]
        part = X[held_out]
        features = wrap(part, problem.features.dtype)
        kept = Problem(features, problem.targets[held_out], weights)
        return train, Validation(kept, part, y[held_out])

    def _refuse_with_lbfgs(self, dropout: tuple[float, ...], given: Validation | None) -> None:
        """Raise a `ValueError` for what L-BFGS cannot do."""
        refused = {
            "dropout": any(dropout),
            "max_grad_norm": self.max_grad_norm is not None,
            "time_budget": self.time_budget is not None,
            "X_val": given is not None,
        }
        for name, there in refused.items():
            if there:
                raise invalid(
                    name, "left out with solver='lbfgs'", f"{name} and solver='lbfgs'",
                    "Use solver='adam'.",
                )  # fmt: skip

    def _validation_score(self, predictions: Array, validation: Validation) -> float:
        """Score the network on a validation set, by `scoring` where it is given."""
        weights = validation.problem.weights
        if not np.isfinite(predictions).all():
            return float("nan")
        if self.scoring is None:
            return self._score_predictions(validation.y, predictions, weights)
        scorer = check_scoring(self, self.scoring)
        names = self.__dict__.pop("feature_names_in_", None)  # arrays have none, and it would warn
        try:
            extra = {} if weights is None else {"sample_weight": weights}
            return float(scorer(self, validation.X, validation.y, **extra))
        finally:
            if names is not None:
                self.feature_names_in_ = names

    def _predictions(self, X: Any) -> Array:
        """Compute what the network puts out, of shape (n_samples, n_outputs)."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=["csr", "csc"], dtype=X_DTYPES, reset=False)
        parameters = self._parameters(self._fitted.network)
        loss = self._loss().name
        if X.shape[0] <= FEW_ROWS:
            few = self._predict_few(parameters, loss)
            found: Array | None = few(X)
            if found is not None:
                return found
        features = wrap(X, parameters.dtype)
        module = get_backend(self.backend)
        return OUTPUTS[loss](module.predict_logits(parameters, features, self.n_threads))

    def _predict_few(self, parameters: Parameters, loss: str) -> Any:
        """Make, once, what predicts a few rows at once where the backend can."""
        kept = getattr(self, "_few", None)
        if kept is None or kept[0] != self.backend:
            kind = getattr(get_backend(self.backend), "FewRows", None)
            few = _cannot if kind is None else kind(parameters, Scale(1.0, 0.0), loss)
            kept = self._few = (self.backend, few)
        return kept[1]

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what holds compiled code."""
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_few"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the weights views of one buffer again."""
        super().__setstate__(state)
        if "_fitted" in state:
            self._parameters(self._fitted.network)

    def __sklearn_tags__(self) -> Any:
        """Describe the estimator to scikit-learn."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def keep_arguments(estimator: Any, arguments: dict[str, Any]) -> None:
    """Set a constructor's arguments as attributes, as scikit-learn's estimators do."""
    for name, value in arguments.items():
        if name != "self":
            setattr(estimator, name, value)


def is_stochastic(estimator: Any) -> bool:
    """Tell whether there is a `partial_fit`; raise scikit-learn's `AttributeError` if not."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. "
            f"{estimator.solver} is not stochastic."
        )
    return True


OUT_ACTIVATIONS = {
    "softmax": "softmax", "logistic": "logistic", "poisson": "exp", "squared_error": "identity",
    "absolute_error": "identity", "huber": "identity",
}  # fmt: skip


def _cannot(X: Any) -> None:
    """Predict nothing."""


def wrap(X: Any, dtype: np.dtype[Any]) -> Features:
    """Hand a checked matrix to the engine where it lies; CSC is converted to CSR."""
    values = X.tocsr() if hasattr(X, "tocsr") else X
    return Features(values, Scale(1.0, 0.0), dtype)


def draw_parameters(parameters: Parameters, init: str | None, random_state: Any) -> None:
    """Draw initial weights and biases.

    Parameters
    ----------
    parameters : Parameters
        Overwritten.
    init : str or None
        None draws as scikit-learn does, in the same order: for each layer its weights, then its
        biases, uniform in +-sqrt(factor / (fan_in + fan_out)), with a factor of 6, or 2 for
        logistic units. A name draws weights by `fastmlp.rng`; the biases are zero.
    random_state : numpy.random.RandomState
    """
    names = parameters.network.activations
    generator = np.random.default_rng(random_state.randint(1 << 31)) if init else None
    for layer, (coefs, intercepts) in enumerate(
        zip(parameters.coefs, parameters.intercepts, strict=True)
    ):
        if generator is not None and init is not None:
            coefs[...] = INITIALISATIONS[init](generator, *coefs.shape)
            continue
        name = names[min(layer, len(names) - 1)] if names else ""
        bound = np.sqrt((2.0 if name == "logistic" else 6.0) / sum(coefs.shape))
        coefs[...] = random_state.uniform(-bound, bound, coefs.shape)
        intercepts[...] = random_state.uniform(-bound, bound, intercepts.shape)

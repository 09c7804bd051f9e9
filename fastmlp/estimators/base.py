"""What the classifier and the regressor share."""

from abc import abstractmethod
from copy import deepcopy
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from fastmlp._arrays import Array
from fastmlp._checks import check_name, check_sizes
from fastmlp._errors import invalid
from fastmlp.arguments import (
    layer_activations,
    layer_dropout,
    make_rule,
    refuse_with_lbfgs,
    require_kept,
)
from fastmlp.backends.contract import Objective, Problem
from fastmlp.configuration import copy_into
from fastmlp.data.source import Source
from fastmlp.estimators import options, sources
from fastmlp.estimators.callbacks import CallbackSupportMixin
from fastmlp.estimators.checkpoints import Keeping, Saved, take_up
from fastmlp.estimators.coefs import draw_parameters, take_over
from fastmlp.estimators.exports import Exports
from fastmlp.estimators.few import MOST_ROWS, as_computed, predict_at_once
from fastmlp.estimators.holding_out import given_validation, hold_out, scored
from fastmlp.estimators.memory import CURVES, Kept, settings_of
from fastmlp.estimators.quasi_newton import minimise
from fastmlp.estimators.reading import may_be_read, read
from fastmlp.estimators.stochastic import Stochastic
from fastmlp.estimators.task import FitArguments, Prepared
from fastmlp.inputs import Features, Scale, input_scale_pair
from fastmlp.losses import LOSSES, Loss
from fastmlp.network import Network, Parameters
from fastmlp.predictor import OUT_ACTIVATIONS, Predictor
from fastmlp.ranks import ALONE, Alone
from fastmlp.sample_weights import as_weights

COPIED = ("_asked_sizes", "_input_scale", "_labels", "_memory", "_no_improvement_count")
"""What callbacks get a copy of beside the fitted attributes."""

UNSCALED = Scale(1.0, 0.0)

LEFT = (
    "_predictor", "_kept", "_ranks", "_known_labels", "_callback_fit_ctx",
    "_skl_callbacks_to_teardown",
)  # fmt: skip
"""What no copy gets."""


NOT_KEPT = Keeping()


class BaseMLP(Exports, CallbackSupportMixin, BaseEstimator):  # type: ignore[misc]
    """The common part of `MLPClassifier` and `MLPRegressor`.

    A subclass says what its targets are (`_plain_targets`, `_read_targets`), which loss it has
    (`_loss`), and how it is scored (`_score_predictions`).
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = options.CONSTRAINTS
    _y_options: ClassVar[dict[str, Any]] = {}
    _input_scale = UNSCALED
    _ranks: Alone = ALONE
    """Those that fit together."""
    _known_labels: Any = None
    """Those of all ranks, where there are several."""

    @abstractmethod
    def _plain_targets(self, y: Any, name: str) -> Any:
        """Turn `y` into an array that scikit-learn takes, or say what it is instead."""

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
        self, given: FitArguments, incremental: bool = False, keeping: Keeping = NOT_KEPT
    ) -> Any:
        """Fit, or go on with a fit."""
        if self.callbacks is not None:
            self.set_callbacks(*self.callbacks)
        kept: Kept = self.__dict__.pop("_kept", Kept()).heed(self)
        if kept.plan is None:
            options.refuse_booleans(self)
        generator = self._ranks.agree(kept.seeded(self.random_state))
        task = self._prepare(given, incremental, keeping, generator, kept)
        problem, validation, plan = task.problem, task.validation, task.plan
        rule = make_rule(self) if plan is None else plan.rule
        if self.solver == "lbfgs":
            refuse_with_lbfgs(self)
            self.__dict__.pop("_memory", None)
            minimise(self, rule, task._replace(validation=scored(self, task, given.X)))
            return self._finished()
        if self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        keeping, rows = keeping.of(self, problem, validation and validation.problem), None
        if self.early_stopping and validation is None:
            rows, validation = hold_out(self, task, given.X, keeping.state)
        elif not incremental:
            validation = scored(self, task, given.X)
        stochastic = Stochastic(
            self, task.parameters, rule, task.objective, problem, rows, validation, incremental,
            keeping, kept.released, plan,
        )  # fmt: skip
        stochastic.run()
        if incremental:
            self._kept = Kept(
                stochastic.released, generator if isinstance(self.random_state, Integral) else None,
                stochastic.descent.plan, settings_of(self) if plan is None else kept.settings,
                task.problem.features.n_samples,
            )  # fmt: skip
        return self._finished()

    def _prepare(
        self,
        given: FitArguments,
        incremental: bool,
        keeping: Keeping,
        generator: np.random.RandomState,
        kept: Kept,
    ) -> Prepared:
        """Check what `fit` is given, and bring the weights to where it begins or goes on."""
        continued = hasattr(self, "coefs_") and (self.warm_start or incremental)
        first = not continued or keeping.saved is not None
        X, y = self._validated(given.X, given.y, "y", first)
        weights = given.sample_weight
        if weights is not None:
            weights = _check_sample_weight(weights, X, ensure_non_negative=True)
        y = self._read_targets(y, first, incremental)
        weights = self._sample_weights(y, weights, incremental)
        if self._ranks.size > 1 and weights is not None:
            weights = self._ranks.gather(np.asarray(weights, np.float64))
        self._random_state = generator
        plan = kept.plan_for(self, X.shape[0], self._count_outputs(y)) if incremental else None
        if plan is None:
            parameters, objective = self._begin_network(given, X, y, first, keeping.saved)
        else:
            parameters, objective = self._fitted, plan.objective
        dtype = parameters.dtype
        problem = Problem(
            self._wrap(X, dtype),
            self._encode(y, dtype),
            None if weights is None else self._as_weights(weights, dtype, incremental),
        )
        validation = given_validation(self, given.X_val, given.y_val, dtype)
        return Prepared(X, y, weights, parameters, problem, objective, validation, plan)

    def _begin_network(
        self, given: FitArguments, X: Any, y: Array, first: bool, saved: Saved | None = None
    ) -> tuple[Parameters, Objective]:
        """Bring the weights to where a fit begins or goes on, and describe what is minimised."""
        sizes = check_sizes("hidden_layer_sizes", self.hidden_layer_sizes)
        names = layer_activations(self.activation, len(sizes))
        objective = Objective(self._loss(), layer_dropout(self.dropout, len(sizes)))
        network = Network((X.shape[1], *sizes, self._count_outputs(y)), names)
        if first:
            self._initialise(network, self._compute_dtype(X), saved)
        if saved is None:
            self._take_initial(given, first)
        parameters = self._continue(network)
        if self._ranks.shared:
            parameters.buffer[...] = self._ranks.agree(parameters.buffer)
        require_kept(self, parameters.dtype)
        return parameters, objective

    def _finished(self) -> Any:
        """Return the estimator, fitted."""
        self._find_predictor()  # now: predicting is not to change an estimator
        return self

    def _validate_params(self) -> None:
        """Check the arguments with scikit-learn's message, and ask what an unknown name means."""
        try:
            super()._validate_params()
        except InvalidParameterError as error:
            raise type(error)(" ".join([str(error), *options.meant_names(self)[:1]])) from None

    def _validated(self, X: Any, y: Any, name: str, first: bool) -> tuple[Any, Any]:
        """Check X and y as scikit-learn does; `name` is what the caller calls y."""
        y = self._plain_targets(y, name)
        X, y = read(self, X, y, multi_output=True, reset=first, **self._y_options)
        return X, y

    def _reconstruction_attributes(self) -> dict[str, Any]:
        """Copy what an estimator that predicts, and goes on with `partial_fit`, is made of."""
        parameters = self._fitted.copy()
        copied = {
            name: deepcopy(value)
            for name, value in vars(self).items()
            if (name.endswith("_") or name in COPIED) and name not in ("coefs_", "intercepts_")
        }
        return copied | {
            "_fitted": parameters,
            "coefs_": list(parameters.coefs),
            "intercepts_": list(parameters.intercepts),
        }

    def _compute_dtype(self, X: Any) -> np.dtype[Any]:
        """Choose what is computed in: `dtype`, or what X is."""
        if self.dtype is not None:
            return np.dtype(self.dtype)
        return np.dtype(np.float32 if X.dtype == np.float32 else np.float64)

    def _initialise(self, network: Network, dtype: np.dtype[Any], saved: Saved | None) -> None:
        """Set the attributes of a fit, and draw its first weights or take those it has reached."""
        self.n_iter_, self.t_ = 0, 0
        self.n_layers_, self.n_outputs_ = len(network.layer_sizes), network.layer_sizes[-1]
        self._asked_sizes = network.layer_sizes[1:-1]
        self._input_scale = input_scale_pair(self.input_scale)
        self.out_activation_ = LOSSES[self._loss().name].output
        for name in ("_memory", "best_loss_", "best_validation_score_", "history_", *CURVES):
            self.__dict__.pop(name, None)
        if saved is not None:
            self._keep(take_up(self, saved))
            return
        parameters = Parameters.zeros(network, dtype)
        draw_parameters(parameters, self.init, self._random_state)
        self._keep(parameters)

    def _take_initial(self, given: FitArguments, first: bool) -> None:
        """Copy initial weights that are given over those that were drawn."""
        for name, layers in (
            ("coefs", self._fitted.coefs),
            ("intercepts", self._fitted.intercepts),
        ):
            values = getattr(given, f"{name}_init")
            if values is not None and not first:
                rule = "left out where a fit goes on from the weights of another"
                raise invalid(f"{name}_init", rule, "both", f"Write into {name}_.")
            copy_into(layers, values, f"{name}_init")

    def _keep(self, parameters: Parameters) -> None:
        """Make parameters the fitted ones."""
        self._fitted = parameters
        self.coefs_ = list(parameters.coefs)
        self.intercepts_ = list(parameters.intercepts)
        self.__dict__.pop("_predictor", None)

    def _parameters(self) -> Parameters:
        """Return the fitted parameters, and take over arrays that were put in their place."""
        parameters = take_over(self.coefs_, self.intercepts_, self._fitted)
        if parameters is not self._fitted:
            if parameters.network != self._fitted.network:
                self.__dict__.pop("_memory", None)
            self._keep(parameters)
        return self._fitted

    def _continue(self, network: Network) -> Parameters:
        """Return the parameters to go on from, with the activations asked for.

        Where `hidden_layer_sizes` is what it was when they were drawn, but the layers are not, the
        user has made them so, by pruning.
        """
        parameters = self._parameters()
        actual = parameters.network.layer_sizes
        if network.layer_sizes[-1] != actual[-1]:
            rule = f"for {actual[-1]} outputs, as in the fit before"
            raise invalid("y", rule, f"{network.layer_sizes[-1]}")
        if network.layer_sizes[1:-1] not in (actual[1:-1], getattr(self, "_asked_sizes", None)):
            rule = f"weights for layers of {network.layer_sizes} units, as the arguments say"
            remedy = "Set hidden_layer_sizes to those, or fit without warm_start."
            raise invalid("coefs_", rule, f"layers of {actual} units", remedy)
        if input_scale_pair(self.input_scale) != self._input_scale:
            rule = f"{tuple(self._input_scale)}, as in the fit before"
            raise invalid("input_scale", rule, repr(self.input_scale), "Fit without warm_start.")
        self._require_own_output("to train with")
        if network.activations != parameters.network.activations:
            self._keep(Parameters(Network(actual, network.activations), parameters.buffer))
        return self._fitted

    def _require_own_output(self, purpose: str) -> None:
        """Raise a `ValueError` where `out_activation_` is not that of the loss, but set by hand."""
        loss = self._loss().name
        own = LOSSES[loss].output
        if self.out_activation_ != own:
            rule = f"{own!r} {purpose} the loss {loss!r}"
            raise invalid("out_activation_", rule, repr(self.out_activation_), "Set it back.")

    def _as_weights(self, weights: Array, dtype: np.dtype[Any], incremental: bool) -> Array:
        """Turn the samples' weights into what is computed in."""
        both = getattr(self, "class_weight", None) is not None
        name = "class_weight times sample_weight" if both else "sample_weight"
        return as_weights(weights, dtype, name, incremental)

    def _predictions(self, X: Any) -> Array:
        """Compute what the network puts out, of shape (n_samples, n_outputs)."""
        if isinstance(X, Source):
            return sources.in_parts(self, X, Predictor.__call__)
        found = predict_at_once(self, X)
        if found is not None:
            return found
        check_is_fitted(self)
        predictor, dtype = self._find_predictor(), self._fitted.dtype
        if may_be_read(self, X) and len(X) > MOST_ROWS:
            return predictor(self._wrap(X, dtype), lambda: read(self, X, reset=False))
        X = read(self, X, reset=False)
        if X.shape[0] <= MOST_ROWS and isinstance(X, np.ndarray):
            found = predictor.few(as_computed(X, dtype))
        return predictor(self._wrap(X, dtype)) if found is None else found

    def _wrap(self, X: Any, dtype: np.dtype[Any]) -> Features:
        """Hand a checked matrix to the engine where it lies."""
        return Features(X, self._input_scale, dtype)

    def _logits(self, X: Any) -> Array:
        """Compute what the output function is applied to, of shape (n_samples, n_outputs)."""
        if isinstance(X, Source):
            return sources.in_parts(self, X, Predictor.logits)
        check_is_fitted(self)
        features = self._wrap(read(self, X, reset=False), self._fitted.dtype)
        return self._find_predictor().logits(features)

    def _find_predictor(self) -> Predictor:
        """Return what predicts; it is kept while what it was made for stays the same."""
        parameters, known = self._parameters(), vars(self)
        asked_for = known["out_activation_"], known["backend"], known["n_threads"]
        kept: Predictor | None = known.get("_predictor")
        if kept is None or kept.made_for != asked_for:
            check_name("out_activation_", self.out_activation_, OUT_ACTIVATIONS)
            kept = self._predictor = Predictor(parameters, self._input_scale, *asked_for)
        return kept

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether there are weights; scikit-learn would look through all attributes."""
        return "coefs_" in vars(self)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what holds compiled code, and what belongs to a fit that is under way."""
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name not in LEFT}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the weights views of one buffer again."""
        super().__setstate__(state)
        if "_fitted" in state:
            self._parameters()

    def __sklearn_tags__(self) -> Any:
        """Describe the estimator to scikit-learn."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

"""The classifier."""

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target

from fastmlp._arrays import Array
from fastmlp.estimators.base import BaseMLP
from fastmlp.estimators.callbacks import with_callbacks
from fastmlp.estimators.documentation import documented
from fastmlp.estimators.fitting import FitsAndScores
from fastmlp.estimators.labels import dense, find_labels, require_known, tidy
from fastmlp.estimators.options import CONSTRAINTS, is_stochastic, keep_arguments
from fastmlp.estimators.targets import plain_labels
from fastmlp.estimators.task import FitArguments
from fastmlp.losses import Loss


@documented
class MLPClassifier(FitsAndScores, ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """Multilayer perceptron that classifies, with scikit-learn's interface.

    Softmax and cross-entropy for several classes, a logistic output for two, and one for each label
    of multilabel targets. Everything scikit-learn's class of this name takes means the same here;
    what comes after `max_fun` it does not have.

    Parameters
    ----------
    <parameters>
    class_weight : dict, "balanced" or None, default=None
        Weight of each class, which multiplies that of its samples.
    label_smoothing : float, default=0.0
        Share of each label that is spread evenly over the classes, in [0, 1).

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    <attributes>

    Examples
    --------
    >>> import fastmlp
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> X, X_val, y, y_val = X[:1200], X[1200:], y[:1200], y[1200:]
    >>> settings = {"backend": "numpy", "random_state": 0, "max_iter": 40, "tol": 0}
    >>> def accuracy(**arguments):
    ...     model = fastmlp.MLPClassifier(**settings, **arguments, n_iter_no_change=40)
    ...     return model.fit(X / 16, y).score(X_val / 16, y_val) > 0.8
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # the number of epochs is meant

    What scikit-learn's class has not:

    >>> accuracy(dropout=0.2)
    True
    >>> accuracy(class_weight="balanced"), accuracy(class_weight={3: 2.0})
    (True, True)
    >>> accuracy(label_smoothing=0.1)
    True
    >>> accuracy(hidden_layer_sizes=(50, 30), activation=["gelu", "silu"], learning_rate_init=0.01)
    True
    >>> accuracy(solver="adamw", alpha=0.01), accuracy(solver="rmsprop", beta_2=0.99)
    (True, True)
    >>> accuracy(learning_rate="one_cycle", learning_rate_init=0.01)
    True
    >>> accuracy(learning_rate="cosine", warm_up=2), accuracy(learning_rate="step", step_size=20)
    (True, True)
    >>> accuracy(max_grad_norm=1.0), accuracy(l1=1e-3), accuracy(init="he_normal")
    (True, True, True)
    >>> accuracy(n_threads=1, dtype="float32")
    True
    >>> accuracy(time_budget=60.0)
    True

    A validation set of one's own, whose best weights are kept:

    >>> model = fastmlp.MLPClassifier(early_stopping=True, scoring="balanced_accuracy", **settings)
    >>> model = model.fit(X, y, X_val=X_val, y_val=y_val)
    >>> len(model.validation_loss_curve_) == len(model.validation_scores_) == model.n_iter_
    True

    Callbacks; one that returns True after an epoch ends the fit:

    >>> class Patience:
    ...     def setup(self, estimator, context): ...
    ...     def teardown(self, estimator, context): ...
    ...     def on_fit_task_begin(self, estimator, context): ...
    ...     def on_fit_task_end(self, estimator, context):
    ...         return estimator.loss_ < 1.0
    >>> model = fastmlp.MLPClassifier(callbacks=[Patience()], **settings).fit(X, y)
    >>> model.loss_ < 1.0 and model.n_iter_ < 40
    True

    Multilabel targets, a batch after the other:

    >>> model = fastmlp.MLPClassifier(**settings)
    >>> Y = (y[:, None] % [2, 3, 5] == 0).astype(int)
    >>> for start in range(0, 1200, 400):
    ...     model = model.partial_fit(X[start : start + 400], Y[start : start + 400])
    >>> model.predict_proba(X[:2]).shape
    (2, 3)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **CONSTRAINTS,
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
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
        class_weight: Any = None,
        label_smoothing: float = 0.0,
    ) -> None:
        keep_arguments(self, locals())

    @available_if(is_stochastic)  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    @with_callbacks  # type: ignore[untyped-decorator]
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> "MLPClassifier":
        """Train one epoch on some data, going on from where the last call ended.

        Arguments that were set in between are heeded; another solver begins without a memory.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes : array_like of shape (n_classes,), optional
            All classes: needed in the first call, but for multilabel targets.

        Returns
        -------
        MLPClassifier
            The estimator itself.
        """
        if self._has_known(y, classes):
            return self._fit(FitArguments(X, y, sample_weight), True)  # type: ignore[no-any-return]
        y, classes = plain_labels(y), plain_labels(classes, "classes")
        if type_of_target(y).startswith("multilabel"):
            if not hasattr(self, "classes_"):
                self._labels = find_labels(dense(y))
        elif _check_partial_fit_first_call(self, classes):
            self._labels = find_labels(classes, classes)
        return self._fit(FitArguments(X, y, sample_weight), True)  # type: ignore[no-any-return]

    def predict(self, X: Any) -> Array:
        """Predict labels.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
        """
        predictions = self._predictions(X)
        return np.asarray(self._labels.decode(predictions))

    def predict_proba(self, X: Any) -> Array:
        """Predict the probability of each class, or of each label; X as in `predict`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        probabilities = self._predictions(X)
        if self._labels.kind == "binary":
            probabilities = np.concatenate((1 - probabilities, probabilities), axis=1)
        return np.asarray(probabilities)

    def predict_log_proba(self, X: Any) -> Array:
        """Predict the logarithms of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.predict_proba(X)))

    def _has_known(self, y: Any, classes: Any) -> bool:
        """Tell whether y holds labels of calls before, and `classes` says nothing else."""
        known = vars(self)
        if "_labels" not in known or known.get("classes_") is not self._labels.classes:
            return False
        same = classes is None or (
            isinstance(classes, list | np.ndarray) and np.array_equal(classes, self.classes_)
        )
        return same and self._labels.have(y)

    _plain_targets = staticmethod(plain_labels)

    def _read_targets(self, y: Any, first: bool, incremental: bool) -> Array:
        if incremental and self._labels.have(y):
            self.classes_ = self._labels.classes
            return np.asarray(y)
        y = tidy(y)
        if first and not incremental:
            self._labels = find_labels(y, self._known_labels)
        else:
            require_known(self._labels, y, self.warm_start and not incremental)
        self.classes_ = self._labels.classes
        return np.asarray(y)

    def _encode(self, y: Array, dtype: np.dtype[Any]) -> Array:
        return np.asarray(self._labels.encode(y, dtype))

    def _loss(self) -> Loss:
        return Loss(self._labels.loss, float(self.label_smoothing))

    def _count_outputs(self, y: Array) -> int:
        return self._labels.n_outputs

    def _sample_weights(
        self, y: Array, sample_weight: Array | None, incremental: bool
    ) -> Array | None:
        if self.class_weight is None:
            return sample_weight
        if incremental and isinstance(self.class_weight, str):
            raise ValueError(
                "class_weight='balanced' is not supported by partial_fit, which does not see all "
                "labels. Pass a dict of weights, such as compute_class_weight('balanced', ...) "
                "gives for all of y."
            )
        everyone = self._ranks.gather_any(y)
        weights: Array = np.asarray(compute_sample_weight(self.class_weight, everyone))
        if self._ranks.shared:
            weights = weights[self._ranks.own_slice]
        return weights if sample_weight is None else weights * sample_weight

    def _stratification(self, targets: Array) -> Array | None:
        return targets if self.n_outputs_ == 1 else None

    def _score_predictions(self, y: Array, predictions: Array, weights: Array | None) -> float:
        return float(accuracy_score(y, self._labels.decode(predictions), sample_weight=weights))

    def __sklearn_tags__(self) -> Any:
        """Describe the estimator to scikit-learn."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

"""From scikit-learn's fitted estimators to ours, and back."""

from typing import Any

import sklearn.neural_network
from sklearn.utils.validation import check_is_fitted

from fastmlp._errors import invalid
from fastmlp.estimators.base import BaseMLP
from fastmlp.estimators.classifier import MLPClassifier
from fastmlp.estimators.labels import Labels
from fastmlp.estimators.persistence import FITTED, KINDS, describe
from fastmlp.losses import LOSSES
from fastmlp.network import Parameters
from fastmlp.saving.scikit_learn import to_sklearn as as_sklearn

TRAINING_ONLY = {
    "solver": (("lbfgs", "sgd", "adam"), "adam"),
    "learning_rate": (("constant", "invscaling", "adaptive"), "constant"),
}
"""Arguments that matter only in training: what scikit-learn knows, and what stands in otherwise."""


def from_sklearn(fitted: Any) -> Any:
    """Make a fastmlp estimator of a fitted one of scikit-learn's.

    Parameters
    ----------
    fitted : sklearn.neural_network.MLPClassifier or MLPRegressor

    Returns
    -------
    MLPClassifier or MLPRegressor
        With the same arguments, weights and predictions; `partial_fit` starts with a fresh state
        of the solver.

    Raises
    ------
    ValueError
        If it is another estimator.

    Examples
    --------
    >>> import fastmlp, sklearn.datasets, sklearn.neural_network
    >>> X, y = sklearn.datasets.load_iris(return_X_y=True)
    >>> theirs = sklearn.neural_network.MLPClassifier(random_state=0, max_iter=500).fit(X, y)
    >>> ours = fastmlp.from_sklearn(theirs)
    >>> bool((ours.predict(X) == theirs.predict(X)).all())
    True
    """
    kinds = {getattr(sklearn.neural_network, name): ours for name, ours in KINDS.items()}
    if type(fitted) not in kinds:
        rule = "a fitted sklearn.neural_network.MLPClassifier or MLPRegressor"
        raise invalid("fitted", rule, type(fitted).__name__)
    check_is_fitted(fitted)
    estimator = kinds[type(fitted)](**fitted.get_params())
    if isinstance(estimator, MLPClassifier):
        kind = fitted._label_binarizer.y_type_.removesuffix("-indicator")
        estimator._labels = Labels(kind, fitted.classes_)
    copy_attributes(fitted, estimator)
    activations = (fitted.activation,) * (len(fitted.coefs_) - 1)
    estimator._keep(Parameters.of_layers(fitted.coefs_, fitted.intercepts_, activations))
    estimator.validation_loss_curve_ = []
    return estimator


def to_sklearn(estimator: BaseMLP) -> Any:
    """Make a scikit-learn estimator of a fitted one of ours; see `BaseMLP.to_sklearn`."""
    check_is_fitted(estimator)
    made = as_sklearn(describe(estimator).unscaled(*estimator._input_scale))
    known, given = made.get_params(), estimator.get_params()
    arguments = {name: value for name, value in given.items() if name in known}
    for name, (values, stand_in) in TRAINING_ONLY.items():
        arguments[name] = given[name] if given[name] in values else stand_in
    arguments["activation"] = made.activation
    if "loss" in given and not LOSSES[given["loss"]].in_scikit_learn:
        arguments["loss"] = "squared_error"  # its output is the identity, too
    made.set_params(**arguments)
    copy_attributes(estimator, made)
    return made


def copy_attributes(source: Any, target: Any) -> None:
    """Copy the attributes that both libraries have."""
    for name in FITTED:
        if hasattr(source, name):
            value = getattr(source, name)
            setattr(target, name, value.copy() if hasattr(value, "copy") else value)

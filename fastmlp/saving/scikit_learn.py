"""Networks as fitted estimators of scikit-learn's."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp._errors import invalid
from fastmlp.activations import ACTIVATIONS
from fastmlp.losses import OUTPUT_FUNCTIONS
from fastmlp.saving.content import Content


def require_output(output: str) -> None:
    """Raise a `ValueError` where scikit-learn's networks have no such output function."""
    if OUTPUT_FUNCTIONS[output].every > 1:
        rule = "one with an output for each target, to be converted"
        raise invalid("loss", rule, f"one of {output!r} and variance")


def only_activation(names: Sequence[str]) -> str:
    """Find the one activation of all hidden layers.

    Parameters
    ----------
    names : sequence of str

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there are several, or one that scikit-learn has not.
    """
    found = set(names) or {"relu"}
    if len(found) > 1 or not all(ACTIVATIONS[name].in_scikit_learn for name in found):
        rule = "the same for all layers, and one that scikit-learn has, to be converted"
        raise invalid("activation", rule, sorted(found))
    return found.pop()


def to_sklearn(content: Content) -> Any:
    """Make a fitted estimator of scikit-learn's that predicts the same.

    Two classes share one output there: softmax of (a, b) is the logistic function of b - a.

    Parameters
    ----------
    content : Content
        Of a classifier, with its "classes_", or of a regressor; copied.

    Returns
    -------
    sklearn.neural_network.MLPClassifier or MLPRegressor

    Raises
    ------
    ValueError
        If scikit-learn has no such network.
    """
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import LabelBinarizer

    coefs = [array.copy() for array in content.coefs]
    intercepts = [array.copy() for array in content.intercepts]
    activation, sizes = only_activation(content.activations), [len(b) for b in intercepts[:-1]]
    output, fitted, classes = content.output, content.fitted, content.fitted.get("classes_")
    require_output(output)
    if classes is None:
        made = MLPRegressor(hidden_layer_sizes=sizes)
        made.set_params(loss="poisson" if output == "exp" else "squared_error")
    else:
        made = MLPClassifier(sizes)
        multilabel = fitted.get("kind") == "multilabel"
        examples = np.eye(len(classes), dtype=int) if multilabel else classes
        made.classes_, made._label_binarizer = classes, LabelBinarizer().fit(examples)
        if len(classes) == 2 and output == "softmax":
            output = "logistic"
            coefs[-1], intercepts[-1] = np.diff(coefs[-1]), np.diff(intercepts[-1])
    made.set_params(activation=activation)
    made.coefs_, made.intercepts_, made.out_activation_ = coefs, intercepts, output
    made.n_layers_, made.n_outputs_, made.n_features_in_ = (
        len(coefs) + 1, len(intercepts[-1]), len(coefs[0]),
    )  # fmt: skip
    made.n_iter_, made.t_, made.loss_curve_ = 0, 0, []
    if "feature_names_in_" in fitted:
        made.feature_names_in_ = fitted["feature_names_in_"]
    return made

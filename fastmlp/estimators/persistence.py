"""Estimators to and from files and other libraries' networks."""

from typing import Any

import numpy as np

from fastmlp.estimators.base import BaseMLP
from fastmlp.estimators.classifier import MLPClassifier
from fastmlp.estimators.labels import Labels
from fastmlp.estimators.memory import CURVES, Draws, Memory
from fastmlp.estimators.regressor import MLPRegressor
from fastmlp.history import History
from fastmlp.inputs import Scale
from fastmlp.losses import LOSSES
from fastmlp.network import Parameters
from fastmlp.saving.content import Content

KINDS: dict[str, type[BaseMLP]] = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}

FITTED = (
    "n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "loss_", "loss_curve_",
    "best_loss_", "validation_scores_", "best_validation_score_", "n_features_in_",
    "feature_names_in_", "classes_", "_no_improvement_count",
)  # fmt: skip
"""Attributes that scikit-learn's estimators have, too."""

KEPT = (*FITTED, "_input_scale", "validation_loss_curve_", "_asked_sizes")

TIMES = ("seconds", "iterations_per_second", "compile_seconds", "score")
"""What the history has beside `CURVES`; older files have not all of it."""

MEMORY = ("steps", "rate", "solver", "rate_init")


def describe(estimator: BaseMLP) -> Content:
    """Describe a fitted estimator.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor

    Returns
    -------
    Content
    """
    parameters = estimator._parameters()
    fitted = {name: getattr(estimator, name) for name in KEPT if hasattr(estimator, name)}
    if hasattr(estimator, "history_"):
        fitted |= {name: getattr(estimator.history_, name) for name in TIMES}
    memory = getattr(estimator, "_memory", None)
    arrays = {} if memory is None else _describe_memory(memory, fitted)
    if isinstance(estimator, MLPClassifier):
        fitted["kind"] = estimator._labels.kind
    return Content(
        type(estimator).__name__, list(parameters.coefs), list(parameters.intercepts),
        parameters.network.activations, LOSSES[estimator._loss().name].output, arrays,
        {**estimator.get_params(deep=False), "callbacks": None}, fitted,
    )  # fmt: skip


def _describe_memory(memory: Memory, fitted: dict[str, Any]) -> dict[str, Any]:
    """Add to what was fitted what `partial_fit` goes on from; return the arrays of it."""
    fitted |= {name: getattr(memory, name) for name in MEMORY}
    arrays = {"state": np.asarray(memory.state)}
    if memory.draws is None:
        return arrays
    fitted |= {"random_state": memory.draws.random_state, "dropout": memory.draws.dropout}
    return arrays | {"order": memory.draws.order}


def restore(content: Content) -> BaseMLP:
    """Make a fitted estimator; see `describe`."""
    if content.kind not in KINDS:
        raise ValueError(f"an object of an unknown kind, {content.kind!r}")
    estimator = KINDS[content.kind](**content.settings)
    fitted = dict(content.fitted)
    for name in KEPT:
        if name in fitted:
            setattr(estimator, name, fitted[name])
    estimator._input_scale = Scale(*map(float, estimator._input_scale))
    if isinstance(estimator, MLPClassifier):
        estimator._labels = Labels(fitted["kind"], np.asarray(fitted["classes_"]))
    parameters = Parameters.of_layers(content.coefs, content.intercepts, content.activations)
    estimator._keep(parameters)
    if LOSSES[estimator._loss().name].output != content.output:
        raise ValueError(f"output {content.output!r} does not fit the labels")
    if "loss_curve_" in fitted:
        loss, val_loss, val_score = (fitted.get(name) or [] for name in CURVES)
        times = {name: fitted[name] for name in TIMES if name in fitted}
        estimator.history_ = History(loss, val_loss, val_score, **times)
    if "state" in content.arrays:
        older = {"solver": estimator.solver, "rate_init": estimator.learning_rate_init}
        estimator._memory = memory = _restore_memory(content, older)
        if memory.state.shape[1:] != parameters.buffer.shape:
            raise ValueError(f"a solver's state of shape {memory.state.shape}")
        if memory.draws is not None and isinstance(estimator.random_state, np.random.RandomState):
            estimator.random_state = memory.draws.random_state  # they are one again
    return estimator


def _restore_memory(content: Content, older: dict[str, Any]) -> Memory:
    """Make what `partial_fit` goes on from; older files have not all of it."""
    arrays, fitted, draws = content.arrays, {**older, **content.fitted}, None
    if "order" in arrays:
        draws = Draws(fitted["random_state"], fitted["dropout"], arrays["order"].astype(np.intp))
        kinds = (np.random.RandomState, np.random.Generator | None)
        sound = np.array_equal(np.sort(draws.order), np.arange(draws.order.size))
        if not (sound and all(map(isinstance, draws[:2], kinds))):
            raise ValueError("generators, or an order of the samples, that no fit has")
    return Memory(arrays["state"], **{name: fitted[name] for name in MEMORY}, draws=draws)

"""Estimators to and from files and other libraries' networks."""

from os import PathLike
from typing import Any

import numpy as np

from fastmlp._errors import invalid
from fastmlp.estimators.base import OUT_ACTIVATIONS, BaseMLP
from fastmlp.estimators.classifier import MLPClassifier
from fastmlp.estimators.conversion import FITTED
from fastmlp.estimators.labels import Labels
from fastmlp.estimators.regressor import MLPRegressor
from fastmlp.estimators.stochastic import Memory
from fastmlp.network import Network, Parameters
from fastmlp.saving import file
from fastmlp.saving.content import Content

KINDS: dict[str, type[BaseMLP]] = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}
KEPT = (*FITTED, "validation_loss_curve_", "_asked_sizes")

MEMORY = Memory._fields[1:]


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
    arrays = {}
    memory = getattr(estimator, "_memory", None)
    if memory is not None:
        arrays["state"] = memory.state
        fitted |= {name: getattr(memory, name) for name in MEMORY}
    if isinstance(estimator, MLPClassifier):
        fitted["kind"] = estimator._labels.kind
    return Content(
        type(estimator).__name__, list(parameters.coefs), list(parameters.intercepts),
        parameters.network.activations, OUT_ACTIVATIONS[estimator._loss().name], arrays,
        estimator.get_params(deep=False), fitted,
    )  # fmt: skip


def load(path: str | PathLike[str]) -> Any:
    """Load an estimator that was saved by its `save`.

    Nothing in the file is executed, so that a stranger's file does no harm.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    MLPClassifier or MLPRegressor

    Raises
    ------
    ValueError
        If the file is broken, or another program's.
    FileNotFoundError
        If there is none.

    Examples
    --------
    >>> import fastmlp, pathlib, sklearn.datasets, tempfile
    >>> X, y = sklearn.datasets.load_digits(return_X_y=True)
    >>> model = fastmlp.MLPClassifier(solver="lbfgs", random_state=0, backend="numpy").fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(pathlib.Path(folder, "digits.safetensors"))
    ...     loaded = fastmlp.load(pathlib.Path(folder, "digits.safetensors"))
    >>> bool((loaded.predict_proba(X) == model.predict_proba(X)).all())
    True
    """
    content = file.read(path)
    try:
        return restore(content)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        remedy = "Save it again, with this version."
        raise invalid(str(path), "a saved estimator", f"{content.kind}: {error}", remedy) from error


def restore(content: Content) -> BaseMLP:
    """Make a fitted estimator; see `describe`."""
    if content.kind not in KINDS:
        raise ValueError(f"an object of an unknown kind, {content.kind!r}")
    estimator = KINDS[content.kind](**content.settings)
    fitted = dict(content.fitted)
    for name in KEPT:
        if name in fitted:
            setattr(estimator, name, fitted[name])
    if isinstance(estimator, MLPClassifier):
        estimator._labels = Labels(fitted["kind"], np.asarray(fitted["classes_"]))
    sizes = (len(content.coefs[0]), *map(len, content.intercepts))
    network = Network(sizes, content.activations)
    arrays = [array.ravel() for array in (*content.coefs, *content.intercepts)]
    estimator._keep(Parameters(network, np.concatenate(arrays)))
    if OUT_ACTIVATIONS[estimator._loss().name] != content.output:
        raise ValueError(f"output {content.output!r} does not fit the labels")
    if "state" in content.arrays:
        state = content.arrays["state"]
        if state.shape[1:] != (network.n_parameters,):
            raise ValueError(f"a solver's state of shape {state.shape}")
        older = {"solver": estimator.solver, "rate_init": estimator.learning_rate_init}
        estimator._memory = Memory(state, *({**older, **fitted}[name] for name in MEMORY))
    return estimator

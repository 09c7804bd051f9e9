"""Callbacks of a fit, by scikit-learn's protocol.

From scikit-learn 1.9 on they are its own (`sklearn.callback`); before, what is here takes their
place: the same hooks with the same arguments, and contexts that say which task it is.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from inspect import Parameter, signature
from typing import Any

__all__ = ["CallbackSupportMixin", "NoCallbacks", "begin_context", "told", "with_callbacks"]

HOOKS = ("setup", "teardown", "on_fit_task_begin", "on_fit_task_end")


@dataclass(eq=False)
class Context:
    """A task of a fit: the whole, or an epoch of it.

    Parameters
    ----------
    callbacks : list
    estimator_name, task_name : str
    task_id : int
        Number of the task among those of its parent, from 0.
    max_subtasks : int or None
        How many parts it has at most.
    parent : Context or None
    """

    callbacks: list[Any]
    estimator_name: str
    task_name: str
    task_id: int
    max_subtasks: int | None
    parent: "Context | None" = None
    n_children: int = field(default=0, init=False)

    def subcontext(self, task_name: str = "", max_subtasks: int | None = 0) -> "Context":
        """Make the context of the next part of this task.

        Parameters
        ----------
        task_name : str
        max_subtasks : int or None

        Returns
        -------
        Context
        """
        number, self.n_children = self.n_children, self.n_children + 1
        name = self.estimator_name
        return Context(self.callbacks, name, task_name, number, max_subtasks, self)

    def call_on_fit_task_begin(self, *, estimator: Any, **given: Any) -> "Context":
        """Call the hook of every callback with those of the arguments that it names."""
        self._call("on_fit_task_begin", estimator, given)
        return self

    def call_on_fit_task_end(self, *, estimator: Any, **given: Any) -> bool:
        """Call the hook of every callback; True if one of them asks to stop."""
        return self._call("on_fit_task_end", estimator, given)

    def _call(self, hook: str, estimator: Any, given: dict[str, Any]) -> bool:
        make = given.pop("reconstruction_attributes", None)
        answers = []
        for callback in self.callbacks:
            function = getattr(callback, hook)
            names = [
                name
                for name, parameter in signature(function).parameters.items()
                if parameter.kind == Parameter.KEYWORD_ONLY
            ]
            arguments = {name: given.get(name) for name in names}
            if "fitted_estimator" in names and make is not None:
                arguments["fitted_estimator"] = rebuild(estimator, make())
            answers.append(bool(function(estimator, self, **arguments)))
        return any(answers)


def told(estimator: Any) -> dict[str, Any]:
    """Put together what callbacks are told: what predicts is only made for those who ask.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor

    Returns
    -------
    dict
    """
    make = estimator._reconstruction_attributes
    return {"estimator": estimator, "reconstruction_attributes": make}


def rebuild(estimator: Any, attributes: dict[str, Any]) -> Any:
    """Make an estimator that predicts as if the fit had stopped now."""
    from sklearn.base import clone

    copy = clone(estimator)
    vars(copy).update(attributes)
    return copy


class OwnCallbackSupport:
    """What `sklearn.callback.CallbackSupportMixin` is from scikit-learn 1.9 on."""

    def set_callbacks(self, *callbacks: Any) -> Any:
        """Set what is called during `fit`.

        That is, objects with the methods `setup`, `teardown`, `on_fit_task_begin` and
        `on_fit_task_end`, each called with the estimator and a context.

        Returns
        -------
        MLPClassifier or MLPRegressor
            The estimator itself.

        Raises
        ------
        TypeError
            If an object has not all of the methods.
        """
        for callback in callbacks:
            if isinstance(callback, type) or not all(hasattr(callback, hook) for hook in HOOKS):
                raise TypeError("callbacks must be instances following the FitCallback protocol.")
        self._skl_callbacks = list(callbacks)
        return self

    def _init_callback_context(self, task_name: str = "fit", max_subtasks: Any = 0) -> Context:
        """Make the context of a fit, and set the callbacks up."""
        callbacks = getattr(self, "_skl_callbacks", [])
        context = Context(callbacks, type(self).__name__, task_name, 0, max_subtasks)
        self._callback_fit_ctx = context
        for callback in callbacks:
            callback.setup(self, context)
        return context


def own_with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
    """Tear the callbacks down after a method, however it ends."""

    @wraps(method)
    def managed(estimator: Any, *arguments: Any, **keywords: Any) -> Any:
        try:
            return method(estimator, *arguments, **keywords)
        finally:
            context = vars(estimator).pop("_callback_fit_ctx", None)
            for callback in context.callbacks if context else []:
                callback.teardown(estimator, context)

    return managed


class NoCallbacks:
    """The context of a fit, and of its epochs, that no callback is told of."""

    def subcontext(self, **task: Any) -> "NoCallbacks":
        """Stand for the parts of this task, too."""
        return self

    def call_on_fit_task_begin(self, **given: Any) -> "NoCallbacks":
        """Call nothing."""
        return self

    def call_on_fit_task_end(self, **given: Any) -> bool:
        """Call nothing, so that nobody asks to stop."""
        return False


def begin_context(estimator: Any, n_epochs: int) -> Any:
    """Begin the context of a fit; making one takes longer than a small `partial_fit`.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    n_epochs : int
        At most so many.

    Returns
    -------
    sklearn.callback.CallbackContext, Context or NoCallbacks
    """
    known = vars(estimator)
    if known.get("_skl_callbacks") or "_parent_callback_ctx" in known:
        return estimator._init_callback_context(max_subtasks=n_epochs)
    return NoCallbacks()


try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:
    CallbackSupportMixin, with_callbacks = OwnCallbackSupport, own_with_callbacks

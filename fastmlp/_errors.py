"""Errors in one form: which parameter, which rule, what came, what to do."""

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastmlp.history import History
    from fastmlp.training import TrainResult


class DivergenceError(ArithmeticError):
    """Training ended because a loss or a parameter was no longer finite.

    Attributes
    ----------
    history : History
        The epochs before the one that diverged.
    """

    def __init__(self, message: str, history: "History") -> None:
        super().__init__(message)
        self.history = history


class TrainingInterrupted(KeyboardInterrupt):
    """Training ended because of Ctrl-C.

    Attributes
    ----------
    result : TrainResult
        The model as it was then, and the epochs that were finished.
    """

    def __init__(self, result: "TrainResult") -> None:
        super().__init__(f"interrupted after {len(result.history.loss)} epochs")
        self.result = result


def invalid(parameter: str, rule: str, got: object, remedy: str = "") -> ValueError:
    """Word a `ValueError` about one parameter.

    Parameters
    ----------
    parameter : str
        The parameter's name as the caller wrote it.
    rule : str
        What the value must be, to follow "must be".
    got : object
        What came instead: a string is shown as it is (a shape, a place), anything else by repr.
    remedy : str
        What to do about it, one sentence.
    """
    shown = got if isinstance(got, str) else repr(got)
    message = f"{parameter} must be {rule}; got {shown}."
    return ValueError(f"{message} {remedy}" if remedy else message)


def unknown_name(parameter: str, name: object, known: Iterable[str]) -> ValueError:
    """Word a `ValueError` about a name that is not in a table, suggesting the nearest.

    Parameters
    ----------
    parameter : str
        The parameter's name as the caller wrote it.
    name : object
        The value that came.
    known : iterable of str
        The names there are.
    """
    names = list(known)
    nearest = difflib.get_close_matches(str(name).lower(), names, n=1)
    remedy = f"Did you mean {nearest[0]!r}?" if nearest else ""
    return invalid(parameter, "one of " + ", ".join(map(repr, names)), repr(name), remedy)

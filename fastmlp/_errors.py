"""Errors in one form: which parameter, which rule, what came, what to do."""

import difflib
from collections.abc import Iterable


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

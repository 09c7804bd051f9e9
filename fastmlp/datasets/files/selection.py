"""Which columns of a file a model reads, whether the label is there or not."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from fastmlp._checks import check_name
from fastmlp._errors import invalid
from fastmlp.datasets.files.table import is_index, listed

MOST_NAMES = 5
"""So many missing columns are listed in an error message."""


class Wanted(NamedTuple):
    """What a model reads."""

    n_features: int
    names: Sequence[str] | None
    """Of the features, in the order of training; None takes them as they stand."""
    target: str | None
    """The column, or array, that is no feature."""


def select_columns(
    path: Path, names: Sequence[str], wanted: Wanted, indexes: Collection[int] = ()
) -> list[int]:
    """Find the features among the columns, in the order of training.

    Parameters
    ----------
    path : Path
        For the error messages.
    names : sequence of str
        Of all columns.
    wanted : Wanted
    indexes : collection of int
        Columns that are known to be an index.

    Returns
    -------
    list of int

    Raises
    ------
    ValueError
        If a feature is missing, or which columns they are cannot be known.
    """
    if wanted.target is not None:
        check_name(f"target, a column of {path},", wanted.target, names)
    if wanted.names is not None:
        return _by_name(path, names, wanted.names)
    features = [
        column
        for column, name in enumerate(names)
        if name != wanted.target and not is_index(column, names, indexes)
    ]
    _require_count(path, len(features), wanted)
    return features


def _by_name(path: Path, names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Look the features up."""
    missing = [name for name in wanted if name not in names]
    if missing:
        more = ", ..." if len(missing) > MOST_NAMES else ""
        got = f"none called {listed(missing[:MOST_NAMES])}{more}"
        raise invalid(f"the file {path}", "of the columns the model was trained on", got)
    twice = [name for name in wanted if list(names).count(name) > 1]
    if twice:
        rule = "of one column for each feature"
        raise invalid(f"the file {path}", rule, f"several called {twice[0]!r}", "Rename them.")
    return [names.index(name) for name in wanted]


def _require_count(path: Path, n_columns: int, wanted: Wanted) -> None:
    """Raise a `ValueError` where a file has not as many columns as the model has features."""
    n_features, remedy = wanted.n_features, ""
    if n_columns == n_features:
        return
    if n_columns == n_features + 1 and wanted.target is None:
        remedy = "If one of them is the target, name it: --target NAME."
    rule = f"of {n_features} columns, the features of the model, which knows no names of them"
    raise invalid(f"the file {path}", rule, str(n_columns), remedy)


def names_beside(names: Sequence[str], features: Sequence[int], wanted: Wanted) -> list[str]:
    """List the columns that are neither read nor known to be the target.

    Parameters
    ----------
    names : sequence of str
        Of all columns.
    features : sequence of int
        Those that are read.
    wanted : Wanted
    """
    read = set(features)
    return [n for column, n in enumerate(names) if column not in read and n != wanted.target]

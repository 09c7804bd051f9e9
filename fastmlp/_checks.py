"""Checks of single arguments at the public boundary."""

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from fastmlp._errors import invalid, unknown_name


def check_name(parameter: str, value: Any, known: Iterable[str]) -> str:
    """Return `value` if it is one of the known names.

    Raises
    ------
    ValueError
        If it is not; the nearest name is suggested.
    """
    names = tuple(known)
    if not (isinstance(value, str) and value in names):
        raise unknown_name(parameter, value, names)
    return value


def check_whole(parameter: str, value: Any, least: float = 1, most: float = np.inf) -> int:
    """Return `value` as an int if it is a whole number in [least, most].

    Raises
    ------
    ValueError
        If it is not.
    """
    whole = isinstance(value, Integral) and not isinstance(value, bool | np.bool_)
    if not (whole and least <= value <= most):
        upper = "" if np.isinf(most) else f" and at most {most}"
        raise invalid(parameter, f"a whole number of at least {least}{upper}", repr(value))
    return int(value)


def check_sizes(parameter: str, value: Any) -> tuple[int, ...]:
    """Return a whole number of at least 1, or a sequence of them, as a tuple.

    Raises
    ------
    ValueError
        If it is something else, or one of them is; sets, dicts and text are no sequences here.
    """
    sizes = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(sizes, Sequence) or isinstance(sizes, str | bytes | bytearray):
        sizes = (sizes,)
    return tuple(check_whole(parameter, size) for size in sizes)


def is_number(value: Any) -> bool:
    """Tell whether it is a real number, which True, False and text that says one are not."""
    return isinstance(value, Real) and not isinstance(value, bool)


def check_real(
    parameter: str, value: Any, least: float, most: float = np.inf, closed: str = "left"
) -> float:
    """Return `value` as a float if it is a number between two others.

    Parameters
    ----------
    parameter : str
        What the caller calls it.
    value : object
    least, most : float
    closed : {"left", "right", "both", "neither"}
        Which of the two it may be.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If it is not, NaN included.
    """
    open_left, closed_right = closed in ("right", "neither"), closed in ("right", "both")
    inside = is_number(value) and (least < value or (value == least and not open_left))
    if not (inside and (value < most or (value == most and closed_right))):
        lower = f"above {least:g}" if open_left else f"of at least {least:g}"
        upper = "finite" if np.isinf(most) else f"below {most:g}"
        upper = f"at most {most:g}" if closed_right else upper
        raise invalid(parameter, f"a number {lower} and {upper}", repr(value))
    return float(value)


def check_rounded(parameter: str, value: float, dtype: np.dtype[Any]) -> float:
    """Return `value` if it is not rounded to 0 or 1 by what is computed in.

    Raises
    ------
    ValueError
        If it is, and is neither.
    """
    rounded = float(dtype.type(value))
    if rounded != value and rounded in (0, 1):
        rule = f"a number that is not {rounded:g} in {dtype}"
        raise invalid(parameter, rule, value, "Pass dtype='float64'.")
    return value


def check_flag(parameter: str, value: Any) -> bool:
    """Return `value` as a bool if it is True or False.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not isinstance(value, bool | np.bool_):
        raise invalid(parameter, "True or False", repr(value))
    return bool(value)

"""Texts as numbers, where a number says no more and no less than the text."""

import math
import re
from collections.abc import Sequence

import numpy as np

from fastmlp._arrays import Array

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
"""Python's float() also takes nan, inf, 1_000 and the digits of other scripts."""

PLAIN = re.compile(r"[-+.0-9eE\s]*")
"""The characters of numbers: a row of texts is searched for others at once."""

WHOLE_LABEL = re.compile(r"[+-]?(0|[1-9][0-9]{0,19})")
"""Not 007, which is a name; of more digits than a number of 64 bits has, it is a name too."""

DECIMAL_LABEL = re.compile(r"[+-]?((0|[1-9][0-9]{0,14})(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
"""At most 15 digits before the point: a float64 holds them all."""

NO_VALUE = frozenset(
    ("", "nan", "na", "n/a", "<na>", "null", "none", "?", "inf", "+inf", "-inf", "infinity")
)
"""What is written, in lower case, where a number is missing or is not finite."""


def is_number(text: str) -> bool:
    """Tell whether a text is a finite number."""
    return bool(NUMBER.fullmatch(text.strip())) and math.isfinite(float(text))


def is_missing(text: str) -> bool:
    """Tell whether a text stands for a number that is missing."""
    return text.strip().lower() in NO_VALUE


def as_numbers(texts: Sequence[str]) -> list[float] | None:
    """Read texts as finite numbers; None where one of them is no such number.

    Parameters
    ----------
    texts : sequence of str
    """
    if not PLAIN.fullmatch("".join(texts)):
        return None
    try:
        values = [float(text) for text in texts]
    except ValueError:
        return None
    return values if {math.inf, -math.inf}.isdisjoint(values) else None


def as_labels(texts: Sequence[str]) -> Array:
    """Turn labels into numbers where all of them are numbers and nothing is lost by it.

    "001" stays a text, as do whole numbers of more digits than their type holds.

    Parameters
    ----------
    texts : sequence of str
        None of them missing.

    Returns
    -------
    ndarray of shape (n_samples,)
        int64, uint64, float64 or text.
    """
    different = set(texts)
    if all(map(WHOLE_LABEL.fullmatch, different)):
        numbers = [int(text) for text in texts]
        for kind in (np.int64, np.uint64):
            try:
                return np.array(numbers, kind)
            except OverflowError:
                continue
    elif all(map(DECIMAL_LABEL.fullmatch, different)):
        return np.array(texts).astype(np.float64)
    return np.array(texts)


def missing_label(texts: Sequence[str]) -> int | None:
    """Find the first label that is missing; None where there is none.

    Beside text, words such as NA are labels like others; beside numbers they are not.

    Parameters
    ----------
    texts : sequence of str
    """
    different = set(texts)
    words = {text for text in different if not is_number(text)}
    missing = words if words != different and all(map(is_missing, words)) else words & {""}
    return next((sample for sample, text in enumerate(texts) if text in missing), None)

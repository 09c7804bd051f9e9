"""Settings, and small arrays of any kind, as JSON: what comes back is what was written.

JSON has neither tuples nor arrays, infinity, or keys that are numbers; these are written as objects
whose key "!" says what they are.
"""

import math
from typing import Any

import numpy as np

from fastmlp._errors import invalid

TAG = "!"


def encode(value: Any, name: str) -> Any:
    """Turn a value into what `json.dumps` takes.

    Parameters
    ----------
    value : object
        None, a bool, number or string, a tuple, list, dict or array of them.
    name : str
        What to call it in an error.

    Raises
    ------
    ValueError
        If it, or something in it, is of another kind.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {TAG: "float", "text": repr(value)}
    if isinstance(value, list):
        return [encode(item, name) for item in value]
    if isinstance(value, tuple):
        return {TAG: "tuple", "items": [encode(item, name) for item in value]}
    if isinstance(value, dict):
        pairs = [[encode(key, name), encode(item, name)] for key, item in value.items()]
        return {TAG: "dict", "pairs": pairs}
    if isinstance(value, np.ndarray):
        return _encode_array(value, name)
    rule = "made of None, numbers, strings, tuples, lists, dicts and arrays to be saved"
    raise invalid(name, rule, repr(value), "Change it with set_params before saving.")


def _encode_array(array: Any, name: str) -> Any:
    """Turn an array of numbers, strings or times into its dtype, shape and a list."""
    if array.dtype.kind not in "biufUMO":
        raise invalid(name, "of numbers, strings or times to be saved", f"dtype {array.dtype}")
    times = array.dtype.kind == "M"
    flat = (np.datetime_as_string(array) if times else array).ravel().tolist()
    kind = "O" if array.dtype.kind == "O" else array.dtype.str
    items = [encode(item, name) for item in flat]
    return {TAG: "array", "dtype": kind, "shape": list(array.shape), "items": items}


def decode(value: Any) -> Any:
    """Turn what `encode` made back.

    Raises
    ------
    ValueError
        If it is not of `encode`'s making.
    """
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(TAG) not in DECODERS:
        raise ValueError(f"an entry of an unknown kind, {value.get(TAG)!r}")
    try:
        return DECODERS[value[TAG]](value)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a broken entry of kind {value[TAG]!r}") from error


def _decode_array(value: dict[str, Any]) -> Any:
    if value["dtype"] == "O":
        array = np.empty(len(value["items"]), object)
        array[:] = [decode(item) for item in value["items"]]
    else:
        dtype = np.dtype(value["dtype"])
        if dtype.kind not in "biufUM":
            raise ValueError(f"an array of dtype {dtype}")
        array = np.array([decode(item) for item in value["items"]]).astype(dtype)
    return array.reshape(value["shape"])


DECODERS = {
    "float": lambda value: float(value["text"]),
    "tuple": lambda value: tuple(decode(item) for item in value["items"]),
    "dict": lambda value: {decode(key): decode(item) for key, item in value["pairs"]},
    "array": _decode_array,
}

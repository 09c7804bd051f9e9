"""Settings, and small arrays of any kind, as JSON: what comes back is what was written.

JSON has neither tuples, arrays nor NumPy's scalars, neither bytes, infinity nor keys that are
numbers, nor random generators; these are written as objects whose key "!" says what they are.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastmlp._errors import invalid

TAG = "!"

CHARACTERS = "?bBhHiIlLqQpPefdSUTMmO"
"""NumPy's characters for the data types that can be saved: all but long double and records."""

BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def encode(value: Any, name: str) -> Any:
    """Turn a value into what `json.dumps` takes.

    Parameters
    ----------
    value : object
        None, a bool, number, string, bytes or random generator, a tuple, list, dict or array of
        them.
    name : str
        What to call it in an error.

    Raises
    ------
    ValueError
        If it, or something in it, is of another kind.
    """
    for kinds, encoder in ENCODERS.items():
        if isinstance(value, kinds):
            return encoder(value, name)
    rule = "made of None, numbers, strings, tuples, lists, dicts and arrays to be saved"
    raise invalid(name, rule, repr(value), "Change it with set_params before saving.")


def _encode_float(value: float, name: str) -> Any:
    return value if math.isfinite(value) else {TAG: "float", "text": repr(value)}


def _encode_dict(value: dict[Any, Any], name: str) -> Any:
    pairs = [[encode(key, name), encode(item, name)] for key, item in value.items()]
    return {TAG: "dict", "pairs": pairs}


def _encode_array(array: Any, name: str) -> Any:
    """Turn an array of numbers, strings, bytes or times into its dtype, shape and a list."""
    kind = array.dtype.char
    if kind not in CHARACTERS:
        rule = "of numbers of at most 64 bits, strings, bytes or times to be saved"
        raise invalid(name, rule, f"dtype {array.dtype}")
    flat = (array.astype(np.int64) if kind in "mM" else array).ravel().tolist()
    dtype = kind if kind in "OT" else array.dtype.str
    items = [encode(item, name) for item in flat]
    return {TAG: "array", "dtype": dtype, "shape": list(array.shape), "items": items}


ENCODERS: dict[Any, Callable[[Any, str], Any]] = {
    np.generic: lambda value, name: {
        TAG: "scalar", "array": _encode_array(np.asarray(value), name),
    },
    (bool, int, str, type(None)): lambda value, name: value,
    float: _encode_float,
    bytes: lambda value, name: {TAG: "bytes", "text": value.decode("latin-1")},
    list: lambda value, name: [encode(item, name) for item in value],
    tuple: lambda value, name: {TAG: "tuple", "items": [encode(item, name) for item in value]},
    dict: _encode_dict,
    np.ndarray: _encode_array,
    np.random.RandomState: lambda value, name: {
        TAG: "RandomState", "state": encode(value.get_state(legacy=False), name),
    },
    np.random.Generator: lambda value, name: {
        TAG: "Generator", "state": encode(value.bit_generator.state, name),
    },
}  # fmt: skip
"""The first that fits: NumPy's scalars come first, for some of them are Python's, too."""


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
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"a broken entry of kind {value[TAG]!r}") from error


def _decode_array(value: dict[str, Any]) -> Any:
    dtype = np.dtype(value["dtype"])
    if dtype.char not in CHARACTERS:
        raise ValueError(f"an array of dtype {dtype}")
    array = np.empty(len(value["items"]), dtype)
    for place, item in enumerate(value["items"]):
        array[place] = decode(item)
    return array.reshape(value["shape"])


def _decode_generator(value: dict[str, Any]) -> Any:
    state = decode(value["state"])
    if state["bit_generator"] not in BIT_GENERATORS:
        raise ValueError(f"a bit generator {state['bit_generator']!r}")
    bit_generator = getattr(np.random, state["bit_generator"])(0)
    if value[TAG] == "RandomState":
        random_state = np.random.RandomState(bit_generator)
        random_state.set_state(state)
        return random_state
    bit_generator.state = state
    return np.random.Generator(bit_generator)


DECODERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "scalar": lambda value: decode(value["array"])[()],
    "float": lambda value: float(value["text"]),
    "bytes": lambda value: value["text"].encode("latin-1"),
    "tuple": lambda value: tuple(decode(item) for item in value["items"]),
    "dict": lambda value: {decode(key): decode(item) for key, item in value["pairs"]},
    "array": _decode_array,
    "RandomState": _decode_generator,
    "Generator": _decode_generator,
}

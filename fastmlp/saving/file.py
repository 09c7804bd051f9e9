"""Files in the safetensors format, whose header holds the rest as JSON: loading runs no code."""

import itertools
import json
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp._files import write_file
from fastmlp.activations import ACTIVATIONS
from fastmlp.losses import OUTPUT_FUNCTIONS
from fastmlp.saving.content import Content
from fastmlp.saving.encoding import decode, encode

KEY, VERSION = "fastmlp", 1


def write(content: Content, path: str | PathLike[str]) -> None:
    """Write a file whole or not at all, as `write_file` does.

    Parameters
    ----------
    content : Content
    path : path-like

    Raises
    ------
    ValueError
        If a setting cannot be written.
    OSError
        If the file cannot be written.
    """
    from safetensors.numpy import save

    header = {
        "version": VERSION,
        "kind": content.kind,
        "activations": list(content.activations),
        "output": content.output,
        "settings": {name: encode(value, name) for name, value in content.settings.items()},
        "fitted": {name: encode(value, name) for name, value in content.fitted.items()},
    }
    named = {f"coefs.{layer}": array for layer, array in enumerate(content.coefs)}
    named |= {f"intercepts.{layer}": array for layer, array in enumerate(content.intercepts)}
    named |= {f"arrays.{name}": array for name, array in content.arrays.items()}
    tensors = {name: np.ascontiguousarray(array) for name, array in named.items()}
    write_file(path, save(tensors, {KEY: json.dumps(header)}))


def read(path: str | PathLike[str]) -> Content:
    """Read a file that `write` has written.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Content

    Raises
    ------
    ValueError
        If it is broken, or another program's.
    FileNotFoundError
        If there is none.
    """
    try:
        header, tensors = _read_parts(Path(path))
        return _assemble(header, tensors)
    except ValueError as error:
        raise ValueError(
            f"{path} must be a file saved by fastmlp; it has {error}. Save the model again."
        ) from error


def _read_parts(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the header and the tensors."""
    from safetensors import SafetensorError, safe_open

    with path.open("rb"):  # Python's own errors for what is no readable file
        pass
    try:
        with safe_open(path, "numpy") as file:
            text = (file.metadata() or {}).get(KEY)
            names = [] if text is None else list(file.keys())
            tensors = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, TypeError, OverflowError) as error:
        raise ValueError(f"a content that is damaged, or no safetensors file ({error})") from error
    if text is None:
        raise ValueError("no fastmlp header")
    try:
        header = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError("a header that is no JSON") from error
    if not isinstance(header, dict) or not isinstance(header.get("version"), int):
        raise ValueError("a header without a version")
    if header["version"] > VERSION:
        raise ValueError(f"version {header['version']}, and this fastmlp reads {VERSION}")
    return header, tensors


def _assemble(header: dict[str, Any], tensors: dict[str, Any]) -> Content:
    """Check that the parts fit together."""
    try:
        names, output, kind = header["activations"], header["output"], header["kind"]
        settings = {name: decode(value) for name, value in header["settings"].items()}
        fitted = {name: decode(value) for name, value in header["fitted"].items()}
    except (KeyError, AttributeError) as error:
        raise ValueError(f"an incomplete header ({error})") from error
    sound = isinstance(names, list) and all(name in ACTIVATIONS for name in names)
    if not sound or output not in OUTPUT_FUNCTIONS or not isinstance(kind, str):
        raise ValueError(f"activations {names!r} and output {output!r}")
    n_layers = len(names) + 1
    expected = [f"{part}.{layer}" for part in ("coefs", "intercepts") for layer in range(n_layers)]
    missing = [name for name in expected if name not in tensors]
    if missing:
        raise ValueError(f"no tensor {missing[0]!r}")
    coefs = [tensors[f"coefs.{layer}"] for layer in range(n_layers)]
    intercepts = [tensors[f"intercepts.{layer}"] for layer in range(n_layers)]
    _require_chain(coefs, intercepts)
    arrays = {
        name.removeprefix("arrays."): array
        for name, array in tensors.items()
        if name.startswith("arrays.")
    }
    return Content(kind, coefs, intercepts, tuple(names), output, arrays, settings, fitted)


def _require_chain(coefs: list[Any], intercepts: list[Any]) -> None:
    """Raise a `ValueError` where the layers do not fit one another."""
    for weights, biases in zip(coefs, intercepts, strict=True):
        if weights.ndim != 2 or biases.shape != weights.shape[1:]:
            raise ValueError(f"weights of shape {weights.shape} and biases of {biases.shape}")
        if weights.dtype not in (np.float32, np.float64) or biases.dtype != coefs[0].dtype:
            raise ValueError(f"weights of dtype {weights.dtype} and biases of {biases.dtype}")
    for before, after in itertools.pairwise(coefs):
        if before.shape[1] != after.shape[0] or before.dtype != after.dtype:
            raise ValueError(f"layers of shapes {before.shape} and {after.shape}")

"""IDX, the file format of MNIST: two zeros, the type, the number of axes, their lengths, the bytes.

The lengths are big-endian 32-bit integers; the type of unsigned bytes is 8. Described at the end of
LeCun's page of the MNIST database.
"""

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._errors import invalid

UNSIGNED_BYTE = 8


def header(shape: tuple[int, ...]) -> bytes:
    """Return the first bytes of an IDX file of unsigned bytes of this shape."""
    return bytes([0, 0, UNSIGNED_BYTE, len(shape)]) + np.array(shape, ">i4").tobytes()


def sha256(array: NDArray[np.uint8]) -> str:
    """Hash an array as the IDX file it would be, uncompressed."""
    digest = hashlib.sha256(header(array.shape))
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, compressed by gzip or not.

    Raises
    ------
    ValueError
        If it is not IDX, is cut short, or goes on after its end.
    """
    content = _read_bytes(path)
    n_axes = content[3] if len(content) > 3 else 0
    start = 4 + 4 * n_axes
    if content[:3] != bytes([0, 0, UNSIGNED_BYTE]) or n_axes == 0 or len(content) < start:
        raise _unusable(path, "an IDX file of unsigned bytes", f"first bytes {content[:4]!r}")
    shape = tuple(int(length) for length in np.frombuffer(content[4:start], ">i4"))
    expected, actual = int(np.prod(shape, dtype=object)), len(content) - start
    if actual != expected:
        what = "it is cut short" if actual < expected else "something follows its end"
        rule = f"{expected} bytes of shape {shape}, as it says at its beginning"
        raise _unusable(path, rule, f"{actual} bytes: {what}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _read_bytes(path: Path) -> bytes:
    """Read a file and undo gzip, which is known by its first two bytes."""
    content = path.read_bytes()
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise _unusable(path, "a whole gzip file", str(error)) from error


def _unusable(path: Path, rule: str, got: Any) -> ValueError:
    return invalid(f"the file {path}", rule, got, "Delete it to have it downloaded again.")

"""How much memory there is, and how much of it a source may take."""

import mmap
import os
import re
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp._checks import check_whole
from fastmlp._errors import invalid, warn

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
UNITS |= {"ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}

LARGE = 1 << 20
"""Bytes of an array that has pages of its own."""

CGROUP = Path("/sys/fs/cgroup")
"""Where Linux says what a container may take, and takes."""


def as_bytes(buffer: Any) -> int:
    """Read a size such as "2GB", "500 MiB" or a number of bytes.

    Parameters
    ----------
    buffer : str or int

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is something else.
    """
    if not isinstance(buffer, str):
        return check_whole("buffer", buffer)
    found = re.fullmatch(r"\s*(\d+\.?\d*)\s*([kmgt]?i?)b?\s*", buffer.lower())
    unit = UNITS.get(found[2]) if found else None
    if found is None or unit is None or float(found[1]) * unit < 1:
        raise invalid("buffer", "a size such as '2GB' or '500MB', or a number of bytes", buffer)
    return int(float(found[1]) * unit)


def free_bytes() -> int | None:
    """Find out how much memory is free; None where the system does not say."""
    return min(filter(None, (_of_machine(), _of_container())), default=None)


def _of_machine() -> int | None:
    """Read what the system says: on Linux with what it would give back."""
    try:
        found = re.search(r"MemAvailable:\s*(\d+) kB", Path("/proc/meminfo").read_text())
        if found:
            return int(found[1]) * 1024
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None


def _of_container() -> int | None:
    """Read what the control group leaves, its file cache counted as free."""
    try:
        most = int((CGROUP / "memory.max").read_text())
        taken = int((CGROUP / "memory.current").read_text())
        found = re.search(r"^file (\d+)", (CGROUP / "memory.stat").read_text(), re.MULTILINE)
    except (OSError, ValueError):  # there is none, or no limit ("max")
        return None
    return max(1, most - taken + (int(found[1]) if found else 0))


def allocate(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Make an array, not filled, whose memory the system has back as soon as it is gone.

    What NumPy frees may stay with the process: a third more is taken then, as threads come and go.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype
    """
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if size < LARGE or dtype.hasobject:
        return np.empty(shape, dtype)
    return np.ndarray(shape, dtype, mmap.mmap(-1, size))


class Ring:
    """Memory for one array after the other, of which only the last few are in use.

    The system clears each page that it gives, which takes longer than to copy rows there: so what
    is used no longer is used again.

    Parameters
    ----------
    n_arrays : int
        So many are in use at a time, at most.
    """

    def __init__(self, n_arrays: int) -> None:
        self.memories: deque[Any] = deque([b""] * n_arrays)

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """Make an array, not filled, in the memory of one that is used no longer; see `allocate`.

        Parameters
        ----------
        shape : tuple of int
        dtype : dtype
        """
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        if size < LARGE or dtype.hasobject:
            return np.empty(shape, dtype)
        memory = self.memories.popleft()
        if len(memory) < size:
            memory = mmap.mmap(-1, size)
        self.memories.append(memory)
        return np.ndarray(shape, dtype, memory)


def affordable(buffer: int, needed: int) -> int:
    """Cut a buffer to half of what is free, if more is needed.

    Parameters
    ----------
    buffer, needed : int
        Bytes.

    Returns
    -------
    int

    Warns
    -----
    UserWarning
        If it is cut: the order of the rows depends on it.
    """
    free = free_bytes()
    if free is None or min(buffer, needed) <= free // 2:
        return buffer
    warn(
        f"buffer={buffer / 1e9:.3g} GB is more than half of the memory that is free: "
        f"{free / 2e9:.3g} GB are used. The order of the rows depends on it.",
    )
    return free // 2

"""Arrays as the kernels want them."""

import ctypes
import math

import numpy as np
from numpy.typing import DTypeLike

from fastmlp._arrays import Array
from fastmlp.kernels.simd import LINE_BYTES


def zeros(shape: int | tuple[int, ...], dtype: DTypeLike) -> Array:
    """Allocate zeros that begin at the start of a line of memory.

    Parameters
    ----------
    shape : int or tuple of int
    dtype : dtype

    Returns
    -------
    ndarray
    """
    shape = shape if isinstance(shape, tuple) else (shape,)
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.zeros(n_bytes + LINE_BYTES, np.uint8)
    # A fit asks a dozen times: `memory.ctypes`, slices and views took three times as long.
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))  # type: ignore[arg-type]
    return np.ndarray(shape, dtype, memory, -address % LINE_BYTES)


def read_only(array: Array) -> Array:
    """View an array as read-only, so that the kernels are compiled for one type."""
    view = array.view()
    view.setflags(write=False)
    return view

"""Arrays as the kernels want them."""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastmlp.kernels import samples
from fastmlp.kernels.layout import Layout
from fastmlp.kernels.simd import LINE_BYTES
from fastmlp.network import Parameters


def zeros(shape: int | tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
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
    start = -memory.ctypes.data % LINE_BYTES
    return memory[start : start + n_bytes].view(dtype).reshape(shape)


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """View an array as read-only, so that the kernels are compiled for one type."""
    view = array.view()
    view.setflags(write=False)
    return view


def make_sample_workspace(
    layout: Layout, parameters: Parameters, n_threads: int
) -> samples.SampleWorkspace:
    """Allocate what a sample is computed in."""
    dtype, width, outputs = parameters.dtype, int(layout.widths[0]), int(layout.widths[1])
    masks = zeros(width, dtype)
    masks[: layout.fan_out[0]] = 1
    return samples.SampleWorkspace(
        units=zeros(width, dtype),
        masks=masks,
        shared_rows=zeros(width, dtype),
        row_sums=zeros(width, dtype),
        partial_logits=zeros(2 * int(layout.n_panels[0]) * outputs, dtype),
        # A line between one thread's and the next one's: they would be fetched in pairs.
        outputs=zeros((n_threads, 3 * outputs + 32), dtype),
    )

"""Hidden units whose derivative is kept from the forward pass for the backward pass.

The derivative of GELU, say, is no function of GELU's value, and dropout multiplies value and
derivative alike: such networks keep f'(z), times what dropout multiplies a unit by, beside f(z).
"""

from typing import NamedTuple

import numpy as np

from fastmlp.kernels.activations import value_and_slope
from fastmlp.kernels.jit import inlined, kernel
from fastmlp.kernels.simd import broadcast, fma, load, load_kept, n_lanes, store


class Slopes(NamedTuple):
    """What is kept, and what dropout is decided by."""

    memory: np.ndarray
    """(n,) float, as `Workspace.units`."""
    numbers: np.ndarray
    """(n,) uint16, drawn outside: some for each row of the samples of this call."""
    row_step: int
    """How many for each row."""
    begin: int
    """Where those of the batch's first row start."""
    starts: np.ndarray
    """(n_hidden,) intp: where those of a layer start in a row."""
    thresholds: np.ndarray
    """(n_hidden,) intp: a unit whose number is below is left out; 0 where there is no dropout."""
    factors: np.ndarray
    """(n_hidden,) float: by which the others are multiplied."""


@inlined
def at_batch(slopes, first_row):
    """Point to the numbers of a batch."""
    return Slopes(
        slopes.memory, slopes.numbers, slopes.row_step,
        slopes.begin + first_row * slopes.row_step, slopes.starts, slopes.thresholds,
        slopes.factors,
    )  # fmt: skip


@kernel
def activate_and_keep(lanes, code, units, scale, intercepts, layer, panel, slopes):
    """Compute f(scale z + b), times what dropout says, in place, and keep the slope.

    Parameters
    ----------
    lanes : simd.Lanes
    code : int
    units : products.Matrix of shape (n_rows, n_lanes)
        z; overwritten.
    scale : float
    intercepts : vector
    layer, panel : int
    slopes : Slopes
        Its memory is overwritten where the units lie.
    """
    factor, threshold = broadcast(lanes, scale), slopes.thresholds[layer]
    first = slopes.begin + slopes.starts[layer] + panel * n_lanes(lanes)
    for row in range(units.n_rows):
        place = units.start + row * units.row_step
        z = fma(factor, load(lanes, units.memory, place), intercepts)
        a, slope = value_and_slope(code, z)
        if threshold > 0:
            number = first + row * slopes.row_step
            kept = load_kept(lanes, slopes.numbers, number, threshold, slopes.factors[layer])
            a, slope = a * kept, slope * kept
        store(units.memory, place, a)
        store(slopes.memory, place, slope)


@kernel
def multiply_by_slopes(lanes, slopes, deltas):
    """Multiply the deltas by what was kept, in place.

    Parameters
    ----------
    lanes : simd.Lanes
    slopes : Slopes
    deltas : products.Matrix of shape (n_rows, n_lanes)
    """
    for row in range(deltas.n_rows):
        place = deltas.start + row * deltas.row_step
        kept = load(lanes, slopes.memory, place)
        store(deltas.memory, place, load(lanes, deltas.memory, place) * kept)

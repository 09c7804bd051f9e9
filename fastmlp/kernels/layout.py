"""Where the kernels keep a network: its weights in panels, a few registers wide.

A layer's weights are cut into panels of as many units as a vector has lanes, each panel a
contiguous matrix of shape (fan_in, n_lanes), so that a thread owns whole lines of memory. The last
panel is padded with units that never learn: their weights are and stay zero, and nothing reads
what they put out.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from fastmlp.kernels.activations import CODES, IDENTITY
from fastmlp.kernels.simd import LINE_BYTES, Lanes

WIDE_BYTES, NARROW_BYTES = 256, 64
"""Size of a row of a panel: four lines of memory, or one."""

MOST_NARROW_PANELS = 3
"""Beside a sparse first layer, a layer of more units than these hold gets wide panels."""

FEW_OUTPUTS = 4
"""Two classes, or a value or two, are what most networks put out: their layer is so many wide."""

ALIASED_BYTES = 1024
"""First-level caches have a place for every 4096 bytes or so; four rows a place are held."""

NEVER = -1e18
"""The bias of the output units that pad the last panel: their softmax is 0. Its square is still
a float32."""


def choose_lanes(n_units: int, dtype: Any, sparse: bool) -> Lanes:
    """Choose the panels of layers of at most so many units.

    A line of memory is wide enough for products of dense matrices, and leaves the least to be
    padded. Finding the row of weights that belongs to a nonzero costs as much as using a line of
    it, so that there four lines are read at a time.

    Parameters
    ----------
    n_units : int
    dtype : dtype
    sparse : bool
        Whether the network's inputs are sparse.

    Returns
    -------
    Lanes
    """
    size = np.dtype(dtype).itemsize
    wide = sparse and n_units > MOST_NARROW_PANELS * NARROW_BYTES // size
    return Lanes(np.dtype(dtype).type, (WIDE_BYTES if wide else NARROW_BYTES) // size)


def choose_output_lanes(n_units: int, dtype: Any, sparse: bool) -> Lanes:
    """Choose the panels of the output layer: a few units are not padded to a line of memory.

    Parameters
    ----------
    n_units : int
    dtype : dtype
    sparse : bool
        See `choose_lanes`.

    Returns
    -------
    Lanes
    """
    if n_units <= FEW_OUTPUTS:
        return Lanes(np.dtype(dtype).type, FEW_OUTPUTS)
    return choose_lanes(n_units, dtype, sparse)


def choose_row_step(width: int, dtype: Any) -> int:
    """Choose the distance of the rows of a matrix of units or samples.

    Rows are whole lines of memory, and an odd number of pairs of them apart where they would be a
    multiple of `ALIASED_BYTES`: then all rows of a tile would compete for one place in the cache.

    Parameters
    ----------
    width : int
    dtype : dtype

    Returns
    -------
    int
    """
    size = np.dtype(dtype).itemsize
    n_bytes = -(-width * size // NARROW_BYTES) * NARROW_BYTES
    return (n_bytes + (0 if n_bytes % ALIASED_BYTES else 2 * NARROW_BYTES)) // size


class Layout(NamedTuple):
    """The shape of a network and where its layers lie; each array has an entry a layer, intp."""

    fan_in: Any
    fan_out: Any
    activations: Any
    """Codes of `activations`; the last layer's is `IDENTITY`."""
    n_panels: Any
    widths: Any
    """Number of units, the padding included."""
    panel_sizes: Any
    """Number of weights in a panel."""
    coefs: Any
    """Where a layer's first panel starts among the parameters."""
    intercepts: Any
    """Where its biases start there."""
    transposed: Any
    """Where the transposed weights start, in panels of the units of the layer before."""
    row_steps: Any
    """Distance of the rows of its units; see `choose_row_step`."""
    input_step: Any
    """(1,) intp: distance of the rows of dense samples."""
    units: Any
    """Where its units start for a batch of one row; those of n_rows start at n_rows times that."""


@lru_cache(maxsize=64)
def make_layout(
    layer_sizes: tuple[int, ...], activations: tuple[str, ...], hidden: Lanes, output: Lanes
) -> Layout:
    """Lay a network out; nobody may write into what is returned, which is kept.

    Parameters
    ----------
    layer_sizes : tuple of int
        Number of features, hidden units of each layer, classes.
    activations : tuple of str
        Of the hidden layers.
    hidden, output : Lanes

    Returns
    -------
    Layout
    """
    n_layers = len(layer_sizes) - 1
    lanes = np.array([hidden.width] * (n_layers - 1) + [output.width], np.intp)
    fan_in, fan_out = np.array(layer_sizes[:-1], np.intp), np.array(layer_sizes[1:], np.intp)
    n_panels = -(-fan_out // lanes)
    widths = n_panels * lanes
    # The rows of hidden layers' weights are as many as the units before, the padding too,
    # so that blocks of them can be transposed.
    rows = np.append(fan_in[:1], widths[:-1])
    sizes = np.stack([n_panels * rows * lanes, _in_lines(widths, hidden.dtype)], axis=1).ravel()
    starts = np.append(0, np.cumsum(sizes)[:-1]).reshape(-1, 2).astype(np.intp)
    row_steps = [choose_row_step(int(width), hidden.dtype) for width in (layer_sizes[0], *widths)]
    codes = [CODES[name] for name in activations] + [IDENTITY]
    return Layout(
        fan_in=fan_in,
        fan_out=fan_out,
        activations=np.array(codes, np.intp),
        n_panels=n_panels,
        widths=widths,
        panel_sizes=rows * lanes,
        coefs=starts[:, 0].copy(),
        intercepts=starts[:, 1].copy(),
        transposed=_starts(np.append(0, (widths[:-1] * widths[1:]))),
        row_steps=np.array(row_steps[1:], np.intp),
        input_step=np.array(row_steps[:1], np.intp),
        units=_starts(row_steps[1:]),
    )


def _in_lines(counts: Any, dtype: Any) -> Any:
    """Round up to whole lines of memory."""
    size = NARROW_BYTES // np.dtype(dtype).itemsize
    return -(-counts // size) * size


def _starts(sizes: Any) -> Any:
    """Compute where things of these sizes start that lie one behind the other."""
    return np.append(0, np.cumsum(sizes)[:-1]).astype(np.intp)


def n_packed(layout: Layout) -> int:
    """Count the parameters, the padding to whole lines of memory included.

    Parameters
    ----------
    layout : Layout

    Returns
    -------
    int
    """
    return int(layout.intercepts[-1] + layout.row_steps[-1])


def n_transposed(layout: Layout) -> int:
    """Count the transposed weights; see `n_packed`."""
    return int((layout.widths[:-1] * layout.widths[1:]).sum())


def n_of_units(layout: Layout, n_rows: int) -> int:
    """Count the numbers that units take, one more vector of rows of the last layer included.

    Parameters
    ----------
    layout : Layout
    n_rows : int

    Returns
    -------
    int
    """
    return n_rows * int(layout.row_steps.sum()) + LINE_BYTES // 4 * int(layout.row_steps[-1])


def panels(layout: Layout, layer: int, packed: Any) -> Any:
    """View the weights of a layer.

    Parameters
    ----------
    layout : Layout
    layer : int
    packed : ndarray of shape (..., n_packed)

    Returns
    -------
    ndarray of shape (..., n_panels, n_rows, n_lanes)
    """
    n_panels, size = int(layout.n_panels[layer]), int(layout.panel_sizes[layer])
    start, n_lanes = int(layout.coefs[layer]), int(layout.widths[layer]) // n_panels
    flat = packed[..., start : start + n_panels * size]
    return flat.reshape(*packed.shape[:-1], n_panels, size // n_lanes, n_lanes)


def parts(layout: Layout, coefs: Any, intercepts: Any, order: Any = None) -> Any:
    """Cut weights and biases into parts, each of which one copy brings to its place.

    Parameters
    ----------
    layout : Layout
    coefs : sequence of ndarray of shape (..., fan_in, fan_out)
    intercepts : sequence of ndarray of shape (..., fan_out)
    order : ndarray of shape (n_features,), intp, optional
        In which the features come in the first layer's panels.

    Yields
    ------
    part : ndarray
        Views: of a layer's whole panels, of what is left, of the biases.
    rows : index
        Brings its rows into the order of their place.
    """
    sizes = (layout.widths // layout.n_panels).tolist()
    rows: Any = ... if order is None else (..., order, slice(None))
    for matrix, vector, n_lanes in zip(coefs, intercepts, sizes, strict=True):
        n_full, n_left = divmod(matrix.shape[-1], n_lanes)
        if n_full:
            full = matrix[..., : n_full * n_lanes]
            yield full.reshape(*matrix.shape[:-1], n_full, n_lanes).swapaxes(-3, -2), rows
        if n_left:
            yield matrix[..., n_full * n_lanes :], rows
        yield vector, (rows := ...)


def places(layout: Layout, packed: Any) -> Any:
    """View where `parts` lie.

    Parameters
    ----------
    layout : Layout
    packed : ndarray of shape (..., n_packed)

    Yields
    ------
    ndarray
    """
    for layer, fan_out in enumerate(layout.fan_out.tolist()):
        views = panels(layout, layer, packed)[..., : int(layout.fan_in[layer]), :]
        n_full, n_left = divmod(fan_out, views.shape[-1])
        if n_full:
            yield views[..., :n_full, :, :]
        if n_left:
            yield views[..., n_full, :, :n_left]
        start = int(layout.intercepts[layer])
        yield packed[..., start : start + fan_out]


def transposed_parts(layout: Layout, coefs: Any, transposed: Any) -> Any:
    """Cut the weights of all layers but the first for their transposed panels.

    Those are panels of the units of the layer before.

    Parameters
    ----------
    layout : Layout
    coefs : sequence of ndarray of shape (fan_in, fan_out)
    transposed : ndarray of shape (n_transposed,)

    Yields
    ------
    (part, rows), place
        A view of the weights, transposed, and one of where they lie among the transposed ones; see
        `parts`.
    """
    for layer in range(1, len(coefs)):
        fan_in, fan_out = coefs[layer].shape
        n_panels, width = int(layout.n_panels[layer - 1]), int(layout.widths[layer])
        n_lanes = int(layout.widths[layer - 1]) // n_panels
        n_full, n_left = divmod(fan_in, n_lanes)
        start = int(layout.transposed[layer])
        flat = transposed[start : start + n_panels * n_lanes * width]
        places = flat.reshape(n_panels, width, n_lanes)[:, :fan_out]
        if n_full:
            full = coefs[layer][: n_full * n_lanes].reshape(n_full, n_lanes, fan_out)
            yield (full.swapaxes(1, 2), ...), places[:n_full]
        if n_left:
            yield (coefs[layer][n_full * n_lanes :].T, ...), places[n_full, :, :n_left]


def copy_in(pairs: Any) -> None:
    """Copy each part to its place; what fills the panels up stays as it is.

    Parameters
    ----------
    pairs : iterable of ((ndarray, index), ndarray)
        Of `parts` and `places`, or `transposed_parts`.
    """
    for (part, rows), place in pairs:
        place[...] = part[rows]


def copy_out(pairs: Any) -> None:
    """Copy each part back from its place; see `copy_in`."""
    for (part, rows), place in pairs:
        part[rows] = place

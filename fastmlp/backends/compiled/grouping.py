"""Whether the rows of a batch are shared out among threads, and the memory for it."""

from typing import Any

import numpy as np

from fastmlp.backends.compiled.memory import zeros
from fastmlp.kernels import layout as layouts
from fastmlp.kernels import task as tasks
from fastmlp.kernels.groups import Groups
from fastmlp.kernels.layout import Layout

FEWEST_ROWS = 32
"""Rows of a group at the least."""

PARAMETERS_A_ROW = 700
"""A group has a row at least for so many parameters: adding its gradient to those of the others
takes a twentieth of the time that its rows take."""

MOST_GROUPS = 16

BLOCK_BYTES = 1 << 19
"""What the rows take that a thread works on at a time: they stay in its second-level cache."""


def choose_n_groups(layout: Layout, n_rows: int) -> int:
    """Choose into how many groups of rows a batch is cut.

    Parameters
    ----------
    layout : Layout
    n_rows : int
        Of a batch.

    Returns
    -------
    int
        A power of two, so that two, four or eight threads have equal shares; 1 where units are to
        be shared out instead.
    """
    least = max(FEWEST_ROWS, layouts.n_packed(layout) // PARAMETERS_A_ROW)
    n_groups = 1
    while n_groups < MOST_GROUPS and 2 * n_groups * least <= n_rows:
        n_groups *= 2
    return n_groups


def make_groups(layout: Layout, n_groups: int, n_rows: int, dtype: np.dtype[Any]) -> Groups:
    """Allocate the groups' gradients, and choose the rows of a block."""
    row_bytes = int(layout.input_step[0] + 2 * layout.row_steps.sum()) * dtype.itemsize
    fitting = max(FEWEST_ROWS, BLOCK_BYTES // row_bytes // 8 * 8)
    block_rows = min(fitting, -(-n_rows // n_groups))
    return Groups(zeros((n_groups, layouts.n_packed(layout)), dtype), block_rows)


def n_stretches(layout: Layout) -> int:
    """Count the stretches, at most, into which the update of a layer is shared out."""
    n_lanes = int(layout.widths[0] // layout.n_panels[0])
    return max(-(-int(layout.fan_in[0]) // n_lanes), int(layout.n_panels.max()))


def make_workspaces(
    workspace: tasks.Workspace, layout: Layout, groups: Groups, n_threads: int, n_rows: int
) -> list[tasks.Workspace]:
    """Allocate what each thread computes its blocks of rows in.

    Parameters
    ----------
    workspace : Workspace
        Of no rows: what does not depend on them.
    layout : Layout
    groups : Groups
    n_threads : int
    n_rows : int
        Of a batch.

    Returns
    -------
    list of Workspace
        They share the losses of the rows and the penalties.
    """
    dtype, n_steps = workspace.units.dtype, workspace.penalties.shape[2]
    n_units = layouts.n_of_units(layout, groups.block_rows)
    shared = workspace._replace(
        row_losses=np.zeros(n_rows),
        penalties=np.zeros((len(layout.widths), n_stretches(layout), n_steps)),
    )
    return [
        shared._replace(
            inputs=zeros(groups.block_rows * int(layout.input_step[0]), dtype),
            units=zeros(n_units, dtype),
            deltas=zeros(n_units, dtype),
        )
        for _ in range(n_threads)
    ]

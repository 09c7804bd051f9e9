"""A network's parameters in the panels of the kernels, and back."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.backends.compiled.memory import zeros
from fastmlp.kernels import layout as layouts
from fastmlp.kernels import task as tasks
from fastmlp.kernels.simd import Lanes
from fastmlp.kernels.updates import Solver
from fastmlp.network import Parameters

Array = NDArray[Any]


class PackedModel:
    """Parameters and a solver's state, packed.

    Parameters
    ----------
    parameters : Parameters
        Copied by `load`, overwritten by `unload`.
    sparse : bool
        Whether the network's inputs are sparse.
    n_slots : int
        Number of buffers of the solver's state.
    n_spare : int
        Number of further buffers, which are not part of the state.
    """

    def __init__(
        self, parameters: Parameters, sparse: bool, n_slots: int, n_spare: int = 0
    ) -> None:
        dtype, sizes = parameters.dtype, parameters.network.layer_sizes
        self.parameters = parameters
        self.hidden = layouts.choose_lanes(max(sizes[1:-1], default=sizes[-1]), dtype, sparse)
        self.output = self.hidden
        if len(sizes) > 2:
            self.output = layouts.choose_output_lanes(sizes[-1], dtype, sparse)
        self.line = Lanes(dtype.type, layouts.NARROW_BYTES // dtype.itemsize)
        self.block = min(self.line, self.output, key=lambda lanes: lanes.width)
        activations = parameters.network.activations
        self.layout = layouts.make_layout(sizes, activations, self.hidden, self.output)
        self.packed = zeros(layouts.n_packed(self.layout), dtype)
        self.packed[self.layout.intercepts[-1] :] = layouts.NEVER
        self.n_slots = n_slots
        self.slots = zeros((n_slots + n_spare, self.packed.size), dtype)
        self.transposed = zeros(layouts.n_transposed(self.layout), dtype)

    def load(self) -> None:
        """Copy the parameters into the panels."""
        coefs, intercepts = self.parameters.coefs, self.parameters.intercepts
        layouts.pack(self.layout, coefs, intercepts, self.packed)
        layouts.pack_transposed(self.layout, coefs, self.transposed)

    def unload(self, from_transposed: bool) -> None:
        """Copy them back.

        Parameters
        ----------
        from_transposed : bool
            Whether the layers after the first are up to date only where they lie transposed.
        """
        coefs, intercepts = self.parameters.coefs, self.parameters.intercepts
        layouts.unpack(self.layout, self.packed, coefs, intercepts)
        if from_transposed:
            layouts.unpack_transposed(self.layout, self.transposed, coefs)

    def state(self) -> Array:
        """Copy the solver's state into buffers like that of the parameters.

        Returns
        -------
        ndarray of shape (n_slots, n_parameters)
        """
        network, dtype = self.parameters.network, self.parameters.dtype
        state = np.empty((self.n_slots, network.n_parameters), dtype)
        for slot, buffer in zip(self.slots, state, strict=False):
            views = Parameters(network, buffer)
            layouts.unpack(self.layout, slot, views.coefs, views.intercepts)
        return state

    def set_state(self, state: Array) -> None:
        """Copy a state back; see `state`."""
        for slot, buffer in zip(self.slots, state, strict=False):
            views = Parameters(self.parameters.network, buffer)
            layouts.pack(self.layout, views.coefs, views.intercepts, slot)

    def task(
        self, solver: Solver, batches: tasks.Batches, workspace: tasks.Workspace, team: tasks.Team
    ) -> tasks.Task:
        """Put together what the kernels need.

        Parameters
        ----------
        solver : Solver
        batches : Batches
        workspace : Workspace
        team : Team

        Returns
        -------
        Task
        """
        model = tasks.Model(self.packed, self.slots, self.transposed)
        lanes = (self.hidden, self.output, self.line, self.block)
        return tasks.Task(*lanes, self.layout, solver, model, batches, workspace, team)

"""A network's parameters in the panels of the kernels, and back."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp.backends.compiled.columns import Frame
from fastmlp.backends.compiled.memory import zeros
from fastmlp.kernels import layout as layouts
from fastmlp.kernels import task as tasks
from fastmlp.kernels.optimizers import Solver
from fastmlp.kernels.simd import Lanes
from fastmlp.network import Parameters, views_of


class PackedModel:
    """Parameters and a solver's state, packed.

    Parameters
    ----------
    parameters : Parameters
        Copied by `load`, overwritten by `unload`.
    frame : Frame
    n_slots : int
        Number of buffers of the solver's state.
    n_spare : int
        Number of further buffers, which are not part of the state.
    n_more : int
        Length of the buffers beyond that of the parameters.
    """

    def __init__(
        self, parameters: Parameters, frame: Frame, n_slots: int, n_spare: int = 0,
        n_more: int = 0,
    ) -> None:  # fmt: skip
        dtype, sizes = parameters.dtype, parameters.network.layer_sizes
        sparse, columns = frame
        self.parameters = parameters
        self.hidden = layouts.choose_lanes(max(sizes[1:-1], default=sizes[-1]), dtype, sparse)
        self.output = self.hidden
        if len(sizes) > 2:
            self.output = layouts.choose_output_lanes(sizes[-1], dtype, sparse)
        self.line = Lanes(dtype.type, layouts.NARROW_BYTES // dtype.itemsize)
        self.block = min(self.line, self.output, key=lambda lanes: lanes.width)
        activations = parameters.network.activations
        self.layout = layouts.make_layout(sizes, activations, self.hidden, self.output)
        self.order = None
        if columns is not None:
            step = layouts.choose_row_step(columns.n_dense, dtype)
            self.order = columns.order
            self.layout = self.layout._replace(input_step=np.array([step], np.intp))
        self.packed = zeros(layouts.n_packed(self.layout), dtype)
        self.packed[self.layout.intercepts[-1] :] = layouts.NEVER
        self.n_slots = n_slots
        self.slots = zeros((n_slots + n_spare, self.packed.size + n_more), dtype)
        self.transposed = zeros(layouts.n_transposed(self.layout), dtype)
        coefs, intercepts = parameters.coefs, parameters.intercepts
        parts = layouts.parts(self.layout, coefs, intercepts, self.order)
        self.parts = tuple(zip(parts, layouts.places(self.layout, self.packed), strict=True))
        turned = layouts.transposed_parts(self.layout, coefs, self.transposed)
        self.transposed_parts = tuple(turned)

    def load(self) -> None:
        """Copy the parameters into the panels."""
        layouts.copy_in(self.parts)
        layouts.copy_in(self.transposed_parts)

    def unload(self, from_transposed: bool) -> None:
        """Copy them back.

        Parameters
        ----------
        from_transposed : bool
            Whether the layers after the first are up to date only where they lie transposed.
        """
        layouts.copy_out(self.parts)
        if from_transposed:
            layouts.copy_out(self.transposed_parts)

    def share(self, other: "PackedModel", slots: Array) -> None:
        """Work on the parameters of another model of the same layout, and on slots of its.

        Parameters
        ----------
        other : PackedModel
            From now on it loads and unloads them.
        slots : ndarray of shape (n_slots, at least n_packed)
        """
        self.packed, self.transposed, self.slots = other.packed, other.transposed, slots

    def state(self, out: Array | None = None) -> Array:
        """Copy the solver's state into buffers like that of the parameters.

        Parameters
        ----------
        out : ndarray of shape (n_slots, n_parameters), optional

        Returns
        -------
        ndarray of shape (n_slots, n_parameters)
        """
        return self.unpack(self._places_of_state, out)

    def unpack(self, places: Sequence[Array], out: Array | None = None) -> Array:
        """Copy a state from where its parts lie; see `state`."""
        state = out
        if state is None:
            state = np.empty((self.n_slots, self.parameters.buffer.size), self.parameters.dtype)
        layouts.copy_out(zip(self._parts_of(state), places, strict=True))
        return state

    def set_state(self, state: Any) -> None:
        """Copy a state back; see `state`."""
        parts = self._parts_of(np.asarray(state))
        layouts.copy_in(zip(parts, self._places_of_state, strict=True))

    def _parts_of(self, state: Array) -> Any:
        """View the parts of a state; see `layout.parts`."""
        views = views_of(self.parameters.network, state)
        return layouts.parts(self.layout, *views, self.order)

    @cached_property
    def _places_of_state(self) -> tuple[Array, ...]:
        return self.places_in(self.slots)

    def places_in(self, slots: Array) -> tuple[Array, ...]:
        """View where the parts of a state lie in packed buffers like this model's."""
        return tuple(layouts.places(self.layout, slots[: self.n_slots]))

    def task(
        self, solver: Solver, batches: Any, workspace: tasks.Workspace, team: tasks.Team
    ) -> tasks.Task:
        """Put together what the kernels need.

        Parameters
        ----------
        solver : Solver
        batches : Batches or ()
            None for an update alone.
        workspace : Workspace
        team : Team

        Returns
        -------
        Task
        """
        model = tasks.PackedWeights(self.packed, self.slots, self.transposed)
        lanes = (self.hidden, self.output, self.line, self.block)
        return tasks.Task(*lanes, self.layout, solver, model, batches, workspace, team)


class PackedState:
    """A copy of a model's state, brought into the order of the parameters when it is asked for.

    `numpy.asarray` does that; pickled, or copied deeply, it is the array that it stands for.

    Parameters
    ----------
    model : PackedModel
    """

    def __init__(self, model: PackedModel) -> None:
        self.model, self.slots = model, model.slots.copy()
        self.shape = (model.n_slots, model.parameters.buffer.size)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Make the array, of shape (n_slots, n_parameters)."""
        return np.asarray(self.model.unpack(self.model.places_in(self.slots)), dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        return np.asarray, (np.asarray(self),)

"""A training in a file: all that it takes to go on to the same bits."""

import hashlib
from collections.abc import Callable, Iterable
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._clock import now, since
from fastmlp._errors import invalid
from fastmlp.engine.hooks import Hook
from fastmlp.engine.state import Best, State, UnfinishedEpoch
from fastmlp.history import History
from fastmlp.network import Network, Parameters
from fastmlp.rng import Permutations
from fastmlp.saving import file
from fastmlp.saving.content import Content

Array = NDArray[Any]

KIND = "training"

HASHED_ROWS = 4096
"""Rows of a data matrix that are hashed at a time."""


class Saved(NamedTuple):
    """What a checkpoint holds."""

    settings: dict[str, Any]
    """The arguments of `train`."""
    data: str
    """See `fingerprint`."""
    rows: NDArray[np.intp] | None
    """Those that are trained on; None for all."""
    n_samples: int
    """So many are."""
    state: State


def fingerprint(arrays: Iterable[Any]) -> str:
    """Compute a number by which to know data again: SHA-256 of shapes, dtypes and values.

    Parameters
    ----------
    arrays : iterable of ndarray, CSR matrix or None

    Returns
    -------
    str
    """
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{getattr(array, 'shape', None)}{getattr(array, 'dtype', None)}".encode())
        if isinstance(array, np.ndarray):
            for start in range(0, len(array), HASHED_ROWS):
                digest.update(np.ascontiguousarray(array[start : start + HASHED_ROWS]).data)
        elif array is not None:
            for part in (array.indptr, array.indices, array.data):
                digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


def write(path: str | PathLike[str], state: State, settings: dict[str, Any], data: str) -> None:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path : path-like
    state : State
        Whole, the optimizer's memory fetched.
    settings : dict
        See `Saved`.
    data : str

    Raises
    ------
    OSError
        If it cannot be written; a checkpoint that was there before stays.
    """
    parameters, best, unfinished = state.parameters, state.best, state.unfinished
    orders: Any = state.orders
    arrays = {"slots": state.slots, "rows": orders.rows, "best": best.buffer}
    fitted: dict[str, Any] = {
        "data": data, "rate": state.rate, "step": state.step, "samples": state.samples,
        "epoch": state.epoch, "over": state.over, "diverged": state.diverged,
        "n_samples": orders.n_samples, "shuffle": orders.shuffle, "generator": orders.generator,
        "dropout": state.dropout, "best": [best.loss, best.score, best.n_without],
        "history": vars(state.history),
    }  # fmt: skip
    if unfinished is not None:
        fitted |= {"n_done": unfinished.n_done, "seconds": unfinished.seconds}
        arrays |= {"order": unfinished.order, "losses": unfinished.losses}
    content = Content(
        KIND, list(parameters.coefs), list(parameters.intercepts), parameters.network.activations,
        "identity", {name: array for name, array in arrays.items() if array is not None}, settings,
        fitted,
    )  # fmt: skip
    file.write(content, path)


def read(path: str | PathLike[str]) -> Saved:
    """Read a checkpoint.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Saved

    Raises
    ------
    ValueError
        If the file is broken, or no checkpoint.
    FileNotFoundError
        If there is none.
    """
    content = file.read(path)
    if content.kind != KIND:
        rule = "a checkpoint that train has written"
        raise invalid(str(path), rule, f"a saved {content.kind}", "fastmlp.load reads that.")
    try:
        return _restore(content)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        remedy = "Begin anew, or take an older copy."
        raise invalid(str(path), "a whole checkpoint", str(error), remedy) from error


def _restore(content: Content) -> Saved:
    """Put the parts together, and see that they fit one another."""
    arrays, fitted = content.arrays, content.fitted
    sizes = (len(content.coefs[0]), *map(len, content.intercepts))
    network = Network(sizes, content.activations)
    buffer = np.concatenate([a.ravel() for a in (*content.coefs, *content.intercepts)])
    rows = _as_rows(arrays.get("rows"))
    if not isinstance(fitted["generator"], np.random.Generator):
        raise TypeError("no random generator")
    if not isinstance(fitted["dropout"], np.random.Generator | None):
        raise TypeError("no random generator for dropout")
    loss, score, n_without = fitted["best"]
    n_samples = int(fitted["n_samples"])
    if rows is not None and len(rows) != n_samples:
        raise ValueError(f"{len(rows)} rows for {n_samples} samples")
    state = State(
        parameters=Parameters(network, buffer),
        orders=Permutations(n_samples, bool(fitted["shuffle"]), fitted["generator"], rows),
        rate=float(fitted["rate"]),
        dropout=fitted["dropout"],
        slots=_like_buffer(arrays["slots"], buffer, 2),
        step=int(fitted["step"]),
        samples=int(fitted["samples"]),
        epoch=int(fitted["epoch"]),
        unfinished=_unfinished(content, n_samples, rows),
        diverged=bool(fitted["diverged"]),
        over=bool(fitted["over"]),
        best=Best(loss, score, n_without),
        history=History(**fitted["history"]),
    )
    if "best" in arrays:
        state.best.buffer = _like_buffer(arrays["best"], buffer, 1)
    return Saved(content.settings, str(fitted["data"]), rows, n_samples, state)


def _as_rows(rows: Array | None) -> NDArray[np.intp] | None:
    """Check the rows that are trained on: ascending, each of them once."""
    if rows is None:
        return None
    if rows.ndim != 1 or rows.dtype.kind != "i" or (np.diff(rows) <= 0).any() or rows.min() < 0:
        raise ValueError("rows that are none")
    return rows.astype(np.intp)


def _like_buffer(array: Array, buffer: Array, n_axes: int) -> Array:
    """Check that an array holds a number for each parameter."""
    if array.ndim != n_axes or array.shape[-1] != buffer.size or array.dtype != buffer.dtype:
        raise ValueError(f"numbers of shape {array.shape} for {buffer.size} parameters")
    return array


def _unfinished(
    content: Content, n_samples: int, rows: NDArray[np.intp] | None
) -> UnfinishedEpoch | None:
    """Restore the epoch that was under way; compiled code reads the samples in its order."""
    arrays, fitted = content.arrays, content.fitted
    if "order" not in arrays:
        return None
    order, losses, n_done = arrays["order"], arrays["losses"], int(fitted["n_done"])
    expected = np.arange(n_samples) if rows is None else rows
    if order.dtype.kind != "i" or not np.array_equal(np.sort(order), expected):
        raise ValueError("an order of the samples that is none")
    if losses.dtype != np.float64 or losses.ndim != 1 or not 0 <= n_done < len(losses):
        raise ValueError(f"{n_done} losses of shape {losses.shape}")
    return UnfinishedEpoch(order.astype(np.intp), losses, n_done, float(fitted["seconds"]))


class Checkpoints(Hook):
    """Writes a checkpoint, now and then.

    Parameters
    ----------
    write : callable
    seconds : float
        Between two.
    """

    def __init__(self, write: Callable[[], object], seconds: float) -> None:
        self.write, self.seconds, self.last = write, seconds, now()

    def pause(self) -> None:
        """Write, if it is time to."""
        if since(self.last) >= self.seconds:
            self.write()
            self.last = now()

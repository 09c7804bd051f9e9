"""A training in a file: all that it takes to go on to the same bits."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import pairwise
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._arrays import Array, Indices
from fastmlp._checks import check_real
from fastmlp._clock import now, since
from fastmlp._errors import invalid
from fastmlp.engine.descent import Descent
from fastmlp.engine.hooks import Hook
from fastmlp.engine.state import Best, State, UnfinishedEpoch
from fastmlp.history import History
from fastmlp.network import Parameters
from fastmlp.ranks import ALONE, Alone
from fastmlp.rng import BlockOrders, Orders, Permutations, Shuffles
from fastmlp.saving import file
from fastmlp.saving.content import Content

Path = str | PathLike[str]

HASHED_ROWS = 4096
"""Rows of a data matrix that are hashed at a time."""

BY_ROWS, DIGEST_BYTES = "rows:", 16
"""How a fingerprint begins that is made of a number for each row, and the size of those."""

AS_THEY_ARE: dict[str, Callable[[Any], Any]] = {
    "rate": float, "step": int, "samples": int, "epoch": int, "over": bool, "diverged": bool,
}  # fmt: skip
"""Parts of a state that a file holds as they are, and what they are."""

MOST_SECONDS = 1.0
"""After so long, at most, an epoch comes to a point where a checkpoint may be written."""


class Description(NamedTuple):
    """What a checkpoint says beside the state: it stays the same while training."""

    writer: str
    """What trains: "train", or an estimator's "fit", as in "MLPClassifier.fit"."""
    settings: dict[str, Any]
    """The arguments that say how to train."""
    data: str
    """See `fingerprint`."""
    n_seen: int = 0
    """Samples that an estimator had seen in the fits before."""


class File(NamedTuple):
    """Where checkpoints are written, and how often."""

    path: Path
    seconds: float


def check_file(path: Any, seconds: Any) -> File | None:
    """Check the arguments `checkpoint` and `checkpoint_seconds`; None where there is no path."""
    if path is not None and not isinstance(path, str | PathLike):
        raise invalid("checkpoint", "a path, or None", repr(path))
    checked = check_real("checkpoint_seconds", seconds, 0, closed="neither")
    return None if path is None else File(path, checked)


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


def fingerprint_of_rows(scale: Any, parts: Iterable[Iterable[Any]], ranks: Alone = ALONE) -> str:
    """Compute a number by which to know rows again, however they are divided among ranks.

    It takes longer than `fingerprint`.

    Parameters
    ----------
    scale : Scale
        What is done to the values of X.
    parts : iterable of iterables of ndarray, CSR matrix or None
        This rank's rows, of what is trained on and of what is validated on.
    ranks : Alone
    """
    digests = [ranks.gather(row_digests(part)) for part in parts]
    return BY_ROWS + fingerprint((np.array(scale), *digests))


def fingerprint_of_ranks(arrays: Iterable[Any], ranks: Alone) -> str:
    """Put the fingerprints of all ranks together, each of arrays of its own; see `fingerprint`."""
    own = fingerprint(arrays)
    _, everyone = ranks.collect(lambda: own, lambda known: known)
    return " ".join(everyone)


def row_digests(arrays: Iterable[Any]) -> NDArray[np.uint8]:
    """Compute a number for each row: BLAKE2 of what it has in some arrays.

    Parameters
    ----------
    arrays : iterable of ndarray of shape (n_rows, ...), CSR matrix or None

    Returns
    -------
    ndarray of shape (n_rows, `DIGEST_BYTES`), uint8
    """
    columns = [_rows_as_bytes(array) for array in arrays if array is not None]
    digests = [
        blake2b(b"".join(row), digest_size=DIGEST_BYTES).digest()
        for row in zip(*columns, strict=True)
    ]
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, DIGEST_BYTES)


def _rows_as_bytes(array: Any) -> Iterator[bytes]:
    """Read one row after the other."""
    if isinstance(array, np.ndarray):
        return (np.ascontiguousarray(row).tobytes() for row in array)
    return (
        array.indices[first:last].tobytes() + array.data[first:last].tobytes()
        for first, last in pairwise(array.indptr)
    )


def plain(value: Any) -> Any:
    """Make one form of what an argument may be given in: a list of one is the one."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, Sequence) and not isinstance(value, str):
        return value[0] if len(value) == 1 else tuple(value)
    return value


def write(path: Path, state: State, description: Description) -> None:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path : path-like
    state : State
        Whole, the optimizer's memory fetched.
    description : Description

    Raises
    ------
    OSError
        If it cannot be written; a checkpoint that was there before stays.
    """
    parameters, best, unfinished, orders = (
        state.parameters, state.best, state.unfinished, state.orders,
    )  # fmt: skip
    arrays: dict[str, Any] = {"slots": state.slots, "best": best.buffer}
    fitted: dict[str, Any] = {
        **{name: getattr(state, name) for name in AS_THEY_ARE},
        "data": description.data, "n_seen": description.n_seen,
        "n_samples": orders.n_samples, "shuffle": orders.shuffle, "dropout": state.dropout,
        "best": [best.loss, best.score, best.n_without], "history": vars(state.history),
    }  # fmt: skip
    if isinstance(orders, BlockOrders):
        fitted |= {"seed": orders.seed, "per_group": orders.per_group}
        arrays |= {
            "lengths": orders.lengths, "blocks": orders.blocks, "borders": orders.borders,
        }  # fmt: skip
    else:
        fitted["generator"] = orders.generator
        arrays["rows"] = orders.rows
    if isinstance(orders, Shuffles):
        arrays["places"] = orders.order
    if unfinished is not None:
        fitted |= {"n_done": unfinished.n_done, "seconds": unfinished.seconds}
        arrays |= {"order": unfinished.order, "losses": unfinished.losses}
    content = Content(
        description.writer, list(parameters.coefs), list(parameters.intercepts),
        parameters.network.activations, "identity",
        {name: array for name, array in arrays.items() if array is not None},
        description.settings, fitted,
    )  # fmt: skip
    file.write(content, path)


def is_writer(kind: str) -> bool:
    """Tell whether a file of this kind is a checkpoint, and not a saved model."""
    return kind == "train" or kind.endswith(".fit")


def reader_of(kind: str) -> str:
    """Say what a file of this kind is for."""
    if kind == "train":
        return "fastmlp.resume goes on with that."
    goes_on = f"{kind}(X, y, checkpoint=path, resume=True) goes on with that."
    return goes_on if is_writer(kind) else "fastmlp.load reads that."


def read(path: Path, writer: str) -> tuple[Description, State]:
    """Read a checkpoint.

    Parameters
    ----------
    path : path-like
    writer : str
        What must have written it; see `Description`.

    Returns
    -------
    description : Description
    state : State

    Raises
    ------
    ValueError
        If the file is broken, or no checkpoint of that writer.
    FileNotFoundError
        If there is none.
    """
    content = file.read(path)
    if content.kind != writer:
        got = f"{'a checkpoint of' if is_writer(content.kind) else 'a saved'} {content.kind}"
        rule = f"a checkpoint that {writer} has written"
        raise invalid(str(path), rule, got, reader_of(content.kind))
    try:
        fitted = content.fitted
        described = content.settings, str(fitted["data"]), int(fitted["n_seen"])
        return Description(writer, *described), _restore(content)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        remedy = "Begin anew, or take an older copy."
        raise invalid(str(path), "a whole checkpoint", str(error), remedy) from error


def _restore(content: Content) -> State:
    """Put the parts together, and see that they fit one another."""
    arrays, fitted = content.arrays, content.fitted
    parameters = Parameters.of_layers(content.coefs, content.intercepts, content.activations)
    if not isinstance(fitted["dropout"], np.random.Generator | None):
        raise TypeError("no random generator for dropout")
    loss, score, n_without = fitted["best"]
    orders = _as_orders(content)
    state = State(
        parameters=parameters,
        orders=orders,
        dropout=fitted["dropout"],
        slots=_like_buffer(arrays["slots"], parameters.buffer, 2),
        unfinished=_unfinished(content, orders),
        best=Best(loss, score, n_without),
        history=History(**fitted["history"]),
        **{name: kind(fitted[name]) for name, kind in AS_THEY_ARE.items()},
    )
    if "best" in arrays:
        state.best.buffer = _like_buffer(arrays["best"], parameters.buffer, 1)
    return state


def _as_orders(content: Content) -> Orders | BlockOrders:
    """Restore what draws the orders: train's generator, or scikit-learn's and its last order."""
    arrays, fitted = content.arrays, content.fitted
    if "blocks" in arrays:
        return _as_block_orders(content)
    generator, shuffle = fitted["generator"], bool(fitted["shuffle"])
    rows, n_samples = arrays.get("rows"), int(fitted["n_samples"])
    if rows is not None:
        _require_rows(rows, n_samples)
        rows = rows.astype(np.intp)
    if isinstance(generator, np.random.RandomState):
        places = arrays["places"]
        _require_order(places, n_samples, None)
        return Shuffles(rows, shuffle, generator, places.astype(np.intp))
    if not isinstance(generator, np.random.Generator):
        raise TypeError("no random generator")
    return Permutations(n_samples, shuffle, generator, rows)


def _as_block_orders(content: Content) -> BlockOrders:
    """Restore what draws the orders of a source's blocks."""
    arrays, fitted = content.arrays, content.fitted
    lengths, blocks = arrays["lengths"].astype(np.intp), arrays["blocks"]
    _require_rows(blocks, len(blocks))
    if blocks.max() >= len(lengths) or lengths[blocks].sum() != fitted["n_samples"]:
        raise ValueError(f"blocks that are not of {fitted['n_samples']} rows")
    borders = arrays.get("borders")
    return BlockOrders(
        int(fitted["seed"]), lengths, blocks.astype(np.intp), int(fitted["per_group"]),
        bool(fitted["shuffle"]), borders=None if borders is None else _as_borders(borders, lengths),
    )  # fmt: skip


def _as_borders(borders: Array, lengths: Array) -> Indices:
    """Check where the blocks of each rank begin."""
    sound = borders.ndim == 1 and borders.dtype.kind == "i" and len(borders) > 1
    if not (sound and (np.diff(borders) >= 0).all() and borders[0] == 0):
        raise ValueError("borders of ranks that are not in order")
    if borders[-1] != len(lengths):
        raise ValueError(f"borders of {borders[-1]} blocks, of which there are {len(lengths)}")
    return borders.astype(np.intp)


def _require_rows(rows: Array, n_samples: int) -> None:
    """Check the rows that are trained on: each of them once."""
    sound = rows.ndim == 1 and rows.dtype.kind == "i" and rows.size > 0 and rows.min() >= 0
    if not sound or len(np.unique(rows)) != len(rows):
        raise ValueError("rows that are none")
    if len(rows) != n_samples:
        raise ValueError(f"{len(rows)} rows for {n_samples} samples")


def _require_order(order: Array, n_samples: int, rows: Array | None) -> None:
    """Check that an order has each of some samples once: compiled code reads them in it."""
    sound = order.dtype.kind == "i" and order.shape == (n_samples,)
    if not sound or not np.array_equal(
        np.sort(order), np.arange(n_samples) if rows is None else np.sort(rows)
    ):
        raise ValueError("an order of the samples that is none")


def _like_buffer(array: Array, buffer: Array, n_axes: int) -> Array:
    """Check that an array holds a number for each parameter."""
    if array.ndim != n_axes or array.shape[-1] != buffer.size or array.dtype != buffer.dtype:
        raise ValueError(f"numbers of shape {array.shape} for {buffer.size} parameters")
    return array


def _unfinished(content: Content, orders: Orders | BlockOrders) -> UnfinishedEpoch | None:
    """Restore the epoch that was under way."""
    arrays, fitted = content.arrays, content.fitted
    if "losses" not in arrays:
        return None
    order, losses, n_done = None, arrays["losses"], int(fitted["n_done"])
    if not isinstance(orders, BlockOrders):
        _require_order(arrays["order"], orders.n_samples, orders.rows)
        order = arrays["order"].astype(np.intp)
    if losses.dtype != np.float64 or losses.ndim != 1 or not 0 <= n_done < len(losses):
        raise ValueError(f"{n_done} losses of shape {losses.shape}")
    return UnfinishedEpoch(order, losses, n_done, float(fitted["seconds"]))


class Checkpoints(Hook):
    """Writes a checkpoint, now and then, where one is asked for.

    Parameters
    ----------
    file : File
    descent : Descent
        Comes to points where its state is whole often enough.
    description : Description
    """

    def __init__(self, file: File, descent: Descent, description: Description) -> None:
        self.file, self.descent, self.description = file, descent, description
        descent.longest_piece = min(MOST_SECONDS, file.seconds)
        self.last = now()

    def pause(self) -> None:
        """Write, if it is time to, or training is to be interrupted."""
        if self.descent.interruptions.due or since(self.last) >= self.file.seconds:
            self.write()
            self.last = now()

    def write(self) -> None:
        """Write; see the function of this name."""
        self.descent.fetch_slots()
        write(self.file.path, self.descent.state, self.description)

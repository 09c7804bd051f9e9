"""`resume`: goes on with a training that was broken off."""

from collections.abc import Callable, Sequence
from functools import partial
from os import PathLike
from typing import Any

import numpy as np

from fastmlp._errors import invalid
from fastmlp.configuration import as_network, complete, loss_name, read_settings
from fastmlp.data.source import Source
from fastmlp.data.standardizing import share_means
from fastmlp.datasets import Dataset
from fastmlp.distributed import open_ranks
from fastmlp.engine import checkpoint
from fastmlp.engine.state import State
from fastmlp.ranks import Alone, require_manner
from fastmlp.rng import BlockOrders
from fastmlp.training import DEFAULT_DATASET
from fastmlp.training_data import DataArguments, load
from fastmlp.training_run import (
    Data,
    TrainResult,
    data_fingerprint,
    train_from,
)
from fastmlp.training_source import SourceData, load_source
from fastmlp.watching import Callback, check_watching

REMEDY = "Pass what train was given: X, y or dataset, sample_weight, X_val and y_val."


def resume(
    path: str | PathLike[str],
    X: Any = None,
    y: Any = None,
    *,
    dataset: str | Dataset | None = None,
    sample_weight: Any = None,
    X_val: Any = None,
    y_val: Any = None,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
    checkpoint_seconds: float = 60.0,
    comm: Any = None,
) -> TrainResult:
    """Go on with a training from the checkpoint that it has written.

    It ends with the same bits as one that nothing has broken off, on the same machine and with the
    same versions. How to train is what `train` was told; with what is to be given again.

    Parameters
    ----------
    path : path-like
        The `checkpoint` of `train`; written to further on.
    X, y : array_like, or X alone a source, optional
        The data that `train` was given. Left out where it was a data set.
    dataset : str or Dataset, optional
        The data set that `train` was given. Left out where it was one with a name.
    sample_weight : array_like of shape (n_samples,), optional
        As `train` was given it.
    X_val, y_val : as X and y, optional
        As `train` was given them.
    callbacks : sequence of callable
        See `train`.
    progress : bool
        See `train`.
    checkpoint_seconds : float
        See `train`.
    comm : mpi4py.MPI.Comm or fastmlp.distributed.Ranks, optional
        See `train`; another number of processes than before may go on, with the same rows in the
        same order, unless they read a source that is larger than its buffer. With
        reduction="ordered" they end with the same bits. Rank 0 reads the file.

    Returns
    -------
    TrainResult
        The `model`, and the `history` of all epochs.

    Raises
    ------
    ValueError
        If the file is damaged or no checkpoint, or the data are others than before.
    FileNotFoundError
        If there is no file.
    DivergenceError, TrainingInterrupted, OSError
        See `train`.

    Examples
    --------
    >>> import fastmlp, pathlib, tempfile
    >>> run = {"dataset": "digits", "backend": "numpy", "epochs": 4, "random_state": 0}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "run.safetensors")
    ...     def stop(report):
    ...         if report.epoch == 2:
    ...             raise KeyboardInterrupt
    ...     try:
    ...         fastmlp.train(**run, callbacks=[stop], checkpoint=path, checkpoint_seconds=1e-3)
    ...     except fastmlp.TrainingInterrupted:
    ...         result = fastmlp.resume(path)
    >>> result.history.loss == fastmlp.train(**run).history.loss
    True
    """
    with open_ranks(comm) as ranks:
        watching, _ = ranks.collect(
            lambda: check_watching(callbacks, progress, path, checkpoint_seconds)
        )
        saved, state = _read(path, ranks)
        arguments = saved.settings
        settings = read_settings(arguments)
        complete(settings, settings.batch_size)
        named, _ = ranks.collect(lambda: _choose_data(X, dataset, arguments))
        share_means(X, X_val, ranks)
        given = DataArguments(
            X, y, named, arguments["input_scale"], X_val, y_val, sample_weight,
            arguments["class_weight"],
        )  # fmt: skip
        data = _loader(X, state, str(path))(given, settings, ranks)
        as_before = partial(_hold_out_as_before, data, state, str(path))
        data, _ = ranks.collect(as_before)
        known = data_fingerprint(data, ranks, saved.data.startswith(checkpoint.BY_ROWS))
        fits = partial(_require_same, data, known == saved.data, state, settings, str(path))
        ranks.collect(fits)
        return train_from(state, settings, data, watching, arguments, ranks)


def _loader(X: Any, state: State, path: str) -> Callable[..., Data]:
    """Choose what reads the data: as before, whatever fits in memory now."""
    if not isinstance(state.orders, BlockOrders):
        return load
    if not isinstance(X, Source):
        raise invalid("X", f"the source of {path}", f"a {type(X).__name__}", "Pass it again.")
    return load_source


def _hold_out_as_before(data: Data, state: State, path: str) -> Data:
    """Hold out the samples, or the blocks, that were held out before."""
    orders = state.orders
    if isinstance(orders, BlockOrders) and isinstance(data, SourceData):
        data.division.require_as_before(orders, path, REMEDY)
        if not np.array_equal(orders.lengths, data.division.lengths):
            got = f"{data.n_samples} rows in other blocks"
            raise invalid("X", f"the data of {path}", got, REMEDY)
        some = len(orders.blocks) < len(orders.lengths)
        return data.without_rows(orders.blocks) if some else data
    if isinstance(orders, BlockOrders) or isinstance(data, SourceData) or orders.rows is None:
        return data
    return data.without_rows(orders.rows)


def _choose_data(X: Any, dataset: Any, arguments: dict[str, Any]) -> Any:
    """Return the data set to train on, where X is not given."""
    if dataset is None:
        dataset = DEFAULT_DATASET if X is not None else arguments["dataset"]
    if not dataset:
        remedy = "Pass them again, or the Dataset."
        raise invalid("X and y", "those that were trained on", "none", remedy)
    return dataset


def _read(path: str | PathLike[str], ranks: Alone) -> tuple[checkpoint.Description, State]:
    """Read the file on rank 0, and see that steps were taken as they are to be now."""

    def read() -> Any:
        if ranks.rank > 0:
            return None
        saved, state = checkpoint.read(path, "train")
        require_manner(ranks, saved.settings, str(path))
        return saved, state

    return ranks.agree(ranks.collect(read)[0])  # type: ignore[no-any-return]


def _require_same(data: Data, same: bool, state: State, settings: Any, path: str) -> None:
    """Raise a `ValueError` where the data are not those of before."""
    if not same:
        got = f"{data.n_samples} rows of {data.n_features} columns with other values"
        raise invalid("X and y", f"the data of {path}", got, REMEDY)
    loss = loss_name(settings, data.targets)
    asked = as_network(settings, data.n_features, data.targets.n_outputs, loss)
    if asked != state.parameters.network or state.parameters.dtype != settings.dtype:
        raise invalid(path, "a whole checkpoint", "weights that do not fit its settings")

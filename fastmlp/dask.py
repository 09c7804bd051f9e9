"""Predictions for Dask's arrays and data frames, block by block: nothing is gathered."""

import copy
from typing import Any

import numpy as np

from fastmlp._arrays import Array
from fastmlp._checks import check_name
from fastmlp._errors import invalid
from fastmlp.predictor import Predictor

__all__ = ["predict"]

METHODS = ("predict", "predict_proba", "predict_log_proba")


def predict(model: Any, X: Any, method: str = "predict") -> Any:
    """Predict a Dask collection, lazily: each block where it lies, when it is asked for.

    A block is predicted by one thread, as Dask works on several blocks at a time, unless the
    model's own `n_threads` says how many. A cluster's workers receive the model once.

    Parameters
    ----------
    model : Model, RegressionModel, MLPClassifier or MLPRegressor
        Fitted.
    X : dask.array.Array or dask.dataframe.DataFrame of shape (n_samples, n_features)
        Columns as in training. The number of rows of blocks may be unknown, and 0.
    method : {"predict", "predict_proba", "predict_log_proba"}
        Which of the model's methods.

    Returns
    -------
    dask.array.Array, dask.dataframe.Series or dask.dataframe.DataFrame
        In the blocks of X: an array for an array; for a data frame a series named "prediction", or
        a frame with a column for each output, all with the index of X.

    Raises
    ------
    ValueError
        If X is no such collection or has other columns than the model, or the model has no such
        method.

    Examples
    --------
    >>> import fastmlp, numpy as np
    >>> import dask.array as da  # doctest: +SKIP
    >>> model = fastmlp.train(dataset="digits", backend="numpy", random_state=0).model
    >>> X = da.random.random((100_000, 64), chunks=(10_000, 64))  # doctest: +SKIP
    >>> fastmlp.dask.predict(model, X).compute().shape  # doctest: +SKIP
    (100000,)
    """
    check_name("method", method, METHODS)
    if not hasattr(model, method):
        raise invalid("method", "one that the model has", repr(method))
    kind = (type(X).__module__ or "").partition(".")[0]
    if kind not in ("dask", "dask_expr") or getattr(X, "ndim", 0) != 2:
        rule = "a Dask array or data frame of shape (n_samples, n_features)"
        raise invalid("X", rule, type(X).__name__, "For data in memory there is model.predict.")
    served = _on_one_thread(model)
    return (_predict_frame if hasattr(X, "map_partitions") else _predict_array)(served, X, method)


def _on_one_thread(model: Any) -> Any:
    """Copy a model so that it predicts on one thread where nothing else was asked for."""
    if model.n_threads is not None:
        return model
    served = copy.copy(model)
    if hasattr(model, "set_params"):
        return served.set_params(n_threads=1)
    one: Predictor = model.predictor
    served.predictor = Predictor(one.parameters, one.scale, one.output, one.backend, n_threads=1)
    return served


def _predict_array(model: Any, X: Any, method: str) -> Any:
    """Predict a Dask array."""
    from dask.delayed import delayed

    n_features = model.n_features_in_
    if X.shape[1] != n_features:
        raise invalid("X", f"of shape (n_samples, {n_features})", f"shape {X.shape}")
    like = getattr(model, method)(np.zeros((1, n_features), X.dtype))[:0]
    chunks = (X.chunks[0], *((n,) for n in like.shape[1:]))
    return X.rechunk({1: -1}).map_blocks(
        _predict_block, delayed(model, pure=True), method, like, dtype=like.dtype,
        chunks=chunks, drop_axis=[] if like.ndim == 2 else [1], meta=like,
    )  # fmt: skip


def _predict_frame(model: Any, X: Any, method: str) -> Any:
    """Predict a Dask data frame."""
    import pandas as pd
    from dask.delayed import delayed

    # One row tells whether the columns are the model's, and what predictions look like.
    row = pd.DataFrame(0.0, index=[0], columns=X.columns)
    like = getattr(model, method)(row)[:0]
    meta = _framed(like, X._meta.index[:0], model, method)
    return X.map_partitions(_predict_partition, delayed(model, pure=True), method, meta, meta=meta)


def _framed(predictions: Array, index: Any, model: Any, method: str) -> Any:
    """Give predictions the index of the rows, and names."""
    import pandas as pd

    if predictions.ndim == 1:
        return pd.Series(predictions, index=index, name="prediction")
    numbered = [f"prediction_{output}" for output in range(predictions.shape[1])]
    columns = numbered if method == "predict" else list(model.classes_)
    return pd.DataFrame(predictions, index=index, columns=columns)


def _predict_block(block: Any, model: Any, method: str, like: Array) -> Array:
    """Predict a block of an array, which may have no rows."""
    return np.asarray(getattr(model, method)(block)) if len(block) else like


def _predict_partition(frame: Any, model: Any, method: str, meta: Any) -> Any:
    """Predict a part of a data frame, which may have no rows."""
    if not len(frame):
        return meta
    return _framed(getattr(model, method)(frame), frame.index, model, method)

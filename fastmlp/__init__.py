"""Multilayer perceptrons on a CPU: one algorithm, written three times, proven equal.

`train` trains a network and returns it with its history; `ARTICLE` holds the arguments that repeat
the run of the article the library began with. Everything but NumPy is imported when it is first
used, so that importing fastmlp costs what importing NumPy costs.
"""

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

from fastmlp._forks import load as _load

# scikit-learn imports these, and where a thread trains while the rest of a script is over, it is
# too late to: they register what is to be done at the end.
# The command trains in its main thread, and Ctrl-C is to be quiet from its beginning on.
_name = os.path.splitext(os.path.basename("".join(sys.argv[:1])))[0]  # noqa: PTH119, PTH122
if _name != "fastmlp" and not (_name == "-m" and "fastmlp" in sys.orig_argv):
    with contextlib.suppress(ImportError, RuntimeError):
        import concurrent.futures.process
        import concurrent.futures.thread  # noqa: F401

if TYPE_CHECKING:
    import fastmlp.dask as dask
    import fastmlp.data as data
    import fastmlp.datasets as datasets
    import fastmlp.distributed as distributed
    from fastmlp.compiling import compile  # noqa: A004
    from fastmlp.estimators import MLPClassifier, MLPRegressor, from_sklearn
    from fastmlp.history import DivergenceError, EpochReport, History
    from fastmlp.loading import load
    from fastmlp.model import Model, RegressionModel
    from fastmlp.online import OnlineTrainer
    from fastmlp.resuming import resume
    from fastmlp.training import train
    from fastmlp.training_run import TrainingInterrupted, TrainResult

__version__ = "0.1.0"

__all__ = [
    "ARTICLE",
    "DivergenceError",
    "EpochReport",
    "History",
    "MLPClassifier",
    "MLPRegressor",
    "Model",
    "OnlineTrainer",
    "RegressionModel",
    "TrainResult",
    "TrainingInterrupted",
    "__version__",
    "compile",
    "dask",
    "data",
    "datasets",
    "distributed",
    "from_sklearn",
    "load",
    "resume",
    "train",
]

ARTICLE: dict[str, Any] = {
    "dataset": "mnist",
    "input_scale": "symmetric",
    "hidden_layer_sizes": (100,),
    "activation": "logistic",
    "init": "standard_normal",
    "solver": "sgd",
    "learning_rate_init": 1e-4,
    "batch_size": 1,
    "epochs": 10,
    "dtype": "float64",
}
"""The article's run: `fastmlp.train(**fastmlp.ARTICLE)` repeats it."""

_HOMES = {
    "DivergenceError": "fastmlp.history",
    "EpochReport": "fastmlp.history",
    "History": "fastmlp.history",
    "MLPClassifier": "fastmlp.estimators",
    "MLPRegressor": "fastmlp.estimators",
    "Model": "fastmlp.model",
    "RegressionModel": "fastmlp.model",
    "TrainResult": "fastmlp.training_run",
    "compile": "fastmlp.compiling",
    "from_sklearn": "fastmlp.estimators",
    "load": "fastmlp.loading",
    "OnlineTrainer": "fastmlp.online",
    "resume": "fastmlp.resuming",
    "TrainingInterrupted": "fastmlp.training_run",
    "train": "fastmlp.training",
}
"""Where each public name lives."""

_MODULES = ("dask", "data", "datasets", "distributed")
"""Those that are public, too."""


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _MODULES:
        return _load(f"fastmlp.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'fastmlp' has no attribute {name!r}")
    value = getattr(_load(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return __all__

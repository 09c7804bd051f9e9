"""Three ways to run one epoch, with one contract.

A backend is a module with

- `CAPABILITIES`, a `contract.Capabilities`: what it can do;
- `trainer(parameters, rule, objective, problem, batch_size, n_threads)`: begin a training, whose
  `run_epoch` trains on every sample once, in place, and returns the loss of each batch;
- `predict_logits(parameters, features, n_threads)`: the logits of every sample.

`contract` describes each in full.
"""

import importlib
from typing import cast

from fastmlp._errors import unknown_name
from fastmlp.backends.contract import Backend

BACKENDS: dict[str, str] = {
    "reference": "fastmlp.backends.reference",
    "numpy": "fastmlp.backends.batched",
    "numba": "fastmlp.backends.compiled",
}
"""Name of each backend and its module, imported when it is first asked for."""


def get_backend(name: str) -> Backend:
    """Import a backend by name.

    Raises
    ------
    ValueError
        If there is no backend of this name.
    """
    if name not in BACKENDS:
        raise unknown_name("backend", name, BACKENDS)
    return cast(Backend, importlib.import_module(BACKENDS[name]))

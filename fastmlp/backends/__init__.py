"""Three ways to run one epoch, with one contract.

A backend is a module with

- `CAPABILITIES`, a `contract.Capabilities`: what it can do;
- `prepare(parameters, rule, features)`: whatever must happen once before the first epoch, such as
  compiling;
- `run_epoch(parameters, rule, state, features, targets, permutation, batch_size, rates)`: train on
  every sample once, in place, and return the loss of each batch, taken before its update;
- `predict_logits(parameters, features)`: the logits of every sample.

Each is described in full where it is simplest, in `reference`.
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

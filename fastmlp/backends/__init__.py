"""Three ways to run one epoch, with one contract.

A backend is a module with

- `CAPABILITIES`, a `contract.Capabilities`: what it can do;
- `trainer(parameters, rule, objective, problem, batch_size, n_threads)`: begin a training, whose
  `run_epoch` trains on every sample once, or epoch after epoch, in place, and returns the loss of
  each batch;
- `predict_logits(parameters, features, n_threads)`: the logits of every sample;
- where it predicts better than by logits alone, `FewRows` and `ManyRows`;
- where it has something faster than `summed.SimpleSummedSteps`, `SummedSteps`.

`contract` and `summed` describe each in full.
"""

from typing import cast

from fastmlp._errors import unknown_name
from fastmlp._forks import COMPILED, load, require_whole
from fastmlp.backends.contract import Backend

BACKENDS: dict[str, str] = {
    "reference": "fastmlp.backends.reference",
    "numpy": "fastmlp.backends.batched",
    "numba": COMPILED,
}
"""Name of each backend and its module, imported when it is first asked for."""

_loaded: dict[str, Backend] = {}


def get_backend(name: str) -> Backend:
    """Import a backend by name.

    Raises
    ------
    ValueError
        If there is no backend of this name.
    RuntimeError
        If this process was forked while another thread imported or compiled the backend.
    """
    if name not in BACKENDS:
        raise unknown_name("backend", name, BACKENDS)
    require_whole(BACKENDS[name])
    if name not in _loaded:
        _loaded[name] = cast(Backend, load(BACKENDS[name]))
    return _loaded[name]

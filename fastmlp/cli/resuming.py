"""`fastmlp train --resume`: options beside it must say what the checkpoint says."""

from pathlib import Path
from typing import Any

from fastmlp._errors import invalid
from fastmlp.cli.arguments import written
from fastmlp.engine import checkpoint

WATCHING = ("progress", "checkpoint_seconds")
"""Options that do not say how to train: they are passed on."""


def held(
    path: Path, dataset: str | None, options: dict[str, Any]
) -> tuple[str, str, dict[str, Any]]:
    """Read how a checkpoint was trained, and compare it with the options.

    Parameters
    ----------
    path : Path
        The checkpoint.
    dataset : str or None
        As given by --dataset.
    options : dict
        The other options that were given, by the names of the arguments of `train`.

    Returns
    -------
    loss : str
    dataset : str
        What to load: as given, or the named data set that was trained on.
    arguments : dict
        Those for `fastmlp.resume`.

    Raises
    ------
    ValueError
        If an option differs from what the checkpoint holds, the file is no checkpoint, or a file
        that it was trained on is not given.
    OSError
        If the file cannot be read.
    """
    saved, state = checkpoint.read(path, "train")
    settings = saved.settings | {"checkpoint": str(path.resolve())}
    for name, value in options.items():
        if name not in WATCHING and not _is_held(name, value, settings, state.orders.n_samples):
            rule = f"as in {path}: {_written(settings.get(name))}"
            remedy = "Leave it out, or begin a new training."
            raise invalid("--" + name.replace("_", "-"), rule, _written(value), remedy)
    name = settings["dataset"] if dataset is None else dataset
    if not name:
        rule = f"the file that {path} was trained on"
        raise invalid("--dataset", rule, "none", "Give it again, and --target as before.")
    arguments = {name: value for name, value in options.items() if name in WATCHING}
    return settings["loss"], name, arguments


def _is_held(name: str, value: Any, settings: dict[str, Any], n_samples: int) -> bool:
    """Tell whether an option says what the checkpoint holds, which has its batches cut."""
    if name == "batch_size":
        value = min(value, n_samples)
    if name == "checkpoint":
        value = str(Path(value).resolve())
    return bool(checkpoint.plain(value) == checkpoint.plain(settings.get(name)))


def _written(value: Any) -> str:
    """Write a value as it would be given."""
    return "not given" if value is None else written(checkpoint.plain(value))

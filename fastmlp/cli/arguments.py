"""Options made from the arguments of `fastmlp.train`: names, defaults and help are its own."""

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from fastmlp import datasets
from fastmlp.activations import ACTIVATIONS
from fastmlp.arguments import RULES, Flag, Name, Number
from fastmlp.cli.streams import tell
from fastmlp.configuration import DTYPES, LOSS_NAMES, in_rules
from fastmlp.data.source import Source
from fastmlp.inputs import SCALES
from fastmlp.training import train
from fastmlp.training_data import CLASSIFICATION

Command = TypeVar("Command", bound=Callable[..., Any])

if TYPE_CHECKING:
    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType  # generic from click 8.4 on


class Names(ParamType):
    """One name, or several separated by commas."""

    name = "name[,name...]"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Split at the commas."""
        parts = [part.strip() for part in value.split(",")]
        return parts[0] if len(parts) == 1 else tuple(parts)


class Sizes(ParamType):
    """Whole numbers separated by commas; nothing, or (), is an empty list."""

    name = "n[,n...]"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Split at the commas."""
        parts = [part for part in re.split(r"[,\s]+", value.strip("()[] ")) if part]
        try:
            return tuple(int(part) for part in parts)
        except ValueError:
            self.fail(f"{value!r} is not a list of whole numbers such as 100,50", param, ctx)


class InputScale(ParamType):
    """A name, or a scale and a shift."""

    name = "name|scale,shift"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Turn two numbers into a pair."""
        try:
            scale, shift = (float(part) for part in value.split(","))
        except ValueError:
            return value
        return scale, shift


class Rates(ParamType):
    """One number, or several separated by commas."""

    name = "x[,x...]"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Split at the commas."""
        try:
            rates = tuple(float(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers such as 0.2,0.5", param, ctx)
        return rates[0] if len(rates) == 1 else rates


TYPES: dict[str, Any] = {
    "input_scale": InputScale(),
    "hidden_layer_sizes": Sizes(),
    "activation": Names(),
    "dropout": Rates(),
    "batch_size": int,
    "random_state": int,
    "progress": bool,
    "checkpoint_seconds": float,
}
"""How an option's text is read that no rule is for; what is in neither stays text."""

CHOICES: dict[str, Iterable[str]] = {
    "dataset": (*datasets.NAMES, "a file or folder"),
    "input_scale": (*SCALES, "scale,shift"),
    "class_weight": ("balanced",),
    "loss": LOSS_NAMES,
    "activation": ACTIVATIONS,
    "dtype": DTYPES,
}
"""What an option's text may be that no rule is for; `train` checks it, and suggests the nearest."""

NOT_OPTIONS = (
    "X", "y", "X_val", "y_val", "sample_weight", "coefs_init", "intercepts_init", "callbacks",
    "comm",
)  # fmt: skip
"""Arguments of `train` that hold Python objects."""


def option_type(name: str) -> Any:
    """Find out how an option's text is read."""
    rule = RULES.get(in_rules(name))
    if isinstance(rule, Number):
        return int if rule.whole else float
    return bool if isinstance(rule, Flag) else TYPES.get(name, str)


def option_choices(name: str) -> Iterable[str]:
    """Find out what an option's text may be, where it is one of some."""
    rule = RULES.get(in_rules(name))
    return rule.names if isinstance(rule, Name) else CHOICES.get(name, ())


PARAMETERS = {
    name: parameter
    for name, parameter in inspect.signature(train).parameters.items()
    if name not in NOT_OPTIONS
}


class Entry(NamedTuple):
    """What a docstring says of a parameter."""

    kind: str
    text: str
    """As one line."""


def entries(function: Any) -> dict[str, Entry]:
    """Read what a docstring says of each parameter.

    Nothing, where `python -OO` has left it out.

    Parameters
    ----------
    function : callable or class
    """
    document = inspect.getdoc(function)
    if document is None:
        return {}
    _, section = document.split("Parameters\n", 1)
    section = re.split(r"^(?:Returns|Attributes)$", section, maxsplit=1, flags=re.MULTILINE)[0]
    found = re.findall(r"^(\w[\w, ]*) : (.*)\n((?:    .*\n|\n)+)", section, flags=re.MULTILINE)
    return {
        name: Entry(kind, " ".join(text.split()))
        for names, kind, text in found
        for name in names.split(", ")
    }


def descriptions() -> dict[str, str]:
    """Read the help of each option from the docstring of `train`."""
    return {name: entry.text.replace("`", "") for name, entry in entries(train).items()}


def train_options(names: Sequence[str] = tuple(PARAMETERS)) -> Callable[[Command], Command]:
    """Decorate a command with the options of some of the arguments of `train`.

    An option that is not given is None, so that only what was given is passed on.
    """
    described = descriptions()

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            flag = "--" + name.replace("_", "-")
            kind = option_type(name)
            if kind is bool:
                declaration, extra = f"{flag}/--no-{flag[2:]}", {}
            else:
                declaration, extra = flag, {"type": kind}
            text = _help(name, described.get(name, ""))
            command = click.option(declaration, name, default=None, help=text, **extra)(command)
        return command

    return decorate


def _help(name: str, description: str) -> str:
    """Add an option's choices, if the description does not name them, and its default."""
    parts = [description]
    choices = option_choices(name)
    if any(choice not in description for choice in choices):
        parts.append(f"[choices: {', '.join(choices)}]")
    default = PARAMETERS[name].default
    if default is not None:
        parts.append(f"[default: {_written(default)}]")
    return " ".join(filter(None, parts))


def _written(default: Any) -> str:
    """Write a default value as it would be given."""
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)


target_option = click.option(
    "--target",
    help="The column of labels, or numbers to predict, of a file [default: the last one]",
)
plot_option = click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw into this .png, .svg, .pdf",
)


def given(options: dict[str, Any]) -> dict[str, Any]:
    """Keep the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def load(
    dataset: str, target: str | None, loss: str | None = None, notes: bool = True
) -> datasets.Dataset:
    """Load a data set by name, or a file by its path; say on stderr how a file was read.

    Parameters
    ----------
    dataset : str
    target : str or None
        The column of labels, or of numbers to predict.
    loss : str, optional
        Left out, that of classes, whose shares are the same in both parts of a file.
    notes : bool
        Whether to say how it was read.

    Raises
    ------
    ValueError
        If there is none, or a target is given for a named one.
    """
    is_path = Path(dataset).suffix or Path(dataset).exists()
    if is_path and dataset not in datasets.NAMES:
        regression = loss not in (None, CLASSIFICATION)
        data = datasets.load_file(dataset, target, regression=regression)
        for note in data.notes if notes else ():
            tell(f"{data.name}: {note}")
        return data
    if target is not None:
        raise ValueError("--target is for files; a named --dataset knows its labels.")
    return datasets.load(dataset)


def load_or_open(
    dataset: str, target: str | None, loss: str | None, notes: bool
) -> datasets.Dataset | Source:
    """Load a data set as `load` does, or open a folder of Parquet files.

    Parameters
    ----------
    dataset, target, loss, notes
        See `load`.
    """
    from fastmlp.data.tables import is_folder, last_column, parquet

    folder = Path(dataset)
    if dataset in datasets.NAMES or not is_folder(folder):
        return load(dataset, target, loss, notes)
    if target is None:
        target = last_column(folder)
        if notes:
            tell(f"{folder.name}: the label is the last column; target names another: {target!r}")
    return parquet(folder, target)

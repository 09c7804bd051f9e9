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
from fastmlp.engine.checkpoint import plain
from fastmlp.inputs import SCALES
from fastmlp.training import train
from fastmlp.training_data import CLASSIFICATION

Command = TypeVar("Command", bound=Callable[..., Any])

if TYPE_CHECKING:
    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType  # generic from click 8.4 on


class Parsed(ParamType):
    """Values that are separated by commas.

    Parameters
    ----------
    name : str
        How the help shows them.
    read : callable
        From the text to the values; raises a `ValueError` where it is none.
    rule : str
        What the text must be, for the error message.
    """

    def __init__(self, name: str, read: Callable[[str], Any], rule: str = "") -> None:
        self.name, self.read, self.rule = name, read, rule

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Read a text."""
        try:
            return self.read(value)
        except ValueError:
            self.fail(f"{value!r} is not {self.rule}", param, ctx)


def _several(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Make what reads one value, or several."""
    return lambda text: plain([read(part) for part in text.split(",")])


def _sizes(text: str) -> tuple[int, ...]:
    """Read whole numbers; nothing, or (), is an empty list."""
    return tuple(int(part) for part in re.split(r"[,\s]+", text.strip("()[] ")) if part)


def _input_scale(text: str) -> Any:
    """Read a scale and a shift; what is no two numbers is a name."""
    try:
        scale, shift = (float(part) for part in text.split(","))
    except ValueError:
        return text
    return scale, shift


TYPES: dict[str, Any] = {
    "input_scale": Parsed("name|scale,shift", _input_scale),
    "hidden_layer_sizes": Parsed("n[,n...]", _sizes, "a list of whole numbers such as 100,50"),
    "activation": Parsed("name[,name...]", _several(str.strip)),
    "dropout": Parsed("x[,x...]", _several(float), "a list of numbers such as 0.2,0.5"),
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


def train_options(names: Sequence[str] = tuple(PARAMETERS)) -> Callable[[Command], Command]:
    """Decorate a command with the options of some of the arguments of `train`.

    An option that is not given is None, so that only what was given is passed on.
    """
    described = {name: entry.text.replace("`", "") for name, entry in entries(train).items()}

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
        parts.append(f"[default: {written(default)}]")
    return " ".join(filter(None, parts))


def written(value: Any) -> str:
    """Write a value as it would be given."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


target_option = click.option(
    "--target",
    help="The column of labels, or numbers to predict, of a file [default: the last one]",
)


def file_option(flag: str, description: str) -> Callable[[Command], Command]:
    """Decorate a command with an option that takes a path."""
    return click.option(flag, type=click.Path(path_type=Path, dir_okay=False), help=description)


plot_option = file_option("--plot", "Draw into this .png, .svg, .pdf")


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

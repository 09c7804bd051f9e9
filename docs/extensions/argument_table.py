"""The table of arguments: the names that each has in the two doors and on the command line.

The directive ``{arguments}`` makes it of `fastmlp.arguments`, the signatures and the docstrings.
"""

import inspect
from typing import NamedTuple

import numpy as np
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

import fastmlp
from fastmlp.arguments import RULES, Flag, Name
from fastmlp.cli.arguments import PARAMETERS, entries
from fastmlp.configuration import in_rules

ESTIMATORS = (fastmlp.MLPClassifier, fastmlp.MLPRegressor)

HEAD = ("`train`", "`MLPClassifier`, `MLPRegressor`", "`fastmlp train`", "default", "may be", "")

NEEDED = "needed"
"""Stands for a default where there is none."""


OPTIONS = {"comm": "--mpi"}
"""Options that stand for an argument that is a Python object."""

ELSEWHERE = {"resume": ("resume(path)", "--resume")}
"""What does the same as an argument of the estimators alone: a function, and an option."""


class Row(NamedTuple):
    """An argument under its names; None where there is none."""

    train: str | None
    estimators: str | None
    option: str | None
    defaults: dict
    """Who has each of them."""
    may_be: str
    meaning: str

    def default(self):
        """Write the default, or each with those that have it."""
        if len(self.defaults) == 1:
            return next(iter(self.defaults))
        whose = {
            text: "estimators" if len(who) > 1 else who[0] for text, who in self.defaults.items()
        }
        return "<br>".join(f"{text} ({who})" for text, who in whose.items())

    def markdown(self):
        """Write the row; estimators take in `fit` what comes with the data."""
        names = [self.train, self.estimators, self.option]
        cells = [f"`{name}`" if name else "" for name in names]
        cells += [self.default(), self.may_be, self.meaning]
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def parameters(function):
    """List the parameters of a function with their defaults."""
    found = inspect.signature(function).parameters.values()
    return {one.name: one.default for one in found if one.name != "self"}


def written(default):
    """Write a default as a user would."""
    if default is inspect.Parameter.empty:
        return NEEDED
    kinds = {bool: bool, int: int, str: str}  # train marks some of its defaults by classes
    plain = next((kind for kind in kinds if isinstance(default, kind)), None)
    return f"`{default if plain is None else plain(default)!r}`"


def interval(rule):
    """Write what a rule allows."""
    none = ", or None" if rule.optional else ""
    left = "(" if rule.closed in ("right", "neither") else "["
    right = "]" if rule.closed in ("right", "both") and rule.most < np.inf else ")"
    most = "∞" if rule.most == np.inf else f"{rule.most:g}"
    return (
        f"{'whole number' if rule.whole else 'number'} in {left}{rule.least:g}, {most}{right}{none}"
    )


def may_be(name, entry):
    """Write what an argument may be: by its rule, or as the docstring says."""
    rule = RULES.get(name)
    if rule is None:
        return entry.kind.removesuffix(", optional").split(", default=")[0]
    if isinstance(rule, Flag):
        return "True or False"
    if isinstance(rule, Name):
        return ", ".join(f'"{one}"' for one in rule.names)
    return interval(rule)


class Theirs(NamedTuple):
    """An argument of the estimators."""

    forms: dict
    """How it is given, by the estimators that have it."""
    defaults: dict
    entry: object

    def shown(self):
        """Write how it is given; with the estimator's name where the other has it not."""
        (form, kinds), *_ = self.forms.items()
        return form if len(kinds) == len(ESTIMATORS) else f"{kinds[0]}({form}=)"


def in_estimators():
    """List the arguments of the estimators."""
    found = {}
    for kind in ESTIMATORS:
        for function, form in ((kind, "{}"), (kind.fit, "fit({}=)")):
            said = entries(function)
            for name, default in parameters(function).items():
                one = found.setdefault(name, Theirs({}, {}, said[name]))
                one.forms.setdefault(form.format(name), []).append(kind.__name__)
                one.defaults.setdefault(written(default), []).append(kind.__name__)
    return found


def rows():
    """List a row for each argument: train's in their order, then what only the estimators have."""
    ours, said, theirs = parameters(fastmlp.train), entries(fastmlp.train), in_estimators()
    found = []
    for name, default in ours.items():
        other = theirs.pop(in_rules(name), None)
        defaults = {written(default): ["train"]}
        for text, kinds in (other.defaults if other else {}).items():
            defaults.setdefault(text, []).extend(kinds)
        option = "--" + name.replace("_", "-") if name in PARAMETERS else OPTIONS.get(name)
        allowed = may_be(in_rules(name), said[name])
        estimators = other and other.shown()
        found.append(Row(name, estimators, option, defaults, allowed, said[name].text))
    for name, other in theirs.items():
        function, option = ELSEWHERE.get(name, (None, None))
        allowed = may_be(name, other.entry)
        found.append(
            Row(function, other.shown(), option, other.defaults, allowed, other.entry.text)
        )
    return found


def table():
    """Write the table in Markdown."""
    lines = ["| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"]
    return lines + [row.markdown() for row in rows()]


class Arguments(Directive):
    """The table."""

    def run(self):
        """Parse the table as if it stood in the page."""
        parent = nodes.container(classes=["measured"])
        self.state.nested_parse(StringList(table(), "arguments"), 0, parent)
        return [parent]


def setup(app):
    """Register the directive."""
    app.add_directive("arguments", Arguments)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

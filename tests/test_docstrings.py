"""Documentation that tests keep true."""

import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import fastmlp

MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(fastmlp.__path__, "fastmlp.")
    if module.name != "fastmlp.__main__"
]


def functions():
    """Yield every function and class defined in fastmlp, with its name."""
    for module in MODULES:
        for name, value in vars(module).items():
            value = getattr(value, "py_func", value)  # a kernel's Python function
            defined_here = getattr(value, "__module__", None) == module.__name__
            if defined_here and (inspect.isfunction(value) or inspect.isclass(value)):
                yield f"{module.__name__}.{name}", value
                members = vars(value).items() if inspect.isclass(value) else ()
                yield from (
                    (f"{module.__name__}.{name}.{member}", function)
                    for member, function in members
                    if inspect.isfunction(function) and not member.startswith("__")
                )


FUNCTIONS = dict(functions())

TWINS = ["Pass"]
"""Classes that stand in two backends under one name, for what each of them computes its way."""


def documented_parameters(docstring):
    """List the names in the section "Parameters" of a numpydoc docstring."""
    section = re.search(r"Parameters\n-+\n(.*?)(\n\n\w+\n-+\n|\Z)", docstring, re.DOTALL)
    if section is None:
        return None
    names = re.findall(r"^\*{0,2}(\w[\w, ]*?)(?: : .*|)$", section[1], re.MULTILINE)
    return [name for group in names for name in group.split(", ")]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_documented_parameters_are_those_of_the_signature(name):
    docstring = inspect.getdoc(FUNCTIONS[name])
    documented = documented_parameters(docstring or "")
    if documented is None:
        return
    signature = inspect.signature(FUNCTIONS[name]).parameters
    assert documented == [parameter for parameter in signature if parameter != "self"]


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if "._" not in name])
def test_public_functions_say_what_they_do(name):
    docstring = vars(FUNCTIONS[name]).get("__doc__") or FUNCTIONS[name].__doc__
    assert docstring, name
    assert docstring.splitlines()[0].endswith("."), name


def test_docstring_of_train_names_every_default():
    assert documented_parameters(inspect.getdoc(fastmlp.train))[:3] == ["X", "y", "dataset"]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_in_docstrings_run(module):
    assert doctest.testmod(module).failed == 0


def test_a_class_name_means_one_thing():
    names = [value.__name__ for value in FUNCTIONS.values() if inspect.isclass(value)]
    assert sorted({name for name in names if names.count(name) > 1}) == TWINS

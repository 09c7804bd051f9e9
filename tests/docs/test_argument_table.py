"""The table of arguments has them all, under the names and with the defaults that they have."""

import inspect

import pytest

pytest.importorskip("docutils", reason="the documentation's tools are not installed")

import fastmlp
from fastmlp.cli.arguments import PARAMETERS
from fastmlp.configuration import in_rules

from .pages import ROOT

ESTIMATORS = (fastmlp.MLPClassifier, fastmlp.MLPRegressor)


@pytest.fixture
def table(monkeypatch):
    """Import the extension as Sphinx does."""
    monkeypatch.syspath_prepend(ROOT / "docs" / "extensions")
    return pytest.importorskip("argument_table")


def names(function):
    """List the arguments of a function."""
    return [name for name in inspect.signature(function).parameters if name != "self"]


def test_every_argument_of_either_door_has_one_row(table):
    rows = table.rows()
    assert [row.train for row in rows if row.option != "--resume" and row.train] == names(
        fastmlp.train
    )
    forms = [row.estimators.split("(")[-1].rstrip("=)") for row in rows if row.estimators]
    theirs = {name for kind in ESTIMATORS for name in (*names(kind), *names(kind.fit))}
    assert sorted(forms) == sorted(theirs)
    options = [row.option for row in rows if row.option]
    assert sorted(options) == sorted(
        ["--resume", "--mpi", *("--" + name.replace("_", "-") for name in PARAMETERS)]
    )
    assert all(row.may_be and row.meaning for row in rows)


def test_names_and_defaults_are_those_of_the_signatures(table):
    rows = {row.train: row for row in table.rows() if row.train}
    assert rows["epochs"].estimators == in_rules("epochs") == "max_iter"
    assert rows["epochs"].default() == "`10` (train)<br>`200` (estimators)"
    assert rows["batch_size"].default() == "`64` (train)<br>`'auto'` (estimators)"
    assert rows["quantile"].estimators == "MLPRegressor(quantile=)"
    assert rows["sample_weight"].estimators == "fit(sample_weight=)"
    assert rows["quantile"].may_be == "number in (0, 1)"
    assert rows["shuffle"].default() == "`True`"


def test_the_table_is_markdown_of_as_many_cells_in_each_row(table):
    lines = table.table()
    assert len(lines) == len(table.rows()) + 2
    assert {line.replace("\\|", "").count("|") for line in lines} == {len(table.HEAD) + 1}

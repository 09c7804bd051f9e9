"""Measured numbers in the pages, read from benchmarks/published at build time.

- the role ``{times}`` with a row and a library: how many times as long as fastmlp it takes;
- the role ``{seconds}`` with a row: what fastmlp takes;
- the directive ``{measured}`` with the name of a table of `TABLES`.
"""

import json

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxRole

from benchmarks import roofline
from benchmarks.page import PUBLISHED
from benchmarks.page.front import front_table, machine_sentence
from benchmarks.page.tables import duration, is_of_threads, race_table
from benchmarks.peers.records import best, ratio
from benchmarks.roofline.report import notes


def read(name):
    """Read a published file.

    Parameters
    ----------
    name : str

    Returns
    -------
    dict
    """
    return json.loads((PUBLISHED / f"{name}.json").read_text())


class Times(SphinxRole):
    """How many times as long as fastmlp a library takes, as in ``{times}`batch64 NumPy```."""

    def run(self):
        """Look the number up; a row or a library that is not there is an error."""
        name, _, library = self.text.partition(" ")
        row = read("peers")["rows"][name]
        return [nodes.Text(f"{ratio(row, best(row, library)):.1f}")], []


class Seconds(SphinxRole):
    """What fastmlp takes for a row, as in ``{seconds}`batch64```."""

    def run(self):
        """Look the number up; a row that is not there is an error."""
        return [nodes.Text(duration(best(read("peers")["rows"][self.text], "fastmlp")))], []


def _race():
    rows = [row for row in read("peers")["rows"].values() if not is_of_threads(row)]
    return race_table(rows)


TABLES = {
    "front": lambda: front_table(read("peers")),
    "machine": lambda: machine_sentence(read("peers")),
    "race": _race,
    "roofline": lambda: roofline.table(read("roofline")),
    "roofline-notes": lambda: notes(read("roofline")),
}
"""Markdown by name."""


class Measured(Directive):
    """A table of `TABLES`."""

    required_arguments = 1

    def run(self):
        """Parse the table as if it stood in the page."""
        parent = nodes.container(classes=["measured"])
        lines = TABLES[self.arguments[0]]().splitlines()
        self.state.nested_parse(StringList(lines, "published"), 0, parent)
        return [parent]


def setup(app):
    """Register the roles and the directive."""
    app.add_role("times", Times())
    app.add_role("seconds", Seconds())
    app.add_directive("measured", Measured)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

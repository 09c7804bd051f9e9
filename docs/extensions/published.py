"""Measured numbers in the pages, read from benchmarks/published at build time.

- the role ``{times}`` with a row and a library: how many times as long as fastmlp it takes;
- the role ``{seconds}`` with a row: what fastmlp takes;
- the directive ``{measured}`` with the name of a table of `TABLES`.
"""

import json
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxRole

from benchmarks import roofline
from benchmarks.page.__main__ import read_results
from benchmarks.page.front import front_table, machine_sentence
from benchmarks.page.markdown import competitors
from benchmarks.page.tables import duration
from benchmarks.peers.records import best, ratio
from benchmarks.roofline.report import notes
from benchmarks.scaling import report as scaling


class Times(SphinxRole):
    """How many times as long as fastmlp a library takes, as in ``{times}`batch64 NumPy```."""

    def run(self):
        """Look the number up; a row or a library that is not there is an error."""
        name, _, library = self.text.partition(" ")
        row = read_results()["peers"]["rows"][name]
        return [nodes.Text(f"{ratio(row, best(row, library)):.1f}")], []


class Seconds(SphinxRole):
    """What fastmlp takes for a row, as in ``{seconds}`batch64```."""

    def run(self):
        """Look the number up; a row that is not there is an error."""
        return [
            nodes.Text(duration(best(read_results()["peers"]["rows"][self.text], "fastmlp")))
        ], []


def read_scaling():
    """Read what was measured of several machines."""
    path = Path(scaling.__file__).parents[1] / "published" / "scaling.json"
    return json.loads(path.read_text())


TABLES = {
    "front": lambda: front_table(read_results()["peers"]),
    "machine": lambda: machine_sentence(read_results()["peers"]),
    "competitors": lambda: competitors(read_results()),
    "roofline": lambda: roofline.table(read_results()["roofline"]),
    "all-reduce": lambda: scaling.measured_table(read_scaling()),
    "scaling-steps": lambda: scaling.steps_table(read_scaling()),
    "batch-accuracy": lambda: scaling.accuracy_table(read_scaling()),
    "scaling": lambda: scaling.efficiency_table(read_scaling()),
    "scaling-needed": lambda: scaling.needed_table(read_scaling()),
    "roofline-notes": lambda: notes(read_results()["roofline"]),
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

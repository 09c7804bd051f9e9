"""The recorded counts, and how others compare with them."""

import json
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from .callgrind import CannotCount, valgrind_version

PATH = Path(__file__).resolve().parents[1] / "published" / "instructions.json"
COMMAND = "python -m benchmarks.instructions --update"

TOLERANCE = 1.0
"""Percent by which a count may differ. The same code counts the same: this is room for changes that
nobody would measure, such as one more branch a batch."""


def versions():
    """Tell the versions of what counts depend on.

    Returns
    -------
    dict of str to str
    """
    packages = {name: version(name) for name in ("numba", "llvmlite", "numpy")}
    return {"python": platform.python_version(), **packages, "valgrind": valgrind_version()}


def write(counts, path=PATH):
    """Write the record.

    Parameters
    ----------
    counts : dict of str to int
    path : Path
    """
    record = {
        "command": COMMAND,
        "date": date.today().isoformat(),
        "versions": versions(),
        "instructions": counts,
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=2) + "\n")


def read(path=PATH):
    """Read the record.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict
    """
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise CannotCount(f"there must be a record in {path}; make it by {COMMAND}.") from None
    except ValueError as error:
        raise CannotCount(f"{path} must be JSON; got {error}. Make it by {COMMAND}.") from None


def differences(recorded, current):
    """Say which versions that determine the compiled code differ.

    Parameters
    ----------
    recorded, current : dict of str to str
        As `versions` gives them.

    Returns
    -------
    str
        Empty where the counts are comparable.
    """

    def parts(versions):
        minor = ".".join(versions["python"].split(".")[:2])
        return {"python": minor} | {name: versions[name] for name in ("numba", "llvmlite")}

    before, now = parts(recorded), parts(current)
    return ", ".join(
        f"{name} is {now[name]}, was {before[name]}" for name in now if now[name] != before[name]
    )


class Row(NamedTuple):
    """One workload's two counts; None where it was not counted."""

    name: str
    before: int | None
    now: int | None

    @property
    def change(self):
        """By how many percent it counts more; None where there is nothing to compare."""
        if self.before is None or self.now is None:
            return None
        return 100 * (self.now - self.before) / self.before


def compare(before, now):
    """Put two countings side by side, in the order of the new one.

    Parameters
    ----------
    before, now : dict of str to int

    Returns
    -------
    list of Row
    """
    return [Row(name, before.get(name), now.get(name)) for name in now | before]


def table(rows, title):
    """Write rows as a table.

    Parameters
    ----------
    rows : list of Row
    title : str
        Of the column of what came before.

    Returns
    -------
    str
    """
    width = max(len(row.name) for row in rows)
    lines = [f"{'workload':{width}} {title[:14]:>14} {'now':>14} {'change':>9}"]
    for name, *counts in rows:
        cells = [f"{'-' if n is None else format(n, ','):>14}" for n in counts]
        change = Row(name, *counts).change
        cells.append(f"{'-' if change is None else format(change, '+.2f') + ' %':>9}")
        lines.append(" ".join([f"{name:{width}}", *cells]))
    return "\n".join(lines)


def sum_up(rows, title):
    """Say what follows from a comparison.

    Parameters
    ----------
    rows : list of Row
    title : str
        What came before.

    Returns
    -------
    sentences : list of str
        Empty where all is as it was.
    failed : bool
        Whether a workload takes more instructions than it may.
    """
    more = [row.name for row in rows if row.change is not None and row.change > TOLERANCE]
    less = [row.name for row in rows if row.change is not None and row.change < -TOLERANCE]
    single = [row.name for row in rows if row.change is None]
    sentences = [
        f"{what}: {'; '.join(names)}."
        for what, names in (
            (f"More than {TOLERANCE:g} % above {title}", more),
            (f"More than {TOLERANCE:g} % below {title}", less),
            (f"Counted once only, {title} or now", single),
        )
        if names
    ]
    return sentences, bool(more)
